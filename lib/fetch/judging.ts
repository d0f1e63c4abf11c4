/** What an attempt that failed says of its message: whether it counts, and when the message is set aside. */
import { FAILURE_CHARACTERS } from '../mailbox/bounds.ts';
import { failureOf, SET_ASIDE_RETRY_MS, uncountAttempt, withFailure } from '../mailbox/failures.ts';
import { type Head, type MessageRef, refKey } from '../mailbox/state.ts';
import { Pop3Error } from '../pop3/errors.ts';
import { Digester } from '../store/checksum.ts';
import type { Suspect } from './alone.ts';
import type { Row } from './listing.ts';
import { postpone, type RunContext } from './runContext.ts';
import type { Session } from './session.ts';
import { isBlameless, RunEnded } from './trouble.ts';

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
  { deadline, ports, whole }: RunContext,
  session: Session,
  { suspect, begunMs, twinCame = false }: Attempted,
  error: unknown,
): Promise<boolean> {
  if (error instanceof RunEnded) {
    return error.why === 'deadline' && ports.clock.now() - begunMs >= deadline.spanMs / 2;
  }
  if (isBlameless(error) || isOlder(error)) return false;
  if (error instanceof Pop3Error && error.kind === 'refused' && error.phase === 'retr') {
    return (
      twinCame ||
      [...whole].some((ref) => ref !== refKey(suspect.ref)) ||
      (await serverStillDelivers(session, suspect))
    );
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
 * A refused RETR is the message's own only if this run gets another one: the smallest that is on record is
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
