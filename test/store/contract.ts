/** What every object store promises; run on each implementation, races included. */
import { describe, expect, it } from 'vitest';
import { digestOf } from '../../lib/store/checksum.ts';
import { StoreError, type Version } from '../../lib/store/port.ts';
import { documents } from './contractDocuments.ts';
import { uploads } from './contractUploads.ts';
import { contentOf, keysOf, type MakeStore, tally } from './reading.ts';
import { bytes, noise } from './writing.ts';

/**
 * `marks`: of servers that take the marker which a deletion leaves in a bucket with versions for an object. Nothing in lib/ writes
 * a key again that it removed.
 */
export function objectStoreContract(name: string, makeStore: MakeStore, marks = false): void {
  describe(`${name} keeps the promises of an object store`, { timeout: 60_000 }, () => {
    objects(makeStore, marks);
    documents(makeStore, marks);
    uploads(makeStore);
    listings(makeStore);
  });
}

function objects(makeStore: MakeStore, marks: boolean): void {
  it('gives back exactly the bytes that were created, all 256 values and none at all', async () => {
    const store = await makeStore();
    const every = Uint8Array.from({ length: 1024 }, (_, index) => index % 256);
    for (const [key, body] of [
      ['mail/objects/every.eml', every],
      ['mail/objects/none.eml', new Uint8Array()],
    ] as const) {
      expect(await store.create(key, body, digestOf(body))).toBe('created');
      expect(await contentOf(store, key)).toEqual(Buffer.from(body));
      expect(await store.verify(key, digestOf(body))).toBe('same');
    }
  });

  it('says when an object was made, the same at each reading, or that it does not know', async () => {
    const store = await makeStore();
    const key = 'mail/objects/dated.eml';
    await store.create(key, bytes('x'), digestOf(bytes('x')));
    const first = (await store.read(key))?.storedMs;
    await store.create(key, bytes('x'), digestOf(bytes('x')));
    expect((await store.read(key))?.storedMs).toBe(first);
    if (first === null) return;
    expect(Number.isInteger(first)).toBe(true);
    // Not seconds, not another era; the store's clock need not be ours.
    expect(Math.abs(Date.now() - Number(first))).toBeLessThan(24 * 3_600_000);
  });

  it('never replaces an object: a second create says "exists" and changes nothing', async () => {
    const store = await makeStore();
    const key = 'mail/objects/twice.eml';
    const [first, second] = [bytes('first'), bytes('other')];
    expect(await store.create(key, first, digestOf(first))).toBe('created');
    expect(await store.create(key, second, digestOf(second))).toBe('exists');
    expect(await store.create(key, first, digestOf(first))).toBe('exists');
    expect(await contentOf(store, key)).toEqual(first);
    expect(await store.replace(key, second, null)).toBe('conflict');
    expect(await contentOf(store, key)).toEqual(first);
  });

  it('has one winner of 32 racing creates, and its bytes are the object', async () => {
    const store = await makeStore();
    for (let round = 0; round < 3; round += 1) {
      const key = `mail/objects/race-${round}.eml`;
      const contents = Array.from({ length: 32 }, (_, racer) => bytes(`racer ${racer} of ${round}`));
      const outcomes = await Promise.all(contents.map((body) => store.create(key, body, digestOf(body))));
      expect(tally(outcomes)).toEqual(
        new Map([
          ['created', 1],
          ['exists', 31],
        ]),
      );
      expect(await contentOf(store, key)).toEqual(contents[outcomes.indexOf('created')]);
    }
  });

  it('tells same from different and absent', async () => {
    const store = await makeStore();
    const key = 'mail/objects/verified.eml';
    const body = bytes('these bytes');
    expect(await store.verify(key, digestOf(body))).toBe('absent');
    await store.create(key, body, digestOf(body));
    expect(await store.verify(key, digestOf(body))).toBe('same');
    expect(await store.verify(key, digestOf(bytes('those bytes')))).toBe('different');
    expect(await store.verify(key, digestOf(bytes('these bytes and more')))).toBe('different');
  });

  it('refuses bytes that are not those of their digest, and nothing becomes visible', async () => {
    const store = await makeStore();
    const key = 'mail/objects/corrupt.eml';
    const refused = store.create(key, bytes('as sent'), digestOf(bytes('as hashed')));
    await expect(refused).rejects.toBeInstanceOf(StoreError);
    await expect(refused).rejects.toMatchObject({ kind: 'later', code: 'E_STORE_DIGEST', key });
    expect(await contentOf(store, key)).toBeNull();
    expect(await keysOf(store, key)).toEqual([]);
  });

  it('reads nothing where nothing is, and removing it is success', async () => {
    const store = await makeStore();
    const key = 'state/objects/gone.gz';
    expect(await store.read(key)).toBeNull();
    await store.remove(key);
    await store.create(key, bytes('x'), digestOf(bytes('x')));
    await store.remove(key);
    await store.remove(key);
    expect(await store.read(key)).toBeNull();
  });

  it.skipIf(marks)('creates again what was removed', async () => {
    const store = await makeStore();
    const key = 'state/objects/again.gz';
    await store.create(key, bytes('x'), digestOf(bytes('x')));
    await store.remove(key);
    expect(await store.create(key, bytes('y'), digestOf(bytes('y')))).toBe('created');
  });

  it('takes no key that could leave its place or be spelled in two ways', async () => {
    const store = await makeStore();
    const digest = digestOf(bytes('x'));
    const long = `mail/${'x'.repeat(256)}`;
    for (const key of [
      '',
      '/x',
      'x/',
      'a//b',
      '..',
      '.',
      'a/../b',
      './a',
      '.tmp/x',
      'a b',
      'a\\b',
      'a\0',
      'ä',
      long,
      'a@1',
    ]) {
      await expect(store.create(key, bytes('x'), digest), key).rejects.toBeInstanceOf(TypeError);
      await expect(store.upload(key), key).rejects.toBeInstanceOf(TypeError);
      await expect(store.replace(key, bytes('x'), null), key).rejects.toBeInstanceOf(TypeError);
      await expect(store.read(key), key).rejects.toBeInstanceOf(TypeError);
      await expect(store.verify(key, digest), key).rejects.toBeInstanceOf(TypeError);
      await expect(store.remove(key), key).rejects.toBeInstanceOf(TypeError);
    }
    for (const prefix of ['/x', 'a//b', '../', 'a/../b', '.tmp/']) {
      await expect(keysOf(store, prefix), prefix).rejects.toBeInstanceOf(TypeError);
    }
  });

  it('may be left in the middle of a long object', async () => {
    const store = await makeStore();
    const body = noise(3_000_000, 'long');
    await store.create('mail/objects/long.eml', body, digestOf(body));
    for (let times = 0; times < 3; times += 1) {
      const found = await store.read('mail/objects/long.eml');
      if (found === null) throw new Error('it was created');
      expect(found.size).toBe(body.length);
      for await (const chunk of found.chunks) {
        expect(Buffer.from(chunk).equals(body.subarray(0, chunk.length))).toBe(true);
        break;
      }
    }
    expect((await contentOf(store, 'mail/objects/long.eml'))?.equals(body)).toBe(true);
  });
}

