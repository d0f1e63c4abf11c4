/** What an attempt that failed says of its message: whether it counts, and when the message is set aside. */
import { FAILURE_CHARACTERS } from '../mailbox/bounds.ts';
import { failureOf, nextRetryMs, uncountAttempt, withFailure } from '../mailbox/failures.ts';
import { type Head, type MessageRef, refKey } from '../mailbox/state.ts';
import { Pop3Error } from '../pop3/errors.ts';
import { Digester } from '../store/checksum.ts';
import type { Suspect } from './alone.ts';
import { fence } from './fence.ts';
import type { Row } from './listing.ts';
import { knowledgeOf, refOf } from './plan.ts';
import { postpone, type RunContext } from './runContext.ts';
import type { Session } from './session.ts';
import { isBlameless, isOfTheLine, RunEnded } from './trouble.ts';

export interface Attempted {
  readonly suspect: Suspect;
  readonly counts: boolean;
  readonly begunMs: number;
  /** What was refused shares its attempt with one that came whole. */
  readonly twinCame?: boolean;
}

export async function judge(
  context: RunContext,
  session: Session,
  attempted: Attempted,
  error: unknown,
): Promise<void> {
  const { ref } = attempted.suspect;
  postpone(context, ref, error);
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
  context: RunContext,
  session: Session,
  { suspect, begunMs, twinCame = false }: Attempted,
  error: unknown,
): Promise<boolean> {
  const { deadline, ports, whole } = context;
  if (error instanceof RunEnded) {
    return error.why === 'deadline' && ports.clock.now() - begunMs >= deadline.spanMs / 2;
  }
  if (isBlameless(error)) return false;
  if (isOlder(error)) return false;
  if (error instanceof Pop3Error && error.kind === 'refused' && error.phase === 'retr') {
    const delivered =
      twinCame ||
      [...whole].some((ref) => ref !== refKey(suspect.ref)) ||
      (await serverStillDelivers(context, session, suspect));
    if (!delivered) context.refusal = error;
    return delivered;
  }
  return true;
}

/**
 * Unasked bytes that lay in the line before the message was asked for are not its own: whatever came of a message
 * before was ended by a fence. Behind its own RETR or TOP the next command is that fence, and is not excused.
 */
function isOlder(error: unknown): boolean {
  return error instanceof Pop3Error && error.unsent && (error.phase === 'retr' || error.phase === 'top');
}

/**
 * The mailbox's failure where the server refused what it was asked for and delivered nothing: no message is to blame, so
 * that none would ever be set aside, and a person must hear of it all the same.
 */
export function refusedAll({ whole, refusal }: RunContext): Pop3Error | null {
  if (refusal === null || whole.size > 0) return null;
  const words = 'the server refuses every message that it is asked for';
  const next =
    'It is not known whether that is the trouble of the server or of its messages, so none of them is set aside; all are asked for again later. If it lasts, ask whoever runs the server, or see what a webmail does with these messages.';
  const message = `retr: ${words}. The server said: "${refusal.reply ?? ''}". ${next}`;
  return new Pop3Error(message, { ...refusal, words, next }, { cause: refusal });
}

/** How many others are asked for: one that is on record as another mail was may be refused itself. */
const PROBES = 3;

/**
 * A refused RETR is the message's own only if this run gets another one: the smallest that are on record are
 * asked for, since a mailbox with nothing new would otherwise never tell one bad message from a failing server.
 */
async function serverStillDelivers(
  context: RunContext,
  session: Session,
  { rows }: Suspect,
): Promise<boolean> {
  const asked = new Set(rows.map(({ index }) => index));
  for (let probes = 0; probes < PROBES && session.client.closedBy === null; probes += 1) {
    const row = smallestStored(context, session, asked);
    if (row === null) return false;
    asked.add(row.index);
    if (await delivers(session, row)) return true;
  }
  return false;
}

/** One that failed or is open itself tells nothing. */
function smallestStored({ state }: RunContext, session: Session, asked: ReadonlySet<number>): Row | null {
  const { known, listing, deleted, headerHashes } = session;
  const { open, failure } = knowledgeOf(state.head);
  let smallest: Row | null = null;
  for (const row of listing.rows()) {
    if (asked.has(row.index) || row.octets === null || deleted.has(row.index)) continue;
    if (smallest !== null && row.octets >= (smallest.octets ?? 0)) continue;
    const stored =
      known.noted(row.index) !== null ||
      known.records(refOf(row, null)).some(({ size }) => size === row.octets);
    const ref = refOf(row, headerHashes.get(row.index) ?? null);
    if (stored && !open(ref) && !failure(ref)) smallest = row;
  }
  return smallest;
}

async function delivers(session: Session, row: Row): Promise<boolean> {
  const { client, known, inDoubt } = session;
  const digester = new Digester();
  const before = inDoubt.has(row.index);
  inDoubt.add(row.index);
  try {
    await client.retr(row.number, (chunk) => digester.update(chunk));
    // Its tail must not be taken for what is said of the next message.
    await fence(session, [row]);
    const { sha256 } = digester.digest();
    // It need not be the mail that the record is of; some servers hide at QUIT what was retrieved.
    if (known.records(refOf(row, null)).some((record) => record.sha256 === sha256)) inDoubt.delete(row.index);
    return true;
  } catch (error) {
    if (!isOfTheLine(error)) throw error;
    if (!before && client.closedBy === null) inDoubt.delete(row.index);
    return false;
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
    retryMs: aside ? nextRetryMs(known.setAsideMs ?? nowMs, nowMs) : 0,
  });
}

function codeOf(error: unknown): string {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code;
  return error instanceof Error ? error.name : 'E_UNEXPECTED';
}
