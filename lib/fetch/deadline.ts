import type { Clock } from './ports.ts';
import { RunEnded } from './trouble.ts';

/** Announcing, committing and QUIT took well under 5 s against real servers; slow ones answer QUIT in tens. */
const RESERVE_MS = 15_000;

/** A short run keeps this share of its time instead. */
const RESERVE_SHARE = 4;

/** After a request to end, what is being retrieved may finish for so long… */
const GRACE_MS = 5_000;

/** …and the whole run. */
const ABORTED_END_MS = 20_000;

/**
 * The one deadline of a run. It gives three moments: when nothing new is begun, when what is being retrieved is
 * dropped, and when the run is over whatever still waits.
 */
export class Deadline {
  readonly #clock: Clock;
  readonly #startMs: number;
  readonly endMs: number;
  #takeUntilMs: number;
  #cutOffMs: number;
  #overMs: number;
  #aborted = false;
  readonly #onAbort = new Set<() => void>();
  readonly #onCutOff = new Set<() => void>();
  readonly #onOver = new Set<() => void>();
  #cancel: () => void = () => {};
  #forgetSignal: () => void = () => {};

  constructor(clock: Clock, endMs: number, signal: AbortSignal | undefined) {
    this.#clock = clock;
    this.#startMs = clock.now();
    this.endMs = endMs;
    const reserveMs = Math.min(RESERVE_MS, (endMs - this.#startMs) / RESERVE_SHARE);
    this.#takeUntilMs = endMs - reserveMs;
    this.#cutOffMs = endMs - (reserveMs * 2) / 3;
    this.#overMs = endMs;
    this.#arm();
    if (signal?.aborted) this.#abort();
    const abort = () => this.#abort();
    signal?.addEventListener('abort', abort);
    this.#forgetSignal = () => signal?.removeEventListener('abort', abort);
  }

  /** Whether another message may be begun. */
  get allowsMore(): boolean {
    return this.#clock.now() < this.#takeUntilMs;
  }

  /** When the run is over whatever still waits; earlier once it was asked to end. */
  get overMs(): number {
    return this.#overMs;
  }

  get aborted(): boolean {
    return this.#aborted;
  }

  /** What a retrieval that was cut off is told. */
  get reason(): RunEnded {
    return new RunEnded(this.#aborted ? 'aborted' : 'deadline');
  }

  /** Milliseconds of the whole run. */
  get spanMs(): number {
    return this.endMs - this.#startMs;
  }

  /** Calls `drop` if the run is asked to end before the returned function is called. */
  whenAborted(drop: () => void): () => void {
    if (this.#aborted) drop();
    return added(this.#onAbort, drop);
  }

  /** The same for the moment when what is being retrieved is dropped. */
  whenCutOff(drop: () => void): () => void {
    return added(this.#onCutOff, drop);
  }

  /** The same for the moment when the run is over. */
  whenOver(drop: () => void): () => void {
    return added(this.#onOver, drop);
  }

  /** Frees the timers and the signal. */
  end(): void {
    this.#cancel();
    this.#forgetSignal();
  }

  #abort(): void {
    if (this.#aborted) return;
    this.#aborted = true;
    const nowMs = this.#clock.now();
    this.#takeUntilMs = Math.min(this.#takeUntilMs, nowMs);
    this.#cutOffMs = Math.min(this.#cutOffMs, nowMs + GRACE_MS);
    this.#overMs = Math.min(this.#overMs, nowMs + ABORTED_END_MS);
    this.#arm();
    for (const drop of [...this.#onAbort]) drop();
  }

  #arm(): void {
    this.#cancel();
    const cancels = [this.#timer(this.#cutOffMs, this.#onCutOff), this.#timer(this.#overMs, this.#onOver)];
    this.#cancel = () => {
      for (const cancel of cancels) cancel();
    };
  }

  #timer(atMs: number, waiting: ReadonlySet<() => void>): () => void {
    return this.#clock.after(Math.max(0, atMs - this.#clock.now()), () => {
      for (const drop of [...waiting]) drop();
    });
  }
}

function added(waiting: Set<() => void>, drop: () => void): () => void {
  waiting.add(drop);
  return () => waiting.delete(drop);
}
