import type { Duplex } from 'node:stream';
import type { Transport } from './transport.ts';

/**
 * A connected socket as a pulled transport. The stream stays paused: it buffers one high-water mark and then
 * stops reading, and TCP tells the server. One listener per event stays on for the socket's whole life:
 * QUIRK: Node throws 'error' out of the process when a peer sends data after its close_notify and nobody
 * listens any more.
 */
export function overSocket(socket: Duplex, more: Pick<Transport, 'startTls' | 'tls'> = {}): Transport {
  let failure: Error | null = null;
  let wake: (() => void) | null = null;
  const changed = () => {
    const waiting = wake;
    wake = null;
    waiting?.();
  };
  socket.on('error', (error: Error) => {
    failure ??= error;
    changed();
  });
  for (const event of ['readable', 'end', 'close']) socket.on(event, changed);

  async function read(): Promise<Uint8Array | null> {
    for (;;) {
      const chunk: Buffer | null = socket.read();
      if (chunk !== null) return chunk;
      if (failure !== null) throw failure;
      if (socket.readableEnded) return null;
      if (socket.destroyed) throw new Error('The socket was destroyed.');
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  }

  return {
    read,
    get unread() {
      return socket.readableLength;
    },
    write(bytes) {
      return new Promise((resolve, reject) => {
        socket.write(bytes, (error) => {
          if (error) reject(failure ?? error);
          else resolve();
        });
      });
    },
    destroy() {
      socket.destroy();
    },
    ...more,
  };
}
