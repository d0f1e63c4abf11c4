/** The state at scale: a head that stays small, segments that hold the rest, and writers that meet. */
import { hash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { gunzipSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HEAD_BYTES, SEGMENT_RECORDS, UNNAMED_KEPT_MS, VANISHED_KEPT_MS } from '../../lib/mailbox/bounds.ts';
import { countAttempt, withFailure } from '../../lib/mailbox/failures.ts';
import { loadHead } from '../../lib/mailbox/head.ts';
import { strikeIntents, withIntents } from '../../lib/mailbox/intents.ts';
import { headKey, segmentKey, segmentPrefix } from '../../lib/mailbox/names.ts';
import { recordKey, withRecords } from '../../lib/mailbox/records.ts';
import { hasRoomToFail, intentBytes, roomForIntents } from '../../lib/mailbox/room.ts';
import {
  emptyHead,
  type Head,
  type Intent,
  recordCount,
  type StoredRecord,
} from '../../lib/mailbox/state.ts';
import { StateFile } from '../../lib/mailbox/stateFile.ts';
import { whileListed } from '../../lib/mailbox/sweep.ts';
import { digestOf } from '../../lib/store/checksum.ts';
import { memoryStore } from '../../lib/store/memory.ts';
import { type ObjectStore, StoreError } from '../../lib/store/port.ts';

let nonces = 0;
const clockAt = (ms = 1_764_000_000_000) => ({
  now: () => ms,
  nonce: () => {
    nonces += 1;
    return hash('md5', String(nonces));
  },
});
const open = (store: ObjectStore, ms?: number) => StateFile.open(store, 'inbox', clockAt(ms));

const record = (nth: number): StoredRecord => ({
  uidl: `${hash('md5', `uidl ${nth}`).slice(0, 16)}${nth}`,
  size: 3000 + nth,
  headerHash: hash('md5', `header ${nth}`),
  octets: 3000 + nth,
  sha256: hash('sha256', `mail ${nth}`),
  storedMs: 1_764_000_000_000 + nth,
});
const records = (from: number, to: number) => Array.from({ length: to - from }, (_, at) => record(from + at));

/** Commits one by one, as batches are. */
async function store(state: StateFile, from: number, to: number, batch = 128): Promise<void> {
  for (let at = from; at < to; at += batch)
    await state.commit((head) => withRecords(head, records(at, Math.min(to, at + batch))));
}

/** All that is on record, the newest of each, as a run would read it. */
async function allRecords(state: StateFile): Promise<Map<string, StoredRecord>> {
  const all = new Map<string, StoredRecord>();
  await state.eachSegment((older) => {
    for (const one of older) all.set(recordKey(one), one);
  });
  for (const one of state.head.records) all.set(recordKey(one), one);
  return all;
}

async function keysOf(store: ObjectStore): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of store.list(segmentPrefix('inbox'))) keys.push(key);
  return keys;
}

const namedKeys = (head: Head) => head.segments.map(({ name }) => segmentKey('inbox', name)).sort();

interface Written {
  readonly store: ObjectStore;
  bytes: number;
  largestHead: number;
}

function counting(inner: ObjectStore): Written {
  const written: Written = {
    bytes: 0,
    largestHead: 0,
    store: {
      ...inner,
      create: (key, body, digest) => {
        written.bytes += body.length;
        return inner.create(key, body, digest);
      },
      replace: (key, body, expected) => {
        written.bytes += body.length;
        written.largestHead = Math.max(written.largestHead, body.length);
        return inner.replace(key, body, expected);
      },
    },
  };
  return written;
}

