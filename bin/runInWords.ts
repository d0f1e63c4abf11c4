import type { RunReport, Trouble } from '../lib/fetch/report.ts';
import { bytesInWords, countInWords, durationInWords, instantInWords } from './words.ts';

/** A run as a person reads it: what was there and what became of it, then everything that is not well. */
export function describeRun(report: RunReport): string {
  const isCut = report.outcome === 'more' && report.error === null;
  return [linesOf(report), ...(isCut ? ['  Some work is left: run the same command again.'] : [])].join('\n');
}

/** The same in one line, for a log. */
export function runInOneLine(report: RunReport): string {
  return linesOf(report)
    .split('\n')
    .map((line) => line.trim())
    .join(' | ');
}

function linesOf(report: RunReport): string {
  const { mailbox, counts, messages, notes, error, waiting } = report;
  if (waiting !== undefined) {
    const { message, code, until } = waiting;
    const told = message.replaceAll('\n', '\n    ');
    return `! ${mailbox}: not tried before ${instantInWords(Date.parse(until))}\n  ${told} (${code})`;
  }
  const hidden = counts.failed + counts.setAside - messages.length;
  return [
    `${mark(report)} ${mailbox}: ${summary(report)}`,
    ...deletions(report),
    ...(error === null ? [] : [troubleInWords(error)]),
    ...messages.map(({ uidl, ...trouble }) => `${troubleInWords(trouble)} [UIDL ${uidl}]`),
    ...(messages.length > 0 && hidden > 0 ? [`  … and ${countInWords(hidden, 'more message')}`] : []),
    ...notes.map((note) => `  note: ${note}`),
  ].join('\n');
}

/** The message has the mailbox, the server's words and the next step; the code is for searching. */
export function troubleInWords({ message, code, phase }: Trouble): string {
  return `  ${message.replaceAll('\n', '\n    ')} (${code}, ${phase})`;
}

function mark({ outcome, counts }: RunReport): string {
  if (outcome === 'failed') return '✗';
  return outcome === 'done' && counts.failed + counts.setAside === 0 ? '✓' : '!';
}

/** "12 messages listed: 10 stored (9.4 MB), 2 already stored; 3.1 s". The parts add up. */
function summary({ counts, bytesStored, durationMs, error }: RunReport): string {
  const took = durationInWords(durationMs);
  if (counts.listed === 0) return `${error === null ? 'no messages on the server' : 'failed'}; ${took}`;
  const parts = [
    [counts.stored, `stored (${bytesInWords(bytesStored)})`],
    [counts.alreadyStored, 'already stored'],
    [counts.skipped, 'skipped'],
    [counts.setAside, 'set aside'],
    [counts.failed, 'failed'],
    [counts.notReached, 'not reached'],
  ] as const;
  const said = parts
    .filter(([count]) => count > 0)
    .map(([count, what]) => `${count.toLocaleString('en-US')} ${what}`)
    .join(', ');
  return `${countInWords(counts.listed, 'message')} listed: ${said}; ${took}`;
}

function deletions({ deletions: { requested, committed } }: RunReport): string[] {
  if (requested === 0) return [];
  const open = requested - committed;
  const doubt =
    open === 0 ? '' : `; ${countInWords(open, 'deletion')} not confirmed by the server, the next run looks`;
  return [`  ${countInWords(committed, 'message')} deleted from the server${doubt}`];
}
