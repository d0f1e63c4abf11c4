/**
 * Marked secrets through the command, by every mechanism and source of tokens, going well and badly: none is in what it
 * says, writes, stores or announces. That the search finds one is shown first.
 */
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { describe, expect, it, onTestFinished } from 'vitest';
import { EXIT } from '../../bin/exitCodes.ts';
import { Canaries, canary, filesBelow, formsIn, formsOf, type Leavings, saslLines } from '../canaries.ts';
import { mail, type ScriptedOptions } from '../servers/scripted.ts';
import { bearerAuth, plainAuth, type ScriptedAuth } from '../servers/scriptedAuth.ts';
import { mailferry, type Said, server, settingsFor, startMailferry, workFolder } from './harness.ts';

const USER = 'ferry';

describe('the search for a secret', () => {
  const secret = canary();

  it.each([...formsOf(secret)])('finds a planted one: %s', (_, form) => {
    expect(formsIn(Buffer.from(`before ${form} behind`, 'latin1'), secret)).not.toEqual([]);
    expect(formsIn(Buffer.from(`before ${form.slice(0, 12)} behind`, 'latin1'), secret)).toEqual([]);
  });

  it.each(saslLines(USER, secret))('finds one in a line of SASL: %#', (line) => {
    for (const encoding of ['base64', 'base64url', 'hex', 'utf8'] as const)
      expect(formsIn(`AUTH X ${Buffer.from(line).toString(encoding)}\r\n`, secret), encoding).not.toEqual([]);
  });

  it('looks into every file and its name, compressed ones as they read, and says where, without the secret', async () => {
    const folder = await workFolder();
    const canaries = new Canaries();
    const planted = canaries.make('password');
    await mkdir(join(folder, 'state'));
    await writeFile(join(folder, 'plain'), `x${planted}`);
    await writeFile(join(folder, 'state', 'segment'), gzipSync(`x${planted}`));
    await writeFile(join(folder, encodeURIComponent(planted)), '');
    await writeFile(join(folder, 'kept'), planted);
    const found = canaries.foundIn(await filesBelow(folder, ['kept']));
    expect(found.join('\n')).toMatch(/^password in plain: raw$/m);
    expect(found.join('\n')).toMatch(/^password in state\/segment: raw$/m);
    expect(found.join('\n')).toMatch(/^password in the name of \d: url$/m);
    expect(found.join('\n')).not.toContain('kept');
    expect(formsIn(found.join('\n'), planted)).toEqual([]);
  });
});

/** Hears every line, and repeats the longest one in its refusal. */
function hearing(auth: ScriptedAuth, canaries: Canaries): ScriptedAuth {
  return function* (asked) {
    let last = asked.initial ?? '';
    canaries.heard(last);
    const inner = auth(asked);
    let step = inner.next();
    while (!step.done) {
      const line = yield step.value;
      canaries.heard(line);
      if (line.length > last.length) last = line;
      step = inner.next(line);
    }
    return 'refused' in step.value ? { refused: `${step.value.refused}: ${last}` } : step.value;
  };
}

/** RFC 2195 and the LOGIN draft need answers that are only looked at. */
const challenging = (...challenges: readonly string[]): ScriptedAuth =>
  function* () {
    for (const challenge of challenges) yield Buffer.from(challenge).toString('base64');
    return { refused: '-ERR [AUTH] no' };
  };

/** Lets the client prove that it has the password, and refuses it. */
const proving: ScriptedAuth = function* ({ initial }) {
  const first = Buffer.from(initial ?? (yield ''), 'base64').toString();
  const nonce = /r=([^,]+)/.exec(first)?.[1] ?? '';
  const proof = yield Buffer.from(`r=${nonce}x,s=c2FsdHNhbHQ=,i=4096`).toString('base64');
  expect(Buffer.from(proof, 'base64').toString()).toMatch(/,p=/);
  return { refused: '-ERR [AUTH] no' };
};

/** A server's ways to repeat a secret. */
const echoesOf = (secret: string): readonly string[] => [
  secret,
  Buffer.from(secret).toString('base64'),
  Buffer.from(secret).toString('hex'),
  encodeURIComponent(secret),
  ...saslLines(USER, secret).map((line) => Buffer.from(line).toString('base64')),
];

