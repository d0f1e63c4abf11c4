/** The folder store when a call fails, the process dies, or a writer sleeps: every point, not some. */
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { digestOf } from '../../lib/store/checksum.ts';
import { type ObjectStore, StoreError, type Version } from '../../lib/store/port.ts';
import { createSettled } from '../../lib/store/settle.ts';
import { emptyFolder, hook, openStore, unhook } from './emptyFolders.ts';
import { type FileCall, systemError } from './hookedFiles.ts';
import { contentOf, keysOf } from './reading.ts';
import { bytes, uploaded } from './writing.ts';

const mail = bytes('Subject: hello\r\n\r\nworld\r\n');
const key = 'mail/shop/0123.eml';

/** What may be left after a write of `mail` was cut off: nothing or all, and writing goes on. */
async function expectIntact(folder: string): Promise<void> {
  const store = openStore(folder);
  const seen = await contentOf(store, key);
  if (seen !== null) expect(seen).toEqual(mail);
  expect(await createSettled(store, key, mail, digestOf(mail))).toBe(seen === null ? 'created' : 'same');
  expect(await keysOf(store, 'mail/')).toEqual([key]);

  const found = await store.read('state/shop.json');
  const state = found && String(await contentOf(store, 'state/shop.json'));
  expect([null, 'old', 'new']).toContain(state);
  expect(await keysOf(store, 'state/')).toEqual(state === null ? [] : ['state/shop.json']);
  expect(await store.replace('state/shop.json', bytes('next'), found?.version ?? null)).not.toBe('conflict');
  expect(await contentOf(store, 'state/shop.json')).toEqual(bytes('next'));
}

describe('a write that is cut off', { timeout: 60_000 }, () => {
  const writes: [string, (store: ObjectStore) => Promise<unknown>][] = [
    ['create', (store) => store.create(key, mail, digestOf(mail))],
    [
      'upload',
      async (store) => {
        const { upload, digest } = await uploaded(store, key, mail);
        await upload.complete(digest);
      },
    ],
    ['first replace', (store) => store.replace('state/shop.json', bytes('new'), null)],
    [
      'replace',
      async (store) => {
        const version = (await store.read('state/shop.json'))?.version ?? null;
        await store.replace('state/shop.json', bytes('new'), version);
      },
    ],
  ];

  async function prepared(name: string): Promise<string> {
    const folder = await emptyFolder();
    if (name === 'replace') {
      const store = openStore(folder);
      let version: Version | null = null;
      for (let n = 0; n < 10; n += 1) version = await store.replace('state/shop.json', bytes('old'), version);
    }
    return folder;
  }

  async function callsOf(name: string, write: (store: ObjectStore) => Promise<unknown>): Promise<number> {
    const folder = await prepared(name);
    let calls = 0;
    hook((_, perform) => {
      calls += 1;
      return perform();
    });
    await write(openStore(folder));
    await unhook();
    return calls;
  }

  it.each(writes)('leaves old or new when the process dies at any call: %s', async (name, write) => {
    const calls = await callsOf(name, write);
    expect(calls).toBeGreaterThan(8);
    for (let last = 0; last < calls; last += 1) {
      const folder = await prepared(name);
      let made = 0;
      await new Promise<void>((died) => {
        hook(async (call, perform) => {
          made += 1;
          if (made <= last) return perform();
          // A dying process leaves half of what it was writing, and nothing more is heard of it.
          if (made === last + 1 && call.name === 'handle.writeFile')
            await writeFile(call.path, mail.subarray(0, 9));
          died();
          return new Promise(() => {});
        });
        void write(openStore(folder));
      });
      await unhook();
      await expectIntact(folder);
    }
  });

  it.each(writes)('is answered in the words of the port when any call fails: %s', async (name, write) => {
    const calls = await callsOf(name, write);
    for (const code of ['ENOSPC', 'EIO', 'EACCES', 'EMFILE']) {
      for (let failing = 1; failing <= calls; failing += 1) {
        const folder = await prepared(name);
        let made = 0;
        hook(async (call, perform) => {
          made += 1;
          if (made === failing) throw systemError(code, call);
          return perform();
        });
        const outcome = await write(openStore(folder)).catch((error: unknown) => error);
        await unhook();
        if (outcome instanceof Error)
          expect(outcome, `${code} at call ${failing}`).toBeInstanceOf(StoreError);
        await expectIntact(folder);
      }
    }
  });
});

