/**
 * Suspects: messages whose earlier attempt did not end. Each is tried alone, for it may be what ended the process,
 * and the attempt is counted before it is made. What an attempt left in the store is announced first, without a
 * header summary, since making that one may be what ends the process.
 */
import { VANISHED_INTENT_FULL_MS, VANISHED_INTENT_MS } from '../mailbox/bounds.ts';
import { countAttempt, failureOf, forgetFailures, uncountAttempt } from '../mailbox/failures.ts';
import { strikeIntents, withIntentAlone, withLook } from '../mailbox/intents.ts';
import { isDeletable } from '../mailbox/policy.ts';
import { isRecordOf } from '../mailbox/records.ts';
import { isCrowded, isFull } from '../mailbox/room.ts';
import { type Head, type MessageRef, refKey, sameRef } from '../mailbox/state.ts';
import { Pop3Error } from '../pop3/errors.ts';
import { UPLOAD_BYTES } from '../store/port.ts';
import { deleteRetrieved, deleteStored, mayDelete, topAgrees } from './deleting.ts';
import { judge } from './judging.ts';
import type { Row } from './listing.ts';
import { leftBehind } from './outbox.ts';
import { leaveTooLarge } from './oversize.ts';
import { isTooLarge, knowledgeOf } from './plan.ts';
import { type RunContext, resolved } from './runContext.ts';
import type { Session } from './session.ts';
import { announce, commitSettled, hidesAnother, intentOf, settleMissing } from './settling.ts';
import { type Stored, storeReceived } from './storing.ts';
import { isOverLimit } from './trouble.ts';
import { doubtAll, retrieveWindow, type Wanted, WindowLost } from './window.ts';

export interface Suspect {
  readonly ref: MessageRef;
  /** Several where nothing tells them apart: they are one attempt. None: the server lists it no more. */
  readonly rows: readonly Row[];
}

interface Tried extends Suspect {
  /** This run, and those whose intents were left behind when it began: only theirs are struck. */
  readonly runs: ReadonlySet<string>;
}

/** Content that keeps changing under one number is no message. */
const RETRIEVALS = 3;

/** Rejects where going on makes no sense: the store, the bus or the state failed. */
export async function tryAlone(context: RunContext, session: Session, suspect: Suspect): Promise<void> {
  const { state, run, ports } = context;
  const begunMs = ports.clock.now();
  context.triedAlone.add(refKey(suspect.ref));
  const intent = intentOf(context, suspect.ref);
  // The intent takes others' place: should its commit be unanswered, it is not taken back at the end of the run.
  context.postponed.add(refKey(suspect.ref));
  const left = leftBehindBy(state.head, suspect.ref, begunMs);
  await state.commit((head) => {
    const intended = (suspect.rows.length === 0 ? withLook : withIntentAlone)(head, intent, begunMs);
    // Judged by the head that is written, for another run may have begun with it since this one last looked.
    if (!isLeftBehind(head, suspect.ref, run, begunMs)) return intended;
    return countAttempt(intended, suspect.ref, { run, nowMs: begunMs });
  });
  const counts = failureOf(state.head, suspect.ref)?.lastRun === run;
  const attempted = { suspect, counts, begunMs };
  let refusal: Refusal | null = null;
  try {
    refusal = await resolve(context, session, { ...suspect, runs: left.add(run) });
  } catch (error) {
    const cause = error instanceof WindowLost ? error.cause : error;
    if (isOverLimit(context.mailbox, cause) && (await leaveTooLarge(context, suspect.ref, left))) return;
    await judge(context, session, attempted, cause);
  }
  if (refusal) await judge(context, session, { ...attempted, twinCame: refusal.twinCame }, refusal.error);
}

/** Whether nobody else can still be at it. */
function isLeftBehind(head: Head, ref: MessageRef, run: string, nowMs: number): boolean {
  return !head.intents.some((intent) => sameRef(intent, ref) && intent.run !== run && intent.untilMs > nowMs);
}

function leftBehindBy(head: Head, ref: MessageRef, nowMs: number): Set<string> {
  const left = head.intents.filter((intent) => sameRef(intent, ref) && intent.untilMs <= nowMs);
  return new Set(left.map(({ run }) => run));
}

interface Refusal {
  readonly error: Pop3Error;
  /** Another row of the same attempt was retrieved whole. */
  readonly twinCame: boolean;
}

