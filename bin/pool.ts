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
 * Work on so many items at once. One that waits for its group has not begun, and takes up no place of those that could.
 * With `patience`, what only waits holds nobody up: a server that says nothing is waited for beside the others. Work that
 * gets on calls `busy`.
 */
export class Pool<T> {
  readonly #groups: Turns;
  readonly #places: Turns;
  readonly #groupOf: (item: T) => string;
  readonly #slow: SlowLane | undefined;

  constructor({ all, perGroup, groupOf }: Width<T>, patience?: Patience) {
    this.#groups = new Turns(perGroup);
    this.#places = new Turns(all);
    this.#groupOf = groupOf;
    this.#slow = patience && new SlowLane(patience);
  }

  /** Results in the order of the items. */
  all<R>(items: readonly T[], work: (item: T, busy: () => void) => Promise<R>): Promise<readonly R[]> {
    return Promise.all(items.map((item) => this.run(item, work)));
  }

  /** Settles as `work` does, once it had its turn. */
  async run<R>(item: T, work: (item: T, busy: () => void) => Promise<R>): Promise<R> {
    const leaveGroup = await this.#groups.take(this.#groupOf(item));
    const leavePlace = await this.#places.take('');
    const watched = this.#slow?.watch(leavePlace);
    try {
      return await work(item, () => watched?.busy());
    } finally {
      watched?.end();
      leavePlace();
      leaveGroup();
    }
  }
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
