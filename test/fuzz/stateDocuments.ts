import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';
import { Known } from '../../lib/fetch/known.ts';
import { Listing } from '../../lib/fetch/listing.ts';
import { decide, knowledgeOf } from '../../lib/fetch/plan.ts';
import { headKey, segmentKey } from '../../lib/mailbox/names.ts';
import type { Policy } from '../../lib/mailbox/policy.ts';
import { emptyHead, type Head, type Segment, type StoredRecord } from '../../lib/mailbox/state.ts';
import { StateError } from '../../lib/mailbox/stateError.ts';
import { StateFile } from '../../lib/mailbox/stateFile.ts';
import { digestOf } from '../../lib/store/checksum.ts';
import { memoryStore } from '../../lib/store/memory.ts';
import type { ObjectStore } from '../../lib/store/port.ts';

export const MAILBOX = 'inbox';
export const NOW_MS = Date.UTC(2030, 0, 1);

export const SHA256 = 'ab'.repeat(32);

export const RECORD: StoredRecord = {
  uidl: 'a1',
  size: 120,
  headerHash: 'cd'.repeat(16),
  octets: 120,
  sha256: SHA256,
  storedMs: 5,
};

/** A store that holds this head, and the segments with these bytes by their names. */
export async function storeWith(
  head: Buffer,
  segments: ReadonlyMap<string, Buffer> = new Map(),
): Promise<ObjectStore> {
  const store = memoryStore('bucket');
  await store.replace(headKey(MAILBOX), head, null);
  for (const [name, body] of segments) await store.create(segmentKey(MAILBOX, name), body, digestOf(body));
  return store;
}

export const headWith = (segments: readonly Segment[]): Buffer =>
  Buffer.from(JSON.stringify({ ...emptyHead(MAILBOX), revision: 3, nonce: 'n', segments } satisfies Head));

/** As the engine packs them, the line that counts them first. */
export const packed = (lines: string | Buffer): Buffer => gzipSync(lines);

export function openState(store: ObjectStore): Promise<StateFile> {
  let nonces = 0;
  const nonce = () => {
    nonces += 1;
    return `n${nonces}`;
  };
  return StateFile.open(store, MAILBOX, { now: () => NOW_MS, nonce });
}

/** What `act` resolves to; null if the state refused with words. Any other error is a finding. */
export async function unlessRefused<T>(act: () => Promise<T>): Promise<T | null> {
  try {
    return await act();
  } catch (error) {
    if (!(error instanceof StateError)) throw error;
    assert.match(error.code, /^E_STATE_[A-Z_]+$/);
    assert.ok(error.message.includes(MAILBOX));
    return null;
  }
}

/** What the mailbox's server lists: the UIDLs of records, with their sizes or so much more, and UIDLs that nearly are. */
function listingOf(documents: readonly unknown[], more: number): Listing {
  const listing = new Listing(7);
  const rows = documents.filter(isRecord).flatMap(({ uidl, size }) => [
    { uidl: latin1(uidl), size: typeof size === 'number' ? size + more : null },
    { uidl: latin1(`${uidl}x`), size: 120 },
  ]);
  for (const [index, { uidl }] of rows.entries()) listing.addUidl(index + 1, uidl);
  for (const [index, { size }] of rows.entries()) listing.addOctets(index + 1, size);
  return listing;
}

const latin1 = (text: unknown) => Buffer.from(String(text), 'latin1').toString('latin1');

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && 'sha256' in value && 'uidl' in value;
}

/**
 * Plans with deletes allowed, over an open state and all that its documents say: what is to be deleted or left, since it
 * is stored, has a record of its very own that says all of it.
 */
export async function checkPlan(state: StateFile, documents: readonly unknown[]): Promise<void> {
  for (const more of [0, 1]) await checkPlanOf(listingOf(documents, more), state, documents);
}

const DELETES: Policy = { keptMs: 0, nowMs: NOW_MS, estimated: false, nameless: true, sizeLimit: 1_000 };

async function checkPlanOf(listing: Listing, state: StateFile, documents: readonly unknown[]): Promise<void> {
  const known = new Known(listing, state, DELETES);
  await known.read();
  const { open, failure, atLeast } = knowledgeOf(state.head);
  const knowledge = {
    records: known.records.bind(known),
    noted: known.noted.bind(known),
    young: known.young.bind(known),
    seeded: known.seeded.bind(known),
    open,
    failure,
    atLeast,
    untold: () => false,
  };
  for (const row of listing.rows()) {
    const asked = { row, headerHash: RECORD.headerHash, alike: 1, nowMs: NOW_MS };
    const { action } = decide(asked, knowledge, DELETES);
    if (action !== 'delete' && action !== 'keep' && action !== 'prove') continue;
    const own = documents
      .filter(isRecord)
      .filter((one) => one['uidl'] === row.uidl && one['size'] === row.octets);
    assert.ok(own.length > 0, `${action} of a message that no record is of`);
    if (action === 'delete')
      assert.ok(own.some(isWhole), 'a delete of what was stored short, or not in full');
  }
}

const isWhole = (record: Record<string, unknown>) =>
  typeof record['octets'] === 'number' &&
  typeof record['size'] === 'number' &&
  record['octets'] >= record['size'] &&
  [record['sha256'], record['headerHash']].every((hash) => typeof hash === 'string' && hash !== '');
