/** A schedule's minute to jobs. Without memory: whatever it could not do, the next minute does. */
import { z } from 'zod';
import type { Jobs } from '../lib/jobs/port.ts';
import { SettingsError } from '../lib/mailbox/settings.ts';
import type { ObjectStore } from '../lib/store/port.ts';
import { dueJobs } from './dueJobs.ts';
import { queuedJob } from './job.ts';
import { readMailboxes, tellBroken, tellUnusable } from './mailboxes.ts';
import type { Remaining } from './remaining.ts';
import type { Telemetry } from './telemetry.ts';

/** EventBridge's own events have it too, so that a rule can stand in for the schedule. */
const scheduled = z.object({ time: z.iso.datetime({ offset: true }) });

/** Left for saying what was not sent: a function that is killed says nothing. */
const ANSWER_MS = 3_000;

export interface Dispatching {
  readonly store: ObjectStore;
  readonly jobs: Jobs;
  readonly telemetry: Telemetry;
  readonly now: () => number;
}

export interface Dispatched {
  readonly jobs: number;
  /** In those jobs. */
  readonly mailboxes: number;
  /** A document that is wrong as a whole counts as one. */
  readonly broken: number;
}

/**
 * Rejects with StoreError or JobsError, so that the schedule does it again; what was sent before is sent once all the same.
 * Settings that only a person can mend are no failure: doing it again would only leave a dead letter for each minute.
 */
export async function dispatchJobs(
  dispatching: Dispatching,
  event: unknown,
  context: Remaining,
): Promise<Dispatched> {
  const { store, jobs, telemetry, now } = dispatching;
  const scheduledMs = scheduledMsOf(event, dispatching);
  const read = await readMailboxes(store).catch(settingsErrorOf);
  if (read instanceof SettingsError) {
    telemetry.count('MailboxesBroken', 1);
    tellUnusable(telemetry, read);
    return { jobs: 0, mailboxes: 0, broken: 1 };
  }
  const { document, broken } = read;
  tellBroken(telemetry, broken);
  const ids = [...document.mailboxes, ...broken].flatMap(({ id }) => id ?? []);
  const due = dueJobs(document.mailboxes, ids, { scheduledMs, nowMs: now() });
  const unsent = await jobs.send(due.map(queuedJob), context.getRemainingTimeInMillis() - ANSWER_MS);
  telemetry.count('JobsSent', due.length - unsent.length);
  const [first] = unsent;
  if (first !== undefined) {
    telemetry.log('error', 'jobs not sent', {
      count: unsent.length,
      of: due.length,
      code: first.error.code,
      reason: first.error.message,
    });
    throw first.error;
  }
  return {
    jobs: due.length,
    mailboxes: due.reduce((sum, { mailboxes }) => sum + mailboxes.length, 0),
    broken: broken.length,
  };
}

function settingsErrorOf(error: unknown): SettingsError {
  if (error instanceof SettingsError) return error;
  throw error;
}

/** Without a time of the schedule's own a late or repeated call counts for the minute it comes in, which loses nothing. */
function scheduledMsOf(event: unknown, { telemetry, now }: Dispatching): number {
  const parsed = scheduled.safeParse(event);
  if (parsed.success) return Date.parse(parsed.data.time);
  telemetry.log('warn', 'no scheduled time', {
    next: 'give the schedule the input {"time":"<aws.scheduler.scheduled-time>"}; this minute is taken instead',
  });
  return now();
}
