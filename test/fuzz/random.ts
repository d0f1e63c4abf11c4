/** Randomness that a seed decides wholly, so that a run can be had again. */
export interface Random {
  /** A whole number from 0 to below `end`. */
  below(end: number): number;
  /** One of `items`, which has at least one. */
  pick<T>(items: readonly T[]): T;
}

/** A 32-bit counter through the finalizer of MurmurHash3: every seed gives another full period. */
export function randomFrom(seed: number): Random {
  let state = seed >>> 0;
  const below = (end: number) => {
    state = (state + 0x9e3779b9) >>> 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
    return Math.floor((((mixed ^ (mixed >>> 16)) >>> 0) / 2 ** 32) * end);
  };
  return {
    below,
    pick: <T>(items: readonly T[]): T => {
      const at = below(items.length);
      if (at >= items.length) throw new RangeError('There is nothing to pick from.');
      return items[at] as T;
    },
  };
}
