import { Turns } from '../lib/fetch/turns.ts';

export interface Width<T> {
  /** At once, of all. */
  readonly all: number;
  /** At once, of those of one group. */
  readonly perGroup: number;
  readonly groupOf: (item: T) => string;
}

/** When an item gives its place to the next one and goes on beside it. */
export interface Patience {
  /** Without a word from its work; it is noticed within twice that. */
  readonly ms: number;
  /** So many go on beside the others at most; one more keeps its place. */
  readonly beside: number;
  /** Calls `fire` once after `delayMs`; the returned function cancels it. */
  readonly after: (delayMs: number, fire: () => void) => () => void;
}

/**
 * Runs `work` on every item; results in the order of the items. One that waits for its group has not begun, and takes
 * up no place of those that could. With `patience`, what only waits holds nobody up: a server that says nothing is waited
 * for beside the others. Work that gets on calls `busy`.
 */
export async function inParallel<T, R>(
  items: readonly T[],
  { all, perGroup, groupOf }: Width<T>,
  work: (item: T, busy: () => void) => Promise<R>,
  patience?: Patience,
): Promise<readonly R[]> {
  const groups = new Turns(perGroup);
  const places = new Turns(all);
  const slow = patience && new SlowLane(patience);
  const one = async (item: T): Promise<R> => {
    const leaveGroup = await groups.take(groupOf(item));
    const leavePlace = await places.take('');
    const watched = slow?.watch(leavePlace);
    try {
      return await work(item, () => watched?.busy());
    } finally {
      watched?.end();
      leavePlace();
      leaveGroup();
    }
  };
  return Promise.all(items.map(one));
}

class SlowLane {
  readonly #patience: Patience;
  #beside = 0;

  constructor(patience: Patience) {
    this.#patience = patience;
  }

  /** Leaves the place once nothing was heard for a while and there is room beside. */
  watch(leavePlace: () => void): { busy(): void; end(): void } {
    const { ms, beside, after } = this.#patience;
    let isBusy = false;
    let isBeside = false;
    const look = () => {
      if (!isBusy && this.#beside < beside) {
        isBeside = true;
        this.#beside += 1;
        leavePlace();
        return;
      }
      isBusy = false;
      cancel = after(ms, look);
    };
    let cancel = after(ms, look);
    return {
      busy: () => {
        isBusy = true;
      },
      end: () => {
        cancel();
        if (isBeside) this.#beside -= 1;
      },
    };
  }
}
