/** The probe against stores that break one promise each, as real ones do. */
import { describe, expect, it } from 'vitest';
import { type Abilities, type Ability, deletesAllowed, probe } from '../../lib/store/abilities.ts';
import { digestOf } from '../../lib/store/checksum.ts';
import { memoryStore } from '../../lib/store/memory.ts';
import { type ObjectStore, StoreError } from '../../lib/store/port.ts';
import { keysOf } from './reading.ts';

const clock = { random: () => 0.25 };

/** A store that behaves but for what `broken` puts in the place of its methods. */
function storeWith(broken: (good: ObjectStore) => Partial<ObjectStore>): ObjectStore {
  const good = memoryStore('probed');
  return { ...good, ...broken(good) };
}

/** In one step, as a store without conditions writes. */
async function overwrite<T>(good: ObjectStore, key: string, write: () => Promise<T>): Promise<T> {
  const [, written] = await Promise.all([good.remove(key), write()]);
  return written;
}

const pause = () => new Promise<void>((resolve) => queueMicrotask(resolve));

const failing = (kind: 'unknown' | 'later' | 'person', code: string) =>
  new StoreError('Made to fail.', { kind, code, operation: 'create', key: 'state/_probe/x' });

type Row = [title: string, broken: (good: ObjectStore) => Partial<ObjectStore>, lacks: Ability[]];

const rows: Row[] = [
  ['keeps every promise', () => ({}), []],
  [
    'ignores the condition of a create',
    (good) => ({
      async create(key, body, digest) {
        await good.remove(key);
        return good.create(key, body, digest);
      },
    }),
    ['create'],
  ],
  [
    'checks for a create first and writes later',
    (good) => ({
      async create(key, body, digest) {
        if ((await good.read(key)) !== null) return 'exists';
        await pause();
        return overwrite(good, key, () => good.create(key, body, digest));
      },
    }),
    ['create'],
  ],
  [
    'ignores the version of a replace',
    (good) => ({
      async replace(key, body) {
        return good.replace(key, body, (await good.read(key))?.version ?? null);
      },
    }),
    ['replace'],
  ],
  [
    'compares first and swaps later',
    (good) => ({
      async replace(key, body, expected) {
        if (((await good.read(key))?.version ?? null) !== expected) return 'conflict';
        await pause();
        return overwrite(good, key, () => good.replace(key, body, null));
      },
    }),
    ['replace'],
  ],
  ['answers every replace with conflict', () => ({ replace: async () => 'conflict' }), ['replace']],
  [
    'has no conditional replace at all',
    () => ({
      replace: async () => {
        throw failing('person', 'E_STORE_UNSUPPORTED');
      },
    }),
    ['replace'],
  ],
  [
    'ignores the condition of Complete',
    (good) => ({
      async upload(key) {
        const upload = await good.upload(key);
        return {
          ...upload,
          async complete(digest) {
            await good.remove(key);
            return upload.complete(digest);
          },
        };
      },
    }),
    ['complete'],
  ],
  [
    'takes bytes that are not those of their checksum',
    (good) => ({ create: (key, body) => good.create(key, body, digestOf(body)) }),
    ['checksums'],
  ],
  [
    'shows an upload that is under way',
    (good) => ({
      async upload(key) {
        const upload = await good.upload(key);
        return {
          ...upload,
          async write(chunk) {
            await upload.write(chunk);
            if (key.includes('aborts')) await good.create(key, chunk, digestOf(chunk));
          },
        };
      },
    }),
    ['invisibleAborts'],
  ],
  [
    'makes an object of an aborted upload',
    (good) => ({
      async upload(key) {
        const upload = await good.upload(key);
        return {
          ...upload,
          async abort() {
            if (key.includes('aborts'))
              await good.create(key, Buffer.from('cut'), digestOf(Buffer.from('cut')));
            await upload.abort();
          },
        };
      },
    }),
    ['invisibleAborts'],
  ],
  [
    'loses the answer of one winner in three',
    (good) => {
      let answers = 0;
      return {
        async create(key, body, digest) {
          const outcome = await good.create(key, body, digest);
          if (outcome === 'created') answers += 1;
          if (outcome === 'created' && answers % 3 === 0) throw failing('unknown', 'E_STORE_UNKNOWN');
          return outcome;
        },
      };
    },
    [],
  ],
];

describe('the probe', () => {
  it.each(rows)('of a store that %s', async (_title, broken, lacks) => {
    const store = storeWith(broken);
    const { reasons, ...abilities } = await probe(store, clock);
    expect(Object.entries(abilities).flatMap(([name, has]) => (has ? [] : [name]))).toEqual(lacks);
    expect(Object.keys(reasons)).toEqual(lacks);
    for (const reason of Object.values(reasons)) expect(reason).toMatch(/^[A-Z].*\w/);
    expect(await keysOf(store, '')).toEqual([]);
  });

  it('says what it saw', async () => {
    const [, broken] = rows.find(([title]) => title === 'compares first and swaps later') ?? [];
    if (broken === undefined) throw new Error('no such row');
    const { reasons } = await probe(storeWith(broken), clock);
    expect(reasons.replace).toBe('Racing replaces: 16 of 16 were told that they had won.');
  });

  it('says that nothing can be fetched where not even a lone writer replaces a document', async () => {
    const store = storeWith((good) => ({
      replace: async (key, body, expected) =>
        expected === null ? good.replace(key, body, null) : 'conflict',
    }));
    expect((await probe(store, clock)).reasons.replace).toMatch(/nothing can be fetched/);
  });

  it('is told of a store in which it may not delete what it wrote', async () => {
    let asked = 0;
    const store = storeWith(() => ({
      async remove() {
        asked += 1;
        throw failing('person', 'E_STORE_DENIED');
      },
    }));
    expect(deletesAllowed(await probe(store, clock))).toBe(true);
    expect(asked).toBe(1);
  });

  it('does not take a store that cannot be reached or is denied for one that cannot', async () => {
    for (const kind of ['later', 'person'] as const) {
      const store = storeWith(() => ({
        create: async () => {
          throw failing(kind, 'E_STORE_TEST');
        },
      }));
      await expect(probe(store, clock)).rejects.toMatchObject({ kind });
    }
  });
});

describe('deletesAllowed', () => {
  const all: Abilities = {
    create: true,
    replace: true,
    complete: true,
    checksums: true,
    invisibleAborts: true,
    reasons: {},
  };

  it.each([
    [all, true],
    [{ ...all, create: false }, false],
    [{ ...all, replace: false }, false],
    [{ ...all, checksums: false }, false],
    [{ ...all, invisibleAborts: false }, false],
    [{ ...all, complete: false }, false],
  ])('takes every ability: row %#', (abilities, allowed) => {
    expect(deletesAllowed(abilities)).toBe(allowed);
  });
});
