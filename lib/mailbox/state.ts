/**
 * A mailbox's state: a value, and pure changes of it. Every change may be applied again to a head that another
 * run has written meanwhile, or to one that already holds it, with the same result: a lost compare-and-swap is
 * merged by doing just that. So attempts are counted once per run, and records are kept by UIDL and content.
 */

import type { Pace } from './backOff.ts';
import type { Unheeded } from './unheeded.ts';

export const STATE_VERSION = 2;

/** A UIDL, told from others that bear it: by LIST size and, where a listing repeats the UIDL, by header hash. */
export interface MessageRef {
  /** Raw bytes, one per character (latin1). */
  readonly uidl: string;
  /** Octets that LIST announced, or null where it gave no number. */
  readonly size: number | null;
  readonly headerHash: string | null;
}

/** Written before RETR: what is about to be tried, by whom, and until when nobody else may judge it. */
export interface Intent extends MessageRef {
  readonly run: string;
  readonly untilMs: number;
  /** Asking for its headers broke the line: it is not asked again for a while. */
  readonly blind?: true;
  /** When its message was last seen to be gone from the server, and its objects were looked for. */
  readonly lookedMs?: number;
  /** Of a message without UIDL: `contentMark` of what may be in the store of it, written down before it is put there. */
  readonly contents?: readonly string[];
  /** `contentMark` of what lost dots on its way here: the object does not show it. */
  readonly unstuffed?: readonly string[];
}

export interface Failure extends MessageRef {
  /** Times it was tried alone without success. */
  readonly attempts: number;
  /** The run that was counted last. */
  readonly lastRun: string | null;
  readonly code: string;
  readonly message: string;
  readonly firstMs: number;
  readonly setAsideMs: number | null;
  /** Whether a person was told that it is set aside. */
  readonly reported: boolean;
  /** When a message set aside is tried again. */
  readonly retryMs: number;
}

/** A message that is left on the server since it is over the size limit. */
export interface TooLarge extends MessageRef {
  /** Octets that it has at the least: as LIST says, or as many as came before RETR was cut off. */
  readonly atLeast: number;
  readonly sinceMs: number;
  /** Whether a person was told. */
  readonly reported: boolean;
}

/** A message that is stored and announced. */
export interface StoredRecord {
  readonly uidl: string;
  readonly size: number | null;
  /** Hash of the bytes before the first empty line. */
  readonly headerHash: string;
  /** The same by TOP, where the UIDL was repeated and the server's TOP shows other headers than its RETR. */
  readonly topHashes?: readonly string[];
  /** Received; fewer than `size` means that the server delivered short. */
  readonly octets: number;
  /** The server did not stuff its dots, so that some are missing. */
  readonly unstuffed?: true;
  readonly sha256: string;
  readonly composite?: string;
  /** Stored under the key that content decides. */
  readonly byContent?: true;
  /** The UIDL that it was stored and announced under, where the server has given it another since. */
  readonly under?: string;
  readonly storedMs: number;
  /** When a message without UIDL was last retrieved again. */
  readonly retrievedMs?: number;
  /** Rows of one listing that were seen to have these very bytes, where more than one. */
  readonly rows?: number;
  /** The first sweep that missed its UIDL in the listing, if each one since has. */
  readonly goneMs?: number;
}

/** A message that was on the server before the start, and is left alone. */
export interface Seed {
  readonly uidl: string;
  /** As in MessageRef. */
  readonly size: number | null;
  /** Rows that had both, where more than one. */
  readonly rows?: number;
  /** As of StoredRecord. */
  readonly goneMs?: number;
}

/** Decided once, by the first listing that was put on record. */
export interface Start {
  /** In words, as the settings said then. */
  readonly choice: string;
  readonly atMs: number;
  /** Documents of what was there and is left alone. */
  readonly seeds: readonly Segment[];
}

/** An immutable document with older records, or with seeds. */
export interface Segment {
  /** Given once: epoch milliseconds of its making, and a nonce. */
  readonly name: string;
  readonly records: number;
  /** As stored, compressed. */
  readonly bytes: number;
}

/** Why getting in failed, as far as it is known; nothing secret is in it. */
export interface Diagnosis {
  /** A POP3 phase, or secret. */
  readonly step: string;
  /** The server's words, else ours. */
  readonly says: string;
  /** What to do. */
  readonly next: string;
  readonly facts: Readonly<Record<string, string>>;
}

