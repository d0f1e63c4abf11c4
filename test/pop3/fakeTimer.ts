import type { Timer } from '../../lib/pop3/transport.ts';

/** Time that passes only when a test says so. */
export class FakeTimer implements Timer {
  #now = Date.UTC(2030, 0, 1);
  readonly #waiting = new Set<{ readonly due: number; readonly fire: () => void }>();

  now(): number {
    return this.#now;
  }

  after(delayMs: number, fire: () => void): () => void {
    const entry = { due: this.#now + delayMs, fire };
    this.#waiting.add(entry);
    return () => this.#waiting.delete(entry);
  }

  /** Fires what falls due on the way, in order; lets promises settle in between. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    await settled();
    for (;;) {
      const next = [...this.#waiting].filter(({ due }) => due <= end).sort((a, b) => a.due - b.due)[0];
      if (next === undefined) break;
      this.#now = Math.max(this.#now, next.due);
      this.#waiting.delete(next);
      next.fire();
      await settled();
    }
    this.#now = end;
  }

  /** Timers that nobody cancelled yet. */
  get pending(): number {
    return this.#waiting.size;
  }
}

/** Lets every promise that can settle without I/O do so. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
