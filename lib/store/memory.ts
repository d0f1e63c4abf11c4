/**
 * An object store in memory that keeps every promise of the port. It uses no timer, no randomness and no I/O,
 * so that a test, or a simulation with its own clock, decides every interleaving.
 */
import { digestOf, refuseOtherBytes } from './checksum.ts';
import { checkKey, checkPrefix } from './keys.ts';
import { type Digest, type ObjectStore, StoreError, type Upload, type Version } from './port.ts';

interface Held {
  readonly body: Uint8Array;
  readonly digest: Digest;
  readonly version: Version;
  readonly storedMs: number | null;
}

/** `name` is what events and reports call the place. Without `now` it does not say when an object was made. */
export function memoryStore(name: string, now: () => number | null = () => null): ObjectStore {
  const objects = new Map<string, Held>();
  let writes = 0;

  function put(key: string, body: Uint8Array, digest: Digest): Version {
    writes += 1;
    const version = String(writes);
    objects.set(key, { body, digest, version, storedMs: now() });
    return version;
  }

  return {
    place: { bucket: name },

    async create(key, body, digest) {
      checkKey(key);
      const actual = digestOf(body);
      refuseOtherBytes(actual, digest, { operation: 'create', key });
      if (objects.has(key)) return 'exists';
      put(key, copy(body), actual);
      return 'created';
    },

    async upload(key) {
      checkKey(key);
      return memoryUpload(key, (body, digest) => {
        if (objects.has(key)) return 'exists';
        put(key, body, digest);
        return 'created';
      });
    },

    async replace(key, body, expected) {
      checkKey(key);
      if ((objects.get(key)?.version ?? null) !== expected) return 'conflict';
      return put(key, copy(body), digestOf(body));
    },

    async read(key) {
      checkKey(key);
      const held = objects.get(key);
      if (held === undefined) return null;
      const { version, storedMs, body } = held;
      return { version, size: body.length, storedMs, chunks: chunksOf(body) };
    },

    async verify(key, digest) {
      checkKey(key);
      const held = objects.get(key)?.digest;
      if (held === undefined) return 'absent';
      return held.size === digest.size && held.sha256 === digest.sha256 ? 'same' : 'different';
    },

    async *list(prefix) {
      checkPrefix(prefix);
      const keys = [...objects.keys()].filter((key) => key.startsWith(prefix)).sort();
      for (const key of keys) {
        const held = objects.get(key);
        if (held !== undefined) yield { key, size: held.body.length };
      }
    },

    async remove(key) {
      checkKey(key);
      objects.delete(key);
    },
  };
}

function memoryUpload(
  key: string,
  place: (body: Uint8Array, digest: Digest) => 'created' | 'exists',
): Upload {
  let chunks: Uint8Array[] | undefined = [];
  function held(): Uint8Array[] {
    if (chunks !== undefined) return chunks;
    throw new StoreError(`upload ${key}: it was aborted; nothing was stored. The next run tries again.`, {
      kind: 'later',
      code: 'E_STORE_UPLOAD',
      operation: 'upload',
      key,
    });
  }
  return {
    async write(chunk) {
      held().push(copy(chunk));
    },
    async complete(digest) {
      const body = Buffer.concat(held());
      const actual = digestOf(body);
      refuseOtherBytes(actual, digest, { operation: 'complete', key });
      return place(body, actual);
    },
    async abort() {
      chunks = undefined;
    },
  };
}

/** Not `slice`, which in a Buffer shares the memory that the caller goes on to use. */
function copy(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes);
}

async function* chunksOf(body: Uint8Array): AsyncGenerator<Uint8Array> {
  if (body.length > 0) yield copy(body);
}
