/**
 * What to do with each listed message: pure, from the listing, the state and the policy. An open intent outranks
 * a record: until it is resolved, nobody knows what its attempt left behind.
 */
import { failureOf, isAside } from '../mailbox/failures.ts';
import { dueMsOf, isShort, type Policy } from '../mailbox/policy.ts';
import { isRecordOf } from '../mailbox/records.ts';
import { type Failure, type Head, type MessageRef, refKey, type StoredRecord } from '../mailbox/state.ts';
import { tooLargeOf } from '../mailbox/tooLarge.ts';
import type { Noted } from './known.ts';
import type { Row } from './listing.ts';
import { isSettled } from './nameless.ts';

export type Action =
  /** Retrieve and store. */
  | 'fetch'
  /** Retrieve again, to compare with what is stored, and delete. */
  | 'prove'
  /** Suspect: an earlier attempt left it open. Tried alone. */
  | 'alone'
  /** Stored and announced: delete without retrieving, if TOP and the store agree. */
  | 'delete'
  /** Stored; stays on the server. */
  | 'keep'
  | 'set aside'
  /** Over the size limit: stays on the server. */
  | 'too large'
  /** Left alone: it has no UIDL to be told by, or was there before the start. */
  | 'skip'
  /** Bears a UIDL that the listing repeats: TOP must tell which one it is. */
  | 'peek';

export interface Decision {
  readonly action: Action;
  /** In plain words, for `mailferry plan`. */
  readonly why: string;
  /** On record; absent, too, where its record would have to be read again. */
  readonly record?: StoredRecord;
  /** Of one that is kept for now: when it is to be deleted, epoch milliseconds. */
  readonly dueMs?: number;
}

/** Lookups over one head. */
export interface HeadKnowledge {
  /** Recent ones of a UIDL; of none, those of the size. */
  records(shelf: Shelf): readonly StoredRecord[];
  /** Whether anybody has this message open. */
  open(ref: MessageRef): boolean;
  failure(ref: MessageRef): Failure | undefined;
  /** Octets that it has at the least, where the state says so. */
  atLeast(ref: MessageRef): number;
}

/** Lookups over all of the state, for one listing. */
export interface Knowledge extends HeadKnowledge {
  /** That a record agrees with the row of this index, where it is not at hand. */
  noted(index: number): Noted | null;
  /** Whether a record that agrees with it was stored too lately for it to be deleted. */
  young(index: number): boolean;
  /** Whether it was there before the start. */
  seeded(row: Row): boolean;
  /** Whether one without UIDL and of this size is open or has failed, so that TOP must tell whether it is this one. */
  untold(size: number | null): boolean;
}

/** What records are looked up by; a whole ref or record will do. */
export interface Shelf {
  readonly uidl: string;
  /** As listed. */
  readonly size: number | null;
}

/** Without UIDL a mailbox may have thousands, so these are kept by size; no UIDL has such a character. */
export function shelfOf({ uidl, size }: Shelf): string {
  return uidl === '' ? `\u0100${size ?? '-'}` : uidl;
}

/** A head never changes, so what is known from one is looked up once. */
const knowledge = new WeakMap<Head, HeadKnowledge>();

export function knowledgeOf(head: Head): HeadKnowledge {
  const known = knowledge.get(head) ?? indexed(head);
  knowledge.set(head, known);
  return known;
}

function indexed(head: Head): HeadKnowledge {
  const records = new Map<string, StoredRecord[]>();
  for (const record of head.records) {
    const known = records.get(shelfOf(record));
    if (known) known.push(record);
    else records.set(shelfOf(record), [record]);
  }
  const open = new Set(head.intents.map(refKey));
  const failures = new Set(head.failures.map(refKey));
  const large = new Map(tooLargeOf(head).map((one) => [refKey(one), one.atLeast]));
  return {
    records: (shelf) => records.get(shelfOf(shelf)) ?? [],
    open: (ref) => open.has(refKey(ref)),
    failure: (ref) => (failures.size > 0 && failures.has(refKey(ref)) ? failureOf(head, ref) : undefined),
    atLeast: (ref) => (large.size > 0 ? (large.get(refKey(ref)) ?? 0) : 0),
  };
}

/** The identity of a row; `headerHash` counts only where its UIDL is repeated. */
export function refOf(row: Row, headerHash: string | null): MessageRef {
  return { uidl: row.uidl, size: row.octets, headerHash: row.repeated ? headerHash : null };
}

export interface Asked {
  readonly row: Row;
  /** By TOP, for rows whose UIDL is repeated; undefined before it was asked for, null where the server has no TOP. */
  readonly headerHash: string | null | undefined;
  /** How many rows of this listing share UIDL, size and header hash with it. */
  readonly alike: number;
  readonly nowMs: number;
}

