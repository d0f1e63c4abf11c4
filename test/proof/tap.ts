/**
 * Between the processes and their POP3 server: takes TLS off, passes on everything as it comes, and notes the verbs
 * of each process. Nothing is held up, so that the only thing that happens to a run is what strikes it.
 */
import { once } from 'node:events';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { createServer, type TLSSocket } from 'node:tls';
import { createAuthority, issue } from '../servers/certificates.ts';

export interface Tap {
  readonly port: number;
  /** PEM, to be trusted by the processes. */
  readonly ca: string;
  watch(pid: number): Watched;
  stop(): Promise<void>;
}

/** What is known of one process's conversations, until it is forgotten. */
export interface Watched {
  /** Over all its connections, in order. */
  readonly verbs: readonly string[];
  /** Its first sign of life: a connection is open. */
  readonly connected: Promise<void>;
  /** It has signed in, and asks what there is. */
  readonly listing: Promise<void>;
  forget(): void;
}

interface Watch {
  readonly pid: number;
  readonly verbs: string[];
  readonly connected: PromiseWithResolvers<void>;
  readonly listing: PromiseWithResolvers<void>;
}

/** `plainPort`: of the server, without TLS; the processes speak TLS with the tap. */
export async function startTap({ plainPort }: { readonly plainPort: number }): Promise<Tap> {
  const authority = await createAuthority();
  const pair = await issue(authority, { names: ['localhost'], ips: ['127.0.0.1'] });
  const sockets = new Set<Socket>();
  const watches = new Set<Watch>();
  const server = createServer({ key: pair.key, cert: pair.cert, noDelay: true }, (near) => {
    const far = connect({ port: plainPort, host: '127.0.0.1', noDelay: true });
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => sockets.delete(socket));
    }
    near.on('close', () => far.destroy());
    far.on('close', () => near.destroySoon());
    near.pipe(far);
    far.pipe(near);
    const watch = watcherOf(near, [...watches]);
    if (watch === undefined) return;
    noteVerbs(near, watch);
    watch.connected.resolve();
  });
  server.on('tlsClientError', () => {});
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    ca: authority.cert,
    watch(pid) {
      const [connected, listing] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
      const watch = { pid, verbs: [], connected, listing };
      watches.add(watch);
      const forget = () => void watches.delete(watch);
      return { verbs: watch.verbs, connected: connected.promise, listing: listing.promise, forget };
    },
    async stop() {
      for (const socket of sockets) socket.destroy();
      await once(server.close(), 'close');
    },
  };
}

/** What answers a SASL challenge is no verb, and may hold a password. */
function noteVerbs(near: TLSSocket, { verbs, listing }: Watch): void {
  let rest = '';
  near.on('data', (chunk: Buffer) => {
    const lines = (rest + chunk.toString('latin1')).split('\r\n');
    rest = lines.pop() ?? '';
    for (const line of lines) verbs.push(/^[A-Z]{3,4}(?= |$)/.exec(line)?.[0] ?? 'SASL');
    if (verbs.includes('UIDL')) listing.resolve();
  });
}

/** Of runs at once, the one whose process has this connection, by the kernel's word. */
function watcherOf(near: TLSSocket, watches: readonly Watch[]): Watch | undefined {
  if (watches.length < 2) return watches[0];
  const [local, remote] = [hex(near.remotePort ?? 0), hex(near.localPort ?? 0)];
  const rows = readFileSync('/proc/net/tcp', 'latin1').split('\n');
  const sockets = rows.flatMap((line) => {
    const [, from = '', to = '', , , , , , , inode] = line.trim().split(/\s+/);
    return from.endsWith(local) && to.endsWith(remote) ? [`socket:[${inode}]`] : [];
  });
  return watches.find(({ pid }) => descriptorsOf(pid).some((socket) => sockets.includes(socket)));
}

/** As /proc/net/tcp has a port. */
function hex(port: number): string {
  return `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
}

function descriptorsOf(pid: number): readonly string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).map((fd) => linkOf(`/proc/${pid}/fd/${fd}`));
  } catch {
    // It is dead.
    return [];
  }
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    // Closed since it was listed.
    return '';
  }
}
