/** STLS (RFC 2595): required means required, and nothing said in the clear counts afterwards. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Pop3Client } from '../../lib/pop3/client.ts';
import { dialTls } from '../../lib/pop3/dial.ts';
import type { Pop3Error } from '../../lib/pop3/errors.ts';
import { POP3_LIMITS } from '../../lib/pop3/limits.ts';
import type { Transport } from '../../lib/pop3/transport.ts';
import type { Fault, ScriptedServer } from '../servers/scripted.ts';
import { FakeTimer, settled } from './fakeTimer.ts';
import { DEADLINE_MS, failure, HandLine } from './handLine.ts';
import { realTimer } from './realTimer.ts';
import { dial, openTo, THREE, withServer } from './scriptedClient.ts';

const never = new AbortController().signal;

const withStls = (faults: readonly Fault[], use: (server: ScriptedServer) => Promise<void>) =>
  withServer({ tls: undefined, stls: true, faults }, use);

/** One without any TLS has no authority. */
const lineTo = ({ host, port, ca }: ScriptedServer) =>
  dial({ host, port, ...(ca === '' ? {} : { ca }), tls: 'stls' }, never);

async function opened(server: ScriptedServer): Promise<Pop3Client> {
  return Pop3Client.open(await lineTo(server), { timer: realTimer, deadlineMs: Date.now() + 30_000 });
}

/** What the server heard in all, in the clear and under TLS. */
const heard = (server: ScriptedServer) => server.log.sessions.flatMap(({ commands }) => commands);

describe('a session with STLS', () => {
  it('is a whole session, and nothing but STLS is said before the handshake', () =>
    withStls([], async (server) => {
      const client = await opened(server);
      expect((await client.capa()).has('STLS')).toBe(false);
      await client.signIn(server.user, server.password);
      const sizes: number[] = [];
      await client.list((number) => sizes.push(number));
      expect(sizes).toEqual(THREE.map((_, index) => index + 1));
      await client.dele(2);
      await client.quit();
      expect(server.removals).toMatchObject([{ uidl: 'two', by: 'QUIT' }]);
      expect(heard(server)).toEqual([
        'STLS',
        '(TLS)',
        'CAPA',
        `USER ${server.user}`,
        'PASS ***',
        'LIST',
        'DELE 2',
        'QUIT',
      ]);
    }));

  it('forgets what CAPA would have said in the clear (C-06)', () =>
    withStls([{ verb: 'CAPA', reply: '+OK\r\nX-UNDER-TLS\r\n.\r\n' }], async (server) => {
      const client = await opened(server);
      expect((await client.capa()).lines).toEqual(['X-UNDER-TLS']);
      await client.quit();
    }));

  it('takes a bare +OK for a yes (G-06), in single bytes too', () =>
    withStls([{ verb: 'STLS', reply: '+OK\r\n', pieces: [1] }], async (server) => {
      const client = await opened(server);
      await client.signIn(server.user, server.password);
      await client.quit();
    }));
});

interface Refused {
  readonly name: string;
  readonly fault: Fault;
  readonly kind: string;
  readonly code: string;
}

/** Ways in which a server, or somebody in between, may keep the session in the clear. */
const REFUSALS: readonly Refused[] = [
  {
    name: 'an unknown command',
    fault: { reply: '-ERR unknown command\r\n' },
    kind: 'person',
    code: 'E_POP3_TLS_REQUIRED',
  },
  {
    name: 'a refusal without words',
    fault: { reply: '-ERR\r\n' },
    kind: 'person',
    code: 'E_POP3_TLS_REQUIRED',
  },
  {
    name: 'a refusal that names a password',
    fault: { reply: '-ERR [AUTH] wrong password\r\n' },
    kind: 'person',
    code: 'E_POP3_TLS_REQUIRED',
  },
  {
    name: 'STLS not being switched on',
    fault: { reply: '-ERR STLS is not enabled for POP3\r\n' },
    kind: 'person',
    code: 'E_POP3_TLS_REQUIRED',
  },
  {
    name: 'trouble that passes',
    fault: { reply: '-ERR [SYS/TEMP] out of entropy\r\n' },
    kind: 'later',
    code: 'E_POP3_SYS_TEMP',
  },
  {
    name: 'a throttle',
    fault: { reply: '-ERR too many connections\r\n' },
    kind: 'later',
    code: 'E_POP3_THROTTLED',
  },
  { name: 'garbage', fault: { reply: 'STLS what?\r\n' }, kind: 'broken', code: 'E_POP3_NOT_POP3' },
  { name: 'a continuation', fault: { reply: '+ go on\r\n' }, kind: 'broken', code: 'E_POP3_NOT_POP3' },
  { name: 'an IMAP yes', fault: { reply: '* OK\r\n' }, kind: 'broken', code: 'E_POP3_NOT_POP3' },
  { name: 'a hang-up', fault: { cutAt: 0, ending: 'fin' }, kind: 'lost', code: 'E_POP3_EOF' },
  { name: 'a reset', fault: { cutAt: 0, ending: 'rst' }, kind: 'lost', code: 'E_POP3_RESET' },
  { name: 'half a yes', fault: { cutAt: 3, ending: 'fin' }, kind: 'lost', code: 'E_POP3_EOF' },
  {
    name: 'a yes and a hang-up',
    fault: { ending: 'fin', ineffective: true },
    kind: 'later',
    code: 'E_POP3_TLS_FAILED',
  },
];

