/**
 * Bounds the bytes that a process holds on their way to the store, over all its mailboxes. What a window may
 * need is reserved before its first RETR and given back after its last PUT, so nobody waits for more while
 * holding some, and waiting cannot become a deadlock. First come, first served: a large request is not starved.
 */
export class ByteBudget {
  readonly #total: number;
  #free: number;
  readonly #waiting: { bytes: number; grant: () => void }[] = [];
  readonly #within: ByteBudget | undefined;

  /** `within`: another that all of it comes out of, so that one of several has at most so much of that. */
  constructor(totalBytes: number, within?: ByteBudget) {
    this.#total = totalBytes;
    this.#free = totalBytes;
    this.#within = within;
  }

  /** Resolves with the function that gives the bytes back. More than the whole budget counts as all of it. */
  async reserve(bytes: number): Promise<() => void> {
    const wanted = Math.min(bytes, this.#total);
    const own = this.#ownNow(wanted) ?? (await this.#ownLater(wanted));
    return this.#within === undefined ? own : both(own, await this.#within.reserve(wanted));
  }

  /** As `reserve`, but null where that would have to wait. */
  reserveNow(bytes: number): (() => void) | null {
    const wanted = Math.min(bytes, this.#total);
    const own = this.#ownNow(wanted);
    if (own === null || this.#within === undefined) return own;
    const outer = this.#within.reserveNow(wanted);
    if (outer === null) own();
    return outer && both(own, outer);
  }

  #ownNow(wanted: number): (() => void) | null {
    if (this.#waiting.length > 0 || wanted > this.#free) return null;
    this.#free -= wanted;
    return this.#held(wanted);
  }

  async #ownLater(wanted: number): Promise<() => void> {
    await new Promise<void>((grant) => this.#waiting.push({ bytes: wanted, grant }));
    return this.#held(wanted);
  }

  #held(bytes: number): () => void {
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      this.#free += bytes;
      this.#wake();
    };
  }

  #wake(): void {
    for (let next = this.#waiting[0]; next && next.bytes <= this.#free; next = this.#waiting[0]) {
      this.#waiting.shift();
      this.#free -= next.bytes;
      next.grant();
    }
  }
}

function both(own: () => void, outer: () => void): () => void {
  return () => {
    own();
    outer();
  };
}
