/** The proxy's cuts, at the byte: a fault that comes elsewhere than it was planned proves nothing. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startTcpProxy, type TcpProxy } from '../servers/tcpProxy.ts';

/** An echo that says how each of its connections ended. */
let echo: Server;
let endings: string[];
let proxy: TcpProxy;

beforeEach(async () => {
  endings = [];
  echo = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('data', (bytes) => socket.write(bytes));
    socket.on('end', () => {
      endings.push('fin');
      socket.end();
    });
    socket.on('error', (error: NodeJS.ErrnoException) => endings.push(error.code ?? 'error'));
  });
  await once(echo.listen(0, '127.0.0.1'), 'listening');
  proxy = await startTcpProxy(echo.address() as AddressInfo);
});
afterEach(async () => {
  await proxy.stop();
  await once(echo.close(), 'close');
});

/** Sends, reads to the end, and gives what came and how it ended. */
async function converse(bytes: Buffer): Promise<{ got: Buffer; end: string }> {
  const socket = connect({ port: proxy.port, host: '127.0.0.1', allowHalfOpen: true });
  const chunks: Buffer[] = [];
  let end = 'fin';
  socket.on('data', (chunk) => chunks.push(chunk));
  socket.on('error', (error: NodeJS.ErrnoException) => {
    end = error.code ?? 'error';
  });
  socket.end(bytes);
  await once(socket, 'close').catch(() => once(socket, 'close'));
  return { got: Buffer.concat(chunks), end };
}

const sent = Buffer.from(Array.from({ length: 300_000 }, (_, index) => index % 251));

describe('the TCP proxy', () => {
  it('passes and records both directions, also slowed and delayed', async () => {
    for (const plan of [{}, { latencyMs: 5 }, { bytesPerSecond: 3_000_000, latencyMs: 1 }]) {
      proxy.plan = plan;
      expect((await converse(sent)).got.equals(sent)).toBe(true);
      const { toServer, toClient } = proxy.recordings.at(-1)!;
      expect(Buffer.concat(toServer).equals(sent)).toBe(true);
      expect(Buffer.concat(toClient).equals(sent)).toBe(true);
    }
    expect(endings).toEqual(['fin', 'fin', 'fin']);
  });

  it.each([0, 1, 65_536, 299_999])(
    'ends the stream to the client after %i bytes, as a server would',
    async (count) => {
      proxy.plan = { cut: { direction: 'toClient', afterBytes: count, how: 'fin' } };
      const { got, end } = await converse(sent);
      expect(got.equals(sent.subarray(0, count))).toBe(true);
      expect(end).toBe('fin');
    },
  );

  it.each([0, 1, 65_536, 299_999])('ends the stream to the server after %i bytes', async (count) => {
    proxy.plan = { cut: { direction: 'toServer', afterBytes: count, how: 'fin' } };
    expect((await converse(sent)).got.equals(sent.subarray(0, count))).toBe(true);
    expect(endings).toEqual(['fin']);
  });

  it('resets both sides', async () => {
    proxy.plan = { cut: { direction: 'toServer', afterBytes: 1000, how: 'rst' } };
    expect((await converse(sent)).end).toBe('ECONNRESET');
    await reached(() => endings.length > 0);
    expect(endings).toEqual(['ECONNRESET']);
    expect(Buffer.concat(proxy.recordings[0]!.toServer)).toHaveLength(1000);
  });

  it('freezes one connection at a byte while others go on', async () => {
    proxy.plan = { cut: { direction: 'toClient', afterBytes: 7, how: 'freeze' } };
    const stuck = connect({ port: proxy.port, host: '127.0.0.1' });
    let got = 0;
    stuck.on('data', (bytes) => {
      got += bytes.length;
    });
    stuck.on('error', () => {});
    stuck.write(sent);
    await reached(() => got === 7);
    proxy.plan = {};
    expect((await converse(sent)).got.equals(sent)).toBe(true);
    expect(got).toBe(7);
    stuck.destroy();
  });

  it('freezes and thaws everything', async () => {
    proxy.freeze();
    const conversation = converse(sent);
    await reached(() => proxy.recordings.length === 1);
    const thawed = converse(sent);
    await reached(() => proxy.recordings.length === 2);
    expect(proxy.recordings.map(({ toServer }) => toServer.length)).toEqual([0, 0]);
    proxy.thaw();
    for (const { got } of await Promise.all([conversation, thawed])) expect(got.equals(sent)).toBe(true);
  });

  it('passes a reset on from either side', async () => {
    const socket = connect({ port: proxy.port, host: '127.0.0.1' });
    socket.write('x');
    await once(socket, 'data');
    socket.resetAndDestroy();
    await reached(() => endings.length > 0);
    expect(endings).toEqual(['ECONNRESET']);
  });
});

/** The test's own time limit ends the wait. */
async function reached(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 10));
}
