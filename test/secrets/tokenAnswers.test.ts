/** What a token endpoint may answer, or not answer: told apart, bounded, and never quoting a secret. */
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { TokenSource } from '../../lib/secrets/port.ts';
import { HOLD_LATER_MS, type TokenError } from '../../lib/secrets/tokenErrors.ts';
import { type Answering, json } from '../servers/tokenEndpoint.ts';
import { expectHidden, refusal } from './hiding.ts';
import { scriptedWorld, tokenWorld } from './tokenWorld.ts';

const GOOD = { access_token: 'an access token', token_type: 'Bearer', expires_in: 3600 };

const html =
  (status: number): Answering =>
  (_, response) => {
    response.writeHead(status, { 'content-type': 'text/html; charset=utf-8' });
    response.end('<!DOCTYPE html><title>Sign in to the hotel</title>');
  };
const bytes =
  (body: string, status = 200): Answering =>
  (_, response) => {
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(body);
  };

interface Row {
  readonly name: string;
  readonly answer: Answering;
  readonly kind: 'later' | 'person';
  readonly code: string;
  readonly says: readonly string[];
}

/** Bodies as Microsoft and Google send them. */
const ENTRA = (number: number, error: string, words: string) => ({
  error,
  error_description: `AADSTS${number}: ${words}\r\nTrace ID: 9c4a\r\nCorrelation ID: 77d1\r\nTimestamp: 2026-11-29 10:00:00Z`,
  error_codes: [number],
  timestamp: '2026-11-29 10:00:00Z',
  trace_id: '9c4a',
  correlation_id: '77d1',
});