describe('a first import of 200,000 messages', () => {
  it('writes at most 20 times the final size, and no head beyond its bound', async () => {
    const MESSAGES = 200_000;
    const BATCH = 128;
    const inner = memoryStore('bucket');
    const written = counting(inner);
    const state = await open(written.store);
    const intentOf = ({ uidl, size }: StoredRecord): Intent => ({
      ...{ uidl, size, headerHash: null },
      ...{ run: hash('md5', 'run'), untilMs: 1_764_000_900_000 },
    });
    for (let at = 0; at < MESSAGES; at += BATCH) {
      const batch = records(at, at + BATCH);
      const next = records(at + BATCH, at + 2 * BATCH).map(intentOf);
      // As a run commits: outcomes of one batch with the intents of the one after the next.
      await state.commit((head) => {
        const struck = strikeIntents(
          withRecords(head, batch),
          batch.map(intentOf),
          new Set([hash('md5', 'run')]),
        );
        return withIntents(struck, next);
      });
    }
    const { head } = await loadHead(inner, 'inbox');
    const object = await inner.read(headKey('inbox'));
    const final = (object?.size ?? 0) + head.segments.reduce((sum, { bytes }) => sum + bytes, 0);
    console.log(
      `state after ${MESSAGES} messages: ${final} bytes in a head and ${head.segments.length} segments; ` +
        `${(written.bytes / final).toFixed(1)} times as many written; largest head ${written.largestHead} bytes`,
    );
    expect(recordCount(head)).toBeGreaterThanOrEqual(MESSAGES);
    expect(written.largestHead).toBeLessThanOrEqual(HEAD_BYTES);
    expect(written.bytes / final).toBeLessThanOrEqual(20);
    expect(await keysOf(inner)).toEqual(namedKeys(head));
    for (const segment of head.segments) expect(segment.records).toBeLessThanOrEqual(SEGMENT_RECORDS);
    expect((await allRecords(state)).size).toBeGreaterThanOrEqual(MESSAGES);
  }, 300_000);
});

describe('segments', () => {
  it('hold what the head has no room for, and `zcat` shows it', async () => {
    const inner = memoryStore('bucket');
    const state = await open(inner);
    await store(state, 0, 1000);
    expect(state.head.segments.length).toBeGreaterThan(0);
    expect(state.head.records.length).toBeLessThan(1000);
    expect([...(await allRecords(state)).values()].sort(bySize)).toEqual(records(0, 1000));
    const [key] = await keysOf(inner);
    const object = await inner.read(key ?? '');
    const bytes: Uint8Array[] = [];
    if (object) for await (const chunk of object.chunks) bytes.push(chunk);
    const lines = gunzipSync(Buffer.concat(bytes)).toString().split('\n');
    expect(JSON.parse(lines[1] ?? '')).toMatchObject({ sha256: record(0).sha256 });
  });

  it('survive two writers that seal and merge at once, whatever answers are lost', async () => {
    const fate = fc.constantFrom('well', 'well', 'well', 'lost', 'unseen', 'refused');
    await fc.assert(
      fc.asyncProperty(fc.array(fate, { maxLength: 60 }), async (fates) => {
        const inner = memoryStore('bucket');
        const writers = await Promise.all([
          open(faulty(inner, fates.values())),
          open(faulty(inner, fates.toReversed().values())),
        ]);
        let committed: StoredRecord[] = [];
        for (let round = 0; round < 4; round += 1) {
          const outcomes = await Promise.allSettled(
            writers.map(async (writer, nth) => {
              const mine = records(1000 * nth + 200 * round, 1000 * nth + 200 * round + 200);
              await writer.commit((head) => withRecords(head, mine));
              return mine;
            }),
          );
          for (const outcome of outcomes)
            if (outcome.status === 'fulfilled') committed = [...committed, ...outcome.value];
        }
        const state = await open(inner);
        const all = await allRecords(state);
        // Hundreds of thousands of them, for which the runner's own comparison takes most of the time.
        const lost = committed.filter((one) => !isDeepStrictEqual(all.get(recordKey(one)), one));
        expect(lost).toEqual([]);
        const there = new Set(await keysOf(inner));
        for (const key of namedKeys(state.head)) expect(there).toContain(key);
      }),
      { numRuns: 100 },
    );
  });

  it('are read again where another run merges them meanwhile', async () => {
    const inner = memoryStore('bucket');
    const other = await open(inner);
    await store(other, 0, 1500);
    const state = await open(inner);
    let merged = false;
    const seen = new Set<string>();
    await state.eachSegment(async (older) => {
      for (const one of older) seen.add(recordKey(one));
      if (merged) return undefined;
      merged = true;
      await store(other, 1500, 5000);
      return undefined;
    });
    for (const one of state.head.records) seen.add(recordKey(one));
    for (const one of records(0, 1500)) expect(seen).toContain(recordKey(one));
  });

  it.each([
    ['missing', () => null],
    ['of another length', (bytes: Buffer) => Buffer.concat([bytes, Buffer.from('x')])],
    ['cut', (bytes: Buffer) => bytes.subarray(0, bytes.length - 9)],
    ['with a byte changed', (bytes: Buffer) => Buffer.from(bytes).fill(7, 40, 41)],
    [
      'without a line',
      (bytes: Buffer) =>
        gzipSync(
          gunzipSync(bytes)
            .toString()
            .replace(/\n.*\n/, '\n'),
        ),
    ],
    [
      'with a record of no shape',
      (bytes: Buffer) => gzipSync(gunzipSync(bytes).toString().replace('"sha256"', '"sha1"')),
    ],
  ])('refuse to be read when one is %s', async (_, change) => {
    const inner = memoryStore('bucket');
    await store(await open(inner), 0, 1000);
    const [key = ''] = await keysOf(inner);
    const object = await inner.read(key);
    const pieces: Uint8Array[] = [];
    if (object) for await (const chunk of object.chunks) pieces.push(chunk);
    const changed = change(Buffer.concat(pieces));
    await inner.remove(key);
    if (changed) await inner.create(key, changed, digestOf(changed));
    const state = await open(sized(inner, key, object?.size ?? 0, changed));
    await expect(allRecords(state)).rejects.toMatchObject({ code: 'E_STATE_BROKEN', kind: 'person' });
  });
});

