/**
 * A store that checks all it is given as a store must, and keeps of a message its digest alone: what is left of a
 * run's time over it is the fetching. Documents under state/ are kept, for a run reads them again.
 */
import { Digester, digestOf, refuseOtherBytes } from '../../../lib/store/checksum.ts';
import { checkKey } from '../../../lib/store/keys.ts';
import { memoryStore } from '../../../lib/store/memory.ts';
import type { Digest, ObjectStore } from '../../../lib/store/port.ts';

export interface NullStore {
  readonly store: ObjectStore;
  /** Messages and octets that were stored, as the store saw them. */
  readonly kept: { messages: number; octets: number };
}

export function nullStore(name: string): NullStore {
  const documents = memoryStore(name);
  const digests = new Map<string, Digest>();
  const kept = { messages: 0, octets: 0 };
  const isMail = (key: string) => key.startsWith('mail/');

  function place(key: string, digest: Digest): 'created' | 'exists' {
    if (digests.has(key)) return 'exists';
    digests.set(key, digest);
    kept.messages += 1;
    kept.octets += digest.size;
    return 'created';
  }

  const store: ObjectStore = {
    ...documents,
    async create(key, body, digest) {
      if (!isMail(key)) return documents.create(key, body, digest);
      checkKey(key);
      const actual = digestOf(body);
      refuseOtherBytes(actual, digest, { operation: 'create', key });
      return place(key, actual);
    },
    async upload(key) {
      checkKey(key);
      const digester = new Digester();
      return {
        write: async (chunk) => digester.update(chunk),
        async complete(digest) {
          const actual = digester.digest();
          refuseOtherBytes(actual, digest, { operation: 'complete', key });
          return place(key, actual);
        },
        async abort() {},
      };
    },
    async verify(key, digest) {
      if (!isMail(key)) return documents.verify(key, digest);
      const held = digests.get(key);
      if (held === undefined) return 'absent';
      return held.size === digest.size && held.sha256 === digest.sha256 ? 'same' : 'different';
    },
    async read(key) {
      if (!isMail(key)) return documents.read(key);
      throw new Error(`${key}: this store keeps no mail; a run that reads it back is not measured by it.`);
    },
  };
  return { store, kept };
}