function listings(makeStore: MakeStore): void {
  it('lists every key under a prefix with its size, ascending by bytes, documents once', async () => {
    const store = await makeStore();
    const keys = [
      'mail/list-a/1.eml',
      'mail/list/0-a.eml',
      'mail/list/0.eml',
      'mail/list/00.eml',
      'mail/list/Z.eml',
      'mail/list/a.eml',
      'mail/list.b/1.eml',
      'mail/list0/1.eml',
    ];
    for (const key of keys) await store.create(key, bytes(key), digestOf(bytes(key)));
    let version: Version | null = null;
    for (let revision = 0; revision < 12; revision += 1) {
      version = await store.replace('mail/list/doc.json', bytes(`{"n":${revision}}`), version);
    }
    const everything = [...keys, 'mail/list/doc.json'].sort();
    expect(await keysOf(store, 'mail/list')).toEqual(everything);
    expect(await keysOf(store, 'mail/list/')).toEqual(
      everything.filter((key) => key.startsWith('mail/list/')),
    );
    expect(await keysOf(store, 'mail/list/0')).toEqual([
      'mail/list/0-a.eml',
      'mail/list/0.eml',
      'mail/list/00.eml',
    ]);
    expect(await keysOf(store, 'mail/list/none')).toEqual([]);
    expect(await keysOf(store, 'nothing/here/')).toEqual([]);
    const sizes: [string, number][] = [];
    for await (const { key, size } of store.list('mail/list/a')) sizes.push([key, size]);
    for await (const { key, size } of store.list('mail/list/doc')) sizes.push([key, size]);
    expect(sizes).toEqual([
      ['mail/list/a.eml', 'mail/list/a.eml'.length],
      ['mail/list/doc.json', '{"n":11}'.length],
    ]);
  });

  it('lists 1,200 keys, more than one page holds, without losing or repeating any', async () => {
    const store = await makeStore();
    const keys = Array.from(
      { length: 1200 },
      (_, number) => `mail/many/${String(number).padStart(5, '0')}.eml`,
    );
    const body = bytes('m');
    for (let from = 0; from < keys.length; from += 50) {
      await Promise.all(keys.slice(from, from + 50).map((key) => store.create(key, body, digestOf(body))));
    }
    expect(await keysOf(store, 'mail/many/')).toEqual(keys);
  });
}
