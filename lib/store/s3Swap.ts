/**
 * Replacing a document under the ETag that it had, at stores that do not know their own ETags again.
 *
 * QUIRK: Ceph RGW 16 gives ETags in quotes, as HTTP wants them, and compares If-Match of a PUT without: to the
 * quoted one it says 412. In a bucket with versions it says 412 to either.
 */
import { StoreError, type Version } from './port.ts';

export interface Swap {
  readonly key: string;
  readonly expected: Version;
  /** One PUT under this If-Match. 'taken': the document is not said to have that ETag. */
  readonly put: (ifMatch: string) => Promise<Version | 'taken' | 'absent'>;
  /** What the document has now; undefined where it is gone, or nobody can tell. */
  readonly etag: () => Promise<string | undefined>;
}

export class Swaps {
  /** As it worked last. */
  #bareFirst = false;

  /**
   * Looks after each 412: where the document still has the ETag that was expected, nobody was faster, and it was
   * the form that was refused. The other form is no weaker a condition. Rejects where neither is taken, since the
   * caller would read the same ETag, and try with it, for ever.
   */
  async swap({ key, expected, put, etag }: Swap): Promise<Version | 'conflict'> {
    for (const form of formsOf(expected, this.#bareFirst)) {
      const answer = await put(form);
      if (answer === 'absent') return 'conflict';
      if (answer !== 'taken') {
        this.#bareFirst = !form.includes('"');
        return answer;
      }
      if ((await etag()) !== expected) return 'conflict';
    }
    throw neverTaken(key);
  }
}

/**
 * QUIRK: proxies that compress make weak what they pass on (W/"…"), and no weak ETag ever meets If-Match. What stands
 * within is the store's own.
 */
function formsOf(etag: Version, bareFirst: boolean): readonly string[] {
  const quoted = etag.replace(/^W\//, '');
  const bare = quoted.replace(/^"(.*)"$/, '$1');
  return bareFirst ? [bare, quoted] : [quoted, bare];
}

function neverTaken(key: string): StoreError {
  return new StoreError(
    `replace ${key}: the store refuses to replace it even under the ETag that it says it has; nothing was written, and without documents that can be replaced nothing can be fetched. Ceph RGW does so where a bucket keeps versions: use a bucket without, or another store.`,
    { kind: 'person', code: 'E_STORE_UNSUPPORTED', operation: 'replace', key },
  );
}
