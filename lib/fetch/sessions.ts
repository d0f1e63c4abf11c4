/** The sessions of a run: what each does, in which order, and how it may end. */
import { SWEEP_MS } from '../mailbox/bounds.ts';
import { hasRoomToFail, roomForIntents } from '../mailbox/room.ts';
import {
  type Failure,
  failureOf,
  type Head,
  type MessageRef,
  openIntents,
  recordCount,
  refKey,
  type StoredRecord,
  withIntents,
} from '../mailbox/state.ts';
import { Pop3Error } from '../pop3/errors.ts';
import { type Suspect, tryAlone } from './alone.ts';
import { type Deletable, deleteByRecord, topOf } from './deleting.ts';
import type { Row } from './listing.ts';
import { reportSetAside } from './outbox.ts';
import { type Decision, decide, type Knowledge, knowledgeOf, refOf } from './plan.ts';
import type { RunOptions } from './run.ts';
import type { RunContext } from './runContext.ts';
import type { Session } from './session.ts';
import { intentOf } from './settling.ts';
import { transferAll } from './transfer.ts';
import type { Wanted } from './window.ts';

/** QUIT commits deletes, and a session that breaks before it loses them: servers took 90 s for 5,000. */
const SESSION_DELETES = 500;
const SESSION_DELETES_MS = 30_000;

/** Sign-ins of one run: providers count them, and lock out who signs in too often. */
export const SIGN_INS = 3;

/** 'again': there is more to do that needs another session. */
export type Verdict = 'finished' | 'again';

export interface Decided extends Decision {
  readonly row: Row;
  readonly ref: MessageRef;
}

/** Works through one session: deletes by record, new mail, then suspects. */
export async function work(context: RunContext, session: Session, options: RunOptions): Promise<Verdict> {
  await reportSetAside(context);
  await session.known.read();
  const room = roomForIntents(context.state.head);
  const mustResolve = room.messages === 0 || room.bytes === 0;
  if (mustResolve || options.suspects === 'only') {
    await peek(context, session);
    if ((await trySuspects(context, session, options)) === 'again') return 'again';
  }
  if (options.suspects !== 'only') {
    if (await carry(context, session)) return 'again';
    if (!mustResolve && (await trySuspects(context, session, options)) === 'again') return 'again';
  }
  return session.client.closedBy === null ? 'finished' : 'again';
}

/** Deletes by record, then new mail; repeated UIDLs last, since asking for headers may break the line. True: full. */
async function carry(context: RunContext, session: Session): Promise<boolean> {
  const proofs = await deleteRecorded(context, session);
  if (isFull(context, session)) return true;
  await fetchNew(context, session, proofs);
  if (isFull(context, session)) return true;
  if (session.client.closedBy !== null || !(await peek(context, session))) return false;
  await fetchNew(context, session, await deleteRecorded(context, session));
  return isFull(context, session);
}

async function fetchNew(context: RunContext, session: Session, proofs: readonly Wanted[]): Promise<void> {
  if (session.client.closedBy !== null) return;
  const { rows, repeated, octets } = wantedRows(context, session);
  const all = [...proofs, ...repeated];
  if (rows.length + all.length === 0) return;
  // Mail that cannot be announced is better left on the server than stored unsaid.
  await context.ports.publisher.prove();
  context.progress.plan(rows.length + all.length, octets);
  await transferAll(context, session, wantedOf(session, rows, all), () => isFull(context, session));
}

/** Whether the session's deletes should be committed now, and another session is to be had. */
function isFull(context: RunContext, session: Session): boolean {
  const { deleted, openedMs } = session;
  const old = deleted.size > 0 && context.ports.clock.now() - openedMs >= SESSION_DELETES_MS;
  return (deleted.size >= SESSION_DELETES || old) && mayReopen(context, session);
}

export function mayReopen(
  { tally, deadline, ports }: RunContext,
  { openedMs, loginDelayMs }: Session,
): boolean {
  return tally.signIns < SIGN_INS && deadline.allowsMore && ports.clock.now() - openedMs >= loginDelayMs;
}

/**
 * Rows whose UIDL is repeated are told apart by TOP, before anything is decided about them. One whose headers broke
 * the line is not asked again, and taken as where TOP is refused. Returns whether there were any.
 */
export async function peek(context: RunContext, session: Session): Promise<boolean> {
  const blind = new Set(context.state.head.intents.filter((intent) => intent.blind).map(refKey));
  const rows: Row[] = [];
  for (const { action, row } of decisions(context, session)) if (action === 'peek') rows.push(row);
  await session.known.watch(rows.map(({ uidl }) => uidl));
  for (const row of rows) {
    if (!context.deadline.allowsMore) break;
    const ref = refOf(row, null);
    const top = blind.has(refKey(ref))
      ? null
      : await leavingAside(context, session, ref, () => topOf(session, row));
    session.headerHashes.set(row.index, top?.hash ?? null);
  }
  return rows.length > 0;
}

