import { isAside } from '../mailbox/failures.ts';
import { openIntents } from '../mailbox/intents.ts';
import type { Head } from '../mailbox/state.ts';
import type { Counts, Standing } from './report.ts';
import { dueIntents } from './suspects.ts';

/** From the head as the run left it. A failure whose message the listing had not is looked at by nobody. */
export function standingOf(head: Head, counts: Counts, nowMs: number): Standing {
  const { backOff, lastSuccessMs } = head;
  const isOpen = counts.failed + counts.notReached > 0;
  return {
    suspects:
      dueIntents(head, nowMs).size > 0 ||
      // An intent whose run may still live is tried, too, uncounted: most likely that run was killed a moment ago.
      (isOpen && (openIntents(head).length > 0 || head.failures.some((one) => !isAside(one, nowMs)))),
    lastSuccessMs,
    failing: backOff === null ? null : { sinceMs: backOff.sinceMs, told: backOff.told !== undefined },
  };
}