export interface BackOff {
  /** In a row. */
  readonly failures: number;
  readonly sinceMs: number;
  readonly untilMs: number;
  readonly code: string;
  readonly message: string;
  readonly phase?: string;
  readonly kind?: 'later' | 'person';
  /** Of the last failure, and how many of its kind came in a row. */
  readonly pace?: Pace;
  readonly ofPace?: number;
  /** Sign-ins refused since the last success, whatever came in between. */
  readonly refusals?: number;
  /** The settings it happened under; others make it void. */
  readonly settings?: string;
  /** Of what was refused; what has another mark is tried before the wait is over. */
  readonly secretMark?: string;
  /** How many such tries there were since the last success. */
  readonly renewals?: number;
  /** Until when it is left alone whatever the secret: the server asked for it, or refused nothing. */
  readonly askedMs?: number;
  /** Whether a person is to be told, and whether the event was accepted. */
  readonly told?: 'due' | 'accepted';
  /** Of the last failure, where it was one of getting in. */
  readonly diagnosis?: Diagnosis;
}

/** The last listing after which nothing was left to do; what else falls due all the same follows from the head. */
export interface Quiet {
  readonly digest: string;
  /** When the first of its messages is to be deleted, epoch milliseconds. */
  readonly dueMs?: number;
  /** How many of its rows are left alone. */
  readonly skipped?: number;
}

export interface Head {
  readonly v: typeof STATE_VERSION;
  readonly mailbox: string;
  readonly revision: number;
  /** New in every write, so that no two writes have the same bytes and each is known for its writer's. */
  readonly nonce: string;
  readonly lastAttemptMs: number;
  readonly lastSuccessMs: number;
  readonly backOff: BackOff | null;
  /** It works again, and the event that says so is not accepted yet. */
  readonly recovered?: { readonly sinceMs: number; readonly atMs: number };
  /** The last sign-in on a server that wants time between two, and how much. */
  readonly signedIn?: { readonly atMs: number; readonly delayMs: number };
  /** Set once the server was caught shifting replies: one message per window since. */
  readonly singlySinceMs: number | null;
  /** When UIDL or LIST of one message was last answered in a form of the server's own. */
  readonly oddForms?: { readonly UIDL?: number; readonly LIST?: number };
  /** The run that last saw that UIDLs which are numbers had moved, until all that is listed was told anew. */
  readonly movedBy?: string;
  /** When the line was last lost as CAPA was asked. */
  readonly capaLostMs?: number;
  /** The last deletes, until a listing has shown that they took effect. */
  readonly unheeded?: Unheeded;
  /** When records were last held against a listing. */
  readonly sweptMs: number | null;
  /** Absent: all mail, or not decided yet. */
  readonly start?: Start;
  readonly intents: readonly Intent[];
  readonly failures: readonly Failure[];
  readonly tooLarge?: readonly TooLarge[];
  /** Recent ones; of one that a segment has, too, this is the newer. */
  readonly records: readonly StoredRecord[];
  /** Older records, oldest first; of a record in several, the last is the newest. */
  readonly segments: readonly Segment[];
  readonly quiet: Quiet | null;
}

export function emptyHead(mailbox: string): Head {
  return {
    v: STATE_VERSION,
    mailbox,
    revision: 0,
    nonce: '',
    lastAttemptMs: 0,
    lastSuccessMs: 0,
    backOff: null,
    singlySinceMs: null,
    sweptMs: null,
    intents: [],
    failures: [],
    records: [],
    segments: [],
    quiet: null,
  };
}

/** One string per message; nothing in a UIDL can make two refs alike, for it comes last. */
export function refKey({ uidl, size, headerHash }: MessageRef): string {
  return `${size ?? '-'} ${headerHash ?? '-'} ${uidl}`;
}

export function sameRef(a: MessageRef, b: MessageRef): boolean {
  return a.uidl === b.uidl && a.size === b.size && a.headerHash === b.headerHash;
}

/** How many messages are on record; one that was recorded anew may count twice. */
export function recordCount({ records, segments }: Head): number {
  return segments.reduce((sum, segment) => sum + segment.records, records.length);
}

/** How many messages were left alone at the start and may still be listed. */
export function seedCount({ start }: Head): number {
  return (start?.seeds ?? []).reduce((sum, segment) => sum + segment.records, 0);
}

/** All documents that the head names. */
export function segmentsOf({ segments, start }: Head): readonly Segment[] {
  return start === undefined ? segments : [...segments, ...start.seeds];
}

/** Whether a run has begun with this mailbox: from then on no setting says anew which mail was there before. */
export function isStartDecided(head: Head): boolean {
  const begun = head.lastSuccessMs > 0 || recordCount(head) > 0;
  return head.start !== undefined || begun || head.intents.length + head.failures.length > 0;
}
