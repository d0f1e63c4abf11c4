/**
 * Jobs from the queue to runs. A job fails only where another delivery of the same job could help: a mailbox that
 * cannot be reached is recorded and backed off by its run, and the next scheduled job tries it again anyway.
 */
import type { SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import type { FetchPorts } from '../lib/fetch/ports.ts';
import { mayHaveSuspects, type RunReport } from '../lib/fetch/report.ts';
import { runMailbox } from '../lib/fetch/run.ts';
import { hostKey, Turns } from '../lib/fetch/turns.ts';
import { loadHead } from '../lib/mailbox/head.ts';
import {
  MAILBOXES_KEY,
  type Mailbox,
  type MailboxesDocument,
  parseMailboxesDocument,
  SettingsError,
} from '../lib/mailbox/settings.ts';
import { type Job, parseJob } from './job.ts';
import { readJson } from './readJson.ts';

/** Left for logging and for answering; the run itself leaves time to commit and to QUIT. */
const ANSWER_MS = 3_000;

/** A job that waited longer may be overtaken; a fresh one is not worth another read of the state. */
const FRESH_MS = 60_000;

/** Of the job's time. A run that begins with less would count as a failure of the mailbox, which waited for others. */
const WORTH_SHARE = 8;

/** Ten thousand mailboxes of 300 bytes; more would not be read within a minute's job either. */
const MAX_MAILBOXES_BYTES = 16 * 1024 * 1024;

export interface FetchJobs {
  readonly ports: FetchPorts;
  /** One line of JSON. */
  log(line: string): void;
}

export interface Remaining {
  getRemainingTimeInMillis(): number;
}

/** Handles the records in turn (the queue's batch size is 1), all within the function's remaining time. */
export async function fetchJobs(
  jobs: FetchJobs,
  event: SQSEvent,
  context: Remaining,
): Promise<SQSBatchResponse> {
  const deadlineMs = jobs.ports.clock.now() + context.getRemainingTimeInMillis() - ANSWER_MS;
  const batchItemFailures: SQSBatchResponse['batchItemFailures'] = [];
  for (const record of event.Records) {
    if (!(await handled(jobs, record, deadlineMs))) {
      batchItemFailures.push({ itemIdentifier: record.messageId });
    }
  }
  return { batchItemFailures };
}

/** False: deliver it again. */
async function handled(jobs: FetchJobs, record: SQSRecord, deadlineMs: number): Promise<boolean> {
  const log = (entry: object) => jobs.log(JSON.stringify({ messageId: record.messageId, ...entry }));
  const job = parseJob(record.body);
  if ('problems' in job) {
    // Acknowledged: it stays malformed however often it comes, and in a FIFO queue it would hold its group until
    // it is given up. The log line is what an alarm watches.
    log({ level: 'error', message: 'malformed job', problems: job.problems });
    return true;
  }
  try {
    const { mailboxes, connectionsPerHost } = await mailboxesOf(jobs.ports, job, log);
    const reports = await runAll(jobs.ports, { job, mailboxes, connectionsPerHost, deadlineMs, log });
    for (const report of reports)
      log({ level: levelOf(report), message: 'run', bundle: job.bundle, ...report });
    return true;
  } catch (error) {
    if (error instanceof SettingsError) {
      // Acknowledged as well: a person must mend the document, and the next slot reads it again.
      log({ level: 'error', message: error.message, code: error.code, bundle: job.bundle });
      return true;
    }
    const message = error instanceof Error ? error.message : String(error);
    log({ level: 'error', message: `job failed: ${message}`, bundle: job.bundle });
    return false;
  }
}

type Log = (entry: object) => void;

/** Those of the job that are still configured and enabled, and that no later job has overtaken. */
async function mailboxesOf(
  ports: FetchPorts,
  job: Job,
  log: Log,
): Promise<Pick<Work, 'mailboxes' | 'connectionsPerHost'>> {
  const { mailboxes, connectionsPerHost } = await readMailboxes(ports);
  const all = new Map(mailboxes.map((mailbox) => [mailbox.id, mailbox]));
  const chosen: Mailbox[] = [];
  for (const id of new Set(job.mailboxes)) {
    const mailbox = all.get(id);
    const why = mailbox === undefined ? 'is not configured any more' : await whyNot(ports, job, mailbox);
    if (mailbox === undefined || why !== null) {
      log({ level: 'info', ...skipped(job, id, why) });
    } else {
      chosen.push(mailbox);
    }
  }
  return { mailboxes: chosen, connectionsPerHost };
}

function skipped({ bundle }: Job, mailbox: string, why: string | null): object {
  return { message: 'mailbox skipped', bundle, mailbox, why };
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

async function readMailboxes({ store }: FetchPorts): Promise<MailboxesDocument> {
  const read = await readJson(store, MAILBOXES_KEY, MAX_MAILBOXES_BYTES);
  const problem = read === null ? 'the bucket has no such object: no mailbox is configured' : read.problem;
  if (problem !== null) throw new SettingsError(MAILBOXES_KEY, [problem]);
  return parseMailboxesDocument(read?.value, MAILBOXES_KEY);
}

interface Work {
  readonly job: Job;
  readonly mailboxes: readonly Mailbox[];
  /** One function's; another bundle's may be under way beside it. */
  readonly connectionsPerHost: number;
  readonly deadlineMs: number;
  readonly log: Log;
}

/** Suspects come last and one mailbox at a time, for each must be alone in its process. */
async function runAll(ports: FetchPorts, work: Work): Promise<readonly RunReport[]> {
  const { job, mailboxes, deadlineMs } = work;
  const reports: RunReport[] = [];
  let suspected = mailboxes;
  if (!job.suspects) {
    const begunMs = ports.clock.now();
    reports.push(...(await runInTurn(ports, work)));
    // A suspect wants half a run for itself; with less time left, the next job tries it.
    const late = deadlineMs - ports.clock.now() < (deadlineMs - begunMs) / 2;
    const left = reports.filter(mayHaveSuspects).map(({ mailbox }) => mailbox);
    suspected = mailboxes.length === 1 || late ? [] : mailboxes.filter(({ id }) => left.includes(id));
  }
  for (const mailbox of suspected)
    reports.push(await runMailbox(mailbox, ports, { deadlineMs, suspects: 'only', honourBackOff: true }));
  return reports;
}

/** All at once, but for those that wait for others on their host. */
async function runInTurn(ports: FetchPorts, work: Work): Promise<readonly RunReport[]> {
  const { job, mailboxes, connectionsPerHost, deadlineMs, log } = work;
  const suspects = mailboxes.length === 1 ? 'after' : 'never';
  const lastMs = deadlineMs - (deadlineMs - ports.clock.now()) / WORTH_SHARE;
  const hosts = new Turns(connectionsPerHost);
  const inTurn = async (mailbox: Mailbox): Promise<readonly RunReport[]> => {
    const leave = await hosts.take(hostKey(mailbox));
    try {
      if (ports.clock.now() <= lastMs)
        return [await runMailbox(mailbox, ports, { deadlineMs, suspects, honourBackOff: true })];
      log({ level: 'info', ...skipped(job, mailbox.id, 'had no turn at its host within this job') });
      return [];
    } finally {
      leave();
    }
  };
  return (await Promise.all(mailboxes.map(inTurn))).flat();
}

function levelOf({ error, counts }: RunReport): 'info' | 'warn' | 'error' {
  if (error?.kind === 'person') return 'error';
  return error !== null || counts.failed > 0 ? 'warn' : 'info';
}