describe('no STLS, no session (T1, C-04)', () => {
  it.each(REFUSALS)('with $name: $code, and nothing secret was sent', ({ fault, kind, code }) =>
    withStls([{ verb: 'STLS', ...fault }], async (server) => {
      const error = await failure<Pop3Error>(opened(server));
      expect(error).toMatchObject({ kind, code });
      expect(error.message.startsWith('stls') || error.message.startsWith('tls')).toBe(true);
      expect(heard(server)).toEqual(['STLS']);
    }),
  );

  it('with a server that does not have it at all', () =>
    withServer({}, async (server) => {
      const error = await failure<Pop3Error>(opened(server));
      expect(error).toMatchObject({
        kind: 'person',
        code: 'E_POP3_TLS_REQUIRED',
        phase: 'stls',
        command: 'STLS',
      });
      expect(error.message).toContain('tls: implicit');
      expect(heard(server)).toEqual(['STLS']);
    }));

  it('whatever the greeting says of being signed in or encrypted already (T3)', async () => {
    for (const said of ['+OK logged in', '+OK TLS is on already', '+OK PREAUTH', '+OK [AUTH] welcome ferry'])
      await withStls(
        [
          { verb: 'GREETING', reply: `${said}\r\n` },
          { verb: 'STLS', reply: '-ERR no need\r\n' },
        ],
        async (server) => {
          expect(await failure(opened(server))).toMatchObject({ code: 'E_POP3_TLS_REQUIRED' });
          expect(heard(server)).toEqual(['STLS']);
        },
      );
  });
});

describe('a byte between the answer to STLS and the handshake ends the session (T2, C-05)', () => {
  it.each([
    ['a byte', 'x'],
    ['an answer', '+OK injected\r\n'],
    ['answers for a whole session', '+OK\r\n.\r\n+OK\r\n+OK\r\n+OK 1 message\r\n'],
    ['a line feed', '\n'],
    ['NUL', '\0'],
    ['something like a TLS record', '\x16\x03\x01\x00\x05hello'],
  ])('%s in the same segment', (_name, suffix) =>
    withStls([{ verb: 'STLS', suffix, ineffective: true }], async (server) => {
      const error = await failure<Pop3Error>(opened(server));
      expect(error).toMatchObject({ kind: 'broken', code: 'E_POP3_STLS_INJECTED', phase: 'stls' });
      expect(heard(server)).toEqual(['STLS']);
    }),
  );

  it('in a segment of its own too, however they are split', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 4 }),
        fc.constantFrom('x', '+OK injected\r\n', '+OK a\r\n+OK b\r\n'),
        async (pieces, suffix) =>
          withStls([{ verb: 'STLS', suffix, pieces }], async (server) => {
            const error = await failure<Pop3Error>(opened(server));
            // What comes once the handshake has begun is no TLS.
            expect(['E_POP3_STLS_INJECTED', 'E_POP3_NOT_TLS', 'E_POP3_TLS_FAILED']).toContain(error.code);
            expect(heard(server).filter((command) => command !== '(TLS)')).toEqual(['STLS']);
          }),
      ),
      { numRuns: 60 },
    ));

  it('before STLS is asked for as well', () =>
    withStls([{ verb: 'GREETING', suffix: '+OK injected\r\n' }], async (server) => {
      expect(await failure(opened(server))).toMatchObject({ kind: 'broken', code: 'E_POP3_UNSOLICITED' });
      expect(heard(server)).toEqual([]);
    }));
});

/** A line in the clear, in the test's hands, whose handshake is too. */
function clearLine(startTls: () => Promise<Transport>): HandLine & Transport {
  return Object.assign(new HandLine().say('+OK ready\r\n'), { startTls });
}

