/** What a run leaves in the state at its end. */
import { SWEEP_MS, VANISHED_INTENT_MS } from '../mailbox/bounds.ts';
import { forgetVanished } from '../mailbox/failures.ts';
import { releaseIntents } from '../mailbox/intents.ts';
import {
  type Head,
  type MessageRef,
  recordCount,
  refKey,
  seedCount,
  type TooLarge,
} from '../mailbox/state.ts';
import { whileListed } from '../mailbox/sweep.ts';
import { forgetTooLarge } from '../mailbox/tooLarge.ts';
import type { Listing } from './listing.ts';
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
  if (!hasToSweep(state.head) || !isWhole(listing)) return;
  await state.sweep(
    whileListed((record) => listing.has(record), nowMs),
    nowMs,
  );
}

/** QUIRK: in a server's bad hour its listing is empty, or one of its two answers lacks what the other has. */
function isWhole({ length, left }: Listing): boolean {
  return length > 0 && left === 0;
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

/** Set aside, or told to be too large, and missing for long. */
export function withoutVanished(head: Head, { listing }: Session, nowMs: number): Head {
  if (!isWhole(listing)) return head;
  const isListed = ({ uidl, size }: MessageRef) => {
    if (uidl === '') return listing.has({ uidl, size });
    const index = listing.indexOf(uidl);
    const row = index === null ? null : listing.row(index);
    return row !== null && (row.repeated || row.octets === size);
  };
  const isGone = (one: TooLarge) => one.sinceMs + VANISHED_INTENT_MS <= nowMs && !isListed(one);
  return forgetTooLarge(forgetVanished(head, isListed, { nowMs, keptMs: VANISHED_INTENT_MS }), isGone);
}
