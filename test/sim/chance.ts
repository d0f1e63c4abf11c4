/** All chance of a history: the same seed, the same numbers (Mulberry32). */
export class Chance {
  #state: number;

  constructor(seed: number) {
    this.#state = Math.imul(seed, 0x9e3779b1) >>> 0;
  }

  /** In [0, 1). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    const state = this.#state;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number in [0, end). */
  below(end: number): number {
    return Math.floor(this.next() * end);
  }

  /** A whole number from `first` to `last`, both included. */
  between(first: number, last: number): number {
    return first + this.below(last - first + 1);
  }

  happens(rate: number): boolean {
    return rate > 0 && this.next() < rate;
  }

  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)] as T;
  }

  hex(digits: number): string {
    let text = '';
    while (text.length < digits)
      text += this.below(2 ** 32)
        .toString(16)
        .padStart(8, '0');
    return text.slice(0, digits);
  }
}

/** Things that may happen at one place, each at its own rate: one draw decides whether, and which. */
export class Odds<Name extends string> {
  readonly #names: Name[] = [];
  readonly #upTo: number[] = [];
  #total = 0;

  constructor(rates: Readonly<Partial<Record<Name, number>>>) {
    for (const [name, rate] of Object.entries(rates) as [Name, number][]) {
      if (rate <= 0) continue;
      this.#total += rate;
      this.#names.push(name);
      this.#upTo.push(this.#total);
    }
  }

  draw(chance: Chance): Name | null {
    if (this.#total === 0) return null;
    const drawn = chance.next();
    if (drawn >= this.#total) return null;
    return this.#names[this.#upTo.findIndex((upTo) => drawn < upTo)] ?? null;
  }
}
