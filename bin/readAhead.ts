import type { ObjectStore, StoredObject } from '../lib/store/port.ts';
import type { StoredKey } from './storedKeys.ts';

/** Objects asked for before those ahead of them are dealt with. */
const AHEAD = 8;

/** A store gives such an object whole; of a larger one it would wait with an open line. */
const WHOLE_BYTES = 1024 * 1024;

export interface Opening {
  readonly stored: StoredKey;
  /** Null: it is gone. Rejects with StoreError. */
  readonly open: () => Promise<StoredObject | null>;
}

/** In their order; small objects are there by the time of their turn. */
export async function* readAhead(
  store: ObjectStore,
  keys: AsyncIterable<StoredKey>,
): AsyncGenerator<Opening> {
  const begun: Opening[] = [];
  for await (const stored of keys) {
    begun.push(opening(store, stored));
    const first = begun.length > AHEAD ? begun.shift() : undefined;
    if (first !== undefined) yield first;
  }
  yield* begun;
}

function opening(store: ObjectStore, stored: StoredKey): Opening {
  if (stored.size > WHOLE_BYTES) return { stored, open: () => store.read(stored.key) };
  const object = store.read(stored.key);
  // Whoever opens it meets the error.
  object.catch(() => {});
  return { stored, open: () => object };
}
