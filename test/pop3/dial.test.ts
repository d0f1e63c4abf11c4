import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Pop3Client } from '../../lib/pop3/client.ts';
import { dialTls } from '../../lib/pop3/dial.ts';
import type { Pop3Error } from '../../lib/pop3/errors.ts';
import type { Endpoint } from '../../lib/pop3/transport.ts';
import { type CertificateOptions, createAuthority, issue, type Pair } from '../servers/certificates.ts';
import { type ScriptedTls, startScripted } from '../servers/scripted.ts';
import { FakeTimer } from './fakeTimer.ts';
import { failure } from './handLine.ts';
import { realTimer } from './realTimer.ts';

const never = new AbortController().signal;
const dial = dialTls({ timer: realTimer });

interface Case {
  readonly name: string;
  readonly certificate: CertificateOptions;
  readonly host?: string;
  readonly signedBy?: 'trusted' | 'nobody' | 'another';
  readonly tls?: Partial<ScriptedTls>;
  readonly code: string | null;
  readonly kind?: string;
}

/** How a server may prove who it is; null: it is accepted. */
const CASES: readonly Case[] = [
  { name: 'the right name', certificate: { names: ['localhost'] }, code: null },
  {
    name: 'the right name among others',
    certificate: { names: ['mail.example.org', 'localhost'] },
    code: null,
  },
  { name: 'TLS 1.2', certificate: { names: ['localhost'] }, tls: { maxVersion: 'TLSv1.2' }, code: null },
  { name: 'the right address', certificate: { ips: ['127.0.0.1'] }, host: '127.0.0.1', code: null },
  { name: 'a wrong name', certificate: { names: ['mail.example.org'] }, code: 'E_POP3_TLS_WRONG_NAME' },
  {
    name: 'a wildcard of another level',
    certificate: { names: ['*.localhost'] },
    code: 'E_POP3_TLS_WRONG_NAME',
  },
  {
    name: 'the name as prefix',
    certificate: { names: ['localhost.evil.example'] },
    code: 'E_POP3_TLS_WRONG_NAME',
  },
  {
    name: 'a name for an address',
    certificate: { names: ['localhost'] },
    host: '127.0.0.1',
    code: 'E_POP3_TLS_WRONG_NAME',
  },
  {
    name: 'the address as a name',
    certificate: { names: ['127.0.0.1'] },
    host: '127.0.0.1',
    code: 'E_POP3_TLS_WRONG_NAME',
  },
  { name: 'an address for a name', certificate: { ips: ['127.0.0.1'] }, code: 'E_POP3_TLS_WRONG_NAME' },
  {
    name: 'expiry',
    certificate: { names: ['localhost'], fromDays: -9, untilDays: -1 },
    code: 'E_POP3_TLS_EXPIRED',
  },
  {
    name: 'a future certificate',
    certificate: { names: ['localhost'], fromDays: 2 },
    code: 'E_POP3_TLS_NOT_YET_VALID',
  },
  {
    name: 'a self-signed certificate',
    certificate: { names: ['localhost'] },
    signedBy: 'nobody',
    code: 'E_POP3_TLS_SELF_SIGNED',
  },
  {
    name: 'an unknown authority',
    certificate: { names: ['localhost'] },
    signedBy: 'another',
    code: 'E_POP3_TLS_UNKNOWN_CA',
  },
  {
    name: 'TLS 1.1',
    certificate: { names: ['localhost'] },
    // OpenSSL speaks it only below its default security level.
    tls: { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL@SECLEVEL=0' },
    code: 'E_POP3_TLS_TOO_OLD',
  },
];

describe('a server is trusted by its certificate alone (T5, I11)', () => {
  let trusted: Pair;
  let another: Pair;
  beforeAll(async () => {
    [trusted, another] = await Promise.all([createAuthority('Trusted'), createAuthority('Another')]);
  });

  it.each(CASES)(
    'with $name: $code',
    async ({ certificate, host = 'localhost', signedBy = 'trusted', tls, code }) => {
      const authority = { trusted, another, nobody: null }[signedBy];
      const pair = await issue(authority, certificate);
      const server = await startScripted({ tls: { ...pair, ca: trusted.cert, ...tls } });
      const endpoint: Endpoint = { host, port: server.port, ca: trusted.cert };
      try {
        if (code === null) {
          const client = await Pop3Client.open(await dial(endpoint, never), {
            timer: realTimer,
            deadlineMs: Date.now() + 30_000,
          });
          await client.signIn(server.user, server.password);
          await client.quit();
          return;
        }
        const error = await failure<Pop3Error>(dial(endpoint, never));
        expect(error).toMatchObject({ kind: 'person', code, phase: 'tls', bytesOut: 0 });
        expect(error.message).toContain(`${host}:${server.port}`);
        expect(server.log.connections).toBeGreaterThan(0);
        expect(server.log.sessions.flatMap((session) => session.commands)).toEqual([]);
        expect(server.log.sessions.reduce((sum, { bytesReceived }) => sum + bytesReceived, 0)).toBe(0);
      } finally {
        await server.close();
      }
    },
  );

  it('and is not trusted because the system would be told to trust it', async () => {
    const pair = await issue(another, { names: ['localhost'] });
    const server = await startScripted({ tls: { ...pair, ca: another.cert } });
    // Without `ca` the system's authorities count, and these know nothing of ours.
    const error = await failure(dial({ host: 'localhost', port: server.port }, never));
    expect(error).toMatchObject({ kind: 'person', code: 'E_POP3_TLS_UNKNOWN_CA' });
    await server.close();
  });

  it('and says which names a certificate has, escaped', async () => {
    const pair = await issue(trusted, { names: ['mail.example.org', 'pop.example.org'] });
    const server = await startScripted({ tls: { ...pair, ca: trusted.cert } });
    const error = await failure(dial({ host: 'localhost', port: server.port, ca: trusted.cert }, never));
    expect(error.message).toContain('DNS:mail.example.org, DNS:pop.example.org');
    await server.close();
  });
});

describe('a name goes out as SNI, an address does not (C-07)', () => {
  it.each([
    ['localhost', true],
    ['127.0.0.1', false],
  ])('%s: %s', async (host, expected) => {
    const hello = await helloTo(host);
    expect(hello.includes('localhost')).toBe(expected);
    expect(hello.includes('127.0.0.1')).toBe(false);
  });
});

/** The first bytes that a client sends to a server that then hangs up. */
async function helloTo(host: string): Promise<string> {
  let hello = '';
  const { port, stop } = await listen((socket) => {
    socket.once('data', (bytes) => {
      hello = bytes.toString('latin1');
      socket.destroy();
    });
  });
  await failure(dial({ host, port }, never));
  await stop();
  return hello;
}

describe('a server that cannot be reached', () => {
  it('is named with each address and its errno, and tried again later (C-01)', async () => {
    const { port, stop } = await listen(() => {});
    await stop();
    const error = await failure<Pop3Error>(dial({ host: 'localhost', port }, never));
    expect(error).toMatchObject({ kind: 'later', code: 'E_POP3_TCP_FAILED', phase: 'tcp' });
    expect(error.message).toContain(`localhost:${port}`);
    expect(error.message).toContain('127.0.0.1: ECONNREFUSED');
  });

  it('because its name does not exist needs a person', async () => {
    const error = await failure<Pop3Error>(dial({ host: 'no-such-host.invalid', port: 995 }, never));
    expect(error.phase).toBe('dns');
    // A machine without a resolver cannot tell that the name does not exist.
    expect(['E_POP3_DNS_NOT_FOUND', 'E_POP3_DNS_FAILED']).toContain(error.code);
    expect(error.kind).toBe(error.code === 'E_POP3_DNS_NOT_FOUND' ? 'person' : 'later');
    expect(error.message).toContain('no-such-host.invalid:995');
  });

  it.each([
    [
      'hangs up in the handshake',
      (socket: Socket) => void socket.once('data', () => socket.destroy()),
      'later',
      'E_POP3_TLS_FAILED',
    ],
    [
      'resets in the handshake',
      (socket: Socket) => void socket.once('data', () => socket.resetAndDestroy()),
      'later',
      'E_POP3_TLS_FAILED',
    ],
    [
      'does not speak TLS',
      (socket: Socket) => void socket.write('+OK POP3 server ready\r\n'),
      'person',
      'E_POP3_NOT_TLS',
    ],
  ])('because it %s', async (_what, act, kind, code) => {
    const { port, stop } = await listen(act);
    expect(await failure(dial({ host: 'localhost', port }, never))).toMatchObject({
      kind,
      code,
      phase: 'tls',
    });
    await stop();
  });
});

describe('an attempt to connect', () => {
  const silent: Socket[] = [];
  let quiet: Listening;
  beforeAll(async () => {
    quiet = await listen((socket) => void silent.push(socket));
  });
  afterAll(() => quiet.stop());

  it('ends when the handshake takes too long, by a clock of its own (T4)', async () => {
    const timer = new FakeTimer();
    const pending = failure(dialTls({ timer })({ host: '127.0.0.1', port: quiet.port }, never));
    const accepted = silent.length;
    while (silent.length === accepted) await new Promise((resolve) => setImmediate(resolve));
    const socket = silent.at(-1);
    // The hello is what tells that the handshake has begun.
    if (socket !== undefined) await once(socket, 'data');
    const closed = socket === undefined ? Promise.resolve() : once(socket, 'close');
    await timer.advance(30_000);
    expect(await pending).toMatchObject({ kind: 'later', code: 'E_POP3_TLS_TIMEOUT', phase: 'tls' });
    await closed;
    expect(timer.pending).toBe(0);
  });

  it('is dropped by its signal at once, and leaves no socket', async () => {
    const stopped = new AbortController();
    const pending = failure<Pop3Error>(dial({ host: '127.0.0.1', port: quiet.port }, stopped.signal));
    const accepted = silent.length;
    while (silent.length === accepted) await new Promise((resolve) => setImmediate(resolve));
    const socket = silent.at(-1);
    socket?.resume();
    stopped.abort(new Error('shutting down'));
    expect(await pending).toMatchObject({ kind: 'lost', code: 'E_POP3_ABORTED' });
    if (socket !== undefined && !socket.closed) await once(socket, 'close');
  });

  it.each([0, 1, 2, 4, 8, 16, 32])(
    'is dropped in any step, and leaves no socket: after %s turns',
    async (turns) => {
      const stopped = new AbortController();
      const pending = failure<Pop3Error>(dial({ host: '127.0.0.1', port: quiet.port }, stopped.signal));
      // These turns are of promises only: the connection is asked for, and not made yet.
      for (let turn = 0; turn < turns; turn++) await null;
      stopped.abort();
      expect(await pending).toMatchObject({ kind: 'lost', code: 'E_POP3_ABORTED' });
      // One more connection, accepted behind whatever is left of that one.
      const probe = connect(quiet.port, '127.0.0.1');
      await once(probe, 'connect');
      probe.destroy();
      while ((await quiet.open()) > 0) await new Promise((resolve) => setImmediate(resolve));
    },
  );

  it('is not begun when its signal was aborted before', async () => {
    const accepted = silent.length;
    const error = await failure(dial({ host: '127.0.0.1', port: quiet.port }, AbortSignal.abort()));
    expect(error).toMatchObject({ kind: 'lost', code: 'E_POP3_ABORTED', phase: 'dns' });
    expect(silent.length).toBe(accepted);
  });
});

interface Listening {
  readonly port: number;
  /** Connections that neither side has closed. */
  open(): Promise<number>;
  stop(): Promise<void>;
}

async function listen(accept: (socket: Socket) => void): Promise<Listening> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => socket.destroy());
    accept(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    open: () =>
      new Promise((resolve, reject) => {
        for (const socket of sockets) socket.resume();
        server.getConnections((error, count) => (error ? reject(error) : resolve(count)));
      }),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}
