/** Which jobs a schedule's minute makes: pure, so that it needs no memory of which minutes came before it. */
import { REPEAT_MS } from '../lib/jobs/port.ts';
import { bundlesOf } from '../lib/mailbox/bundles.ts';
import { latestDue, type Scheduled, slotOf } from '../lib/mailbox/due.ts';
import type { Job } from './job.ts';

const MINUTE_MS = 60_000;

/** Between this clock and the queue's, and for what it takes to send. */
const MARGIN_MS = 10_000;

export interface Minute {
  /** The schedule's own time, epoch milliseconds. */
  readonly scheduledMs: number;
  readonly nowMs: number;
}

/**
 * One job for each bundle and slot: the minute's own, and what minutes before it may have left undone. A slot is told again
 * only while the queue still drops it as a repeat, however late or often the schedule comes.
 *
 * `ids` are all that make up the bundles: a mailbox that is paused or broken moves no other.
 */
export function dueJobs(
  mailboxes: readonly Scheduled[],
  ids: Iterable<string>,
  { scheduledMs, nowMs }: Minute,
): readonly Job[] {
  const slot = Math.min(slotOf(scheduledMs), slotOf(nowMs + MARGIN_MS));
  const byId = new Map(mailboxes.map((mailbox) => [mailbox.id, mailbox]));
  const jobs = bundlesOf(ids).flatMap((bundle) => {
    const bySlot = new Map<number, string[]>();
    for (const id of bundle.mailboxes) {
      const mailbox = byId.get(id);
      const due = mailbox === undefined ? null : latestDue(mailbox, slot, { spreadBy: bundle.name });
      if (due === null || nowMs >= due * MINUTE_MS + REPEAT_MS - MARGIN_MS) continue;
      bySlot.set(due, [...(bySlot.get(due) ?? []), id]);
    }
    return [...bySlot].map(([due, ids]) => ({ due, job: jobOf(bundle.name, due, ids) }));
  });
  // The minute's own first: what came before it was most likely told already.
  return jobs.sort((one, other) => other.due - one.due).map(({ job }) => job);
}

function jobOf(bundle: string, slot: number, mailboxes: readonly string[]): Job {
  return { v: 1, bundle, slot: new Date(slot * MINUTE_MS).toISOString(), mailboxes: [...mailboxes] };
}