/** Says of `key` that it has as many bytes as before, so that its content is what is looked at. */
function sized(inner: ObjectStore, key: string, size: number, changed: Buffer | null): ObjectStore {
  if (changed === null || changed.length === size + 1) return inner;
  return {
    ...inner,
    read: async (wanted) => {
      const object = await inner.read(wanted);
      return object && wanted === key ? { ...object, size } : object;
    },
  };
}

/** Each write takes the next fate: its answer is lost, it is not done at all, or it is refused. */
function faulty(inner: ObjectStore, fates: Iterator<string>): ObjectStore {
  const act = async <T>(operation: string, key: string, write: () => Promise<T>): Promise<T> => {
    const fate = fates.next().value ?? 'well';
    const kind = fate === 'refused' ? 'later' : 'unknown';
    const error = new StoreError(fate, { kind, code: 'E_STORE_TEST', operation, key });
    if (fate === 'lost' || fate === 'refused') throw error;
    const answer = await write();
    if (fate === 'unseen') throw error;
    return answer;
  };
  return {
    ...inner,
    create: (key, body, digest) => act('create', key, () => inner.create(key, body, digest)),
    replace: (key, body, expected) => act('replace', key, () => inner.replace(key, body, expected)),
  };
}

const bySize = (one: StoredRecord, other: StoredRecord) => (one.size ?? 0) - (other.size ?? 0);

const WEEK_MS = 7 * 24 * 3_600_000;