const ROWS: readonly Row[] = [
  {
    name: 'Microsoft: a refresh token that nobody used for 90 days',
    answer: json(ENTRA(700082, 'invalid_grant', 'The refresh token has expired due to inactivity.'), 400),
    kind: 'person',
    code: 'E_TOKEN_REVOKED',
    says: ['invalid_grant', 'AADSTS700082: The refresh token has expired due to inactivity.\\x0D'],
  },
  {
    name: 'Microsoft: a client secret that expired',
    answer: json(
      ENTRA(7000222, 'invalid_client', "The provided client secret keys for app 'x' are expired."),
      401,
    ),
    kind: 'person',
    code: 'E_TOKEN_REFUSED',
    says: ['AADSTS7000222', 'made anew'],
  },
  {
    name: 'Microsoft: a second factor is wanted',
    answer: json(ENTRA(50076, 'interaction_required', 'You must use multi-factor authentication.'), 400),
    kind: 'person',
    code: 'E_TOKEN_REFUSED',
    says: ['interaction_required', 'AADSTS50076'],
  },
  {
    name: 'Microsoft: a number that its words lack',
    answer: json({ error: 'invalid_grant', error_codes: [70043] }, 400),
    kind: 'person',
    code: 'E_TOKEN_REVOKED',
    says: ['invalid_grant (AADSTS70043)'],
  },
  {
    name: 'Microsoft: busy',
    answer: json(ENTRA(90033, 'temporarily_unavailable', 'A transient error has occurred.'), 400),
    kind: 'later',
    code: 'E_TOKEN_UNREACHABLE',
    says: ['AADSTS90033', 'The next run tries again'],
  },
  {
    name: 'Google: a consent that was withdrawn',
    answer: json({ error: 'invalid_grant', error_description: 'Token has been expired or revoked.' }, 400),
    kind: 'person',
    code: 'E_TOKEN_REVOKED',
    says: ['Token has been expired or revoked.'],
  },
  {
    name: 'Google: its own fault',
    answer: json({ error: 'internal_failure', error_description: 'Backend Error' }, 500),
    kind: 'later',
    code: 'E_TOKEN_ANSWER',
    says: ['status 500'],
  },
  {
    name: 'a word that objects inherit',
    answer: json({ error: 'constructor' }, 400),
    kind: 'person',
    code: 'E_TOKEN_REFUSED',
    says: ['constructor. See what the provider says.'],
  },
  { name: 'HTML', answer: html(200), kind: 'later', code: 'E_TOKEN_ANSWER', says: ['status 200, text/html'] },
  { name: 'HTML with 403', answer: html(403), kind: 'later', code: 'E_TOKEN_ANSWER', says: ['text/html'] },
  { name: 'a gateway that failed', answer: html(502), kind: 'later', code: 'E_TOKEN_ANSWER', says: ['502'] },
  {
    name: 'a status that there is not',
    answer: bytes('{}', 999),
    kind: 'later',
    code: 'E_TOKEN_ANSWER',
    says: ['status 999'],
  },
  { name: 'nothing', answer: bytes(''), kind: 'later', code: 'E_TOKEN_ANSWER', says: [] },
  { name: '204', answer: bytes('', 204), kind: 'later', code: 'E_TOKEN_ANSWER', says: [] },
  {
    name: 'half of an object',
    answer: bytes('{"access_token": "abc'),
    kind: 'later',
    code: 'E_TOKEN_ANSWER',
    says: [],
  },
  { name: 'an array', answer: bytes('[]'), kind: 'later', code: 'E_TOKEN_ANSWER', says: [] },
  { name: 'null', answer: bytes('null'), kind: 'later', code: 'E_TOKEN_ANSWER', says: [] },
  {
    name: 'no token',
    answer: json({ ...GOOD, access_token: undefined }),
    kind: 'later',
    code: 'E_TOKEN_ANSWER',
    says: ['access_token'],
  },
  {
    name: 'a token that is bound to a key',
    answer: json({ ...GOOD, token_type: 'mac' }),
    kind: 'later',
    code: 'E_TOKEN_ANSWER',
    says: ['token_type'],
  },
  {
    name: 'a refusal with 200, as GitHub does',
    answer: json({ error: 'invalid_grant', error_description: 'used up', access_token: null }),
    kind: 'person',
    code: 'E_TOKEN_REVOKED',
    says: ['used up'],
  },
  {
    name: 'a refusal as text/html',
    answer: (_, response) => {
      response.writeHead(400, { 'content-type': 'text/html' });
      response.end('\ufeff{"error":"invalid_client","error_description":null}');
    },
    kind: 'person',
    code: 'E_TOKEN_REFUSED',
    says: ['invalid_client. Check clientId'],
  },
  {
    name: 'a refusal whose words are an object',
    answer: json({ error: 'invalid_client', error_description: { code: 7 } }, 401),
    kind: 'person',
    code: 'E_TOKEN_REFUSED',
    says: ['invalid_client'],
  },
  ...['consent_required', 'login_required', 'interaction_required'].map((error) => ({
    ...{ name: error, answer: json({ error }, 400), says: [error, 'mailferry authorize'] },
    ...{ kind: 'person' as const, code: 'E_TOKEN_REFUSED' },
  })),
  {
    name: 'what is packed, though it was not asked for so',
    answer: (_, response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' });
      response.end(gzipSync(JSON.stringify(GOOD)));
    },
    kind: 'later',
    code: 'E_TOKEN_ANSWER',
    says: ['as JSON'],
  },
  {
    name: 'an error that is an object',
    answer: json({ error: { code: 403, status: 'PERMISSION_DENIED' } }, 403),
    kind: 'later',
    code: 'E_TOKEN_ANSWER',
    says: ['status 403'],
  },
  ...['slow_down', 'rate_limit_exceeded', 'too_many_requests', 'service_unavailable'].map((error) => ({
    ...{ name: `too often: ${error}`, answer: json({ error }, 403), says: ['The next run tries again'] },
    ...{ kind: 'later' as const, code: 'E_TOKEN_UNREACHABLE' },
  })),
  {
    name: 'more than an answer may have',
    answer: json({ ...GOOD, access_token: 'x'.repeat(64 * 1024) }),
    kind: 'later',
    code: 'E_TOKEN_ANSWER',
    says: ['more than 65536 bytes'],
  },
  {
    name: 'more and more',
    answer: (_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      const more = () => response.write(' '.repeat(16_384), (error) => error ?? more());
      more();
    },
    kind: 'later',
    code: 'E_TOKEN_ANSWER',
    says: ['more than 65536 bytes'],
  },
  {
    name: 'a reset in the middle',
    answer: (_, response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '100' });
      response.write('{"access_token":', () => response.destroy());
    },
    kind: 'later',
    code: 'E_TOKEN_UNREACHABLE',
    says: [],
  },
];

