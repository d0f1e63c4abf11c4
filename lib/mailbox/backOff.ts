import type { Head } from './state.ts';

/** The first wait after a failure; doubled with each one more. */
const FIRST_WAIT_MS = 60_000;

/** A mailbox that works again is noticed within about an hour. */
const LONGEST_WAIT_MS = 3_600_000;

/** Mailboxes that failed together should not come back together: each waits 80 to 120 percent. */
const JITTER_SHARE = 0.4;

/** Another failure in a row, and when to try again. */
export function afterFailure(
  head: Head,
  trouble: { readonly code: string; readonly message: string },
  clock: { now(): number; random(): number },
): Head {
  const failures = (head.backOff?.failures ?? 0) + 1;
  const nowMs = clock.now();
  const waitMs = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(failures - 1, 20));
  const jittered = waitMs * (1 - JITTER_SHARE / 2 + clock.random() * JITTER_SHARE);
  return {
    ...head,
    backOff: {
      failures,
      sinceMs: head.backOff?.sinceMs ?? nowMs,
      untilMs: nowMs + Math.round(jittered),
      code: trouble.code,
      message: trouble.message,
    },
  };
}
