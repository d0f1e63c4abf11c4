import { hash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  countAttempt,
  failureOf,
  toldApart,
  uncountAttempt,
  withFailure,
} from '../../lib/mailbox/failures.ts';
import { loadHead } from '../../lib/mailbox/head.ts';
import {
  openIntents,
  releaseIntents,
  strikeIntents,
  withIntents,
  withLook,
} from '../../lib/mailbox/intents.ts';
import { headKey } from '../../lib/mailbox/names.ts';
import { withRecords } from '../../lib/mailbox/records.ts';
import { emptyHead, type Head, type Intent, type StoredRecord } from '../../lib/mailbox/state.ts';
import { StateError } from '../../lib/mailbox/stateError.ts';
import { StateFile } from '../../lib/mailbox/stateFile.ts';
import { memoryStore } from '../../lib/store/memory.ts';
import { type ObjectStore, StoreError } from '../../lib/store/port.ts';

let nonces = 0;
const nonce = () => {
  nonces += 1;
  return `nonce ${nonces}`;
};
const open = (store: ObjectStore) => StateFile.open(store, 'inbox', { now: () => 1, nonce });

const record = (uidl: string): StoredRecord => ({
  uidl,
  size: 3,
  headerHash: hash('md5', uidl),
  octets: 3,
  sha256: hash('sha256', uidl),
  storedMs: 1,
});
const intent = (uidl: string, run: string, untilMs: number): Intent => ({
  uidl,
  size: 3,
  headerHash: null,
  run,
  untilMs,
});
const ref = { uidl: 'a', size: 3, headerHash: null };

const unknown = () =>
  new StoreError('The answer was lost.', {
    kind: 'unknown',
    code: 'E_STORE_LOST',
    operation: 'replace',
    key: 'k',
  });

describe('the state file', () => {
  it('merges what two runs write at once', async () => {
    const store = memoryStore('bucket');
    const [one, other] = [await open(store), await open(store)];
    await Promise.all([
      one.commit((head) => withRecords(head, [record('a')])),
      other.commit((head) => withRecords(head, [record('b')])),
      one.commit((head) => withIntents(head, [intent('c', 'one', 10)])),
    ]);
    const { head } = await loadHead(store, 'inbox');
    expect(head.records.map(({ uidl }) => uidl).sort()).toEqual(['a', 'b']);
    expect(head.intents).toHaveLength(1);
    expect(head.revision).toBe(3);
  });

  it('knows its own write by the nonce, whether or not a lost answer had its effect', async () => {
    for (const effect of [true, false]) {
      const store = memoryStore('bucket');
      let lost = false;
      const losing: ObjectStore = {
        ...store,
        replace: async (key, body, expected) => {
          if (lost) return store.replace(key, body, expected);
          lost = true;
          if (effect) await store.replace(key, body, expected);
          throw unknown();
        },
      };
      const state = await open(losing);
      await state.commit((head) => withRecords(head, [record('a')]));
      expect((await loadHead(store, 'inbox')).head.records).toHaveLength(1);
      expect(state.head.revision).toBe(1);
    }
  });

  it('writes nothing where nothing changes, and never the same bytes twice', async () => {
    const store = memoryStore('bucket');
    const state = await open(store);
    await state.commit((head) => head);
    expect((await loadHead(store, 'inbox')).version).toBeNull();
    const seen = new Set<string>();
    for (let times = 0; times < 3; times += 1) {
      await state.commit((head) => ({ ...head }));
      seen.add(state.head.nonce);
    }
    expect(seen.size).toBe(3);
  });

  it.each([
    ['a version of the future', { v: 3, mailbox: 'inbox' }, 'E_STATE_NEWER'],
    ['no version', { mailbox: 'inbox' }, 'E_STATE_BROKEN'],
    ['another mailbox', { v: 1, mailbox: 'other' }, 'E_STATE_BROKEN'],
    ['a list that is none', { v: 1, mailbox: 'inbox', records: 7 }, 'E_STATE_BROKEN'],
    ['no object', 7, 'E_STATE_BROKEN'],
  ])('refuses a document of %s, and leaves it as it is', async (_, document, code) => {
    const store = memoryStore('bucket');
    const body = Buffer.from(JSON.stringify(document));
    await store.replace(headKey('inbox'), body, null);
    const error = await open(store).catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(StateError);
    expect(error).toMatchObject({ code, kind: 'person' });
  });

  it('gives up after many lost rounds, with a word for it', async () => {
    const store: ObjectStore = { ...memoryStore('bucket'), replace: async () => 'conflict' };
    const state = await open(store);
    await expect(state.commit((head) => ({ ...head }))).rejects.toMatchObject({
      code: 'E_STATE_CONTENDED',
      kind: 'later',
    });
  });
});

