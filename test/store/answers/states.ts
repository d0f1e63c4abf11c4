/** A mailbox's state for the answers: what is in it before, one update, and what its documents say. */
import { randomBytes } from 'node:crypto';
import { RECORDS_BYTES } from '../../../lib/mailbox/bounds.ts';
import { withIntents } from '../../../lib/mailbox/intents.ts';
import { headKey } from '../../../lib/mailbox/names.ts';
import { withRecords } from '../../../lib/mailbox/records.ts';
import type { StoredRecord } from '../../../lib/mailbox/state.ts';
import { StateFile } from '../../../lib/mailbox/stateFile.ts';
import { digestOf } from '../../../lib/store/checksum.ts';
import type { ObjectStore } from '../../../lib/store/port.ts';

const MAILBOX = 'inbox';
export const STATE_KEY = headKey(MAILBOX);

/**
 * What is there before the attempt. 'full': as many records as the head has room for, so that the next update
 * seals them into a segment, which is written first.
 */
export type StateBefore = 'none' | 'usual' | 'full';

const record = (uidl: string): StoredRecord => {
  const { sha256 } = digestOf(Buffer.from(uidl));
  return { uidl, size: 1, headerHash: sha256.slice(0, 32), octets: 1, sha256, storedMs: 1 };
};

/** With the one of the first update, they are as many as fit. */
const FILLERS = ((): readonly StoredRecord[] => {
  const each = JSON.stringify(record('filler 000')).length + 1;
  const count = Math.floor(RECORDS_BYTES / each) - 1;
  return Array.from({ length: count }, (_, number) => record(`filler ${String(number).padStart(3, '0')}`));
})();

export const openState = (store: ObjectStore): Promise<StateFile> =>
  StateFile.open(store, MAILBOX, { now: Date.now, nonce: () => randomBytes(8).toString('hex') });

/** Writes what is there before: the update "old", by another run. */
export async function writeBefore(store: ObjectStore, before: StateBefore): Promise<void> {
  if (before === 'none') return;
  const state = await openState(store);
  if (before === 'full') await state.commit((head) => withRecords(head, FILLERS));
  await update(state, 'old');
}

/** One intent and one record. */
export function update(state: StateFile, uidl: string): Promise<void> {
  const intent = { uidl, size: 1, headerHash: null, run: 'run', untilMs: 1 };
  return state.commit((head) => withRecords(withIntents(head, [intent]), [record(uidl)]));
}

const UPDATES = ['old', 'other', 'mine', 'next'];

/** The updates that a head has, by their intents and in one order. */
export function headIn(body: Buffer): { updates: string[]; nonce: string } {
  const { intents, nonce } = JSON.parse(body.toString()) as { intents: { uidl: string }[]; nonce: string };
  const uidls = intents.map(({ uidl }) => uidl);
  return { nonce, updates: uidls.sort((a, b) => UPDATES.indexOf(a) - UPDATES.indexOf(b)) };
}

/** Messages that must be on record, in the head or in the segments that it names, and are not. */
export async function missingRecords(store: ObjectStore, before: StateBefore): Promise<string[]> {
  const state = await openState(store);
  const missing = new Set(state.head.intents.map(({ uidl }) => uidl));
  if (before === 'full') for (const { uidl } of FILLERS) missing.add(uidl);
  const see = (records: Iterable<StoredRecord>): undefined => {
    for (const { uidl } of records) missing.delete(uidl);
  };
  see(state.head.records);
  await state.eachSegment(see);
  return [...missing];
}
