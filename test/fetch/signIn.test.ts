/** What the engine shows a server, when it shows it again, and what it makes of a refusal. */
import { createHash, randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { saslPrepared } from '../../lib/fetch/saslPrep.ts';
import { credentialPlace } from '../../lib/fetch/signIn.ts';
import type { Mailbox } from '../../lib/mailbox/settings.ts';
import { Secret, SecretError, type TokenSource, type Tokens } from '../../lib/secrets/port.ts';
import { type Behaviour, mail } from '../servers/scripted.ts';
import { type AuthAsked, bearerAuth, plainAuth, type ScriptedAuth } from '../servers/scriptedAuth.ts';
import { letter, mailboxNamed, World, type WorldOptions } from './world.ts';

const SOURCE = { from: 'env:TOKEN' };
const one = () => [mail('a', letter('a'))];

/** A mailbox that shows tokens, read from `tokens`. */
function bearer(tokens: Tokens, auth: ScriptedAuth, more: Partial<WorldOptions> = {}): World {
  return new World({
    messages: one(),
    behaviour: { auth },
    tokens,
    settings: {
      password: undefined,
      signIn: { mechanism: 'xoauth2', initialResponse: false, token: SOURCE },
    },
    ...more,
  });
}

const REFUSES: Parameters<typeof bearerAuth>[0] = {
  tokenOf: () => 'living',
  complains: '{"status":"invalid_token"}',
  refusal: '-ERR [AUTH] no',
};

/** First `stale`; afresh what `fresh` makes of it. */
function tokensOf(stale: string, fresh: () => string | SecretError) {
  const reads: { readonly source: TokenSource; readonly fresh: boolean }[] = [];
  const tokens: Tokens = {
    async read(source, isFresh) {
      reads.push({ source, fresh: isFresh });
      const given = isFresh ? fresh() : stale;
      if (given instanceof SecretError) throw given;
      return new Secret(given);
    },
  };
  return { tokens, reads };
}

const trouble = (kind: 'later' | 'person', code: string) =>
  new SecretError(`no token (${code})`, { kind, code, reference: 'env:TOKEN' });

describe('a token that is refused', () => {
  it('is had anew once, and the other one shown', async () => {
    const { tokens, reads } = tokensOf('dead', () => 'living');
    const report = await bearer(tokens, bearerAuth(REFUSES)).run();
    expect(report).toMatchObject({ outcome: 'done', signIns: 2, counts: { stored: 1 } });
    expect(reads).toEqual([
      { source: SOURCE, fresh: false },
      { source: SOURCE, fresh: true },
    ]);
  });

  it.each(['dead', 'dead too'])('is the end where the other one is %j and no better', async (other) => {
    const { tokens, reads } = tokensOf('dead', () => other);
    const report = await bearer(tokens, bearerAuth(REFUSES)).run();
    expect(report).toMatchObject({
      outcome: 'failed',
      signIns: other === 'dead' ? 1 : 2,
      error: { code: 'E_POP3_TOKEN_REFUSED', kind: 'person', phase: 'sign-in' },
    });
    expect(report.error?.message).toContain('(status invalid_token)');
    expect(reads).toHaveLength(2);
  });

  it('stays refused where no other can be had now, and waits as that', async () => {
    const { tokens } = tokensOf('dead', () => trouble('later', 'E_TOKEN_UNREACHABLE'));
    const world = bearer(tokens, bearerAuth(REFUSES));
    expect((await world.run()).error).toMatchObject({ code: 'E_POP3_TOKEN_REFUSED' });
    expect((await world.head()).backOff).toMatchObject({ pace: 'refusal', refusals: 1 });
  });

  it.each(['E_TOKEN_REVOKED', 'E_TOKEN_REFUSED'])(
    'tells %s, and waits as a refused sign-in',
    async (code) => {
      const { tokens } = tokensOf('dead', () => trouble('person', code));
      const world = bearer(tokens, bearerAuth(REFUSES));
      expect((await world.run()).error).toMatchObject({ code, kind: 'person', phase: 'secret' });
      expect((await world.head()).backOff).toMatchObject({
        pace: 'refusal',
        refusals: 1,
        told: expect.anything(),
      });
    },
  );

  it('may have been a throttle: a person is told the third time in a row', async () => {
    const { tokens } = tokensOf('dead', () => 'dead');
    const world = bearer(tokens, bearerAuth(REFUSES));
    const failing = () =>
      world.publisher.accepted.filter(({ detailType }) => detailType === 'Mailbox Failing');
    for (const told of [0, 0, 1, 1]) {
      await world.run();
      expect(failing()).toHaveLength(told);
    }
  });

  it.each([
    ['at once, in no challenge', { complains: null }, 'E_POP3_TOKEN_REFUSED'],
    ['as trouble of the server', { refusal: '-ERR [SYS/TEMP] later' }, 'E_POP3_SYS_TEMP'],
    [
      'as switched off',
      { refusal: '-ERR [SYS/PERM] Your account is not enabled for POP access.' },
      'E_POP3_SWITCHED_OFF',
    ],
    ['in a challenge that is no JSON', { complains: 'no' }, 'E_POP3_TOKEN_REFUSED'],
    ['by a server that knows no empty line', { refusal: '-ERR invalid command' }, 'E_POP3_TOKEN_REFUSED'],
    [
      'in words about passwords',
      { refusal: '-ERR login with OAuth2 failed, multi-factor authentication required' },
      'E_POP3_TOKEN_REFUSED',
    ],
    ['as trouble of its own', { complains: '{"status":"503"}' }, 'E_POP3_SYS_TEMP'],
    ['as trouble of its own, in words', { complains: '{"status":"server_error"}' }, 'E_POP3_SYS_TEMP'],
  ])('is told by what the server says: %s', async (_, more, code) => {
    const { tokens } = tokensOf('dead', () => 'dead');
    expect((await bearer(tokens, bearerAuth({ ...REFUSES, ...more })).run()).error).toMatchObject({ code });
  });

  it('is had anew where the server hangs up in place of the -ERR', async () => {
    const { tokens } = tokensOf('dead', () => 'living');
    const world = bearer(tokens, bearerAuth(REFUSES), {
      faults: [{ verb: 'SASL', session: 1, after: 1, cutAt: 0 }],
    });
    expect(await world.run()).toMatchObject({ outcome: 'done', signIns: 2 });
  });

  it.each(['status', 'scope'])('is shown to nobody where the server repeats it as its %s', async (field) => {
    const token = `canary-${randomBytes(24).toString('base64url')}`;
    const { tokens } = tokensOf(token, () => token);
    const complains = JSON.stringify({ status: '401', scope: 'pop', [field]: `x ${token.slice(0, 20)}` });
    const report = await bearer(tokens, bearerAuth({ ...REFUSES, complains })).run();
    expect(report.error).toMatchObject({ code: 'E_POP3_TOKEN_REFUSED' });
    expect(report.error?.message).toContain('withheld');
    expect(JSON.stringify(report)).not.toContain(token.slice(0, 12));
  });

  it('that rode on AUTH may have to come behind it', async () => {
    const { tokens } = tokensOf('living', () => 'living');
    const settings = {
      password: undefined,
      signIn: { mechanism: 'xoauth2', initialResponse: true, token: SOURCE },
    } as const;
    const world = bearer(tokens, bearerAuth({ ...REFUSES, onlyInTwoSteps: true }), { settings });
    expect((await world.run()).error?.message).toMatch(/Protocol error.*leave initialResponse out/);
  });

  it('is shown by OAUTHBEARER, too', async () => {
    const { tokens } = tokensOf('dead', () => 'living');
    const settings = {
      password: undefined,
      signIn: { mechanism: 'oauthbearer', initialResponse: true, token: SOURCE },
    } as const;
    const world = bearer(tokens, bearerAuth(REFUSES), { settings });
    expect(await world.run()).toMatchObject({ outcome: 'done', signIns: 2 });
  });
});

describe('the one mechanism', () => {
  const signedIn = (mechanism: Mailbox['signIn']['mechanism'], behaviour: Behaviour) => {
    const settings = { signIn: { mechanism, initialResponse: false } };
    const reads: boolean[] = [];
    const world = new World({ messages: one(), behaviour, settings });
    const secrets = {
      async read(_: string, fresh: boolean) {
        reads.push(fresh);
        return new Secret(world.server.password);
      },
    };
    const commands = () => world.server.log.sessions.flatMap((session) => session.commands);
    return world.run({}, { secrets }).then((report) => ({ report, reads, commands: commands() }));
  };

  it.each([
    ['CAPA is not known', null],
    ['CAPA has no mechanisms', ['UIDL', 'TOP']],
    ['it is announced', ['UIDL', 'SASL LOGIN PLAIN']],
    ['it is announced in small letters', ['UIDL', 'sasl login plain']],
    ['each has a line of its own', ['UIDL', 'SASL LOGIN', 'SASL PLAIN']],
    ['there are commas between them', ['UIDL', 'SASL LOGIN,PLAIN, CRAM-MD5']],
  ])('is tried where %s', async (_, capabilities) => {
    const { report } = await signedIn('plain', { auth: plainAuth, capabilities });
    expect(report).toMatchObject({ outcome: 'done', counts: { stored: 1 } });
  });

  it.each([
    [
      'others are announced',
      ['UIDL', 'USER', 'SASL LOGIN CRAM-MD5'],
      'set signIn.mechanism to user-pass or login or cram-md5',
    ],
    ['none is', ['UIDL', 'SASL'], 'it offers no mechanism at all'],
    ['none that is known is', ['UIDL', 'SASL KERBEROS_V4'], 'none of these is known here'],
    ['there may be more under TLS', ['UIDL', 'STLS', 'SASL LOGIN'], 'or tls to stls'],
  ])(
    'is not tried where %s: nothing is sent, and the password is not read again',
    async (_, capabilities, says) => {
      const { report, reads, commands } = await signedIn('plain', { auth: plainAuth, capabilities });
      expect(report).toMatchObject({
        outcome: 'failed',
        error: { code: 'E_POP3_MECHANISM', kind: 'person', phase: 'sign-in' },
      });
      expect(report.error?.message).toContain(says);
      expect(reads).toEqual([false]);
      expect(commands).toEqual(['CAPA']);
    },
  );

  it('is USER and PASS where that is set, whatever is announced', async () => {
    const { report, commands } = await signedIn('user-pass', {
      capabilities: ['UIDL', 'SASL PLAIN XOAUTH2'],
    });
    expect(report.outcome).toBe('done');
    expect(commands.filter((line) => line.startsWith('AUTH'))).toEqual([]);
  });

  it('is refused once, and the password read afresh', async () => {
    const { report, reads, commands } = await signedIn('plain', {
      auth: function* () {
        yield '';
        return { refused: '-ERR [AUTH] no' };
      },
    });
    expect(report).toMatchObject({ outcome: 'failed', signIns: 1, error: { code: 'E_POP3_AUTH' } });
    // The last one is for the mark of what was refused.
    expect(reads).toEqual([false, true, false]);
    expect(commands.filter((line) => /^(AUTH|USER|PASS)/.test(line))).toEqual(['AUTH PLAIN']);
  });

  it('is not begun again with a server that does not prove itself', async () => {
    const { report, commands } = await signedIn('scram-sha-256', {
      auth: function* () {
        yield '';
        return { user: 'ferry' };
      },
    });
    expect(report).toMatchObject({ outcome: 'failed', signIns: 1, error: { code: 'E_POP3_UNPROVED' } });
    expect(commands.filter((line) => line.startsWith('AUTH'))).toHaveLength(1);
  });

  it('says which mailbox it wants where a certificate speaks for it', async () => {
    const asked: AuthAsked[] = [];
    const world = new World({
      messages: one(),
      behaviour: {
        auth: function* (given) {
          asked.push(given);
          if (given.initial === null) yield '';
          return { user: 'ferry' };
        },
      },
      settings: {
        password: undefined,
        signIn: { mechanism: 'external', initialResponse: true },
        clientCertificate: { certificate: '-----BEGIN CERTIFICATE-----', key: 'env:KEY' },
      },
    });
    expect(await world.run()).toMatchObject({ outcome: 'done' });
    expect(asked.map(({ initial }) => initial)).toEqual([Buffer.from('ferry').toString('base64')]);
  });

  it('is handed certificates and keys that were looked up', async () => {
    const world = new World({
      settings: {
        serverKeys: [`sha256:${createHash('sha256').digest('base64')}`],
        clientCertificate: { certificate: 'file:ada.crt', key: 'file:ada.key' },
      },
    });
    const endpoints: object[] = [];
    const secrets = { read: async (reference: string) => new Secret(`<${reference}>`) };
    const dial = async (endpoint: object) => {
      endpoints.push(endpoint);
      return world.server.connect();
    };
    await world.run({}, { secrets, dial });
    expect(endpoints[0]).toMatchObject({
      serverKeys: world.mailbox.serverKeys,
      clientCertificate: { certificate: '<file:ada.crt>', key: '<file:ada.key>' },
    });
  });
});

describe('SASLprep', () => {
  // RFC 4013 section 3.
  it.each([
    ['I\u00adX', 'IX'],
    ['user', 'user'],
    ['USER', 'USER'],
    ['\u00aa', 'a'],
    ['\u2168', 'IX'],
    ['\u0007', null],
    ['\u0627\u0031', null],
    ['\u00ad', null],
    ['', null],
    [' pass word ', ' pass word '],
    ['p\u00a0w', 'p w'],
    ['\u{1f512}', '\u{1f512}'],
  ])('makes of %j what RFC 4013 has: %j', async (given, expected) => {
    expect(await saslPrepared(given)).toBe(expected);
  });

  it.each(['user-pass', 'login', 'plain'] as const)(
    'tries no password by %s that has a line end in it, and says where it stands',
    async (mechanism) => {
      const settings = { signIn: { mechanism, initialResponse: false } };
      for (const password of ['secret1\n', 'secret1\r', 'se\0cret1', '\ud800secret1']) {
        const world = new World({ messages: one(), settings });
        const report = await world.run({}, { secrets: { read: async () => new Secret(password) } });
        expect(report.error).toMatchObject({ code: 'E_SECRET_MALFORMED', kind: 'person' });
        expect(report.error?.message).toMatch(/env:PASSWORD: the password has a line end.*Write it again/);
        expect(JSON.stringify(report)).not.toContain('cret1');
        const said = world.server.log.sessions.flatMap(({ commands }) => commands);
        expect(said.filter((line) => /USER|PASS|AUTH/.test(line))).toEqual([]);
      }
    },
  );

  it.each(['{"ada":"secret1","bob":"secret2"}', ' {"password": "secret1"}'])(
    'shows no server the secrets of all accounts: case %#',
    async (secret) => {
      const world = new World({ messages: one() });
      const report = await world.run({}, { secrets: { read: async () => new Secret(secret) } });
      expect(report.error).toMatchObject({ code: 'E_SECRET_MALFORMED', kind: 'person' });
      expect(report.error?.message).toMatch(/env:PASSWORD: the password is a whole JSON object.*#KEY/);
      expect(JSON.stringify(report)).not.toContain('secret1');
      expect(world.server.log.sessions.flatMap(({ commands }) => commands)).toEqual([]);
    },
  );

  it('takes a password that only begins as JSON does', async () => {
    const world = new World({ messages: one() });
    const secrets = { read: async () => new Secret('{secret1') };
    expect((await world.run({}, { secrets })).error).toMatchObject({ code: 'E_POP3_AUTH' });
  });

  it('reads a password with a line end in it afresh, since it may have been mended', async () => {
    const world = new World({ messages: one() });
    const { password } = world.server;
    const reads: boolean[] = [];
    const read = async (_: string, fresh: boolean) => {
      reads.push(fresh);
      return new Secret(fresh ? password : `${password}\n`);
    };
    expect((await world.run({}, { secrets: { read } })).counts.stored).toBe(1);
    expect(reads).toEqual([false, true]);
  });

  it('keeps from sending what SCRAM cannot carry, without showing it', async () => {
    const world = new World({
      messages: one(),
      settings: { signIn: { mechanism: 'scram-sha-256', initialResponse: true } },
    });
    const secrets = { read: async () => new Secret('\u0627secret1') };
    const report = await world.run({}, { secrets });
    expect(report).toMatchObject({ outcome: 'failed', error: { code: 'E_POP3_ARGUMENT', kind: 'person' } });
    expect(report.error?.message).toMatch(/the password has characters that SCRAM-SHA-256 cannot carry/);
    expect(JSON.stringify(report)).not.toContain('secret1');
    expect(world.server.log.sessions.flatMap(({ commands }) => commands)).toEqual(['CAPA']);
  });
});

it.each<readonly [Partial<Mailbox>, string]>([
  [{}, 'env:PASSWORD'],
  [
    { password: undefined, signIn: { mechanism: 'xoauth2', initialResponse: false, token: SOURCE } },
    'env:TOKEN',
  ],
  [
    {
      password: undefined,
      signIn: { mechanism: 'xoauth2', initialResponse: false, token: { command: ['pass', 'hunter2'] } },
    },
    'a token by a command',
  ],
])('tells where a credential is, and nothing of it: case %#', (settings, place) => {
  expect(credentialPlace(mailboxNamed('inbox', settings))).toBe(place);
});
