/** TLS in front of a server that has none: it decrypts, and passes bytes on, both ways. */
import { once } from 'node:events';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { createServer } from 'node:tls';
import { createAuthority, issue } from './certificates.ts';

export interface TlsFront {
  readonly host: 'localhost';
  readonly port: number;
  /** The authority to trust, PEM. */
  readonly ca: string;
  stop(): Promise<void>;
}

export async function startTlsFront(target: { readonly port: number }): Promise<TlsFront> {
  const authority = await createAuthority();
  const { cert, key } = await issue(authority, { names: ['localhost'] });
  const sockets = new Set<Socket>();
  const server = createServer({ cert, key, allowHalfOpen: true, noDelay: true }, (client) => {
    const upstream = connect({ port: target.port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(socket);
      socket.pipe(other);
      // What breaks or closes on one side ends the other: a server must see that its client is dead.
      socket.on('error', () => other.destroy());
      socket.on('close', () => {
        sockets.delete(socket);
        other.destroySoon();
      });
    }
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    host: 'localhost',
    port: (server.address() as AddressInfo).port,
    ca: authority.cert,
    async stop() {
      for (const socket of sockets) socket.destroy();
      await once(server.close(), 'close');
    },
  };
}