export function decide({ row, headerHash, alike, nowMs }: Asked, known: Knowledge, policy: Policy): Decision {
  const nameless = row.uidl === '';
  if (nameless && !policy.nameless)
    return {
      action: 'skip',
      why: 'the server gave it no UIDL; such mail is fetched only with delete: when-stored and start: all',
    };
  const ref = refOf(row, headerHash ?? null);
  const failure = known.failure(ref);
  const isOpen = known.open(ref) || failure !== undefined;
  if (known.seeded(row) && !isOpen)
    return { action: 'skip', why: 'it was there before the start, and is left alone' };
  const mustTell =
    !nameless || known.untold(row.octets) || known.records(refOf(row, null)).some(isSettledBy(policy));
  if (mustTell && row.repeated && headerHash === undefined) {
    return { action: 'peek', why: 'its UIDL does not tell it from others; TOP tells which one it is' };
  }
  if (isAside(failure, nowMs)) {
    return { action: 'set aside', why: `set aside after ${failure.attempts} attempts: ${failure.message}` };
  }
  if (isOpen) return { action: 'alone', why: 'an earlier attempt did not finish; it is tried alone' };
  const noted = row.repeated ? null : known.noted(row.index);
  const { records, several } = recordsOf({ row, headerHash, ref, noted }, known);
  const waits = stayOf({ row, records, noted, headerHash }, known, policy);
  if (several && policy.keptMs !== null && waits === null && headerHash === undefined) {
    return { action: 'peek', why: 'two mails of its UIDL and size are on record; TOP tells which one it is' };
  }
  const large = isTooLarge(row.octets, known.atLeast(ref), policy);
  const [record] = records;
  const rows = records.reduce((sum, { rows: same }) => sum + (same ?? 1), 0);
  if (record !== undefined && rows >= alike) {
    // Where nothing tells a whole mail from one that came short, neither is deleted.
    const short = records.some((one) => isShort(policy, one));
    if (nameless && !large) return { ...whatOfNameless(ref, { records, alike }, policy), record };
    return { ...whatOfStored(row, { short, waits, large }, policy), record };
  }
  if (record === undefined && noted !== null && !(several && headerHash))
    return whatOfStored(row, { short: noted !== 'whole', waits, large }, policy);
  if (large) return { action: 'too large', why: `larger than the limit of ${policy.sizeLimit} octets` };
  return { action: 'fetch', why: 'not stored yet' };
}

/** By LIST, or by what came of it before. */
export function isTooLarge(octets: number | null, atLeast: number, { sizeLimit }: Policy): boolean {
  return Math.max(octets ?? 0, atLeast) > sizeLimit;
}

function isSettledBy(policy: Policy) {
  return (record: StoredRecord) => isSettled(policy, record);
}

interface Alike {
  readonly records: readonly StoredRecord[];
  /** Rows that they may be of. */
  readonly alike: number;
}

/** Only headers which tell one mail from another, and the size, say that it need not be retrieved. */
function whatOfNameless(ref: MessageRef, { records, alike }: Alike, policy: Policy): Decision {
  const settled = records.filter(isSettledBy(policy));
  // Some may be of mail that is gone, which nothing tells; what came short is never asked for, and vouches for itself alone.
  const seen = settled.reduce((sum, one) => sum + (isShort(policy, one) ? 0 : (one.rows ?? 1)), 0);
  if (ref.headerHash !== null && (settled.length === records.length || seen >= alike))
    return { action: 'keep', why: 'stored; not deleted, or asked for in vain a short while ago' };
  return { action: 'prove', why: 'stored, it seems; without UIDL it is retrieved again to prove it' };
}

interface Told {
  readonly row: Row;
  readonly headerHash: string | null | undefined;
  readonly ref: MessageRef;
  readonly noted: Noted | null;
}

/**
 * Twins on a server without TOP are told apart by size and number only, and by content once retrieved. A UIDL that
 * is unique now may have been a twin's: where several records agree with it, TOP tells which one it is.
 */
function recordsOf({ row, headerHash, ref, noted }: Told, known: Knowledge) {
  const records = known.records(ref).filter((record) => isRecordOf(record, ref));
  const several = !row.repeated && (records.length > 1 || noted === 'both');
  if (!several || !headerHash) return { records, several };
  return { records: records.filter((record) => isRecordOf(record, { ...ref, headerHash })), several };
}

/** Until when it stays, where its day has not come; {}: its record is not at hand, so the time of it is not. */
type Stay = { readonly dueMs?: number } | null;

/** Where several records may be meant, the latest of them counts. */
function stayOf(
  { row, records, noted, headerHash }: Omit<Told, 'ref'> & { readonly records: readonly StoredRecord[] },
  known: Knowledge,
  policy: Policy,
): Stay {
  if (policy.keptMs === null) return null;
  const dueMs = Math.max(...records.map((record) => dueMsOf(policy, record) ?? 0));
  if (dueMs > policy.nowMs) return { dueMs };
  const isTold = records.length > 0 && (headerHash || noted === null);
  return !isTold && noted !== null && known.young(row.index) ? {} : null;
}

interface Stored {
  readonly short: boolean;
  readonly waits: Stay;
  /** So that it is not retrieved, for whatever reason. */
  readonly large: boolean;
}

function whatOfStored(row: Row, { short, waits, large }: Stored, policy: Policy): Decision {
  if (policy.keptMs === null) return { action: 'keep', why: 'stored; the policy keeps it on the server' };
  if (row.octets === null) {
    return { action: 'keep', why: 'stored; not deleted, because the server gives no size to compare with' };
  }
  if (short) {
    return {
      action: 'keep',
      why: `stored; not deleted, because the server announced ${row.octets} octets and delivered fewer, or did not stuff dots`,
    };
  }
  if (waits !== null) return { action: 'keep', why: 'stored; its day to be deleted has not come', ...waits };
  if (large && (row.repeated || row.uidl === '')) {
    return {
      action: 'keep',
      why: 'stored; its UIDL does not tell it from others, and it is too large to be retrieved again',
    };
  }
  if (row.repeated)
    return {
      action: 'prove',
      why: 'stored; its UIDL is repeated, so it is retrieved again before it is deleted',
    };
  return { action: 'delete', why: 'stored and announced; deleted once TOP and the store agree' };
}