describe('an answer of a token endpoint', () => {
  it.each(ROWS)('$name', async ({ answer, kind, code, says }) => {
    const { tokens, source, endpoint } = await scriptedWorld(answer);
    const error = await refusal(tokens.read(source, false));
    expect(error).toMatchObject({ kind, code, reference: 'file:client' });
    for (const words of says) expect(error.message).toContain(words);
    expect(error.message).not.toContain('an access token');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is looked for.
    expect(error.message).not.toMatch(/[\0-\x1f\x7f]/);
    for (let mailbox = 0; mailbox < 5; mailbox += 1) await refusal(tokens.read(source, true));
    expect(endpoint.asked).toHaveLength(1);
  });

  it.each([
    ['a life in words', { ...GOOD, expires_in: '3599' }],
    ['no life', { ...GOOD, expires_in: undefined }],
    ['a life that is no number', { ...GOOD, expires_in: 'soon' }],
    ['a life of nothing', { ...GOOD, expires_in: null }],
    ['a life below nothing', { ...GOOD, expires_in: -1 }],
    ['no type', { ...GOOD, token_type: undefined }],
    ['nothing where nothing is', { ...GOOD, refresh_token: null, scope: null, id_token: null, error: null }],
    ['a list of scopes', { ...GOOD, scope: ['pop'] }],
    ['no error to speak of', { ...GOOD, error: '' }],
    ['another spelling', { ...GOOD, token_type: 'bearer' }],
    ['an ID token of whomever', { ...GOOD, id_token: 'e30.e30.' }],
    ['members that nobody knows', { ...GOOD, ext_expires_in: 3599, foci: '1', __proto__: { a: 1 } }],
  ])('with %s gives its token', async (_, body) => {
    const { tokens, source } = await scriptedWorld(json(body));
    expect((await tokens.read(source, false)).reveal()).toBe(GOOD.access_token);
  });

  it('is read behind a byte order mark, whatever it is said to be', async () => {
    const { tokens, source, endpoint } = await scriptedWorld((_, response) => {
      response.writeHead(200, { 'content-type': 'text/plain' });
      response.end(`\ufeff${JSON.stringify({ ...GOOD, id_token: 'x' })}`);
    });
    expect((await tokens.read(source, false)).reveal()).toBe(GOOD.access_token);
    expect(endpoint.asked[0]?.headers['accept-encoding']).toBe('identity');
  });

  it('is asked for by a form, with the secret in it and nowhere else', async () => {
    const { tokens, source, endpoint } = await scriptedWorld(json(GOOD));
    await tokens.read(source, false);
    const [asked] = endpoint.asked;
    expect(Object.fromEntries(asked?.form ?? [])).toEqual({
      grant_type: 'client_credentials',
      client_id: 'mailferry',
      client_secret: 'a client secret of the test',
      scope: 'pop',
    });
    expect(asked?.headers['content-type']).toBe('application/x-www-form-urlencoded;charset=UTF-8');
    expect(asked?.headers['authorization']).toBeUndefined();
    expect(asked?.path).toBe('/token');
  });

  it.each([
    ['as it is', 'no client secret of the test please: a client secret of the test'],
    ['in base64', `cannot use ${Buffer.from('a client secret of the test').toString('base64')}`],
    ['in hex', Buffer.from('a client secret of the test').toString('hex')],
  ])('that repeats the secret %s is withheld', async (_, description) => {
    const { tokens, source } = await scriptedWorld(
      json({ error: 'invalid_client', error_description: description }, 401),
    );
    const error = await refusal(tokens.read(source, false));
    expect(error.message).toContain('withheld');
    expectHidden(error, 'a client secret of the test');
  });

  it('is shown as what can stand in a log, and no longer than that', async () => {
    const description = `\x1b[31m${'x'.repeat(5_000)}`;
    const { tokens, source } = await scriptedWorld(
      json({ error: 'invalid_client', error_description: description }, 400),
    );
    const { message } = await refusal(tokens.read(source, false));
    expect(message).toContain('\\x1B[31mxxx');
    expect(message.length).toBeLessThan(1_000);
  });

  it.each([
    ['429 with seconds', 429, '120', 120_000],
    ['503 with seconds', 503, '5', 5_000],
    ['503 with a year', 503, '31536000', 3600_000],
    ['429 without', 429, undefined, HOLD_LATER_MS],
    ['429 with nonsense', 429, 'in a while', HOLD_LATER_MS],
  ])('%s is left alone for as long', async (_, status, retryAfter, waitMs) => {
    const headers: Record<string, string> = retryAfter === undefined ? {} : { 'retry-after': retryAfter };
    const { tokens, source, endpoint, clock } = await scriptedWorld(json({}, status, headers));
    expect(await refusal(tokens.read(source, false))).toMatchObject({
      kind: 'later',
      code: 'E_TOKEN_UNREACHABLE',
    });
    clock.ms += waitMs - 1;
    await refusal(tokens.read(source, true));
    expect(endpoint.asked).toHaveLength(1);
    clock.ms += 1;
    await refusal(tokens.read(source, false));
    expect(endpoint.asked).toHaveLength(2);
  });

  it('503 with a date is left alone until then', async () => {
    const world: { clock?: { ms: number } } = {};
    const { tokens, source, clock } = await scriptedWorld((_, response) => {
      const until = new Date(Math.ceil((world.clock?.ms ?? 0) / 1000) * 1000 + 90_000);
      response.writeHead(503, { 'retry-after': until.toUTCString() });
      response.end();
    });
    world.clock = clock;
    const { holdMs } = (await refusal(tokens.read(source, false))) as TokenError;
    expect(holdMs).toBeGreaterThanOrEqual(90_000);
    expect(holdMs).toBeLessThanOrEqual(91_000);
  });
});