describe('changes of the state', () => {
  const again = (change: (head: Head) => Head, head: Head) =>
    expect(change(change(head))).toEqual(change(head));

  it('may be applied twice', () => {
    const head = withIntents(emptyHead('inbox'), [intent('a', 'one', 10), intent('a', 'two', 99)]);
    again((given) => withIntents(given, [intent('b', 'one', 10)]), head);
    again((given) => withRecords(given, [record('a'), record('b')]), head);
    again((given) => strikeIntents(given, [ref], new Set(['one'])), head);
    again((given) => countAttempt(given, ref, { run: 'one', nowMs: 5 }), head);
    again((given) => uncountAttempt(given, ref, 'one'), countAttempt(head, ref, { run: 'one', nowMs: 5 }));
    again((given) => releaseIntents(given, 'two', 7), head);
    again((given) => withLook(given, intent('a', 'three', 99), 50), head);
  });

  it('strike only the intents of the runs that are named', () => {
    const head = withIntents(emptyHead('inbox'), [
      intent('a', 'one', 10),
      intent('a', 'two', 99),
      intent('a', 'three', 4),
      intent('b', 'one', 4),
    ]);
    const left = strikeIntents(head, [ref], new Set(['one', 'three'])).intents;
    expect(left.map(({ uidl, run }) => `${uidl} of ${run}`)).toEqual(['a of two', 'b of one']);
  });

  it('keep one intent of those left behind for a message that vanished, however often it was looked for', () => {
    const marked = { ...intent('a', 'one', 10), contents: ['c1'], lookedMs: 12 };
    let head = withIntents(emptyHead('inbox'), [marked, intent('b', 'one', 10), intent('a', 'alive', 9_000)]);
    for (let look = 1; look <= 50; look += 1)
      head = withLook(head, intent('a', `look ${look}`, 100 * look + 50), 100 * look);
    expect(head.intents.map(({ uidl, run }) => `${uidl} of ${run}`)).toEqual([
      'b of one',
      'a of alive',
      'a of look 49',
      'a of look 50',
    ]);
    expect(head.intents[2]).toMatchObject({ contents: ['c1'] });
  });

  it('count an attempt once a run, and take it back only for the run that made it', () => {
    const counted = countAttempt(countAttempt(emptyHead('inbox'), ref, { run: 'one', nowMs: 1 }), ref, {
      run: 'two',
      nowMs: 2,
    });
    expect(failureOf(counted, ref)).toMatchObject({ attempts: 2, firstMs: 1 });
    expect(failureOf(uncountAttempt(counted, ref, 'one'), ref)?.attempts).toBe(2);
    expect(failureOf(uncountAttempt(counted, ref, 'two'), ref)?.attempts).toBe(1);
  });

  it('do not mistake a twin for its brother', () => {
    const head = countAttempt(emptyHead('inbox'), { ...ref, headerHash: 'x' }, { run: 'one', nowMs: 1 });
    expect(failureOf(head, { ...ref, headerHash: 'y' })).toBeUndefined();
    expect(failureOf(head, ref)).toBeUndefined();
  });

  it('tell apart what was taken for one, unless another run is at it', () => {
    const [one, other] = [
      { ...ref, headerHash: '1' },
      { ...ref, headerHash: '2' },
    ];
    const begun = countAttempt(emptyHead('inbox'), ref, { run: 'x', nowMs: 1 });
    const head = withIntents(begun, [{ ...intent('a', 'x', 5), blind: true }, intent('b', 'x', 5)]);
    const apart = toldApart(head, ref, [one, other], 5);
    expect(apart.intents).toEqual([
      intent('b', 'x', 5),
      ...[one, other].map((own) => ({ ...intent('a', 'x', 5), ...own })),
    ]);
    expect(apart.failures).toEqual([]);
    expect(toldApart(apart, ref, [one, other], 5)).toBe(apart);
    const taken = withIntents(head, [intent('a', 'y', 9)]);
    expect(toldApart(taken, ref, [one, other], 5)).toBe(taken);
  });

  it('leave intents of messages set aside out of what must be resolved soon', () => {
    const counted = countAttempt(
      withIntents(emptyHead('inbox'), [intent('a', 'one', 10), intent('b', 'one', 10)]),
      ref,
      { run: 'one', nowMs: 1 },
    );
    const failure = failureOf(counted, ref);
    if (!failure) throw new Error('no failure');
    expect(openIntents(withFailure(counted, { ...failure, setAsideMs: 5 })).map(({ uidl }) => uidl)).toEqual([
      'b',
    ]);
  });
});
