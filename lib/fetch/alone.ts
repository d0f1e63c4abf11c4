/**
 * Suspects: messages whose earlier attempt did not end. Each is tried alone, for it may be what ended the process,
 * and the attempt is counted before it is made. What an attempt left in the store is announced first, without a
 * header summary, since making that one may be what ends the process.
 */
import { FAILURE_CHARACTERS, VANISHED_INTENT_MS } from '../mailbox/bounds.ts';
import { isCrowded } from '../mailbox/room.ts';
import {
  countAttempt,
  failureOf,
  forgetFailures,
  type Head,
  isRecordOf,
  type MessageRef,
  refKey,
  SET_ASIDE_RETRY_MS,
  sameRef,
  strikeIntents,
  uncountAttempt,
  withFailure,
  withIntentAlone,
  withIntents,
} from '../mailbox/state.ts';
import { Pop3Error } from '../pop3/errors.ts';
import { Digester } from '../store/checksum.ts';
import { UPLOAD_BYTES } from '../store/port.ts';
import { deleteByRecord, deleteRetrieved, topAgrees } from './deleting.ts';
import type { Row } from './listing.ts';
import { leftBehind } from './outbox.ts';
import { type RunContext, resolved } from './runContext.ts';
import type { Session } from './session.ts';
import { announce, commitSettled, hidesAnother, intentOf } from './settling.ts';
import { type Stored, storeReceived } from './storing.ts';
import { isBlameless, RunEnded } from './trouble.ts';
import { retrieveWindow, type Wanted, WindowLost } from './window.ts';

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
  // Judged by the head that is written, for another run may have begun with it since this one last looked.
  const intent = intentOf(context, suspect.ref);
  // The intent takes others' place: should its commit be unanswered, it is not taken back at the end of the run.
  context.postponed.add(refKey(suspect.ref));
  const left = leftBehindBy(state.head, suspect.ref, begunMs);
  await state.commit((head) => {
    // One whose message has vanished is kept as it is: its time tells for how long it is watched.
    const intended =
      suspect.rows.length === 0 ? withIntents(head, [intent]) : withIntentAlone(head, intent, begunMs);
    if (!isLeftBehind(head, suspect.ref, run, begunMs)) return intended;
    return countAttempt(intended, suspect.ref, { run, nowMs: begunMs });
  });
  const counts = failureOf(state.head, suspect.ref)?.lastRun === run;
  const runs = left.add(run);
  try {
    await resolve(context, session, { ...suspect, runs });
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

function leftBehindBy(head: Head, ref: MessageRef, nowMs: number): Set<string> {
  const left = head.intents.filter((intent) => sameRef(intent, ref) && intent.untilMs <= nowMs);
  return new Set(left.map(({ run }) => run));
}

async function resolve(context: RunContext, session: Session, suspect: Tried): Promise<void> {
  const { ref, rows } = suspect;
  const found = await leftBehind(context, session, suspect);
  const [row] = rows;
  if (row === undefined) return keepWatching(context, ref, found);
  const record = session.known.records(ref.uidl).find((one) => isRecordOf(one, ref));
  // A UIDL that is unique now need not have been: only TOP tells whether the record is of this message.
  if (record && !row.repeated && (await topAgrees(session, row, record))) {
    await strike(context, suspect);
    if (context.mailbox.delete !== 'keep')
      await deleteByRecord(context, session, { wanted: { row, ref }, record });
    return;
  }
  for (const one of rows) {
    const stored = await retrieveAlone(context, session, { row: one, ref });
    if (stored) await settleAlone(context, session, { suspect, stored, isLast: one === rows.at(-1) });
    else if (one === rows.at(-1)) await strike(context, suspect);
  }
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
    // Better one late write unseen than a mailbox that takes no new mail for a day.
    const keptMs = found && isCrowded(head) ? 0 : VANISHED_INTENT_MS;
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

/** Null: it is on record, and a consumer has removed its object. */
async function retrieveAlone(context: RunContext, session: Session, wanted: Wanted): Promise<Stored | null> {
  for (let tries = 0; tries < RETRIEVALS; tries += 1) {
    const giveBack = await context.ports.inFlight.reserve(UPLOAD_BYTES);
    try {
      const { received, refused } = await retrieveWindow(context, session, [wanted]);
      if (refused[0]) throw refused[0].error;
      if (!received[0]) return null;
      const outcome = await storeReceived(context, session, received[0]);
      if ('again' in outcome) continue;
      context.progress.stored();
      if ('stored' in outcome) return outcome.stored;
      session.inDoubt.delete(wanted.row.index);
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
  { deadline, ports, whole }: RunContext,
  session: Session,
  { suspect, begunMs }: Attempted,
  error: unknown,
): Promise<boolean> {
  if (error instanceof RunEnded) {
    return error.why === 'deadline' && ports.clock.now() - begunMs >= deadline.spanMs / 2;
  }
  if (isBlameless(error)) return false;
  if (error instanceof Pop3Error && error.kind === 'refused' && error.phase === 'retr') {
    return (
      [...whole].some((ref) => ref !== refKey(suspect.ref)) || (await serverStillDelivers(session, suspect))
    );
  }
  return true;
}

/**
 * A refused RETR is the message's own only if this session gets another one: the smallest that is on record is
 * asked for, since a mailbox with nothing new would otherwise never tell one bad message from a failing server.
 */
async function serverStillDelivers(session: Session, { rows: refused }: Suspect): Promise<boolean> {
  const { known } = session;
  let smallest: Row | null = null;
  for (const row of session.listing.rows()) {
    if (
      refused.some(({ index }) => index === row.index) ||
      row.octets === null ||
      session.deleted.has(row.index)
    )
      continue;
    const stored = known.noted(row.index) !== null;
    if (!stored && !known.records(row.uidl).some(({ size }) => size === row.octets)) continue;
    if (smallest === null || row.octets < (smallest.octets ?? 0)) smallest = row;
  }
  if (smallest === null || session.client.closedBy !== null) return false;
  const digester = new Digester();
  session.inDoubt.add(smallest.index);
  try {
    await session.client.retr(smallest.number, (chunk) => digester.update(chunk));
    const { sha256 } = digester.digest();
    // It need not be the mail that the record is of; some servers hide at QUIT what was retrieved.
    if (known.records(smallest.uidl).some((record) => record.sha256 === sha256))
      session.inDoubt.delete(smallest.index);
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
