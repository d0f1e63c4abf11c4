/**
 * Jobs from the queue to runs. A job fails only where another delivery of the same job could help: a mailbox that
 * cannot be reached is recorded and backed off by its run, and the next scheduled job tries it again anyway.
 */
import type { SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import type { FetchPorts } from '../lib/fetch/ports.ts';
import type { Jobs } from '../lib/jobs/port.ts';
import { loadHead } from '../lib/mailbox/head.ts';
import type { MailboxesRead } from '../lib/mailbox/readMailboxes.ts';
import { type Mailbox, SettingsError } from '../lib/mailbox/settings.ts';
import { runBundle, runSuspects } from './bundleRuns.ts';
import { type Job, parseJob, queuedJob } from './job.ts';
import { readMailboxes, tellUnusable } from './mailboxes.ts';
import type { Remaining } from './remaining.ts';
import type { Telemetry } from './telemetry.ts';

/** Left for logging and for answering; the run itself leaves time to commit and to QUIT. */
const ANSWER_MS = 3_000;

/** For what must be sent once the runs have used all their time. */
const SEND_MS = 1_000;

/** A store that was away for a moment is back then. */
const AGAIN_MS = 60_000;

/** A job that waited longer may be overtaken; a fresh one is not worth another read of the state. */
const FRESH_MS = 60_000;

export interface FetchJobs {
  readonly ports: FetchPorts;
  /** Where what must be tried alone is put. */
  readonly jobs: Jobs;
  readonly telemetry: Telemetry;
}

/** Handles the records in turn (the queue's batch size is 1), all within the function's remaining time. */
export async function fetchJobs(
  fetching: FetchJobs,
  event: SQSEvent,
  context: Remaining,
): Promise<SQSBatchResponse> {
  const deadlineMs = fetching.ports.clock.now() + context.getRemainingTimeInMillis() - ANSWER_MS;
  const batchItemFailures: SQSBatchResponse['batchItemFailures'] = [];
  for (const record of event.Records) {
    if (!(await handled(fetching, record, deadlineMs))) {
      batchItemFailures.push({ itemIdentifier: record.messageId });
    }
  }
  return { batchItemFailures };
}

/** False: deliver it again. */
async function handled(fetching: FetchJobs, record: SQSRecord, deadlineMs: number): Promise<boolean> {
  const { messageId } = record;
  const telemetry: Telemetry = {
    ...fetching.telemetry,
    log: (level, message, fields) => fetching.telemetry.log(level, message, { messageId, ...fields }),
  };
  const job = parseJob(record.body);
  if ('problems' in job) {
    // Acknowledged: it stays malformed however often it comes, and in a FIFO queue it would hold its group until
    // it is given up. The next slot makes another.
    telemetry.log('error', 'malformed job', { problems: job.problems });
    return true;
  }
  try {
    await fetchJob({ ...fetching, telemetry }, job, deadlineMs);
    return true;
  } catch (error) {
    const { bundle } = job;
    if (error instanceof SettingsError) {
      // Acknowledged as well: a person must mend the document, and the next slot reads it again.
      tellUnusable(telemetry, error, { bundle });
      return true;
    }
    const message = error instanceof Error ? error.message : String(error);
    telemetry.log('error', `job failed: ${message}`, { bundle });
    await comeAgainSoon({ ...fetching, telemetry }, record);
    return false;
  }
}

/**
 * The queue hands out nothing of the bundle until this job is done with, and by itself hands it out again only after six of
 * the function's timeouts. That is for a job whose function was killed, and for one that fails again.
 */
async function comeAgainSoon(
  { jobs, telemetry }: FetchJobs,
  { receiptHandle, attributes }: SQSRecord,
): Promise<void> {
  if (attributes.ApproximateReceiveCount !== '1') return;
  const refusal = await jobs.comeAgain(receiptHandle, AGAIN_MS);
  if (refusal === null) return;
  telemetry.log('warn', 'job waits as long as the queue says', {
    code: refusal.code,
    reason: refusal.message,
  });
}

async function fetchJob(fetching: FetchJobs, job: Job, deadlineMs: number): Promise<void> {
  const { ports, telemetry } = fetching;
  const read = await readMailboxes(ports.store);
  const { connectionsPerHost } = read.document;
  const mailboxes = await mailboxesOf(fetching, job, read);
  const work = { ports, telemetry, bundle: job.bundle, deadlineMs, connectionsPerHost };
  if (job.suspects) await runSuspects(mailboxes, work);
  else {
    const ids = await runBundle(mailboxes, work, job.slot);
    await sendSuspects(fetching, job, { ids, untilMs: deadlineMs + SEND_MS });
  }
}

/** Those of the job that are still configured and enabled, and that no later job has overtaken. */
async function mailboxesOf(
  { ports, telemetry }: FetchJobs,
  job: Job,
  { document, broken }: MailboxesRead,
): Promise<readonly Mailbox[]> {
  const all = new Map(document.mailboxes.map((mailbox) => [mailbox.id, mailbox]));
  const chosen: Mailbox[] = [];
  for (const id of new Set(job.mailboxes)) {
    const mailbox = all.get(id);
    const why = mailbox === undefined ? whyGone(id, broken) : await whyNot(ports, job, mailbox);
    if (mailbox === undefined || why !== null) {
      telemetry.log('info', 'mailbox skipped', { bundle: job.bundle, mailbox: id, why });
    } else {
      chosen.push(mailbox);
    }
  }
  return chosen;
}

function whyGone(id: string, broken: MailboxesRead['broken']): string {
  return broken.some((one) => one.id === id) ? 'has settings that are wrong' : 'is not configured any more';
}

async function whyNot(ports: FetchPorts, job: Job, mailbox: Mailbox): Promise<string | null> {
  if (!mailbox.enabled) return 'is not enabled';
  const slotMs = Date.parse(job.slot);
  // What suspects are due for is not what the ordinary job of the same slot has done meanwhile.
  if (job.suspects || ports.clock.now() - slotMs <= FRESH_MS) return null;
  // A state that cannot be read is the run's to report.
  const loaded = await loadHead(ports.store, mailbox.id).catch(() => null);
  return loaded !== null && loaded.head.lastAttemptMs > slotMs ? 'was tried since the job was made' : null;
}

/** One job each, for each must be alone in its process. What the queue does not take is found again in the next slot. */
async function sendSuspects(
  { ports, jobs, telemetry }: FetchJobs,
  { bundle, slot }: Job,
  { ids, untilMs }: { readonly ids: readonly string[]; readonly untilMs: number },
): Promise<void> {
  if (ids.length === 0) return;
  const made = ids.map((id) => queuedJob({ v: 1, bundle, slot, mailboxes: [id], suspects: true }));
  const unsent = await jobs.send(made, untilMs - ports.clock.now());
  telemetry.count('JobsSent', made.length - unsent.length);
  for (const { job, error } of unsent)
    telemetry.log('warn', 'suspects not sent', {
      bundle,
      group: job.group,
      code: error.code,
      reason: error.message,
    });
}