describe('a writer that was stopped', () => {
  /** Holds the first call that `isIt` picks until released, before or after it is made. */
  function holdFirst(isIt: (call: FileCall) => boolean, when: 'before' | 'after') {
    let release = () => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    let reached = () => {};
    const there = new Promise<void>((resolve) => {
      reached = resolve;
    });
    let held = false;
    hook(async (call, perform) => {
      if (held || !isIt(call)) return perform();
      held = true;
      const result = when === 'after' ? await perform() : undefined;
      reached();
      await released;
      return when === 'after' ? result : perform();
    });
    return { there, release };
  }

  async function advance(store: ObjectStore, times: number): Promise<void> {
    for (let n = 0; n < times; n += 1) {
      const version = (await store.read('state/shop.json'))?.version ?? null;
      expect(await store.replace('state/shop.json', bytes(`other ${n}`), version)).not.toBe('conflict');
    }
  }

  const isLink = (call: FileCall) => call.name === 'link';

  it.each([
    [1, 'conflict'],
    [7, 'conflict'],
    [8, 'conflict'],
    [9, 'unknown'],
    [30, 'unknown'],
  ])('before its link, while %i others wrote, does not win: %s', async (times, outcome) => {
    const folder = await emptyFolder();
    const store = openStore(folder);
    const version = await store.replace('state/shop.json', bytes('first'), null);
    const { there, release } = holdFirst(isLink, 'before');
    const slow = store
      .replace('state/shop.json', bytes('slow'), version)
      .catch((error: StoreError) => error.kind);
    await there;
    await advance(openStore(folder), times);
    release();
    expect(await slow).toBe(outcome);
    expect(await contentOf(store, 'state/shop.json')).toEqual(bytes(`other ${times - 1}`));
    expect((await readdir(join(folder, 'state/shop.json'))).length).toBeLessThanOrEqual(8);
  });

  it.each([30])(
    'before its link of the first revision, while %i others wrote, does not win',
    async (times) => {
      const folder = await emptyFolder();
      const { there, release } = holdFirst(isLink, 'before');
      const slow = openStore(folder).replace('state/shop.json', bytes('slow'), null);
      const refused = expect(slow).rejects.toMatchObject({ kind: 'unknown' });
      await there;
      const store = openStore(folder);
      await advance(store, times);
      release();
      await refused;
      expect(await contentOf(store, 'state/shop.json')).toEqual(bytes(`other ${times - 1}`));
    },
  );

  it('after its link has won, though others have built on it since', async () => {
    const folder = await emptyFolder();
    const store = openStore(folder);
    const version = await store.replace('state/shop.json', bytes('first'), null);
    const { there, release } = holdFirst(isLink, 'after');
    const slow = store.replace('state/shop.json', bytes('slow'), version);
    await there;
    const other = openStore(folder);
    expect(await contentOf(other, 'state/shop.json')).toEqual(bytes('slow'));
    await advance(other, 5);
    release();
    expect(await slow).not.toBe('conflict');
    expect(await contentOf(other, 'state/shop.json')).toEqual(bytes('other 4'));
  });

  it('as a reader, before it opens what it found, reads a whole newer revision', async () => {
    const folder = await emptyFolder();
    const store = openStore(folder);
    await store.replace('state/shop.json', bytes('first'), null);
    const { there, release } = holdFirst((call) => call.name === 'readFile', 'before');
    const reading = contentOf(store, 'state/shop.json');
    await there;
    await advance(openStore(folder), 20);
    release();
    expect(await reading).toEqual(bytes('other 19'));
  });
});
