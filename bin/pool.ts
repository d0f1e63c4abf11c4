import { Turns } from '../lib/fetch/turns.ts';

export interface Width<T> {
  /** At once, of all. */
  readonly all: number;
  /** At once, of those of one group. */
  readonly perGroup: number;
  readonly groupOf: (item: T) => string;
}

/**
 * Runs `work` on every item; results in the order of the items. One that waits for its group has not begun, and takes
 * up no place of those that could.
 */
export async function inParallel<T, R>(
  items: readonly T[],
  { all, perGroup, groupOf }: Width<T>,
  work: (item: T) => Promise<R>,
): Promise<readonly R[]> {
  const groups = new Turns(perGroup);
  const places = new Turns(all);
  const one = async (item: T): Promise<R> => {
    const leaveGroup = await groups.take(groupOf(item));
    const leavePlace = await places.take('');
    try {
      return await work(item);
    } finally {
      leavePlace();
      leaveGroup();
    }
  };
  return Promise.all(items.map(one));
}