interface Ground {
  readonly canaries: Canaries;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}

/** Secrets are kept in these, and in no other. */
const KEPT = ['secret'];

/** What the command said, and every file in its folder. */
async function left({ cwd }: Ground, said: Said): Promise<Leavings> {
  return new Map<string, string | Buffer>([
    ['stdout', said.stdout],
    ['stderr', said.stderr],
    ...(await filesBelow(cwd, KEPT)),
  ]);
}

/** Each command in turn, with all that writes something down; each begins where the one before left off. */
const COMMANDS = [
  ['check', '--transcript', 'check.txt'],
  ['check', '--json'],
  ['fetch', '--transcript', 'fetch.txt'],
  ['fetch', '--json'],
  ['plan'],
  ['status'],
] as const;

/** All that is written down, once. */
const AT_ONCE = [['fetch', '--json', '--transcript', 'once.txt']];

async function expectSilence(
  ground: Ground,
  code: number,
  commands: readonly (readonly string[])[] = COMMANDS,
): Promise<void> {
  for (const argv of commands) {
    const said = await mailferry(argv, ground);
    if (argv[0] !== 'status') expect(said.code, `${argv.join(' ')}: ${said.stdout}${said.stderr}`).toBe(code);
    expect(ground.canaries.foundIn(await left(ground, said)), argv.join(' ')).toEqual([]);
  }
}

const one = () => [mail('u1', 'Message-ID: <1@example.org>\r\nSubject: x\r\n\r\nbody\r\n')];

async function ground(options: ScriptedOptions, change: object, canaries: Canaries): Promise<Ground> {
  const pop3 = await server({ messages: one(), ...options });
  const cwd = await workFolder();
  await settingsFor(cwd, pop3, [change]);
  return { canaries, cwd, env: { PASSWORD: canaries.add('password', pop3.password) } };
}

const bearing = (mechanism: string, token: object) => ({
  password: undefined,
  signIn: { mechanism, token },
});

describe('a password', () => {
  it('that is taken is nowhere', async () => {
    await expectSilence(await ground({}, {}, new Canaries()), EXIT.done);
  });

  it.each([
    ['PASS', {}, undefined],
    ['AUTH', { signIn: { mechanism: 'plain' } }, plainAuth],
    ['AUTH', { signIn: { mechanism: 'login' } }, challenging('User Name', 'Password')],
    ['AUTH', { signIn: { mechanism: 'cram-md5' } }, challenging('<1.2@example.org>')],
    ['AUTH', { signIn: { mechanism: 'scram-sha-256' } }, proving],
  ] as const)('that is refused and repeated is nowhere: %s %j', async (verb, change, auth) => {
    const canaries = new Canaries();
    const secret = canaries.make('password');
    const behaviour = auth === undefined ? {} : { auth: hearing(auth, canaries) };
    for (const echo of auth === undefined ? echoesOf(secret) : [secret]) {
      const faults = auth === undefined ? [{ verb, reply: `-ERR [AUTH] no: ${echo}\r\n` }] : [];
      const given = await ground({ behaviour, faults }, change, canaries);
      await expectSilence(
        { ...given, env: { PASSWORD: secret } },
        EXIT.person,
        echo === secret ? COMMANDS : AT_ONCE,
      );
    }
    if (auth !== undefined) expect(canaries.lines).toBeGreaterThan(0);
  });

  it('is not in the events of a mailbox that fails, and these are there', async () => {
    const canaries = new Canaries();
    const secret = canaries.make('password');
    const faults = [{ verb: 'PASS', reply: `-ERR POP3 is disabled for ${secret}\r\n` }];
    const given = { ...(await ground({ faults }, {}, canaries)), env: { PASSWORD: secret } };
    const leavings = await left(given, await mailferry(['fetch'], given));
    expect(canaries.foundIn(leavings)).toEqual([]);
    const events = [...leavings]
      .filter(([name]) => name.endsWith('events.ndjson'))
      .map(([, bytes]) => String(bytes));
    expect(events.join('')).toMatch(/"detail-type":"Mailbox Failing".*"diagnosis":\{"step":"sign-in"/);
  });

  it('is nowhere while the command watches, and after', async () => {
    const given = await ground({}, { every: '1m' }, new Canaries());
    const stop = new AbortController();
    const onStdout = (said: string) => said.includes('1 stored') && stop.abort();
    const said = await mailferry(['watch'], { ...given, signal: stop.signal, onStdout });
    expect(said).toMatchObject({ code: EXIT.done, stdout: expect.stringContaining('1 stored') });
    expect(given.canaries.foundIn(await left(given, said))).toEqual([]);
  });
});

/** An endpoint in the clear on this machine, as settings allow it. */
async function endpoint(answer: (form: URLSearchParams, response: ServerResponse) => void): Promise<string> {
  const http = createServer(async (request, response) =>
    answer(new URLSearchParams(await text(request)), response),
  );
  await once(http.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => void http.close());
  return `http://localhost:${(http.address() as AddressInfo).port}/token`;
}

const answered = (response: ServerResponse, status: number, body: object | string) => {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(typeof body === 'string' ? body : JSON.stringify(body));
};

const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });

/** Settings of a source, and what to keep in the file "secret" for it; of a key, its members are looked for. */
const SOURCES = {
  'refresh-token': (tokenEndpoint: string) => ({
    ...{ grant: 'refresh-token', tokenEndpoint, clientId: 'c', refreshToken: 'file:secret' },
  }),
  'client-credentials': (tokenEndpoint: string) => ({
    ...{
      grant: 'client-credentials',
      tokenEndpoint,
      clientId: 'c',
      clientSecret: 'file:secret',
      scope: 'pop',
    },
  }),
  'service-account': (tokenEndpoint: string) => ({
    ...{ grant: 'service-account', tokenEndpoint, key: 'file:secret', subject: USER, scope: 'pop' },
  }),
} as const;

type Grant = keyof typeof SOURCES;
const GRANTS = ['refresh-token', 'client-credentials', 'service-account'] as const;

interface Granted {
  readonly grant: Grant;
  readonly answer: (form: URLSearchParams, response: ServerResponse, canaries: Canaries) => void;
  /** What the server takes. */
  readonly living?: string;
  readonly complains?: string;
}

async function granted({ grant, answer, living = 'another', complains = '{"status":"401"}' }: Granted) {
  const canaries = new Canaries();
  const url = await endpoint((form, response) => {
    for (const name of ['refresh_token', 'client_secret', 'assertion'])
      if (form.has(name)) canaries.add(name, form.get(name) ?? '');
    answer(form, response, canaries);
  });
  const auth = bearerAuth({ tokenOf: () => living, complains, refusal: '-ERR [AUTH] no' });
  const given = await ground(
    { behaviour: { auth: hearing(auth, canaries) } },
    bearing('xoauth2', SOURCES[grant](url)),
    canaries,
  );
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' });
  canaries.add('private key', String(pem).split('\n')[5] ?? '');
  const key = JSON.stringify({ type: 'service_account', client_email: 'a@example.org', private_key: pem });
  await writeFile(join(given.cwd, 'secret'), grant === 'service-account' ? key : canaries.make('secret'));
  return given;
}

