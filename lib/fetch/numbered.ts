/**
 * UIDLs that are the numbers of their messages. QUIRK: some servers have no others, and whoever deletes a message there
 * moves all behind it: mail of the same size would pass for what is stored. Others count from 1 as well, and mean it.
 * The headers of the last message tell which it is, at one TOP a run: whatever was deleted before it has moved it.
 */
import { policyText } from '../mailbox/policy.ts';
import { isRecordOf } from '../mailbox/records.ts';
import { type Head, refKey } from '../mailbox/state.ts';
import { blindRefs, decisions, leavingAside } from './decisions.ts';
import { topOf } from './deleting.ts';
import { learnFence, oddFormsOf } from './fence.ts';
import type { Row } from './listing.ts';
import { type Action, refOf } from './plan.ts';
import type { RunContext } from './runContext.ts';
import type { Session } from './session.ts';
import { isOfTheLine } from './trouble.ts';

/** The header hash of a row by TOP; null where the server refuses it. */
type Ask = (row: Row) => Promise<string | null>;

/**
 * What decides that there is nothing to do; null: not known, for what the last message is was not asked. Where UIDLs are
 * numbers, its headers decide, too.
 */
export function digestOf({ mailbox }: Pick<RunContext, 'mailbox'>, session: Session): string | null {
  const { listing, deleted, headerHashes } = session;
  const policy = policyText(mailbox);
  if (!listing.isNumbered) return listing.digest(policy, deleted);
  const last = lastOf(session, ({ index }) => !deleted.has(index));
  const hash = last && headerHashes.get(last.index);
  return hash === undefined ? null : listing.digest(`${policy}\n${hash}`, deleted);
}

/** Asks what the digest wants to know. A line that breaks by it is for the session's work to be told of. */
export async function askLast(context: RunContext, session: Session): Promise<void> {
  const last = session.listing.isNumbered ? lastOf(session, () => true) : null;
  if (last === null) return;
  try {
    await learnFence(session, oddFormsOf(context));
    await asking(context, session)(last);
  } catch (error) {
    if (!isOfTheLine(error)) throw error;
  }
}

/**
 * Where mail has moved, each message is told by its headers, and by its content from what is stored under another number.
 * Returns whether it has. `ask`: who only looks passes one that writes nothing down.
 */
export async function doubtNumbers(
  context: RunContext,
  session: Session,
  ask = asking(context, session),
): Promise<boolean> {
  if (!session.listing.isNumbered) return false;
  if (context.state.head.movedBy === undefined && !(await hasMoved(session, ask))) return false;
  // Where each run deletes what it stores, they move at each.
  if (context.mailbox.delete !== 'when-stored') context.tally.note(MOVED);
  await session.known.doubt();
  return true;
}

/**
 * No later run believes a number either before all that is listed was told: what this one does not get to may have the
 * number and size of mail on record, with the last message on record by then.
 */
export async function noteMoved({ state, run }: RunContext): Promise<void> {
  await state.commit((head) => (head.movedBy === run ? head : { ...head, movedBy: run }));
}

/** What no other run has doubted since is believed once each message is on record, or is nobody's to fetch. */
export function believed(context: RunContext, session: Session): (head: Head) => Head {
  const { run, state } = context;
  if (state.head.movedBy !== run || !isToldWhole(context, session)) return (head) => head;
  return ({ movedBy, ...head }) => (movedBy === run || movedBy === undefined ? head : { ...head, movedBy });
}

function isToldWhole(context: RunContext, session: Session): boolean {
  for (const { action, row } of decisions(context, session))
    if (!TOLD.has(action) && !session.deleted.has(row.index)) return false;
  return true;
}

/** One that is set aside, or too large, would pass for what is stored under its number, and never be tried again. */
const TOLD: ReadonlySet<Action> = new Set(['keep', 'delete', 'prove', 'skip']);

const MOVED =
  'The UIDLs of this server are the numbers of its messages, and have moved, since mail was deleted from it. Each message was told by its headers and content, which costs a TOP and a RETR each. Look for a setting of the server that gives mail lasting UIDLs.';

async function hasMoved(session: Session, ask: Ask): Promise<boolean> {
  const { listing, known } = session;
  for (const row of listing.rows()) if (known.disagrees(row)) return true;
  const last = lastOf(session, (row) => known.agrees(row));
  const headerHash = last && (await ask(last));
  if (last === null || headerHash === null) return false;
  await known.watch([last.uidl]);
  const ref = { ...refOf(last, null), headerHash };
  return !known.records(ref).some((record) => isRecordOf(record, ref));
}

function lastOf({ listing }: Session, counts: (row: Row) => boolean): Row | null {
  let last: Row | null = null;
  for (const row of listing.rows()) if (row.number > (last?.number ?? 0) && counts(row)) last = row;
  return last;
}

/** One whose headers broke the line is not asked again for a while, and taken as where TOP is refused. */
function asking(context: RunContext, session: Session): Ask {
  const { headerHashes } = session;
  return async (row) => {
    const ref = refOf(row, null);
    const known = headerHashes.get(row.index);
    if (known !== undefined) return known;
    const isBlind = blindRefs(context.state.head, context.ports.clock.now()).has(refKey(ref));
    const top = isBlind ? null : await leavingAside(context, session, ref, () => topOf(session, row));
    headerHashes.set(row.index, top?.hash ?? null);
    return top?.hash ?? null;
  };
}
