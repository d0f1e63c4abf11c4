import { describe, expect, it } from 'vitest';
import { ABILITIES_KEY, storeTrust } from '../../functions/trust.ts';
import { memoryStore } from '../../lib/store/memory.ts';
import { type ObjectStore, StoreError } from '../../lib/store/port.ts';

const DAY_MS = 86_400_000;

/** Counts the uploads, of which each probe begins some. */
function counted(store: ObjectStore, broken: Partial<ObjectStore> = {}) {
  const seen = { uploads: 0 };
  const wrapped: ObjectStore = {
    place: store.place,
    create: (key, body, digest) => store.create(key, body, digest),
    upload: (key) => {
      seen.uploads += 1;
      return store.upload(key);
    },
    replace: (key, body, expected) => store.replace(key, body, expected),
    read: (key) => store.read(key),
    verify: (key, digest) => store.verify(key, digest),
    list: (prefix) => store.list(prefix),
    remove: (key) => store.remove(key),
    ...broken,
  };
  return { store: wrapped, seen };
}

function clockAt(nowMs: number) {
  return { now: () => nowMs, random: () => 0.5 };
}

describe('trust in a store', () => {
  it('is found out once, whoever asks, and then kept for a week in the store itself', async () => {
    const { store, seen } = counted(memoryStore('archive'));
    const first = storeTrust(store, { clock: clockAt(0) });
    expect(await Promise.all([first(), first()])).toEqual([
      { deletes: true, reason: '' },
      { deletes: true, reason: '' },
    ]);
    const once = seen.uploads;
    expect(once).toBeGreaterThan(0);
    // Another process.
    expect((await storeTrust(store, { clock: clockAt(7 * DAY_MS - 1) })()).deletes).toBe(true);
    expect(seen.uploads).toBe(once);
    await storeTrust(store, { clock: clockAt(7 * DAY_MS) })();
    expect(seen.uploads).toBe(2 * once);
  });

  it('is asked for anew each hour by a process that lives on, which then sees a store that was mended', async () => {
    const inner = memoryStore('archive');
    let isMended = false;
    const { store, seen } = counted(inner, {
      // A store that ignores the condition.
      create: async (key, body, digest) => {
        if (!isMended) await inner.remove(key);
        return inner.create(key, body, digest);
      },
    });
    let nowMs = 0;
    const trust = storeTrust(store, { clock: { now: () => nowMs, random: () => 0.5 } });
    expect((await trust()).deletes).toBe(false);
    isMended = true;
    nowMs = 3_600_000 - 1;
    expect((await trust()).deletes).toBe(false);
    const before = seen.uploads;
    nowMs += 1;
    expect((await trust()).deletes).toBe(true);
    expect(seen.uploads).toBeGreaterThan(before);
    // What is good is read in the store, not probed, until it is a week old.
    const probed = seen.uploads;
    for (; nowMs < 6 * DAY_MS; nowMs += DAY_MS) await trust();
    expect(seen.uploads).toBe(probed);
  });

  it('is not taken over from the same name behind another endpoint, from the future or from rubbish', async () => {
    const { store, seen } = counted(memoryStore('archive'));
    const uploads = async (options: { endpoint?: string; nowMs: number }) => {
      const before = seen.uploads;
      await storeTrust(store, { endpoint: options.endpoint, clock: clockAt(options.nowMs) })();
      return seen.uploads - before;
    };
    expect(await uploads({ nowMs: DAY_MS })).toBeGreaterThan(0);
    expect(await uploads({ nowMs: DAY_MS })).toBe(0);
    expect(await uploads({ nowMs: DAY_MS, endpoint: 'https://s3.example.org' })).toBeGreaterThan(0);
    expect(await uploads({ nowMs: 0, endpoint: 'https://s3.example.org' })).toBeGreaterThan(0);
    const kept = await store.read(ABILITIES_KEY);
    await store.replace(ABILITIES_KEY, Buffer.from('{"v":1,"abilities":{}}'), kept?.version ?? null);
    expect(await uploads({ nowMs: 0, endpoint: 'https://s3.example.org' })).toBeGreaterThan(0);
  });

  it('says why where it is missing, and asks again within the hour after that', async () => {
    const inner = memoryStore('archive');
    // A store that ignores the condition.
    const { store, seen } = counted(inner, {
      create: async (key, body, digest) => {
        await inner.remove(key);
        return inner.create(key, body, digest);
      },
    });
    const trust = await storeTrust(store, { clock: clockAt(0) })();
    expect(trust).toMatchObject({ deletes: false });
    expect(trust.reason).not.toBe('');
    const once = seen.uploads;
    await storeTrust(store, { clock: clockAt(3_599_999) })();
    expect(seen.uploads).toBe(once);
    await storeTrust(store, { clock: clockAt(3_600_000) })();
    expect(seen.uploads).toBe(2 * once);
  });

  it('is tried again after a failure', async () => {
    const inner = memoryStore('archive');
    let down = true;
    const { store } = counted(inner, {
      read: async (key) => {
        if (!down) return inner.read(key);
        throw new StoreError('unreachable', {
          kind: 'later',
          code: 'E_STORE_NETWORK',
          operation: 'read',
          key,
        });
      },
    });
    const trust = storeTrust(store, { clock: clockAt(0) });
    await expect(trust()).rejects.toThrow('unreachable');
    down = false;
    expect((await trust()).deletes).toBe(true);
  });
});
