/** The contract's part on documents: compare-and-swap, and races for it. */
import { expect, it } from 'vitest';
import { digestOf } from '../../lib/store/checksum.ts';
import { contentOf, keysOf, type MakeStore } from './reading.ts';
import { bytes, increment } from './writing.ts';

export function documents(makeStore: MakeStore, marks: boolean): void {
  it('replaces a document only under the version that is current', async () => {
    const store = await makeStore();
    const key = 'state/versions.json';
    const first = await store.replace(key, bytes('{"n":1}'), null);
    expect(first).not.toBe('conflict');
    expect(await store.replace(key, bytes('{"n":0}'), null)).toBe('conflict');
    const second = await store.replace(key, bytes('{"n":2}'), first);
    expect(second).not.toBe('conflict');
    expect(second).not.toBe(first);
    expect(await store.replace(key, bytes('{"n":9}'), first)).toBe('conflict');
    expect(await store.replace(key, bytes('{"n":9}'), null)).toBe('conflict');
    expect(await contentOf(store, key)).toEqual(bytes('{"n":2}'));
    expect((await store.read(key))?.version).toBe(second);
  });

  it.skipIf(marks)(
    'says conflict, and writes nothing, when the document vanished under its version',
    async () => {
      const store = await makeStore();
      const key = 'state/vanished.json';
      const version = await store.replace(key, bytes('{"n":1}'), null);
      await store.remove(key);
      expect(await store.replace(key, bytes('{"n":2}'), version)).toBe('conflict');
      expect(await store.read(key)).toBeNull();
      expect(await store.replace(key, bytes('{"n":3}'), null)).not.toBe('conflict');
    },
  );

  it('takes a document for an existing object', async () => {
    const store = await makeStore();
    const key = 'state/document.json';
    const body = bytes('{"kind":"document"}');
    await store.replace(key, body, null);
    expect(await store.create(key, bytes('object'), digestOf(bytes('object')))).toBe('exists');
    expect(await contentOf(store, key)).toEqual(body);
    expect(await store.verify(key, digestOf(body))).toBe('same');
    expect(await store.verify(key, digestOf(bytes('object')))).toBe('different');
  });

  it('loses no increment of 8 workers that each add 10', async () => {
    const store = await makeStore();
    const key = 'state/counter.json';
    const worker = async () => {
      for (let times = 0; times < 10; times += 1) await increment(store, key);
    };
    await Promise.all(Array.from({ length: 8 }, worker));
    expect(JSON.parse(String(await contentOf(store, key)))).toEqual({ count: 80 });
    expect(await keysOf(store, 'state/counter')).toEqual([key]);
  });

  it('has one winner of 16 racing replaces, from nothing and from a version', async () => {
    const store = await makeStore();
    const key = 'state/race.json';
    let expected: string | null = null;
    for (let round = 0; round < 4; round += 1) {
      const writes = Array.from({ length: 16 }, (_, racer) => bytes(`{"by":${racer},"round":${round}}`));
      const held: string | null = expected;
      const outcomes: string[] = await Promise.all(writes.map((body) => store.replace(key, body, held)));
      const winners = outcomes.filter((outcome) => outcome !== 'conflict');
      expect(winners).toHaveLength(1);
      expect(await contentOf(store, key)).toEqual(writes[outcomes.findIndex((one) => one !== 'conflict')]);
      expected = winners[0] ?? null;
      expect((await store.read(key))?.version).toBe(expected);
    }
  });
}