describe('a server that falls silent (T4)', () => {
  const begun = async (
    startTls: () => Promise<Transport> = () => new Promise(() => {}),
    deadlineMs = DEADLINE_MS,
  ) => {
    const timer = new FakeTimer();
    const line = clearLine(startTls);
    const pending = failure<Pop3Error>(
      Pop3Client.open(line, { timer, deadlineMs: timer.now() + deadlineMs }),
    );
    await settled();
    return { timer, line, pending };
  };

  it('instead of answering STLS', async () => {
    const { timer, line, pending } = await begun();
    await timer.advance(POP3_LIMITS.commandMs);
    expect(await pending).toMatchObject({ kind: 'lost', code: 'E_POP3_TIMEOUT', phase: 'stls' });
    expect(line.destroyed).toBe(true);
  });

  it('and drips its answer', async () => {
    const { timer, line, pending } = await begun();
    for (let second = 0; second < POP3_LIMITS.commandMs / 1000; second++) {
      line.say('+OK '.charAt(second) || 'x');
      await timer.advance(1000);
    }
    expect(await pending).toMatchObject({ kind: 'lost', code: 'E_POP3_TIMEOUT', phase: 'stls' });
    expect(line.destroyed).toBe(true);
  });

  it('in the handshake is not waited for beyond the deadline', async () => {
    const { timer, line, pending } = await begun(undefined, 5000);
    line.say('+OK\r\n');
    await timer.advance(5000);
    expect(await pending).toMatchObject({ kind: 'lost', code: 'E_POP3_DEADLINE' });
    expect(line.destroyed).toBe(true);
    expect(timer.pending).toBe(0);
  });

  it('in the handshake is waited for no longer than that may take', () =>
    withStls([{ verb: 'STLS', ending: 'stall', ineffective: true }], async (server) => {
      const timer = new FakeTimer();
      const endpoint = { host: server.host, port: server.port, tls: 'stls' } as const;
      const line = await dialTls({ timer })(endpoint, never);
      const pending = failure<Pop3Error>(
        Pop3Client.open(line, { timer, deadlineMs: timer.now() + DEADLINE_MS }),
      );
      while (server.log.sessions[0]?.commands.length !== 1) await settled();
      // The answer's timer, then the handshake's beside the deadline's.
      while (timer.pending !== 2) await settled();
      await timer.advance(30_000);
      expect(await pending).toMatchObject({ kind: 'later', code: 'E_POP3_TLS_TIMEOUT', phase: 'tls' });
      expect(timer.pending).toBe(0);
    }));
});

describe('after the handshake', () => {
  it('the line in the clear is of no use any more, and its signal drops the new one', async () => {
    const secured = new HandLine();
    const line = clearLine(async () => secured);
    const stop = new AbortController();
    const timer = new FakeTimer();
    const pending = Pop3Client.open(line, { timer, deadlineMs: timer.now() + 1000, signal: stop.signal });
    await settled();
    line.say('+OK\r\n');
    const client = await pending;
    line.say('+OK injected\r\n.\r\n');
    const call = failure(client.noop());
    await settled();
    expect(line.heard).toEqual(['STLS\r\n']);
    expect(secured.heard).toEqual(['NOOP\r\n']);
    stop.abort();
    expect(await call).toMatchObject({ code: 'E_POP3_ABORTED' });
    expect(secured.destroyed).toBe(true);
  });

  it('leaves no socket when the client drops it', () =>
    withStls([], async (server) => {
      const client = await opened(server);
      client.destroy(new Error('dropped'));
      await client.noop().catch(() => {});
      await server.close();
    }));

  it('leaves no socket when the handshake is dropped by its signal', () =>
    withStls([{ verb: 'STLS', ending: 'stall', ineffective: true }], async (server) => {
      const stop = new AbortController();
      const line = await dial({ host: server.host, port: server.port, tls: 'stls' }, stop.signal);
      const pending = failure(
        Pop3Client.open(line, { timer: realTimer, deadlineMs: Date.now() + 30_000, signal: stop.signal }),
      );
      while (server.log.sessions[0]?.commands.length !== 1) await settled();
      stop.abort();
      expect(await pending).toMatchObject({ code: 'E_POP3_ABORTED' });
    }));
});

describe('a mailbox without TLS', () => {
  it('signs in in the clear', () =>
    withServer({}, async (server) => {
      const line = await dial({ host: server.host, port: server.port, tls: 'none' }, never);
      expect(line.startTls).toBeUndefined();
      const client = await Pop3Client.open(line, { timer: realTimer, deadlineMs: Date.now() + 30_000 });
      await client.signIn(server.user, server.password);
      await client.quit();
    }));

  it('is told to use TLS where USER is refused and STLS announced (A-11, Mailu)', async () => {
    const asked = async (capabilities: readonly string[]) => {
      let error: Pop3Error | undefined;
      const faults = [{ verb: 'USER', reply: '-ERR invalid command\r\n' }];
      await withServer({ behaviour: { capabilities }, faults }, async (server) => {
        const client = await openTo(server);
        await client.capa();
        error = await failure<Pop3Error>(client.signIn(server.user, server.password));
        client.destroy(error);
        expect(heard(server)).toEqual(['CAPA', `USER ${server.user}`]);
      });
      return error;
    };
    expect(await asked(['USER', 'STLS'])).toMatchObject({ kind: 'person', code: 'E_POP3_TLS_WANTED' });
    expect(await asked(['USER'])).toMatchObject({ kind: 'person', code: 'E_POP3_SIGNIN_REFUSED' });
  });
});
