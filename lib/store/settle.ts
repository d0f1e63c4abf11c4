/**
 * Answers that are not answers are settled by looking. A store that says "exists" may be speaking of our own
 * earlier attempt, and an 'unknown' write may have been done; only the bytes under the key tell.
 */
import { type Digest, type ObjectStore, StoreError, type Upload } from './port.ts';

/** 'same': exactly these bytes are under the key, whoever wrote them. 'different': other bytes are. */
export type Settled = 'created' | 'same' | 'different';

/**
 * A try is repeated only when the key turns out free after "exists" or an unknown answer: an object removed in
 * between, or a write that never arrived. Three in a row are no longer an accident.
 */
const TRIES = 3;

/**
 * Creates `key` and does not return before it is known what is there. Rejects with StoreError: 'unknown' if the
 * write may still land, else as `create` and `verify` do.
 */
export function createSettled(
  store: ObjectStore,
  key: string,
  body: Uint8Array,
  digest: Digest,
): Promise<Settled> {
  return settle({ write: () => store.create(key, body, digest), store, key, digest, repeatUnknown: true });
}

/**
 * Completes `upload`, looks where the answer does not tell, and frees the upload unless it became the object.
 * An unknown answer with nothing under the key is thrown as it is: the message counts as not stored and is
 * retrieved again; should the write still land, that attempt finds it.
 */
export async function completeSettled(
  upload: Upload,
  store: ObjectStore,
  key: string,
  digest: Digest,
): Promise<Settled> {
  let settled: Settled | undefined;
  try {
    settled = await settle({
      write: () => upload.complete(digest),
      store,
      key,
      digest,
      repeatUnknown: false,
    });
    return settled;
  } finally {
    if (settled !== 'created') await upload.abort();
  }
}

interface Settling {
  readonly write: () => Promise<'created' | 'exists'>;
  readonly store: ObjectStore;
  readonly key: string;
  readonly digest: Digest;
  /** Whether an unknown write that left nothing may be made again from the same bytes. */
  readonly repeatUnknown: boolean;
}

async function settle({ write, store, key, digest, repeatUnknown }: Settling): Promise<Settled> {
  // Once a write is unknown it stays so, whatever comes later: it may land after any look.
  let unknown: StoreError | undefined;
  const fail = (error: unknown): never => {
    throw unknown === undefined ? error : stillUnknown(unknown, error);
  };
  for (let tries = 0; tries < TRIES; tries += 1) {
    const answer = await write().catch((error: unknown) => (isUnknown(error) ? error : fail(error)));
    if (answer === 'created') return 'created';
    if (answer !== 'exists') unknown = answer;
    const seen = await store.verify(key, digest).catch(fail);
    if (seen !== 'absent') return seen;
    if (answer !== 'exists' && !repeatUnknown) break;
  }
  if (unknown) throw unknown;
  throw new StoreError(
    `create ${key}: the store says that the key is taken, and shows nothing under it, ${TRIES} times over. The next run tries again.`,
    { kind: 'later', code: 'E_STORE_UNSETTLED', operation: 'create', key },
  );
}

function isUnknown(error: unknown): error is StoreError {
  return error instanceof StoreError && error.kind === 'unknown';
}

/** What a person must repair goes before what is unknown; everything else after it. */
function stillUnknown(unknown: StoreError, error: unknown): unknown {
  if (!(error instanceof StoreError) || error.kind === 'person') return error;
  return new StoreError(
    `${unknown.message} Then: ${error.message}`,
    { kind: 'unknown', code: 'E_STORE_UNSETTLED', operation: unknown.operation, key: unknown.key },
    { cause: error },
  );
}
