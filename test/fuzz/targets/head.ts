import assert from 'node:assert/strict';
import {
  afterFailure,
  afterSignIn,
  afterSuccess,
  delayOf,
  type MailboxFailure,
  renewableSecret,
  waitOf,
} from '../../../lib/mailbox/backOff.ts';
import { countAttempt, forgetFailures, uncountAttempt } from '../../../lib/mailbox/failures.ts';
import { loadHead } from '../../../lib/mailbox/head.ts';
import { openIntents, releaseIntents, strikeIntents, withIntents } from '../../../lib/mailbox/intents.ts';
import { headKey } from '../../../lib/mailbox/names.ts';
import { withRecords } from '../../../lib/mailbox/records.ts';
import { hasRoomToFail, roomForIntents } from '../../../lib/mailbox/room.ts';
import { emptyHead, type Head, type MessageRef, recordCount } from '../../../lib/mailbox/state.ts';
import type { ObjectStore } from '../../../lib/store/port.ts';
import { checkPrototypes } from '../prototypes.ts';
import {
  checkPlan,
  MAILBOX,
  NOW_MS,
  openState,
  RECORD,
  storeWith,
  unlessRefused,
} from '../stateDocuments.ts';
import type { Target } from '../target.ts';

const REF: MessageRef = { uidl: 'a1', size: 120, headerHash: null };
const BY = { run: 'r2', nowMs: NOW_MS };

const FAILED: MailboxFailure = {
  code: 'E_X',
  message: 'x',
  phase: 'sign-in',
  kind: 'later',
  pace: 'refusal',
  unclear: true,
  certain: false,
  atLeastMs: 0,
  settings: 's',
};

const FULL: Head = {
  ...emptyHead(MAILBOX),
  revision: 7,
  nonce: 'n',
  lastAttemptMs: 9,
  lastSuccessMs: 8,
  backOff: {
    failures: 2,
    sinceMs: 1,
    untilMs: 2,
    code: 'E_X',
    message: 'x',
    phase: 'sign-in',
    kind: 'later',
    pace: 'refusal',
    ofPace: 1,
    refusals: 1,
    settings: 's',
    secretMark: 'abc',
    renewals: 1,
    askedMs: 2,
    told: 'due',
  },
  recovered: { sinceMs: 1, atMs: 2 },
  signedIn: { atMs: 1, delayMs: 60_000 },
  singlySinceMs: 4,
  sweptMs: 5,
  intents: [
    { ...REF, run: 'r1', untilMs: 9 },
    { uidl: 'b \xff', size: null, headerHash: 'ab', run: 'r1', untilMs: 9, lookedMs: 3 },
  ],
  failures: [
    {
      ...REF,
      attempts: 3,
      lastRun: 'r1',
      code: 'E_X',
      message: 'x',
      firstMs: 1,
      setAsideMs: 5,
      reported: true,
      retryMs: 9,
    },
  ],
  records: [
    RECORD,
    { ...RECORD, uidl: '\xfd', octets: 119, composite: 'c', byContent: true, rows: 2, goneMs: 3 },
    { ...RECORD, uidl: 'a1', sha256: 'ef', size: null },
  ],
  quiet: { digest: 'q' },
};

/** A head is read whole or refused with words, and one that is read bears every change that a run makes. */
export const head: Target = {
  name: 'head',
  json: true,
  seeds: [
    FULL,
    { ...FULL, intents: [], failures: [] },
    emptyHead(MAILBOX),
    { ...emptyHead(MAILBOX), v: 3 },
    { ...emptyHead(MAILBOX), v: 1, segments: undefined, sweptMs: undefined },
    { ...emptyHead(MAILBOX), segments: [{ name: '1-a', records: 2, bytes: 90 }] },
  ].map((value) => Buffer.from(JSON.stringify(value))),
  words: [
    '"',
    ':',
    ',',
    '{',
    '}',
    '[',
    ']',
    '0',
    '-1',
    '1e999',
    'null',
    '\xff',
    '\xed\xa0\x80',
    '\0',
    '__proto__',
  ],
  async run(bytes) {
    const store = await storeWith(bytes);
    const loaded = await unlessRefused(() => loadHead(store, MAILBOX));
    checkPrototypes();
    if (loaded === null) {
      assert.equal(await unlessRefused(() => openState(store)), null);
      assert.deepEqual(await stored(store), bytes, 'what is refused must stay as it is');
      return;
    }
    const document = JSON.parse(bytes.toString('utf8')) as { records?: unknown[] };
    checkRead(loaded.head);
    checkChanges(loaded.head);
    await checkCommits(store, loaded.head);
    await unlessRefused(async () => checkPlan(await openState(store), document.records ?? []));
  },
};

async function stored(store: ObjectStore): Promise<Buffer> {
  const object = await store.read(headKey(MAILBOX));
  const pieces: Uint8Array[] = [];
  for await (const piece of object?.chunks ?? []) pieces.push(piece);
  return Buffer.concat(pieces);
}

/** UIDLs are bytes, one per character: any other text would be taken for the UIDL of another message. */
function checkRead({ intents, failures, records, mailbox }: Head): void {
  assert.equal(mailbox, MAILBOX);
  for (const { uidl } of [...intents, ...failures, ...records]) assert.match(uidl, /^[\0-\xff]*$/);
}

/** No change throws, whatever the head says; those that may be repeated give the same again. */
function checkChanges(given: Head): void {
  const changes: readonly ((head: Head) => Head)[] = [
    (head) => withIntents(head, [{ ...REF, run: 'r2', untilMs: NOW_MS }]),
    (head) => strikeIntents(head, [REF, ...head.intents], new Set(['r1', BY.run])),
    (head) => releaseIntents(head, 'r1', 5),
    (head) => withRecords(head, [RECORD, ...head.records]),
    (head) => countAttempt(head, REF, BY),
    (head) => forgetFailures(head, head.failures),
  ];
  for (const change of changes) {
    const once = change(given);
    assert.deepEqual(change(once), once);
  }
  uncountAttempt(countAttempt(given, REF, BY), REF, BY.run);
  const failed = afterFailure(given, FAILED, { now: () => NOW_MS, random: () => 0.5 });
  assert.equal(afterSuccess(failed, NOW_MS).backOff, null);
  waitOf(failed, FAILED.settings, NOW_MS);
  renewableSecret(failed, NOW_MS);
  delayOf(afterSignIn(given, NOW_MS, 60_000), NOW_MS);
  assert.ok(openIntents(given).length <= given.intents.length);
  assert.ok(recordCount(given) >= given.records.length);
  assert.ok(roomForIntents(given).messages >= 0);
  hasRoomToFail(given, REF);
}

/** A write changes what it should and nothing else, and can be read again. */
async function checkCommits(store: ObjectStore, before: Head): Promise<void> {
  const state = await openState(store);
  await state.commit((head) => ({ ...head }));
  const { head: after } = await loadHead(store, MAILBOX);
  assert.deepEqual({ ...after, revision: before.revision, nonce: before.nonce }, before);
}
