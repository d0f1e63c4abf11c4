/** When a session should end for another, and whether there may be one. */
import { afterSignIn } from '../mailbox/backOff.ts';
import type { Head } from '../mailbox/state.ts';
import { Pop3Error } from '../pop3/errors.ts';
import type { RunContext } from './runContext.ts';
import type { Session } from './session.ts';

/** QUIT commits deletes, and a session that breaks before it loses them: servers took 90 s for 5,000. */
export const SESSION_DELETES = 500;
const SESSION_DELETES_MS = 30_000;

/** Sign-ins of one run: providers count them, and lock out who signs in too often. */
export const SIGN_INS = 3;

/** 'again': there is more to do that needs another session. */
export type Verdict = 'finished' | 'again';

/** Whether the session's deletes should be committed now, and another session is to be had. */
export function isFull(context: RunContext, session: Session): boolean {
  const { deleted, openedMs } = session;
  const old = deleted.size > 0 && context.ports.clock.now() - openedMs >= SESSION_DELETES_MS;
  return (deleted.size >= SESSION_DELETES || old) && mayReopen(context, session);
}

export function mayReopen(
  { tally, deadline, ports, state }: RunContext,
  { openedMs, loginDelayMs }: Session,
): boolean {
  // Who was turned away the last time has this time's work done in one session, suspects and all.
  const delayMs = Math.max(loginDelayMs, state.head.signedIn?.delayMs ?? 0);
  return tally.signIns < SIGN_INS && deadline.allowsMore && ports.clock.now() - openedMs >= delayMs;
}

/** QUIRK: some hold the lock of a session that has ended, or mind a LOGIN-DELAY that they do not announce. */
const TURNED_AWAY: ReadonlySet<string> = new Set(['E_POP3_IN_USE', 'E_POP3_LOGIN_DELAY']);

/** As after a first failure. */
const TURNED_AWAY_MS = 60_000;

function isTurnedAway(error: unknown): error is Pop3Error {
  return error instanceof Pop3Error && TURNED_AWAY.has(error.code);
}

/** For `catch` of another sign-in of a run: none is to be had now, and what the session before it did stands. */
export function ifTurnedAway(error: unknown): Pop3Error {
  if (isTurnedAway(error)) return error;
  throw error;
}

/** The next sign-in waits, and the run has not failed. */
export function afterTurnedAway(
  error: unknown,
  { loginDelayMs }: Session,
  nowMs: number,
): (head: Head) => Head {
  if (!isTurnedAway(error)) return (head) => head;
  const askedMs = (error.waitSeconds ?? 0) * 1000;
  return (head) => afterSignIn(head, nowMs, Math.max(askedMs, loginDelayMs, TURNED_AWAY_MS));
}
