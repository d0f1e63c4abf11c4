/**
 * Suspects: messages whose earlier attempt did not end. Each is tried alone, for it may be what ended the process,
 * and the attempt is counted before it is made. What an attempt left in the store is announced first, without a
 * header summary, since making that one may be what ends the process.
 */
import { FAILURE_CHARACTERS } from '../mailbox/bounds.ts';
import {
  countAttempt,
  failureOf,
  forgetFailures,
  type Head,
  type MessageRef,
  refKey,
  SET_ASIDE_RETRY_MS,
  sameRef,
  strikeIntents,
  uncountAttempt,
  withFailure,
  withIntents,
} from '../mailbox/state.ts';
import { Pop3Error } from '../pop3/errors.ts';
import { UPLOAD_BYTES } from '../store/port.ts';
import { deleteByRecord, deleteRetrieved } from './deleting.ts';
import type { Row } from './listing.ts';
import { leftBehind } from './outbox.ts';
import { type RunContext, resolved } from './runContext.ts';
import type { Session } from './session.ts';
import { announce, commitSettled, intentOf } from './settling.ts';
import { storeReceived } from './storing.ts';
import { isBlameless, RunEnded } from './trouble.ts';
import { retrieveWindow, type Wanted, WindowLost } from './window.ts';

export interface Suspect {
  readonly ref: MessageRef;
  /** Null: the server lists it no more. */
  readonly row: Row | null;
}

const HOUR_MS = 3_600_000;

/** A write that was given up may land late; an intent whose message is gone is kept for so long. */
const VANISHED_MS = 24 * HOUR_MS;

/** Content that keeps changing under one number is no message. */
const RETRIEVALS = 3;

/** Rejects where going on makes no sense: the store, the bus or the state failed. */
export async function tryAlone(context: RunContext, session: Session, suspect: Suspect): Promise<void> {
  const { state, run, ports } = context;
  const begunMs = ports.clock.now();
  context.triedAlone.add(refKey(suspect.ref));
  // Judged by the head that is written, for another run may have begun with it since this one last looked.
  await state.commit((head) => {
    const intended = withIntents(head, [intentOf(context, suspect.ref)]);
    if (!isLeftBehind(head, suspect.ref, run, begunMs)) return intended;
    return countAttempt(intended, suspect.ref, { run, nowMs: begunMs });
  });
  const counts = failureOf(state.head, suspect.ref)?.lastRun === run;
  try {
    await resolve(context, session, suspect);
  } catch (error) {
    await judge(
      context,
      session,
      { suspect, counts, begunMs },
      error instanceof WindowLost ? error.cause : error,
    );
  }
}

/** Whether nobody else can still be at it. */
function isLeftBehind(head: Head, ref: MessageRef, run: string, nowMs: number): boolean {
  return !head.intents.some((intent) => sameRef(intent, ref) && intent.run !== run && intent.untilMs > nowMs);
}

async function resolve(context: RunContext, session: Session, { ref, row }: Suspect): Promise<void> {
  const found = await leftBehind(context, session, { ref, row });
  const record = session.known
    .records(ref.uidl)
    .find((one) => one.size === ref.size && (ref.headerHash === null || one.headerHash === ref.headerHash));
  if (record && (row === null || !row.repeated)) {
    await strike(context, ref);
    if (row && context.mailbox.delete !== 'keep')
      await deleteByRecord(context, session, { wanted: { row, ref }, record });
  } else if (row) await retrieveAlone(context, session, { row, ref });
  else if (found > 0) await strike(context, ref);
  else await keepWatching(context, ref);
}

async function strike(context: RunContext, ref: MessageRef): Promise<void> {
  const { state, run, ports } = context;
  const by = { run, nowMs: ports.clock.now() };
  await state.commit((head) => forgetFailures(strikeIntents(head, [ref], by), [ref]));
  resolved(context, ref);
}

/** Gone from the server, and nothing in the store yet: a late write may still land, and must be announced then. */
async function keepWatching(context: RunContext, ref: MessageRef): Promise<void> {
  const nowMs = context.ports.clock.now();
  resolved(context, ref);
  await context.state.commit((head) => {
    const intents = head.intents.flatMap((intent) => {
      if (!sameRef(intent, ref)) return [intent];
      if (intent.run === context.run) return [];
      if (intent.untilMs > nowMs) return [intent];
      return intent.untilMs + VANISHED_MS <= nowMs ? [] : [{ ...intent, lookedMs: nowMs }];
    });
    return uncountAttempt({ ...head, intents }, ref, context.run);
  });
}