describe('a token', () => {
  it.each(['xoauth2', 'oauthbearer'])(
    'by a reference is nowhere, taken or refused: %s',
    async (mechanism) => {
      for (const taken of [true, false]) {
        const canaries = new Canaries();
        const token = canaries.make('token').replace(/[^ -~]/g, '');
        canaries.add('token', token);
        const complains = JSON.stringify({ status: token, scope: Buffer.from(token).toString('base64') });
        const auth = bearerAuth({
          tokenOf: () => (taken ? token : 'another'),
          complains,
          refusal: `-ERR [AUTH] ${token}`,
        });
        const change = bearing(mechanism, { from: 'env:TOKEN' });
        const given = await ground({ behaviour: { auth: hearing(auth, canaries) } }, change, canaries);
        await expectSilence({ ...given, env: { TOKEN: token } }, taken ? EXIT.done : EXIT.person);
      }
    },
  );

  it('by a program is nowhere, nor what it says beside it', async () => {
    const canaries = new Canaries();
    const token = canaries.make('token').replace(/[^ -~]/g, '');
    canaries.add('token', token);
    const auth = bearerAuth({ tokenOf: () => 'another', complains: null, refusal: '-ERR [AUTH] no' });
    const change = bearing('xoauth2', { command: [process.execPath, 'token.mjs'] });
    const given = await ground({ behaviour: { auth: hearing(auth, canaries) } }, change, canaries);
    await writeFile(
      join(given.cwd, 'token.mjs'),
      'console.error(process.env.TOKEN); console.log(process.env.TOKEN);',
    );
    await expectSilence({ ...given, env: { TOKEN: token, PATH: process.env['PATH'] ?? '' } }, EXIT.person);
  });

  it.each(GRANTS)('by %s is nowhere, nor what it was had with', async (grant) => {
    const living = `living-${canary().replace(/[^\w-]/g, '')}`;
    const given = await granted({
      grant,
      living,
      answer: (form, response, canaries) => {
        const rotated = form.has('refresh_token') ? { refresh_token: canaries.make('rotated') } : {};
        canaries.add('access token', living);
        answered(response, 200, { access_token: living, token_type: 'Bearer', expires_in: 3600, ...rotated });
      },
    });
    await expectSilence(given, EXIT.done);
  });

  it.each(GRANTS)('by %s that the server refuses, and a grant that ended, are nowhere', async (grant) => {
    for (const revoked of [false, true]) {
      const given = await granted({
        grant,
        answer: (_, response, canaries) =>
          revoked
            ? answered(response, 400, { error: 'invalid_grant', error_description: 'revoked' })
            : answered(response, 200, {
                access_token: canaries.add('access token', canary().replace(/[^ -~]/g, '')),
                token_type: 'Bearer',
              }),
      });
      await expectSilence(given, EXIT.person, AT_ONCE);
    }
  });

  it.each(GRANTS)('by %s is nowhere where the endpoint repeats what it was shown', async (grant) => {
    const shown = (form: URLSearchParams) =>
      form.get('refresh_token') ?? form.get('client_secret') ?? form.get('assertion') ?? '';
    const bodies: readonly ((form: URLSearchParams) => object | string)[] = [
      (form) => ({ error: 'invalid_client', error_description: `no: ${shown(form)}` }),
      (form) => ({ error: shown(form), error_description: Buffer.from(shown(form)).toString('base64') }),
      (form) => ({ error: 'invalid_scope', error_description: encodeURIComponent(shown(form)) }),
      (form) => `<html>${form}</html>`,
    ];
    for (const body of bodies) {
      const given = await granted({ grant, answer: (form, response) => answered(response, 400, body(form)) });
      const said = await mailferry(['fetch', '--json', '--transcript', 't.txt'], given);
      expect([EXIT.person, EXIT.later], said.stdout).toContain(said.code);
      expect(given.canaries.foundIn(await left(given, said)), String(body)).toEqual([]);
    }
  });

  it('is nowhere where the endpoint hangs up', async () => {
    const given = await granted({
      grant: 'client-credentials',
      answer: (_, response) => response.socket?.destroy(),
    });
    const said = await mailferry(['fetch', '--json'], given);
    expect(said.code).toBe(EXIT.later);
    expect(given.canaries.foundIn(await left(given, said))).toEqual([]);
  });
});

const CRASH = fileURLToPath(new URL('./crash.ts', import.meta.url));

describe('a process that ends in the middle', () => {
  it.each(['in a call', 'beside', 'SIGKILL'])('leaves no secret: %s', async (how) => {
    const canaries = new Canaries();
    const given = await ground({}, {}, canaries);
    const child = startMailferry(['fetch', '--transcript', 't.txt'], {
      cwd: given.cwd,
      env: { ...given.env, CRASH: how, NODE_OPTIONS: `--import ${CRASH}` },
    });
    const said = await child.ended;
    // What was to happen did.
    if (how === 'SIGKILL') expect(child.process.signalCode).toBe('SIGKILL');
    else expect(said.stdout + said.stderr).toContain('unexpected in the middle');
    expect(said.code).not.toBe(EXIT.done);
    expect(canaries.foundIn(await left(given, said))).toEqual([]);
  });
});
