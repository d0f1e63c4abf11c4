/**
 * Messages that were stored, from the queue, to documents. A record fails only where another delivery could help: a mail
 * that cannot be parsed is announced as that, and done with. What is malformed goes the way to the dead letters, where a
 * person sees it.
 */
import type { SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import { within } from '../lib/fetch/within.ts';
import { PARSE_MS, parseStored } from '../lib/parse/parseStored.ts';
import type { ParseClock, ParsePorts } from '../lib/parse/ports.ts';
import { StoreError } from '../lib/store/port.ts';
import type { Remaining } from './remaining.ts';
import { parseStoredEvent } from './storedEvent.ts';

/** Left for storing what was parsed, for logging and for answering. */
const ANSWER_MS = 10_000;

/** Left for answering alone: a function that is killed answers for none, and what it did counts as not done. */
const LAST_MS = 2_000;

export interface ParseJobs {
  readonly ports: ParsePorts;
  readonly clock: ParseClock;
  /** One line of JSON. */
  log(line: string): void;
}

/** Handles the records in turn: each has a process of its own, and they would only share the memory. */
export async function parseJobs(
  jobs: ParseJobs,
  event: SQSEvent,
  context: Remaining,
): Promise<SQSBatchResponse> {
  const batchItemFailures: SQSBatchResponse['batchItemFailures'] = [];
  for (const [at, record] of event.Records.entries()) {
    // A mail that is cut off by our own deadline would be blamed for it. The first one has all the time there is.
    const enough = at === 0 || context.getRemainingTimeInMillis() >= PARSE_MS + ANSWER_MS;
    if (!enough) log(jobs, record, { level: 'info', message: 'left for another delivery: no time' });
    const leftMs = context.getRemainingTimeInMillis() - LAST_MS;
    if (!enough || !(await inTime(jobs, record, leftMs))) {
      batchItemFailures.push({ itemIdentifier: record.messageId });
    }
  }
  return { batchItemFailures };
}

/** As `handled`. What a slow store or bus still holds when the time is up does no harm later: it would be done again. */
async function inTime(jobs: ParseJobs, record: SQSRecord, leftMs: number): Promise<boolean> {
  const done = await within(jobs.clock, Math.max(0, leftMs), () => handled(jobs, record));
  if (done !== 'late') return done;
  log(jobs, record, { level: 'error', message: 'left for another delivery: the time was up' });
  return false;
}

/** False: deliver it again. */
async function handled(jobs: ParseJobs, record: SQSRecord): Promise<boolean> {
  const event = parseStoredEvent(record.body);
  if ('problems' in event) {
    log(jobs, record, { level: 'error', message: 'not a Message Stored', problems: event.problems });
    return false;
  }
  const { mailbox, key, sha256, storedAt } = event;
  const facts = { mailbox, key };
  const { place } = jobs.ports.store;
  if (!('bucket' in place && event.bucket === place.bucket)) {
    log(jobs, record, { level: 'info', message: 'passed over: a message of another bucket', ...facts });
    return true;
  }
  try {
    const outcome = await parseStored({ mailbox, key, sha256, storedMs: Date.parse(storedAt) }, jobs.ports);
    if ('parsed' in outcome) log(jobs, record, { level: 'info', message: 'parsed', ...facts });
    else {
      const { code, reason } = outcome.unparsable;
      log(jobs, record, { level: 'warn', message: reason, code, ...facts });
    }
    return true;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const code = error instanceof StoreError ? error.code : undefined;
    log(jobs, record, { level: 'error', message: `not parsed: ${message}`, code, ...facts });
    return false;
  }
}

function log({ log: write }: ParseJobs, { messageId }: SQSRecord, entry: object): void {
  write(JSON.stringify({ messageId, ...entry }));
}
