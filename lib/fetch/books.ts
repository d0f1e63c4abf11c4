/** What a run leaves in the state at its end. */
import { SWEEP_MS } from '../mailbox/bounds.ts';
import { releaseIntents } from '../mailbox/intents.ts';
import { type Head, recordCount, refKey, seedCount } from '../mailbox/state.ts';
import { whileListed } from '../mailbox/sweep.ts';
import type { RunContext } from './runContext.ts';
import type { Session } from './session.ts';

/** Once a week: what is no longer listed is noted, and dropped when it has been missing for weeks. */
export async function sweepRecords(
  { state, ports, deadline }: RunContext,
  { listing }: Session,
): Promise<void> {
  const nowMs = ports.clock.now();
  const { sweptMs } = state.head;
  if (sweptMs === null || nowMs - sweptMs < SWEEP_MS || !deadline.allowsMore) return;
  // An empty listing may be a server's bad hour.
  if (!hasToSweep(state.head) || listing.length === 0) return;
  await state.sweep(
    whileListed((record) => listing.has(record), nowMs),
    nowMs,
  );
}

/** Whether anything is on record that a listing can be held against. */
export function hasToSweep(head: Head): boolean {
  return recordCount(head) + seedCount(head) > 0;
}

/** Intents of what was never begun are taken back; the others may be judged by the next run at once. */
export async function closeBooks(context: RunContext, change: (head: Head) => Head): Promise<void> {
  const { state, run, ports, begun, postponed } = context;
  const nowMs = ports.clock.now();
  await state.commit((head) => {
    const intents = head.intents.filter(
      (intent) => intent.run !== run || begun.has(refKey(intent)) || postponed.has(refKey(intent)),
    );
    return change(releaseIntents({ ...head, intents, lastAttemptMs: nowMs }, run, nowMs));
  });
}
