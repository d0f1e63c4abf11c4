import { z } from 'zod';
import type { QueuedJob } from '../lib/jobs/port.ts';
import { MAILBOX_ID } from '../lib/mailbox/names.ts';

/** A bundle has about 10; all of them are fetched at once, in one function's memory. */
const MAX_MAILBOXES = 50;

/** One message of the jobs queue: which mailboxes to fetch now. */
const job = z.strictObject({
  v: z.literal(1),
  /** The bundle that the mailboxes belong to; the queue's message group. */
  bundle: z.string().min(1).max(128),
  /** The schedule's own time that made the job due: ISO 8601, UTC. */
  slot: z.iso.datetime(),
  mailboxes: z.array(z.string().regex(MAILBOX_ID)).min(1).max(MAX_MAILBOXES),
  /** Only messages that may have killed a process are tried, and nothing else runs beside them. Of one mailbox. */
  suspects: z.boolean().optional(),
});

export type Job = z.infer<typeof job>;

/**
 * As the queue takes it. A bundle's jobs come one after another, and one slot of it once. Suspects have a group of their own,
 * so that a message which kills its process again and again holds up nobody else's mail.
 */
export function queuedJob(job: Job): QueuedJob {
  const group = job.suspects ? `suspects-${job.mailboxes.join('-')}` : job.bundle;
  return { body: JSON.stringify(job), group, once: `${group}@${job.slot}` };
}

/** The job, or in words what is wrong with it. */
export function parseJob(body: string): Job | { readonly problems: readonly string[] } {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return { problems: ['the body is not JSON'] };
  }
  const parsed = job.safeParse(value);
  if (parsed.success) return parsed.data;
  return {
    problems: parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'job'}: ${message}`),
  };
}