describe('an endpoint that cannot be used', () => {
  it.each([301, 302, 303, 307, 308])('and redirects by %i is not followed', async (status) => {
    const other = await scriptedWorld(json(GOOD));
    const { tokens, source } = await scriptedWorld((_, response) => {
      response.writeHead(status, { location: other.endpoint.url });
      response.end();
    });
    const error = await refusal(tokens.read(source, false));
    expect(error).toMatchObject({ kind: 'later', code: 'E_TOKEN_ANSWER' });
    expect(error.message).toContain(`redirects (${status})`);
    expect(other.endpoint.asked).toHaveLength(0);
  });

  it.each<[string, Answering]>([
    ['says nothing', () => {}],
    [
      'drips',
      (_, response) => {
        response.writeHead(200, { 'content-type': 'application/json' });
        const timer = setInterval(() => response.write(' '), 10);
        response.on('close', () => clearInterval(timer));
      },
    ],
  ])('and %s is given up', async (_, answer) => {
    const { tokens, source } = await scriptedWorld(answer, { limits: { requestMs: 150 } });
    const error = await refusal(tokens.read(source, false));
    expect(error).toMatchObject({ kind: 'later', code: 'E_TOKEN_UNREACHABLE' });
    expect(error.message).toContain('did not answer within 0.15 s');
  });

  it('and is not there', async () => {
    const { tokens, source, endpoint } = await scriptedWorld(json(GOOD));
    await endpoint.stop();
    const error = await refusal(tokens.read(source, false));
    expect(error).toMatchObject({ kind: 'later', code: 'E_TOKEN_UNREACHABLE' });
    expect(error.message).toContain('ECONNREFUSED');
  });

  it('and has a certificate that nobody vouches for, or of another name', async () => {
    const { source, endpoint, put, ...world } = await scriptedWorld(json(GOOD));
    const stranger = await tokenWorld();
    await stranger.put('client', 'x');
    const unknown = await refusal(stranger.tokens.read(source, false));
    expect(unknown).toMatchObject({ kind: 'person', code: 'E_TOKEN_CERTIFICATE' });
    const named = await tokenWorld({
      ca: endpoint.ca,
      resolve: async () => [{ address: '127.0.0.1', family: 4 }],
    });
    await named.put('client', 'x');
    const tokenEndpoint = source.tokenEndpoint.replace('localhost', 'login.example.org');
    const wrong = await refusal(named.tokens.read({ ...source, tokenEndpoint }, false));
    expect(wrong).toMatchObject({ kind: 'person', code: 'E_TOKEN_CERTIFICATE' });
    expect(endpoint.asked).toHaveLength(0);
    await world.tokens.read(source, false);
  });
});