async function retrieveAlone(context: RunContext, session: Session, { row, ref }: Wanted): Promise<void> {
  for (let tries = 0; tries < RETRIEVALS; tries += 1) {
    const giveBack = await context.ports.inFlight.reserve(UPLOAD_BYTES);
    try {
      const { received, refused } = await retrieveWindow(context, session, [{ row, ref }]);
      if (refused[0]) throw refused[0].error;
      if (!received[0]) return;
      const outcome = await storeReceived(context, session, received[0]);
      if ('again' in outcome) continue;
      context.progress.stored();
      if ('missing' in outcome) {
        session.inDoubt.delete(row.index);
        return await strike(context, ref);
      }
      const { settled, refused: unaccepted } = await announce(context, [outcome.stored]);
      if (unaccepted[0]) throw unaccepted[0].error;
      await commitSettled(context, settled, []);
      session.inDoubt.delete(row.index);
      return await deleteRetrieved(context, session, settled);
    } finally {
      giveBack();
    }
  }
  throw new Error(`Its content was another each of the ${RETRIEVALS} times that it was retrieved.`);
}

interface Attempted {
  readonly suspect: Suspect;
  readonly counts: boolean;
  readonly begunMs: number;
}

async function judge(
  context: RunContext,
  session: Session,
  attempted: Attempted,
  error: unknown,
): Promise<void> {
  const { ref } = attempted.suspect;
  context.postponed.add(refKey(ref));
  context.tally.failed(ref, error, context.mailbox.id);
  const guilty = attempted.counts && (await isGuilty(context, session, attempted, error));
  const nowMs = context.ports.clock.now();
  await context.state.commit((head) => {
    if (!guilty) return attempted.counts ? uncountAttempt(head, ref, context.run) : head;
    return blamed(head, ref, { error, nowMs, attempts: context.mailbox.attempts });
  });
  if (isBlameless(error) && !(error instanceof RunEnded)) throw error;
}

/** A store's fault is no attempt; a deadline is one only when the message had half a run for itself. */
async function isGuilty(
  { deadline, ports }: RunContext,
  session: Session,
  { suspect, begunMs }: Attempted,
  error: unknown,
): Promise<boolean> {
  if (error instanceof RunEnded) {
    return error.why === 'deadline' && ports.clock.now() - begunMs >= deadline.spanMs / 2;
  }
  if (isBlameless(error)) return false;
  if (error instanceof Pop3Error && error.kind === 'refused' && error.phase === 'retr') {
    return session.retrievedWhole || (await serverStillDelivers(session, suspect));
  }
  return true;
}

/**
 * A refused RETR is the message's own only if this session gets another one: the smallest that is on record is
 * asked for, since a mailbox with nothing new would otherwise never tell one bad message from a failing server.
 */
async function serverStillDelivers(session: Session, { row: refused }: Suspect): Promise<boolean> {
  const { known } = session;
  let smallest: Row | null = null;
  for (const row of session.listing.rows()) {
    if (row.index === refused?.index || row.octets === null || session.deleted.has(row.index)) continue;
    const stored = known.noted(row.index) !== null;
    if (!stored && !known.records(row.uidl).some(({ size }) => size === row.octets)) continue;
    if (smallest === null || row.octets < (smallest.octets ?? 0)) smallest = row;
  }
  if (smallest === null || session.client.closedBy !== null) return false;
  try {
    await session.client.retr(smallest.number, () => {});
    session.retrievedWhole = true;
    return true;
  } catch (error) {
    if (error instanceof Pop3Error) return false;
    throw error;
  }
}

interface Blame {
  readonly error: unknown;
  readonly nowMs: number;
  readonly attempts: number;
}

function blamed(head: Head, ref: MessageRef, { error, nowMs, attempts }: Blame): Head {
  const known = failureOf(head, ref);
  if (!known) return head;
  const aside = known.attempts >= attempts;
  return withFailure(head, {
    ...known,
    code: codeOf(error),
    message: (error instanceof Error ? error.message : String(error)).slice(0, FAILURE_CHARACTERS),
    setAsideMs: aside ? (known.setAsideMs ?? nowMs) : null,
    retryMs: aside ? nowMs + SET_ASIDE_RETRY_MS : 0,
  });
}

function codeOf(error: unknown): string {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code;
  return error instanceof Error ? error.name : 'E_UNEXPECTED';
}
