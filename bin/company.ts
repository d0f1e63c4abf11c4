/**
 * Work beside other work, or alone with nothing else under way. A message that may have killed a process is tried alone:
 * otherwise it could take the other mailboxes' work with it.
 */
export class Company {
  readonly #patienceMs: number;
  readonly #after: (delayMs: number, fire: () => void) => () => void;
  #beside = 0;
  #isAlone = false;
  /** Who waited to be alone for so long that nobody new may begin beside. */
  #pressing = 0;
  readonly #toBeBeside: (() => void)[] = [];
  readonly #toBeAlone: (() => void)[] = [];

  /** Whoever wants to be alone waits for a pause that comes by itself; after `patienceMs` one is made. */
  constructor(patienceMs: number, after: (delayMs: number, fire: () => void) => () => void) {
    this.#patienceMs = patienceMs;
    this.#after = after;
  }

  async beside<R>(work: () => Promise<R>): Promise<R> {
    if (this.#isAlone || this.#pressing > 0) {
      await new Promise<void>((resolve) => this.#toBeBeside.push(resolve));
    } else this.#beside += 1;
    try {
      return await work();
    } finally {
      this.#beside -= 1;
      this.#goOn();
    }
  }

  async alone<R>(work: () => Promise<R>): Promise<R> {
    const begun = new Promise<void>((resolve) => this.#toBeAlone.push(resolve));
    let pressing = 0;
    const cancel = this.#after(this.#patienceMs, () => {
      pressing = 1;
      this.#pressing += 1;
    });
    this.#goOn();
    await begun;
    cancel();
    this.#pressing -= pressing;
    try {
      return await work();
    } finally {
      this.#isAlone = false;
      // Those who were held up come first, however many want to be alone.
      if (this.#toBeBeside.length > 0) this.#admit();
      else this.#goOn();
    }
  }

  #goOn(): void {
    if (this.#isAlone || this.#beside > 0) return;
    const next = this.#toBeAlone.shift();
    if (next === undefined) return;
    this.#isAlone = true;
    next();
  }

  /** Counted here and not once they begin: until then nobody could see them. */
  #admit(): void {
    this.#beside += this.#toBeBeside.length;
    for (const begin of this.#toBeBeside.splice(0)) begin();
  }
}
