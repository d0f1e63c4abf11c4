import { unheededNotes } from '../../lib/fetch/heeding.ts';
import { setAsideOf } from '../../lib/mailbox/failures.ts';
import { loadHead } from '../../lib/mailbox/head.ts';
import { openIntents } from '../../lib/mailbox/intents.ts';
import { type Head, recordCount, seedCount, type TooLarge } from '../../lib/mailbox/state.ts';
import { tooLargeOf } from '../../lib/mailbox/tooLarge.ts';
import { pausedUntilMs } from '../../lib/mailbox/unheeded.ts';
import { EXIT, type ExitCode, worst } from '../exitCodes.ts';
import { countInWords, instantInWords, table } from '../words.ts';
import type { Call } from './command.ts';
import { stateTrouble } from './stateTrouble.ts';

/** Rows of set-aside messages that a person reads; --json has them all. */
const ROWS_SHOWN = 100;

/** What the store knows of each mailbox; no server is asked. */
export async function statusCommand(call: Call): Promise<ExitCode> {
  const codes: ExitCode[] = [];
  for (const { id } of call.mailboxes) codes.push(await statusOf(call, id));
  return worst(codes);
}

async function statusOf(call: Call, id: string): Promise<ExitCode> {
  const { ports, terminal, json } = call;
  try {
    const { head, version } = await loadHead(ports.store, id);
    if (json) terminal.json(statusJson(head, version !== null, ports.clock.now()));
    else terminal.out(version === null ? `${id}: never fetched` : statusInWords(head, ports.clock.now()));
    return EXIT.done;
  } catch (error) {
    return stateTrouble(call, id, error);
  }
}

/** Dates as ISO 8601, or null: never. */
function statusJson(head: Head, fetched: boolean, nowMs: number): object {
  const instant = (ms: number | null) => (ms === null || ms === 0 ? null : new Date(ms).toISOString());
  return {
    mailbox: head.mailbox,
    fetched,
    lastSuccess: instant(head.lastSuccessMs),
    lastAttempt: instant(head.lastAttemptMs),
    records: recordCount(head),
    start: head.start && {
      choice: head.start.choice,
      at: instant(head.start.atMs),
      leftAlone: seedCount(head),
    },
    openIntents: openIntents(head).length,
    setAside: setAsideOf(head).map(({ uidl, size, attempts, code, message, setAsideMs, retryMs }) => ({
      uidl,
      size,
      attempts,
      code,
      reason: message,
      since: instant(setAsideMs),
      retry: instant(retryMs),
    })),
    tooLarge: tooLargeOf(head).map(({ uidl, size, atLeast, sinceMs }) => ({
      uidl,
      size,
      atLeast,
      since: instant(sinceMs),
    })),
    deletesAskedAgain: instant(pausedUntilMs(head.unheeded, nowMs)),
    backOff: head.backOff && {
      failures: head.backOff.failures,
      since: instant(head.backOff.sinceMs),
      until: instant(head.backOff.untilMs),
      code: head.backOff.code,
      message: head.backOff.message,
    },
  };
}

function statusInWords(head: Head, nowMs: number): string {
  const { mailbox, lastSuccessMs, backOff, start } = head;
  const open = openIntents(head).length;
  const setAside = setAsideOf(head);
  const large = tooLargeOf(head);
  const lines = [
    `${mailbox}: ${countInWords(recordCount(head), 'message')} on record; last success ${lastSuccessMs === 0 ? 'never' : instantInWords(lastSuccessMs)}`,
  ];
  if (start !== undefined) {
    const left = countInWords(seedCount(head), 'message');
    lines.push(`  began with ${start.choice} on ${instantInWords(start.atMs)}: ${left} left alone`);
  }
  if (open > 0) {
    lines.push(
      `  ${countInWords(open, 'message')} begun and not finished: a run is under way, or was cut off`,
    );
  }
  for (const note of unheededNotes(head.unheeded, nowMs)) lines.push(`  ${note}`);
  if (backOff !== null) {
    const until = backOff.untilMs > nowMs ? `, tried again from ${instantInWords(backOff.untilMs)}` : '';
    lines.push(
      `  failing since ${instantInWords(backOff.sinceMs)}, ${countInWords(backOff.failures, 'time')} in a row${until}`,
      `    ${backOff.message} (${backOff.code})`,
    );
  }
  if (setAside.length > 0) {
    lines.push(
      `  ${countInWords(setAside.length, 'message')} set aside, left on the server:`,
      setAsideTable(setAside),
      ...more(setAside.length),
    );
  }
  if (large.length > 0)
    lines.push(
      `  ${countInWords(large.length, 'message')} larger than the limit, left on the server:`,
      tooLargeTable(large),
      ...more(large.length),
    );
  return lines.join('\n');
}

function more(rows: number): string[] {
  if (rows <= ROWS_SHOWN) return [];
  return [`    … and ${(rows - ROWS_SHOWN).toLocaleString('en-US')} more: --json has them all`];
}

function tooLargeTable(large: readonly TooLarge[]): string {
  const rows = large
    .slice(0, ROWS_SHOWN)
    .map(({ uidl, size, atLeast, sinceMs }) => [
      uidl,
      size === atLeast ? String(size) : `more than ${atLeast - 1}`,
      instantInWords(sinceMs),
    ]);
  return table(['uidl', 'octets', 'since'], rows).replace(/^/gm, '    ');
}

function setAsideTable(setAside: Head['failures']): string {
  const rows = setAside
    .slice(0, ROWS_SHOWN)
    .map(({ uidl, size, attempts, setAsideMs, retryMs, message, code }) => [
      uidl,
      size === null ? '' : String(size),
      String(attempts),
      setAsideMs === null ? '' : instantInWords(setAsideMs),
      instantInWords(retryMs),
      `${message} (${code})`,
    ]);
  return table(['uidl', 'octets', 'attempts', 'since', 'next try', 'reason'], rows).replace(/^/gm, '    ');
}