describe('an address', () => {
  const source = (tokenEndpoint: string) =>
    ({
      grant: 'client-credentials',
      tokenEndpoint,
      clientId: 'mailferry',
      clientSecret: 'file:client',
      scope: 'pop',
    }) as const satisfies TokenSource;

  it.each([
    ['public', 'localhost', 'loopback'],
    ['public', '127.0.0.1', 'loopback'],
    ['public', '[::1]', 'loopback'],
    ['public', '0x7f.1', 'loopback'],
    ['public', '10.0.0.1', 'private'],
    ['private', '169.254.169.254', 'link-local'],
    ['private', '[fd00:ec2::254]', "the cloud's own services"],
    ['private', '[::ffff:169.254.169.254]', 'an IPv4 address in IPv6 form'],
  ] as const)('reach %s: %s is not connected to', async (reach, host, what) => {
    const { endpoint } = await scriptedWorld(json(GOOD));
    const { tokens, put } = await tokenWorld({ ca: endpoint.ca, reach });
    await put('client', 'x');
    const port = new URL(endpoint.url).port;
    const error = await refusal(tokens.read(source(`https://${host}:${port}/token`), false));
    expect(error).toMatchObject({ kind: 'person', code: 'E_TOKEN_SOURCE' });
    expect(error.message).toContain(what);
    expect(endpoint.asked).toHaveLength(0);
  });

  it('is judged by what its name leads to, and that is what is connected to', async () => {
    const asked: string[] = [];
    const resolve = async (host: string) => {
      asked.push(host);
      return [{ address: '169.254.169.254', family: 4 }];
    };
    const { tokens, put } = await tokenWorld({ reach: 'private', resolve });
    await put('client', 'x');
    const error = await refusal(tokens.read(source('https://login.example.org/token'), false));
    expect(error).toMatchObject({ kind: 'person', code: 'E_TOKEN_SOURCE' });
    expect(error.message).toContain('link-local');
    expect(asked).toEqual(['login.example.org']);
  });

  it('of this machine is reached where that is allowed', async () => {
    const { tokens, source: local } = await scriptedWorld(json(GOOD), { reach: 'private' });
    await tokens.read(local, false);
  });

  it.each(['http://login.example.org/token', 'http://192.0.2.1/token', 'ftp://localhost/token', 'token'])(
    'is refused where it is not https: %s',
    async (tokenEndpoint) => {
      const { tokens, put } = await tokenWorld({
        resolve: async () => {
          throw new Error('asked for');
        },
      });
      await put('client', 'x');
      expect(await refusal(tokens.read(source(tokenEndpoint), false))).toMatchObject({
        kind: 'person',
        code: 'E_TOKEN_SOURCE',
      });
    },
  );

  it('is used by http on this machine, and only where the name leads to it', async () => {
    let asked = 0;
    const server = createHttpServer((_, response) => {
      asked += 1;
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify(GOOD));
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    onTestFinished(async () => {
      server.closeAllConnections();
      await once(server.close(), 'close');
    });
    const { port } = server.address() as AddressInfo;
    const { tokens, put } = await tokenWorld();
    await put('client', 'x');
    await tokens.read(source(`http://127.0.0.1:${port}/token`), false);
    await tokens.read(source(`http://localhost:${port}/token`), false);
    expect(asked).toBe(2);
    const astray = await tokenWorld({ resolve: async () => [{ address: '192.0.2.1', family: 4 }] });
    await astray.put('client', 'x');
    const error = await refusal(astray.tokens.read(source(`http://localhost:${port}/token`), false));
    expect(error.message).toContain('not this machine');
  });
});
