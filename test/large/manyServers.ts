/**
 * Many mailboxes, each on a server of its own, some of them dead or dripping, on a clock that jumps from one timer to
 * the next: hours of waiting pass in a moment, and the figures are the same on every machine.
 */
import { whenOn } from '../../bin/patience.ts';
import { Pool } from '../../bin/pool.ts';
import { ByteBudget } from '../../lib/fetch/byteBudget.ts';
import type { FetchPorts } from '../../lib/fetch/ports.ts';
import { type RunOptions, runMailbox } from '../../lib/fetch/run.ts';
import { Secret, type Secrets } from '../../lib/secrets/port.ts';
import { memoryStore } from '../../lib/store/memory.ts';
import { mailboxNamed, RecordingPublisher } from '../fetch/world.ts';
import { settled } from '../pop3/fakeTimer.ts';
import { tokensByReference } from '../secrets/tokensByReference.ts';
import { type Fault, generatedMail } from '../servers/scripted.ts';
import { type MemoryServer, scriptedInMemory } from '../servers/scriptedMemory.ts';

export class JumpingClock {
  #nowMs = Date.UTC(2030, 0, 1);
  #timers = 0;
  readonly #waiting = new Map<number, { readonly dueMs: number; readonly fire: () => void }>();

  now = () => this.#nowMs;
  random = () => 0.5;
  #nonces = 0;
  nonce = () => String(++this.#nonces).padStart(32, '0');

  after = (delayMs: number, fire: () => void) => {
    const id = ++this.#timers;
    this.#waiting.set(id, { dueMs: this.#nowMs + Math.max(0, delayMs), fire });
    return () => void this.#waiting.delete(id);
  };

  sleep = (ms: number) => new Promise<void>((resolve) => void this.after(ms, resolve));

  /** Goes from timer to timer until `work` is done. */
  async until<T>(work: Promise<T>): Promise<T> {
    let over = false;
    const done = work.finally(() => {
      over = true;
    });
    for (await settled(); !over; await settled()) this.#jump();
    return done;
  }

  #jump(): void {
    let dueMs = Number.POSITIVE_INFINITY;
    for (const timer of this.#waiting.values()) dueMs = Math.min(dueMs, timer.dueMs);
    if (dueMs === Number.POSITIVE_INFINITY) return;
    this.#nowMs = Math.max(this.#nowMs, dueMs);
    for (const [id, timer] of this.#waiting) {
      if (timer.dueMs > this.#nowMs) continue;
      this.#waiting.delete(id);
      timer.fire();
    }
  }
}

/** Two windows of TCP's slow start fit into it; what matters is that all have the same. */
const ROUND_TRIP_MS = 40;
const RUN_MS = 15 * 60_000;

export type Kind = 'healthy' | 'dead' | 'dripping';

const FAULTS: Readonly<Record<Kind, readonly Fault[]>> = {
  healthy: [{ delayMs: ROUND_TRIP_MS }],
  // TCP answers, and nobody is behind it.
  dead: [{ verb: 'GREETING', cutAt: 0, ending: 'stall' }],
  dripping: [{ delayMs: ROUND_TRIP_MS }, { verb: 'RETR', pieces: [1], dripMs: 1_000 }],
};

export interface Outcome {
  readonly kind: Kind;
  readonly done: boolean;
  /** Of the run itself. */
  readonly runMs: number;
  /** From the start of all until the end of this one: waiting for a place is in it. */
  readonly endedMs: number;
}

/** Fetches them as the command does, `width` at once. */
export async function fetchMany(
  kinds: readonly Kind[],
  width: number,
  patience?: { ms: number; beside: number },
): Promise<readonly Outcome[]> {
  const clock = new JumpingClock();
  const servers = kinds.map((kind) => serverOf(kind, clock));
  const ports = portsOf(servers, clock);
  const options: RunOptions = {
    deadlineMs: 0,
    suspects: 'never',
    honourBackOff: false,
  };
  const startMs = clock.now();
  const pool = new Pool<[number, Kind]>(
    { all: width, perGroup: 4, groupOf: ([at]) => `host-${at}` },
    patience && { ...patience, after: clock.after },
  );
  const work = pool.all([...kinds.entries()], async ([at, kind], busy): Promise<Outcome> => {
    const mailbox = mailboxNamed(`box-${at}`, { host: `host-${at}.example.org`, password: `env:P${at}` });
    const deadlineMs = clock.now() + RUN_MS;
    const { outcome, durationMs, counts } = await runMailbox(mailbox, ports, {
      ...options,
      deadlineMs,
      onProgress: whenOn(busy),
    });
    const done = outcome === 'done' && counts.stored === MESSAGES;
    return { kind, done, runMs: durationMs, endedMs: clock.now() - startMs };
  });
  return clock.until(work);
}

export const MESSAGES = 10;

function serverOf(kind: Kind, clock: JumpingClock): MemoryServer {
  const messages = Array.from({ length: MESSAGES }, (_, at) => generatedMail(`m${at}`, 4096));
  return scriptedInMemory({ messages, faults: FAULTS[kind], sleep: clock.sleep });
}

function portsOf(servers: readonly MemoryServer[], clock: JumpingClock): FetchPorts {
  const numbered = (text: string) => servers[Number(/\d+/.exec(text)?.[0])] as MemoryServer;
  const secrets: Secrets = { read: async (reference) => new Secret(numbered(reference).password) };
  return {
    dial: async ({ host }) => numbered(host).connect(),
    store: memoryStore('bucket'),
    publisher: new RecordingPublisher(),
    secrets,
    tokens: tokensByReference(secrets),
    clock,
    trust: async () => ({ deletes: true, reason: '' }),
    inFlight: new ByteBudget(64 * 1024 * 1024),
  };
}

/** The value that 95 of 100 do not exceed. */
export function p95(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.ceil(sorted.length * 0.95) - 1] ?? Number.NaN;
}
