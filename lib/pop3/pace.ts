/**
 * The slowest a server may send, averaged over windows of its own waiting time. Time in which we did not ask
 * for bytes (the store was slow) never gets here and so never counts against it.
 */
export class Pace {
  readonly #bytesPerSecond: number;
  readonly #windowMs: number;
  #waitedMs = 0;
  #bytes = 0;
  #tooSlow = false;

  constructor(bytesPerSecond: number, windowMs: number) {
    this.#bytesPerSecond = bytesPerSecond;
    this.#windowMs = windowMs;
  }

  /** After each read: how long it was waited for, and what came. */
  note(waitedMs: number, bytes: number): void {
    this.#waitedMs += waitedMs;
    this.#bytes += bytes;
    if (this.#waitedMs < this.#windowMs) return;
    this.#tooSlow = this.#bytes * 1000 < this.#bytesPerSecond * this.#waitedMs;
    this.#waitedMs = 0;
    this.#bytes = 0;
  }

  /** Of the last whole window. */
  get tooSlow(): boolean {
    return this.#tooSlow;
  }
}