describe('a sweep', () => {
  const sweepAt = async (store: ObjectStore, listed: (nth: number) => boolean, ms: number) => {
    const state = await open(store, ms);
    const uidls = new Set(
      records(0, 1000)
        .filter((_, nth) => listed(nth))
        .map(({ uidl }) => uidl),
    );
    await state.sweep(
      whileListed(({ uidl }) => uidls.has(uidl), ms),
      ms,
    );
    return [...(await allRecords(await open(store))).values()].map(({ size }) => (size ?? 0) - 3000);
  };

  it('drops a record only when every sweep of four weeks has missed it', async () => {
    const inner = memoryStore('bucket');
    await store(await open(inner), 0, 1000);
    const from = 1_764_000_000_000;
    const even = (nth: number) => nth % 2 === 0;
    for (let week = 0; week < VANISHED_KEPT_MS / WEEK_MS; week += 1)
      expect(await sweepAt(inner, even, from + week * WEEK_MS)).toHaveLength(1000);
    const left = await sweepAt(inner, even, from + VANISHED_KEPT_MS);
    expect(left.sort((a, b) => a - b)).toEqual(Array.from({ length: 500 }, (_, nth) => 2 * nth));
    const { head } = await loadHead(inner, 'inbox');
    expect(await keysOf(inner)).toEqual(namedKeys(head));
  });

  it('forgets that a record was missing once it is listed again, however short the listings between', async () => {
    const inner = memoryStore('bucket');
    await store(await open(inner), 0, 1000);
    const from = 1_764_000_000_000;
    for (let week = 0; week < 12; week += 1)
      expect(await sweepAt(inner, () => week % 3 === 2, from + week * WEEK_MS)).toHaveLength(1000);
  });

  it('takes away segments of writes that never won, once they are old, and nobody else’s', async () => {
    const inner = memoryStore('bucket');
    const from = 1_764_000_000_000;
    await store(await open(inner), 0, 1000);
    const before = await keysOf(inner);
    const body = Buffer.from('left behind');
    const old = segmentKey('inbox', `${from - UNNAMED_KEPT_MS}-0a`);
    const young = segmentKey('inbox', `${from - UNNAMED_KEPT_MS + 1}-0b`);
    for (const key of [old, young]) await inner.create(key, body, digestOf(body));
    await sweepAt(inner, () => true, from);
    expect(await keysOf(inner)).toEqual([...before, young].sort());
  });

  it('lets the store’s clock tell what is old, where a writer’s own is weeks behind', async () => {
    const from = 1_764_000_000_000;
    let storeMs = from;
    const inner = memoryStore('bucket', () => storeMs);
    await store(await open(inner), 0, 1000);
    const before = await keysOf(inner);
    const body = Buffer.from('about to be named');
    const behind = segmentKey('inbox', `${from - 3 * UNNAMED_KEPT_MS}-0a`);
    await inner.create(behind, body, digestOf(body));
    await sweepAt(inner, () => true, from + 1);
    expect(await keysOf(inner)).toEqual([...before, behind].sort());
    storeMs += UNNAMED_KEPT_MS;
    await sweepAt(inner, () => true, from + UNNAMED_KEPT_MS + WEEK_MS);
    expect(await keysOf(inner)).toEqual(before);
  });

  it('is done where the store lets it take nothing away, and takes it away once it may', async () => {
    const inner = memoryStore('bucket');
    await store(await open(inner), 0, 1000);
    const from = 1_764_000_000_000;
    let asked = 0;
    const refusing: ObjectStore = {
      ...inner,
      remove: async (key) => {
        asked += 1;
        throw new StoreError('Access Denied', {
          ...{ kind: 'person', code: 'E_STORE_DENIED', operation: 'remove', key },
        });
      },
    };
    expect(await sweepAt(refusing, (nth) => nth % 2 === 0, from)).toHaveLength(1000);
    const { head } = await loadHead(inner, 'inbox');
    expect(head.sweptMs).toBe(from);
    expect((await keysOf(inner)).length).toBeGreaterThan(namedKeys(head).length);
    // One refusal tells of them all.
    expect(asked).toBe(1);
    await sweepAt(inner, (nth) => nth % 2 === 0, from + UNNAMED_KEPT_MS + WEEK_MS);
    expect(await keysOf(inner)).toEqual(namedKeys((await loadHead(inner, 'inbox')).head));
  });

  it('loses no record that another run merges meanwhile', async () => {
    const inner = memoryStore('bucket');
    const other = await open(inner);
    await store(other, 0, 1000);
    const racing: ObjectStore = {
      ...inner,
      replace: async (key, body, expected) => {
        if (recordCount(other.head) < 3000) await store(other, 1000, 3000);
        return inner.replace(key, body, expected);
      },
    };
    const state = await open(racing);
    await state.sweep(
      whileListed(() => false, 5),
      5,
    );
    const all = await allRecords(await open(inner));
    for (const one of records(0, 3000)) expect(all.has(recordKey(one))).toBe(true);
    const { head } = await loadHead(inner, 'inbox');
    expect(await keysOf(inner)).toEqual(namedKeys(head));
  });
});

describe('the room of a head', () => {
  const long = (nth: number) => `${nth}${'\xff'.repeat(1000)}`;

  it('has an end for intents with UIDLs of any length, and for failures', () => {
    let head = emptyHead('inbox');
    const begin = (nth: number): Intent => ({
      ...{ uidl: long(nth), size: nth, headerHash: null },
      ...{ run: hash('md5', 'run'), untilMs: 1 },
    });
    for (let nth = 0; roomForIntents(head).messages > 0 && roomForIntents(head).bytes > 0; nth += 1)
      head = withIntents(head, [begin(nth)]);
    for (let nth = 0; hasRoomToFail(head, { uidl: long(nth), size: 1, headerHash: null }); nth += 1) {
      const ref = { uidl: long(nth), size: 1, headerHash: null };
      const failed = countAttempt(head, ref, { run: 'run', nowMs: 1 });
      const failure = failed.failures.at(-1);
      if (failure) head = withFailure(failed, { ...failure, message: 'x'.repeat(300) });
    }
    expect(intentBytes(begin(1))).toBeGreaterThan(2000);
    expect(Buffer.byteLength(JSON.stringify(head))).toBeLessThan(HEAD_BYTES - 96 * 1024);
  });
});
