/**
 * At most so many at once of those that share a key, in the order in which they came: connections to one host, which
 * providers count. Whoever waits holds up nobody with another key.
 */
export class Turns {
  readonly #most: number;
  readonly #taken = new Map<string, number>();
  readonly #waiting = new Map<string, (() => void)[]>();

  constructor(most: number) {
    this.#most = most;
  }

  /** Resolves once it is its turn, with what gives the turn to the next; calling that again has no effect. */
  async take(key: string): Promise<() => void> {
    const taken = this.#taken.get(key) ?? 0;
    if (taken < this.#most) this.#taken.set(key, taken + 1);
    else await new Promise<void>((resolve) => this.#queue(key).push(resolve));
    let over = false;
    return () => {
      if (over) return;
      over = true;
      this.#leave(key);
    };
  }

  #leave(key: string): void {
    const next = this.#queue(key).shift();
    if (next !== undefined) {
      next();
      return;
    }
    this.#waiting.delete(key);
    const left = (this.#taken.get(key) ?? 1) - 1;
    if (left > 0) this.#taken.set(key, left);
    else this.#taken.delete(key);
  }

  #queue(key: string): (() => void)[] {
    const queue = this.#waiting.get(key) ?? [];
    this.#waiting.set(key, queue);
    return queue;
  }
}

/** Names of one host, as a person may write them. */
export function hostKey({ host }: { readonly host: string }): string {
  return host.toLowerCase().replace(/\.$/, '');
}
