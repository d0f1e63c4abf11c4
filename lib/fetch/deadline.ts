import type { Clock } from './ports.ts';
import { RunEnded } from './trouble.ts';

/** Announcing, committing and QUIT took well under 5 s against real servers; slow ones answer QUIT in tens. */
const RESERVE_MS = 15_000;

/** A short run keeps this share of its time instead. */
const RESERVE_SHARE = 4;

/** After a request to end, what is being retrieved may finish for so long. */
const GRACE_MS = 5_000;

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
  #aborted = false;
  readonly #onCutOff = new Set<() => void>();
  #cancel: () => void = () => {};
  #forgetSignal: () => void = () => {};

  constructor(clock: Clock, endMs: number, signal: AbortSignal | undefined) {
    this.#clock = clock;
    this.#startMs = clock.now();
    this.endMs = endMs;
    const reserveMs = Math.min(RESERVE_MS, (endMs - this.#startMs) / RESERVE_SHARE);
    this.#takeUntilMs = endMs - reserveMs;
    this.#cutOffMs = endMs - (reserveMs * 2) / 3;
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

  /** Calls `drop` if the cut-off comes before the returned function is called. */
  whenCutOff(drop: () => void): () => void {
    this.#onCutOff.add(drop);
    return () => this.#onCutOff.delete(drop);
  }

  /** Frees the timer and the signal. */
  end(): void {
    this.#cancel();
    this.#forgetSignal();
    this.#onCutOff.clear();
  }

  #abort(): void {
    this.#aborted = true;
    this.#takeUntilMs = Math.min(this.#takeUntilMs, this.#clock.now());
    this.#cutOffMs = Math.min(this.#cutOffMs, this.#clock.now() + GRACE_MS);
    this.#arm();
  }

  #arm(): void {
    this.#cancel();
    this.#cancel = this.#clock.after(Math.max(0, this.#cutOffMs - this.#clock.now()), () => {
      for (const drop of [...this.#onCutOff]) drop();
    });
  }
}
