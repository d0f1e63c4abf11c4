/** When an item gives its place to the next one and goes on beside it. */
export interface Patience {
  /** Without a word from its work; it is noticed within twice that. */
  readonly ms: number;
  /** So many go on beside the others at most; one more keeps its place until one of them ends. */
  readonly beside: number;
  /** Calls `fire` once after `delayMs`; the returned function cancels it. */
  readonly after: (delayMs: number, fire: () => void) => () => void;
}

/**
 * Runs `work` on every item, at most `width` at once; results in the order of the items. With `patience`, what only
 * waits holds nobody up: a server that says nothing is waited for beside the others. Work that gets on calls `busy`.
 */
export async function inParallel<T, R>(
  items: readonly T[],
  width: number,
  work: (item: T, busy: () => void) => Promise<R>,
  patience?: Patience,
): Promise<readonly R[]> {
  const results: R[] = [];
  const queue = items.entries();
  const slow = slowLane(patience);
  const worker = async () => {
    for (const [at, item] of queue) {
      await slow.placeOf(async (busy) => {
        results[at] = await work(item, busy);
      });
    }
  };
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, worker));
  await slow.ended();
  return results;
}

function slowLane(patience: Patience | undefined) {
  const going = new Set<Promise<void>>();
  const failures: unknown[] = [];
  /** Of items that would go on beside the others, had they room; the oldest first. */
  const waiting: (() => void)[] = [];

  function enter(done: Promise<void>): void {
    const ended = done
      .catch((error: unknown) => void failures.push(error))
      .finally(() => {
        going.delete(ended);
        waiting.shift()?.();
      });
    going.add(ended);
  }

  return {
    /** Resolves when the item has ended, or holds a place no longer. */
    async placeOf(work: (busy: () => void) => Promise<void>): Promise<void> {
      let isBusy = false;
      const done = work(() => {
        isBusy = true;
      });
      if (patience === undefined) return done;
      const { ms, beside, after } = patience;
      let leave = () => {};
      const left = new Promise<void>((resolve) => {
        leave = () => {
          enter(done);
          resolve();
        };
      });
      let cancel = () => {};
      const watch = () => {
        cancel = after(ms, () => {
          if (isBusy) watch();
          else if (going.size < beside) leave();
          else waiting.push(leave);
        });
        isBusy = false;
      };
      watch();
      try {
        await Promise.race([done, left]);
      } finally {
        cancel();
        const at = waiting.indexOf(leave);
        if (at !== -1) waiting.splice(at, 1);
      }
    },
    async ended(): Promise<void> {
      await Promise.all(going);
      if (failures.length > 0) throw failures[0];
    },
  };
}
