/** What a function says of one run: a line, and figures. */
import type { RunReport } from '../lib/fetch/report.ts';
import type { Mailbox } from '../lib/mailbox/settings.ts';
import type { Figure, Level, Telemetry } from './telemetry.ts';

export interface Told {
  readonly bundle: string;
  readonly mailbox: Pick<Mailbox, 'id' | 'user'>;
  readonly report: RunReport;
  readonly nowMs: number;
}

/** Of an idle run figures only, unless POWERTOOLS_LOG_LEVEL is DEBUG: a line for each poll would cost as much as its requests. */
export function tellRun({ log, count }: Telemetry, { bundle, mailbox, report, nowMs }: Told): void {
  log(levelOf(report), 'run', { bundle, ...withoutNames(report, mailbox) });
  for (const [figure, value] of figuresOf(report, nowMs)) count(figure, value);
}

/** One line for all mailboxes of a job that had nothing to tell. */
export function tellIdle({ log }: Telemetry, bundle: string, mailboxes: readonly string[]): void {
  if (mailboxes.length > 0) log('info', 'idle', { bundle, mailboxes });
}

/** Nothing was done, and nothing is to be said. */
export function isIdle({ outcome, counts, deletions, messages, notes, error }: RunReport): boolean {
  const done = counts.stored + counts.failed + deletions.requested;
  return outcome === 'done' && done === 0 && error === null && messages.length + notes.length === 0;
}

function levelOf(report: RunReport): Level {
  const { error, counts } = report;
  if (error?.kind === 'person') return 'error';
  if (error !== null || counts.failed > 0) return 'warn';
  return isIdle(report) ? 'debug' : 'info';
}

/** All of them each time, so that an alarm sees when it is over. */
export function figuresOf(
  { outcome, counts, deletions, bytesStored, error, waiting, standing }: RunReport,
  nowMs: number,
): readonly (readonly [Figure, number])[] {
  const isThrottled = [error?.code, waiting?.code].includes('E_POP3_THROTTLED');
  // What no state tells of, such as a state that cannot be read, was told to nobody yet.
  const isFailing = standing?.failing?.told ?? (standing === undefined && error?.kind === 'person');
  return [
    ['Runs', outcome === 'waiting' ? 0 : 1],
    ['RunsFailed', outcome === 'failed' ? 1 : 0],
    ['MessagesStored', counts.stored],
    ['BytesStored', bytesStored],
    ['MessagesDeleted', deletions.committed],
    ['MessagesSetAside', counts.setAside],
    ['MailboxesFailing', isFailing ? 1 : 0],
    ['Throttles', isThrottled ? 1 : 0],
    ...ageOf(outcome, standing, nowMs),
  ];
}

/** Of the last success. An idle mailbox notes it seldom, but the first failure behind it is noted at once. */
function ageOf(
  outcome: RunReport['outcome'],
  standing: RunReport['standing'],
  nowMs: number,
): readonly (readonly [Figure, number])[] {
  if (outcome === 'done') return [['OldestSuccessAgeSeconds', 0]];
  const sinceMs = standing && Math.max(standing.lastSuccessMs, standing.failing?.sinceMs ?? 0);
  return sinceMs ? [['OldestSuccessAgeSeconds', Math.max(0, (nowMs - sinceMs) / 1000)]] : [];
}

/** Anything that may be an address. */
const ADDRESS = /[^\s<>()[\],:;"'@]{1,64}@[^\s<>()[\],:;"']{1,255}/g;

/** Shorter ones are parts of words. */
const SHORTEST_NAME = 3;

/** A server repeats whom it refuses, and a log is read by more people than the mail. The mailbox's id may be its user. */
function withoutNames(report: RunReport, { id, user }: Told['mailbox']): RunReport {
  const isName = user !== id && user.length >= SHORTEST_NAME;
  const clean = (text: string) => {
    const known = text.replace(ADDRESS, '[address]');
    return isName ? known.replaceAll(user, '[user]') : known;
  };
  const { error, waiting, messages, notes } = report;
  return {
    ...report,
    messages: messages.map((one) => ({ ...one, message: clean(one.message) })),
    notes: notes.map(clean),
    error: error && { ...error, message: clean(error.message) },
    ...(waiting && { waiting: { ...waiting, message: clean(waiting.message) } }),
  };
}
