/** What a session does, and in which order. */
import { isFull as hasNoRoom } from '../mailbox/room.ts';
import { refKey } from '../mailbox/state.ts';
import { decisions, peek, tellApart, untold } from './decisions.ts';
import { learnFence, lostItsFence, oddFormsOf } from './fence.ts';
import { doubtNumbers, noteMoved } from './numbered.ts';
import { reportSetAside } from './outbox.ts';
import { reportTooLarge } from './oversize.ts';
import { refOf } from './plan.ts';
import { deleteRecorded } from './recorded.ts';
import { isFull, mayReopen, type Verdict } from './reopening.ts';
import type { RunOptions } from './run.ts';
import type { RunContext } from './runContext.ts';
import type { Session } from './session.ts';
import { decideStart, refuseRenumbered } from './start.ts';
import { trySuspects } from './suspects.ts';
import { transferAll } from './transfer.ts';
import type { Wanted } from './window.ts';

/** Works through one session: deletes by record, new mail, then suspects. */
export async function work(context: RunContext, session: Session, options: RunOptions): Promise<Verdict> {
  await decideStart(context, session);
  await reportSetAside(context);
  await session.known.read();
  await refuseRenumbered(context, session);
  await reportTooLarge(context, session);
  await learnFence(session, oddFormsOf(context));
  if (await doubtNumbers(context, session)) await noteMoved(context);
  const mustResolve = hasNoRoom(context.state.head);
  if (mustResolve || options.suspects === 'only') {
    await toldRepeated(context, session);
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
  if (session.client.closedBy === null && mayReopen(context, session) && riskyForDeletes(context, session))
    return true;
  if (session.client.closedBy !== null || !(await toldRepeated(context, session))) return false;
  await fetchNew(context, session, await deleteRecorded(context, session));
  return isFull(context, session);
}

/** A session that breaks takes its deletes with it: where nothing may vouch for the rest, or headers are asked for that break it. */
function riskyForDeletes(context: RunContext, session: Session): boolean {
  return lostItsFence(session) || (session.deleted.size > 0 && !untold(context, session).next().done);
}

async function toldRepeated(context: RunContext, session: Session): Promise<boolean> {
  const asked = await peek(context, session);
  // What was too large among them had no name before.
  if (asked) await reportTooLarge(context, session);
  // Time that ran out left some of them unasked.
  if (asked && context.deadline.allowsMore) await tellApart(context, session);
  return asked;
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
    if (session.settled.has(row.index)) continue;
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
