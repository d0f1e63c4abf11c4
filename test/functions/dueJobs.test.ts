import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dueJobs } from '../../functions/dueJobs.ts';
import { queuedJob } from '../../functions/job.ts';
import { bundlesOf } from '../../lib/mailbox/bundles.ts';
import { due, LOOK_BACK_SLOTS, minutesOf, type Scheduled } from '../../lib/mailbox/due.ts';

const MINUTE_MS = 60_000;
const QUEUE_DROPS_MS = 5 * MINUTE_MS;
const FIRST_SLOT = 29_400_000;
const SLOTS = 14;

interface Call {
  /** Of the schedule, minutes from FIRST_SLOT. */
  readonly minute: number;
  /** After the scheduled time. */
  readonly lateMs: number;
  /** What sending takes. */
  readonly sendMs: number;
}

const call = (mostLateMs: number) =>
  fc.record({
    minute: fc.nat(SLOTS),
    lateMs: fc.nat(mostLateMs),
    sendMs: fc.nat(8_000),
  });

const mailboxes = fc.uniqueArray(fc.nat(500), { minLength: 1, maxLength: 40 }).chain((ids) =>
  fc.tuple(
    ...ids.map((id) =>
      fc.record({
        id: fc.constant(`m${id}`),
        every: fc.constantFrom('1m', '2m', '5m', '7m', '15m', '1h'),
        enabled: fc.boolean(),
      }),
    ),
  ),
);

interface Accepted {
  readonly bundle: string;
  readonly slot: number;
  readonly mailboxes: readonly string[];
}

/** What a FIFO queue takes of all calls, each at its time. */
function accepted(all: readonly Scheduled[], calls: readonly Call[]): readonly Accepted[] {
  const firstMs = new Map<string, number>();
  const timed = calls.map((one) => ({ ...one, nowMs: scheduledMs(one) + one.lateMs }));
  timed.sort((a, b) => a.nowMs + a.sendMs - b.nowMs - b.sendMs);
  return timed.flatMap((one) => {
    const ids = all.map(({ id }) => id);
    const jobs = dueJobs(all, ids, { scheduledMs: scheduledMs(one), nowMs: one.nowMs });
    return jobs.flatMap((job) => {
      const { once } = queuedJob(job);
      const sentMs = one.nowMs + one.sendMs;
      const before = firstMs.get(once);
      if (before !== undefined && sentMs - before < QUEUE_DROPS_MS) return [];
      firstMs.set(once, sentMs);
      return [{ bundle: job.bundle, slot: Date.parse(job.slot) / MINUTE_MS, mailboxes: job.mailboxes }];
    });
  });
}

function scheduledMs({ minute }: Pick<Call, 'minute'>): number {
  return (FIRST_SLOT + minute) * MINUTE_MS;
}

describe('jobs that are due', () => {
  it('are one for each slot, however late or often the schedule comes, and none is left out that somebody came for in time', () => {
    fc.assert(
      fc.property(mailboxes, fc.array(call(4 * MINUTE_MS), { maxLength: 20 }), (all, calls) => {
        const jobs = accepted(all, calls);
        const bundles = bundlesOf(all.map(({ id }) => id));
        for (const { name, mailboxes: ids } of bundles) {
          for (const mailbox of all.filter(({ id }) => ids.includes(id))) {
            for (let slot = FIRST_SLOT - LOOK_BACK_SLOTS; slot <= FIRST_SLOT + SLOTS; slot += 1) {
              const times = jobs.filter(
                (job) => job.bundle === name && job.slot === slot && job.mailboxes.includes(mailbox.id),
              ).length;
              expect(times).toBeLessThanOrEqual(1);
              if (!due(mailbox, slot, name)) expect(times).toBe(0);
              else if (minutesOf(mailbox.every) > LOOK_BACK_SLOTS && cameInTime(slot, calls))
                expect(times).toBe(1);
            }
          }
        }
      }),
      { numRuns: 150 },
    );
  });

  it('are never told twice by a call that comes an hour late', () => {
    fc.assert(
      fc.property(mailboxes, fc.array(call(60 * MINUTE_MS), { maxLength: 30 }), (all, calls) => {
        const names = accepted(all, calls).map(({ bundle, slot }) => `${bundle} ${slot}`);
        expect(new Set(names).size).toBe(names.length);
      }),
      { numRuns: 150 },
    );
  });

  it('serve a mailbox that falls due each minute by its latest slot alone', () => {
    const all = [{ id: 'support', every: '1m', enabled: true }];
    const ms = FIRST_SLOT * MINUTE_MS;
    const slots = dueJobs(all, ['support'], { scheduledMs: ms, nowMs: ms }).map(({ slot }) =>
      Date.parse(slot),
    );
    expect(slots).toEqual([ms]);
  });

  it('hold a bundle’s mailboxes of one interval together, and spread bundles over it', () => {
    const all = Array.from({ length: 400 }, (_, at) => ({ id: `m${at}`, every: '5m', enabled: true }));
    const ids = all.map(({ id }) => id);
    const jobs = Array.from({ length: 5 }, (_, minute) => scheduledMs({ minute: minute + 5 })).map((ms) =>
      dueJobs(all, ids, { scheduledMs: ms, nowMs: ms }).filter(({ slot }) => Date.parse(slot) === ms),
    );
    expect(
      jobs
        .flat()
        .flatMap((job) => job.mailboxes)
        .sort(),
    ).toEqual(ids.sort());
    expect(jobs.flat()).toHaveLength(bundlesOf(ids).length);
    for (const minute of jobs) expect(minute.length).toBeGreaterThan(0);
  });

  it('move no bundle for a mailbox that is paused or broken', () => {
    const all = Array.from({ length: 60 }, (_, at) => ({ id: `m${at}`, every: '1m', enabled: true }));
    const ids = all.map(({ id }) => id);
    const ms = FIRST_SLOT * MINUTE_MS;
    const when = { scheduledMs: ms, nowMs: ms };
    const bundleOf = (jobs: ReturnType<typeof dueJobs>) =>
      new Map(jobs.flatMap(({ bundle, mailboxes: some }) => some.map((id) => [id, bundle] as const)));
    const whole = bundleOf(dueJobs(all, ids, when));
    const paused = all.map((one, at) => ({ ...one, enabled: at > 20 }));
    for (const [id, bundle] of bundleOf(dueJobs(paused, ids, when))) expect(whole.get(id)).toBe(bundle);
    const left = bundleOf(dueJobs(all.slice(21), ids, when));
    expect(left.size).toBe(39);
    for (const [id, bundle] of left) expect(whole.get(id)).toBe(bundle);
  });
});

/** Somebody came while the slot may still be told. */
function cameInTime(slot: number, calls: readonly Call[]): boolean {
  return calls.some((one) => {
    const behind = FIRST_SLOT + one.minute - slot;
    const nowMs = scheduledMs(one) + one.lateMs;
    return behind >= 0 && behind <= LOOK_BACK_SLOTS && nowMs < slot * MINUTE_MS + QUEUE_DROPS_MS - 10_000;
  });
}