async function resolve(context: RunContext, session: Session, suspect: Tried): Promise<Refusal | null> {
  const { ref, rows } = suspect;
  const found = await leftBehind(context, session, suspect);
  const [row] = rows;
  if (row === undefined) {
    await keepWatching(context, ref, found);
    return null;
  }
  const record = session.known.records(ref).find((one) => isRecordOf(one, ref));
  // A UIDL that is unique now need not have been: only TOP tells whether the record is of this message.
  if (record && !row.repeated && (await topAgrees(session, row, record))) {
    // QUIRK: Exchange Online hangs up on the DELE of certain mail: what is struck before it is never set aside.
    if (isDeletable(session.policy, record) && (await mayDelete(context)))
      await deleteStored(context, session, [{ wanted: { row, ref }, record }]);
    await strike(context, suspect);
    return null;
  }
  if (isTooLarge(row.octets, knowledgeOf(context.state.head).atLeast(ref), session.policy)) {
    await strike(context, suspect);
    return null;
  }
  return retrieveEach(context, session, suspect);
}

/** One that the server refuses does not keep the others of its attempt from arriving, but what is open stays so. */
async function retrieveEach(context: RunContext, session: Session, suspect: Tried): Promise<Refusal | null> {
  const { ref, rows } = suspect;
  let error: Pop3Error | null = null;
  let came = 0;
  for (const row of rows) {
    const outcome = await retrieveAlone(context, session, { row, ref });
    if (outcome instanceof Pop3Error) {
      error ??= outcome;
      continue;
    }
    came += 1;
    const isLast = row === rows.at(-1) && error === null;
    if (outcome) await settleAlone(context, session, { suspect, stored: outcome, isLast });
    else if (isLast) await strike(context, suspect);
  }
  return error && { error, twinCame: came > 0 };
}

async function strike(context: RunContext, { ref, runs }: Tried): Promise<void> {
  await context.state.commit((head) => forgetFailures(strikeIntents(head, [ref], runs), [ref]));
  resolved(context, ref);
}

/** Gone from the server: a write of its attempt may still land for a day, and must be announced then. */
async function keepWatching(context: RunContext, ref: MessageRef, found: boolean): Promise<void> {
  const nowMs = context.ports.clock.now();
  resolved(context, ref);
  await context.state.commit((head) => {
    const keptMs = vanishedKeptMs(head, found);
    const intents = head.intents.flatMap((intent) => {
      if (!sameRef(intent, ref)) return [intent];
      if (intent.run === context.run) return [];
      if (intent.untilMs > nowMs) return [intent];
      return intent.untilMs + keptMs <= nowMs ? [] : [{ ...intent, lookedMs: nowMs }];
    });
    const uncounted = uncountAttempt({ ...head, intents }, ref, context.run);
    return intents.some((intent) => sameRef(intent, ref)) ? uncounted : forgetFailures(uncounted, [ref]);
  });
}

/** Better one late write unseen than a mailbox that takes no new mail for a day. */
function vanishedKeptMs(head: Head, found: boolean): number {
  if (found && isCrowded(head)) return 0;
  return isFull(head) ? VANISHED_INTENT_FULL_MS : VANISHED_INTENT_MS;
}

/** The server's refusal, if it did; null: it is on record, and a consumer has removed its object. */
async function retrieveAlone(
  context: RunContext,
  session: Session,
  wanted: Wanted,
): Promise<Stored | Pop3Error | null> {
  for (let tries = 0; tries < RETRIEVALS; tries += 1) {
    const giveBack = await context.ports.inFlight.reserve(UPLOAD_BYTES);
    try {
      const { received, refused } = await retrieveWindow(context, session, {
        wanted: [wanted],
        fresh: doubtAll(session, [wanted]),
        ahead: false,
      });
      if (refused[0]) return refused[0].error;
      if (!received[0]) return null;
      const outcome = await storeReceived(context, session, received[0]);
      if ('again' in outcome) continue;
      context.progress.stored();
      if ('stored' in outcome) return outcome.stored;
      await settleMissing(context, session, [outcome.missing]);
      return null;
    } finally {
      giveBack();
    }
  }
  throw new Error(`Its content was another each of the ${RETRIEVALS} times that it was retrieved.`);
}

interface Settling {
  readonly suspect: Tried;
  readonly stored: Stored;
  /** Of the rows of its attempt. */
  readonly isLast: boolean;
}

async function settleAlone(
  context: RunContext,
  session: Session,
  { suspect, stored, isLast }: Settling,
): Promise<void> {
  const { settled, refused } = await announce(context, [stored]);
  if (refused[0]) throw refused[0].error;
  const hides = hidesAnother(session, stored, settled);
  const { ref, runs } = suspect;
  await commitSettled(context, session, { settled, resolved: hides || !isLast ? [] : [ref], runs, next: [] });
  session.inDoubt.delete(stored.wanted.row.index);
  if (hides) {
    // A late write of an earlier attempt took the first key after it was looked at.
    await leftBehind(context, session, suspect);
    if (isLast) await strike(context, suspect);
  }
  await deleteRetrieved(context, session, settled);
}