/** What there is to do for each row, by the head as it is now. */
export function* decisions(context: RunContext, session: Session): Generator<Decided> {
  const known = knowledgeFor(context, session);
  const alike = countAlike(session);
  const policy = { deletes: context.mailbox.delete !== 'keep' };
  const nowMs = context.ports.clock.now();
  for (const row of session.listing.rows()) {
    const headerHash = session.headerHashes.get(row.index);
    const ref = refOf(row, headerHash ?? null);
    const asked = { row, headerHash, alike: row.repeated ? (alike.get(refKey(ref)) ?? 1) : 1, nowMs };
    yield { ...decide(asked, known, policy), row, ref };
  }
}

/** This run's own intents are open too, but only of what it has put off or left in the store is it any news. */
function knowledgeFor({ state, run, postponed, begun }: RunContext, { known }: Session): Knowledge {
  const isNews = (ref: string) => postponed.has(ref) || begun.has(ref);
  const foreign = new Set(
    state.head.intents.filter((intent) => intent.run !== run || isNews(refKey(intent))).map(refKey),
  );
  return {
    records: (uidl) => known.records(uidl),
    noted: (index) => known.noted(index),
    open: (ref) => foreign.has(refKey(ref)),
    failure: knowledgeOf(state.head).failure,
  };
}

function countAlike(session: Session): Map<string, number> {
  const alike = new Map<string, number>();
  for (const [index, headerHash] of session.headerHashes) {
    const key = refKey(refOf(session.listing.row(index), headerHash));
    alike.set(key, (alike.get(key) ?? 0) + 1);
  }
  return alike;
}

interface WantedRows {
  /** Indexes, since a listing may have a million rows and none of them needs more yet. */
  readonly rows: readonly number[];
  /** Stored already, and retrieved to prove it before they are deleted. */
  readonly repeated: readonly Wanted[];
  readonly octets: number;
}

function wantedRows(context: RunContext, session: Session): WantedRows {
  const rows: number[] = [];
  const repeated: Wanted[] = [];
  let octets = 0;
  for (const { action, row, ref, record } of decisions(context, session)) {
    if (!(action === 'fetch' || action === 'prove') || session.deleted.has(row.index)) continue;
    if (context.postponed.has(refKey(ref))) continue;
    octets += row.octets ?? 0;
    if (action === 'fetch') rows.push(row.index);
    else repeated.push({ row, ref, record });
  }
  return { rows, repeated, octets };
}

/** Each is made when it is its turn. */
function* wantedOf(
  { listing, headerHashes }: Session,
  rows: readonly number[],
  proofs: readonly Wanted[],
): Generator<Wanted> {
  for (const index of rows) {
    const row = listing.row(index);
    yield { row, ref: refOf(row, headerHashes.get(index) ?? null) };
  }
  yield* proofs;
}

/** Deletes by branch B, before any RETR of the session. Returns what can only be deleted by branch A. */
async function deleteRecorded(context: RunContext, session: Session): Promise<readonly Wanted[]> {
  const proofs: Wanted[] = [];
  const goesOn = () =>
    session.client.closedBy === null &&
    context.deadline.allowsMore &&
    session.deleted.size + proofs.length < SESSION_DELETES;
  const remove = async (deletable: Deletable) => {
    const ended = await leavingAside(context, session, deletable.wanted.ref, () =>
      deleteByRecord(context, session, deletable),
    );
    if (ended === 'kept') context.kept.add(deletable.wanted.ref);
    if (ended === 'prove') proofs.push({ ...deletable.wanted, record: deletable.record });
  };
  const unread = new Uint8Array(session.listing.length);
  for (const { action, row, ref, record } of decisions(context, session)) {
    if (action !== 'delete' || context.kept.has(ref) || session.deleted.has(row.index)) continue;
    if (!goesOn()) return proofs;
    if (record) await remove({ wanted: { row, ref }, record });
    else unread[row.index] = 1;
  }
  if (!unread.includes(1)) return proofs;
  await context.state.eachSegment(async (records) => {
    for (const record of records) {
      if (!goesOn()) return 'enough';
      const row = unreadRow(session, record, unread);
      if (row === null) continue;
      unread[row.index] = 0;
      await remove({ wanted: { row, ref: refOf(row, null) }, record });
    }
    return undefined;
  });
  return proofs;
}

