/** When a session should end for another, and whether there may be one. */
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
  { tally, deadline, ports }: RunContext,
  { openedMs, loginDelayMs }: Session,
): boolean {
  return tally.signIns < SIGN_INS && deadline.allowsMore && ports.clock.now() - openedMs >= loginDelayMs;
}
