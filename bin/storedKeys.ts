import { mailPrefix, stemOfKey } from '../lib/mailbox/names.ts';
import type { ObjectStore } from '../lib/store/port.ts';

export interface StoredKey {
  readonly key: string;
  /** Its name under the mailbox, without ".eml". */
  readonly stem: string;
  /** Octets. */
  readonly size: number;
}

/** A mailbox's messages in the store, whatever is on record; `messageId`: those that begin so, null: all. */
export async function* storedKeys(
  store: ObjectStore,
  mailbox: string,
  messageId: string | null,
): AsyncGenerator<StoredKey> {
  for await (const { key, size } of store.list(mailPrefix(mailbox) + (messageId ?? ''))) {
    const stem = stemOfKey(mailbox, key);
    if (stem === null) continue;
    if (messageId === null || stem === messageId || stem.startsWith(`${messageId}-`))
      yield { key, stem, size };
  }
}