/** A message whose headers break the line is tried alone from then on, so that it stops nobody else. */
async function leavingAside<T>(
  context: RunContext,
  session: Session,
  ref: MessageRef,
  ask: () => Promise<T>,
): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    const broke = error instanceof Pop3Error && session.client.closedBy !== null;
    if (broke && !context.deadline.aborted && context.deadline.allowsMore) {
      context.postponed.add(refKey(ref));
      context.tally.failed(ref, error, context.mailbox.id);
      const intent = { ...intentOf(context, ref), blind: true as const };
      await context.state.commit((head) => withIntents(head, [intent]));
    }
    throw error;
  }
}

function unreadRow({ listing }: Session, { uidl, size }: StoredRecord, unread: Uint8Array): Row | null {
  const index = listing.indexOf(uidl);
  if (index === null || unread[index] !== 1) return null;
  const row = listing.row(index);
  return row.octets === size ? row : null;
}

/** One at a time, each alone; once in a run. Those that the server no longer lists are looked for in the store. */
async function trySuspects(context: RunContext, session: Session, options: RunOptions): Promise<Verdict> {
  if (options.suspects === 'never') return 'finished';
  const suspects = suspectsOf(context, session);
  await session.known.watch(suspects.map(({ ref }) => ref.uidl));
  for (const suspect of suspects) {
    if (session.client.closedBy !== null || !context.deadline.allowsMore) break;
    // What ends the process takes with it deletes that no QUIT has committed.
    if (session.deleted.size > 0 && mayReopen(context, session)) return 'again';
    if (!hasRoomToFail(context.state.head, suspect.ref)) {
      context.tally.note(
        'So many messages of this mailbox are set aside that no more are tried alone: see mailferry status, and ask whoever runs the server.',
      );
      continue;
    }
    await tryAlone(context, session, suspect);
  }
  await reportSetAside(context);
  return 'finished';
}

/** Those tried least come first: what ends each process that tries it must not keep the others waiting behind it. */
function suspectsOf(context: RunContext, session: Session): Suspect[] {
  const suspects = new Map<string, { ref: MessageRef; rows: Row[] }>();
  const gone = dueIntents(context.state.head, context.ports.clock.now());
  for (const { action, row, ref } of decisions(context, session)) {
    gone.delete(refKey(ref));
    if (action !== 'alone' || session.deleted.has(row.index)) continue;
    const { rows } = suspects.get(refKey(ref)) ?? { rows: [] };
    suspects.set(refKey(ref), { ref, rows: [...rows, row] });
  }
  for (const [key, ref] of gone) suspects.set(key, { ref, rows: [] });
  const { failure } = knowledgeOf(context.state.head);
  const attempts = ({ ref }: Suspect) => failure(ref)?.attempts ?? 0;
  return [...suspects.values()]
    .filter(({ ref }) => !context.triedAlone.has(refKey(ref)))
    .sort((one, other) => attempts(one) - attempts(other));
}

const LOOK_EVERY_MS = 3_600_000;

/** Left-behind intents that may be looked at again, by ref. */
function dueIntents(head: Head, nowMs: number): Map<string, MessageRef> {
  const refs = new Map<string, MessageRef>();
  for (const intent of head.intents) {
    const { uidl, size, headerHash, untilMs, lookedMs } = intent;
    if (isAsideUntil(failureOf(head, intent), nowMs)) continue;
    const due = untilMs <= nowMs && (lookedMs === undefined || nowMs - lookedMs >= LOOK_EVERY_MS);
    if (due) refs.set(refKey(intent), { uidl, size, headerHash });
  }
  return refs;
}

function isAsideUntil(failure: Failure | undefined, nowMs: number): boolean {
  return failure !== undefined && failure.setAsideMs !== null && nowMs < failure.retryMs;
}

/** When an open intent, a message set aside or a sweep wants attention, though the listing has not changed; null: never. */
export function nextDueMs(head: Head, listed: number): number | null {
  const aside = head.failures.flatMap(({ setAsideMs, retryMs, reported }) =>
    setAsideMs === null ? [] : [reported ? retryMs : 0],
  );
  const open = openIntents(head).map(({ untilMs }) => untilMs);
  const watched = head.intents.flatMap(({ lookedMs }) =>
    lookedMs === undefined ? [] : [lookedMs + LOOK_EVERY_MS],
  );
  const sweeps = listed > 0 && recordCount(head) > 0 && head.sweptMs !== null;
  const sweep = sweeps ? [(head.sweptMs ?? 0) + SWEEP_MS] : [];
  const times = [...aside, ...open, ...watched, ...sweep];
  return times.length === 0 ? null : Math.min(...times);
}
