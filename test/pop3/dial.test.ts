import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dialTls } from '../../lib/pop3/dial.ts';
import type { Pop3Error } from '../../lib/pop3/errors.ts';
import { FakeTimer } from './fakeTimer.ts';
import { failure } from './handLine.ts';
import { realTimer } from './realTimer.ts';

const never = new AbortController().signal;
const dial = dialTls({ timer: realTimer });

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
