/**
 * A byte-level proxy on loopback in front of a real server: it records both directions and cuts, stops or slows
 * them. It knows nothing of TLS or POP3; under TLS the counted bytes are records.
 */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export type Direction = 'toServer' | 'toClient';

export interface Cut {
  readonly direction: Direction;
  /** So many bytes get through in this direction, not one more; 0 cuts when the first one comes. */
  readonly afterBytes: number;
  /**
   * fin: the receiver sees the end of the stream, and may still send; the sender sees nothing. rst: both sides
   * see a reset. freeze: nothing moves any more, either way, and nobody is told.
   */
  readonly how: 'fin' | 'rst' | 'freeze';
}

/** What happens to connections accepted while it is set; none of it to those before. */
export interface Plan {
  readonly cut?: Cut;
  /** Added to each direction. */
  readonly latencyMs?: number;
  /** Of each direction. */
  readonly bytesPerSecond?: number;
}

/** What got through, one chunk as it was read. */
export interface Recording {
  readonly toServer: readonly Buffer[];
  readonly toClient: readonly Buffer[];
}

export interface TcpProxy {
  readonly host: 'localhost';
  readonly port: number;
  plan: Plan;
  /** One for each connection, in order of arrival. */
  readonly recordings: readonly Recording[];
  /** Cuts every connection there is, now. */
  reset(): void;
  /** From now on nothing moves, on any connection, until `thaw`. */
  freeze(): void;
  thaw(): void;
  stop(): Promise<void>;
}

/** Read ahead of a slow receiver; beyond it the sender has to wait. */
const QUEUE_BYTES = 1024 * 1024;

/** The slices of a limited bandwidth; small enough for an even flow. */
const SLICES_PER_SECOND = 50;

export async function startTcpProxy(target: { readonly port: number }): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  const recordings: Recording[] = [];
  const gate = createGate();

  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    const upstream = connect({ port: target.port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    const recording = { toServer: [] as Buffer[], toClient: [] as Buffer[] };
    recordings.push(recording);
    const link: Link = {
      plan: proxy.plan,
      recording,
      frozen: false,
      reset: () => bothReset(client, upstream),
    };
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      // A line that breaks on one side breaks on the other; what each side then sees is its own affair.
      socket.on('error', () => !link.frozen && link.reset());
      socket.on('close', () => sockets.delete(socket));
    }
    const pumps = [
      pump(client, upstream, { link, gate, direction: 'toServer' }),
      pump(upstream, client, { link, gate, direction: 'toClient' }),
    ];
    void Promise.all(pumps).catch(() => link.reset());
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');

  const proxy: TcpProxy = {
    host: 'localhost',
    port: (server.address() as AddressInfo).port,
    plan: {},
    recordings,
    reset() {
      for (const socket of sockets) socket.resetAndDestroy();
    },
    freeze: gate.close,
    thaw: gate.open,
    async stop() {
      gate.open();
      for (const socket of sockets) socket.destroy();
      await once(server.close(), 'close');
    },
  };
  return proxy;
}

interface Link {
  readonly plan: Plan;
  readonly recording: Record<Direction, Buffer[]>;
  /** This connection is cut by standing still. */
  frozen: boolean;
  readonly reset: () => void;
}

interface PumpOptions {
  readonly link: Link;
  readonly gate: Gate;
  readonly direction: Direction;
}

async function pump(from: Socket, to: Socket, { link, gate, direction }: PumpOptions): Promise<void> {
  const { cut: planned, bytesPerSecond } = link.plan;
  const cut = planned?.direction === direction ? planned : undefined;
  let room = cut?.afterBytes ?? Number.POSITIVE_INFINITY;
  for await (const chunk of delayed(from, link.plan.latencyMs ?? 0)) {
    for (const slice of slices(chunk.subarray(0, Math.min(chunk.length, room)), bytesPerSecond)) {
      await gate.passed();
      if (link.frozen) return;
      link.recording[direction].push(slice);
      await flushed(to, slice);
      if (bytesPerSecond) await sleep((slice.length / bytesPerSecond) * 1000);
    }
    room -= Math.min(chunk.length, room);
    if (cut && room === 0) {
      if (cut.how === 'rst') link.reset();
      if (cut.how === 'freeze') link.frozen = true;
      if (cut.how === 'fin') {
        to.end();
        // The sender is not to notice: what it still sends is read and lost.
        from.resume();
      }
      return;
    }
  }
  if (!link.frozen) to.end();
}

/** Resolves when the system took the bytes, or when the line is gone: its own events tell of that. */
function flushed(socket: Socket, bytes: Buffer): Promise<void> {
  return new Promise((resolve) => {
    socket.write(bytes, () => resolve());
  });
}

function bothReset(...sockets: readonly Socket[]): void {
  for (const socket of sockets) if (!socket.destroyed) socket.resetAndDestroy();
}

/** Each chunk `delayMs` after it arrived, whatever the receiver does meanwhile. */
async function* delayed(socket: Socket, delayMs: number): AsyncGenerator<Buffer> {
  if (delayMs === 0) return yield* socket.iterator({ destroyOnReturn: false });
  const queue: { readonly dueMs: number; readonly chunk: Buffer | null }[] = [];
  let queued = 0;
  let wake = () => {};
  const push = (chunk: Buffer | null) => {
    queue.push({ dueMs: performance.now() + delayMs, chunk });
    queued += chunk?.length ?? 0;
    if (queued > QUEUE_BYTES) socket.pause();
    wake();
  };
  socket.on('data', push).on('end', () => push(null));
  socket.on('close', () => push(null));
  for (;;) {
    const next = queue.shift();
    if (!next) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
      continue;
    }
    await sleep(Math.max(0, next.dueMs - performance.now()));
    if (next.chunk === null) return;
    queued -= next.chunk.length;
    if (queued <= QUEUE_BYTES) socket.resume();
    yield next.chunk;
  }
}

function slices(chunk: Buffer, bytesPerSecond: number | undefined): readonly Buffer[] {
  if (!bytesPerSecond) return chunk.length > 0 ? [chunk] : [];
  const size = Math.max(1, Math.ceil(bytesPerSecond / SLICES_PER_SECOND));
  const count = Math.ceil(chunk.length / size);
  return Array.from({ length: count }, (_, index) => chunk.subarray(index * size, (index + 1) * size));
}

interface Gate {
  readonly close: () => void;
  readonly open: () => void;
  /** Resolves while the gate is open. */
  readonly passed: () => Promise<void>;
}

function createGate(): Gate {
  let opened = Promise.resolve();
  let open = () => {};
  return {
    close() {
      open();
      opened = new Promise((resolve) => {
        open = resolve;
      });
    },
    open: () => open(),
    passed: () => opened,
  };
}
