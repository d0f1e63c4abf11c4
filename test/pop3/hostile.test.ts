/** Hostile servers, over each kind of line. Which threat is tried where stands in hostileRows.ts. */
import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { Pop3Client, type Pop3Options } from '../../lib/pop3/client.ts';
import { dialTls } from '../../lib/pop3/dial.ts';
import type { Pop3Error } from '../../lib/pop3/errors.ts';
import type { Endpoint } from '../../lib/pop3/transport.ts';
import { type Fault, type ScriptedOptions, type ScriptedServer, startScripted } from '../servers/scripted.ts';
import { noRow } from './calls.ts';
import { FakeTimer, settled } from './fakeTimer.ts';
import { failure } from './handLine.ts';
import { THREATS } from './hostileRows.ts';
import { liveBytes } from './liveBytes.ts';
import { realTimer } from './realTimer.ts';
import { dial, THREE } from './scriptedClient.ts';

const root = new URL('../../', import.meta.url);
const never = new AbortController().signal;
const MiB = 1024 * 1024;

describe('each threat', () => {
  it.each(THREATS)(
    '$id, $what: is tried by tests that exist, or says why not',
    async ({ shownBy, notYet }) => {
      expect(shownBy.length === 0).toBe(notYet !== undefined);
      for (const [file, title] of shownBy) {
        const tests = (await readFile(new URL(file, root), 'utf8')).replace(/\\'/g, "'");
        expect(tests.includes(title), `${file} has a test "${title}"`).toBe(true);
      }
    },
  );

  it('has a row of its own', () => {
    const ids = THREATS.map(({ id }) => id);
    const numbered = (letter: string, count: number) =>
      Array.from({ length: count }, (_, index) => `${letter}${index + 1}`);
    expect(ids).toEqual([...numbered('T', 13), ...numbered('D', 9)]);
  });
});

interface Kind {
  readonly server: ScriptedOptions;
  readonly tls: NonNullable<Endpoint['tls']>;
}

const KINDS: readonly (readonly [string, Kind])[] = [
  ['implicit TLS', { server: {}, tls: 'implicit' }],
  ['STLS', { server: { stls: true }, tls: 'stls' }],
  ['plain TCP', { server: { tls: false }, tls: 'none' }],
];

async function opened(
  server: ScriptedServer,
  { tls }: Kind,
  limits: Pop3Options['limits'] = {},
): Promise<Pop3Client> {
  const { host, port, ca } = server;
  const line = await dial({ host, port, ca, tls }, never);
  return Pop3Client.open(line, { timer: realTimer, deadlineMs: Date.now() + 60_000, limits });
}

/** Every verb once, in the order of a run. */
async function wholeSession(client: Pop3Client, { user, password }: ScriptedServer): Promise<void> {
  await client.capa();
  await client.signIn(user, password);
  await client.uidl(noRow);
  await client.list(noRow);
  await client.uidlOf(1);
  await client.listOf(1);
  await client.top(1, 0, noRow);
  await client.retr(1, noRow);
  await client.dele(1);
  await client.noop();
  await client.quit();
}

async function attacked(
  kind: Kind,
  faults: readonly Fault[],
  limits: Pop3Options['limits'] = {},
): Promise<{ readonly error: Pop3Error; readonly heard: readonly string[] }> {
  const server = await startScripted({ messages: THREE, ...kind.server, faults });
  try {
    let client: Pop3Client | undefined;
    const error = await failure<Pop3Error>(
      opened(server, kind, limits).then((made) => {
        client = made;
        return wholeSession(made, server);
      }),
    );
    const heard = server.log.sessions.flatMap(({ commands }) => commands);
    if (client !== undefined) {
      expect(await failure(client.noop())).toMatchObject({ code: 'E_POP3_CLOSED' });
      await settled();
      expect(server.log.sessions.flatMap(({ commands }) => commands)).toEqual(heard);
    }
    return { error, heard };
  } finally {
    await server.close();
  }
}

/** The same, and memory is as before. */
async function attackedFlat(...attack: Parameters<typeof attacked>): Promise<Pop3Error> {
  const before = liveBytes();
  const { error } = await attacked(...attack);
  expect(liveBytes() - before).toBeLessThan(2 * MiB);
  return error;
}

/** `text` for ever, in writes of 64 KB. */
function endless(start: string, text: string): () => Iterable<Buffer> {
  const block = Buffer.from(text.repeat(Math.ceil((64 * 1024) / text.length)), 'latin1');
  return function* () {
    yield Buffer.from(start, 'latin1');
    for (;;) yield block;
  };
}

const STATUS: readonly Fault[] = [
  { verb: 'CAPA' },
  { verb: 'USER' },
  { verb: 'PASS' },
  { verb: 'UIDL', args: '' },
  { verb: 'LIST', args: '' },
  { verb: 'UIDL', args: '1' },
  { verb: 'LIST', args: '1' },
  { verb: 'TOP' },
  { verb: 'RETR' },
  { verb: 'DELE' },
  { verb: 'NOOP' },
  { verb: 'QUIT' },
];

const MULTILINE: readonly Fault[] = STATUS.filter(
  ({ verb, args }) => ['CAPA', 'TOP', 'RETR'].includes(verb ?? '') || args === '',
);

const named = (fault: Fault) => ({ verb: `${fault.verb} ${fault.args ?? ''}`.trim(), fault });

describe.each(KINDS)('over %s what has no end is cut off, in flat memory (D1, D2, D3)', (_name, kind) => {
  /** So low that a test need not move a gigabyte; the real ones are tried elsewhere. */
  const limits = { listingBytes: 8 * MiB, bodyBytes: 8 * MiB };
  const greetings: readonly Fault[] = [
    { verb: 'GREETING' },
    ...(kind.tls === 'stls' ? [{ verb: 'STLS' }] : []),
  ];

  it.each([...greetings, ...STATUS].map(named))('the line that answers $verb', async ({ fault }) => {
    const error = await attackedFlat(kind, [{ ...fault, reply: endless('+OK ', 'x') }], limits);
    expect(error).toMatchObject({ kind: 'broken', code: 'E_POP3_LINE_TOO_LONG' });
    expect(error.reply?.length).toBeLessThanOrEqual(512);
  });

  it.each(MULTILINE.map(named))('the lines behind $verb', async ({ fault }) => {
    const error = await attackedFlat(
      kind,
      [{ ...fault, reply: endless('+OK\r\n', '7 some-id-of-a-message\r\n') }],
      limits,
    );
    expect(error).toMatchObject({ kind: 'broken', code: 'E_POP3_TOO_LARGE' });
  });

  it.each(MULTILINE.map(named))('one line behind $verb', async ({ fault }) => {
    const error = await attackedFlat(kind, [{ ...fault, reply: endless('+OK\r\n7 ', 'x') }], limits);
    expect(error.kind).toBe('broken');
    // A body may have lines of any length, and a row may not.
    expect(['E_POP3_TOO_LARGE', 'E_POP3_LINE_TOO_LONG']).toContain(error.code);
  });
});

describe.each(KINDS)('over %s an answer too many ends the session (D7)', (_name, kind) => {
  const honest: Readonly<Record<string, string>> = {
    'UIDL 1': '+OK 1 one\r\n',
    'LIST 1': '+OK 1 3\r\n',
  };
  // Behind QUIT the line is closed anyway.
  const rows = STATUS.map(named).filter(({ verb }) => verb !== 'QUIT');

  it.each(rows)('behind $verb', async ({ verb, fault }) => {
    const whole = MULTILINE.includes(fault) ? '+OK\r\n.\r\n' : (honest[verb] ?? '+OK\r\n');
    const { error, heard } = await attacked(kind, [{ ...fault, reply: `${whole}+OK one more\r\n` }]);
    expect(error).toMatchObject({ kind: 'broken', code: 'E_POP3_UNSOLICITED' });
    expect(error.message).toContain('+OK one more');
    // Nothing was said after the command that was answered twice; for USER, no password.
    expect(heard.at(-1)?.startsWith(verb.split(' ')[0] ?? '')).toBe(true);
  });

  it('behind the greeting', async () => {
    const { error, heard } = await attacked(kind, [
      { verb: 'GREETING', reply: '+OK hello\r\n+OK again\r\n' },
    ]);
    expect(error).toMatchObject({ kind: 'broken', code: 'E_POP3_UNSOLICITED' });
    expect(heard).toEqual([]);
  });
});

const WHOLE = [
  'CAPA',
  'USER ferry',
  'PASS ***',
  ...['UIDL', 'LIST', 'UIDL 1', 'LIST 1', 'TOP 1 0', 'RETR 1', 'DELE 1', 'NOOP', 'QUIT'],
];

async function heardOf(kind: Kind, options: ScriptedOptions): Promise<readonly string[]> {
  const server = await startScripted({ messages: THREE, ...kind.server, ...options });
  try {
    await wholeSession(await opened(server, kind), server);
    return server.log.sessions.flatMap(({ commands }) => commands);
  } finally {
    await server.close();
  }
}

describe.each(KINDS)('over %s', (_name, kind) => {
  const expected = kind.tls === 'stls' ? ['STLS', '(TLS)', ...WHOLE] : WHOLE;

  it.each([
    '+OK',
    '+OK logged in',
    '+OK [IN-USE] welcome',
    '+OK [AUTH] you are ferry',
    '+OK PREAUTH',
    '+OK 3 messages (9 octets)',
    '+OK <1896.697170952@dbc.mtview.ca.us>',
    '+OK STLS done, TLS is on',
    '+OK -ERR',
    '+OK +OK',
    '+OK \x1b[2J\x1b]0;owned\x07',
    '+OK \0\xff\xfe',
    `+OK ${'x'.repeat(8000)}`,
  ])('a greeting changes nothing (T3): %j', async (greeting) => {
    const faults = [{ verb: 'GREETING', reply: `${greeting}\r\n` }];
    expect(await heardOf(kind, { faults })).toEqual(expected);
  });

  it.each([
    [[]],
    [['SASL PLAIN']],
    [['SASL CRAM-MD5 NTLM GSSAPI']],
    [['APOP']],
    [['USER', 'SASL XOAUTH2 OAUTHBEARER']],
    [['AUTH=PLAIN', 'X-APOP-REQUIRED']],
  ])('signs in by USER and PASS alone, whatever is offered (T6, T7): %j', async (capabilities) => {
    const faults = [{ verb: 'GREETING', reply: '+OK <1896.697170952@dbc.mtview.ca.us>\r\n' }];
    expect(await heardOf(kind, { faults, behaviour: { capabilities } })).toEqual(expected);
  });

  it('no argument becomes a command (T9)', async () => {
    const server = await startScripted({ messages: THREE, ...kind.server });
    const client = await opened(server, kind);
    const controls = [...Array.from({ length: 32 }, (_, code) => String.fromCharCode(code)), '\x7f', '\r\n'];
    for (const control of controls) {
      for (const [user, password] of [
        [`ferry${control}DELE 1`, 'x'],
        [`${control}`, 'x'],
        ['ferry', `x${control}DELE 1`],
        ['ferry', `x${control}`],
      ] as const) {
        expect(await failure(client.signIn(user, password))).toMatchObject({ code: 'E_POP3_ARGUMENT' });
      }
    }
    // Of 8-bit nothing is a control that ends a line: it goes out whole, as UTF-8, and is one argument.
    for (const user of ['fährmann', '摆渡', 'a\u0085b', 'a\u2028DELE 1'])
      expect(await failure(client.signIn(user, 'x'))).toMatchObject({ code: 'E_POP3_AUTH' });
    await client.quit();
    const [heard = []] = server.log.sessions.map(({ commands }) => commands);
    const verbs = new Set(heard.map((command) => command.split(' ')[0]));
    expect([...verbs].filter((verb) => verb !== 'STLS' && verb !== '(TLS)').sort()).toEqual([
      'PASS',
      'QUIT',
      'USER',
    ]);
    expect(server.removals).toEqual([]);
    await server.close();
  });
});

describe('a server', () => {
  it('that drips its handshake is dropped when that is due (D4)', async () => {
    // Half a TLS record, then a byte of it at a time: never silent, never done.
    const faults = [
      { verb: 'GREETING', reply: endless('\x16\x03\x03\x40\x00', '\0'), pieces: [5, 1], dripMs: 5 },
    ];
    const server = await startScripted({ tls: false, faults });
    const timer = new FakeTimer();
    const endpoint = { host: server.host, port: server.port };
    const pending = failure<Pop3Error>(dialTls({ timer })(endpoint, never));
    while ((server.log.sessions[0]?.bytesSent ?? 0) < 20) await settled();
    await timer.advance(30_000);
    expect(await pending).toMatchObject({ kind: 'later', code: 'E_POP3_TLS_TIMEOUT', phase: 'tls' });
    expect(timer.pending).toBe(0);
    await server.close();
  });
});
