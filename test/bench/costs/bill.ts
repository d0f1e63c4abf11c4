/** Counted work to dollars. Pure: the same figures always come to the same table. */
import type { Measured } from './measure.ts';
import { GOALS, PRICES, type PriceName } from './prices.ts';
import { MEMORY_MB, type Work } from './stage.ts';

/** How much of each that has a price. */
type Amounts = Readonly<Partial<Record<PriceName, number>>>;

export interface Line {
  readonly what: string;
  readonly dollars: number;
}

const MONTH_MINUTES = 30 * 24 * 60;

/** Up to so many MB a function has so much of a processor (Lambda, "Configure Lambda function memory"). */
const WHOLE_CPU_MB = 1769;

/** What infra/ makes, and what powertools.ts writes: paid for, whatever goes on. */
export const FIXED = { alarms: 22, figures: 11, secretsFor: 1000, functionsAtOnce: 20 } as const;

/** Lambda asks each queue with five long polls of 20 s at a time, while nothing is there. */
const EMPTY_POLLS = 5 * 3 * MONTH_MINUTES;

/** An idle mailbox's head is written each four hours (lib/fetch/run.ts). */
const NOTED_A_MONTH = 30 * 6;

/** A process keeps a secret for five minutes. */
const SECRET_MINUTES = 5;

/** A function with less than a whole processor takes longer where it computes, and no longer where it waits. */
export function billedSeconds({ wallMs, cpuMs }: Work, memoryMb: number): number {
  const share = Math.min(1, memoryMb / WHOLE_CPU_MB);
  return (wallMs + cpuMs * (1 / share - 1)) / 1000;
}

function dollarsOf(amounts: Amounts): number {
  return Object.entries(amounts).reduce((sum, [name, amount]) => {
    const { dollars, per } = PRICES[name as PriceName];
    return sum + ((amount ?? 0) / per) * dollars;
  }, 0);
}

function line(what: string, amounts: Amounts): Line {
  return { what, dollars: dollarsOf(amounts) };
}

function time(work: Work, memoryMb: number, times: number): Amounts {
  const lambdaSeconds = billedSeconds(work, memoryMb) * (memoryMb / 1024) * times;
  return { lambdaSeconds, lambdaRequests: times };
}

/** Of `work`, `times` over. */
function requests(work: Work, times: number): readonly Line[] {
  const { s3Writes, s3Reads, events, logBytes } = work;
  return [
    line('S3: writes', { s3Writes: s3Writes * times }),
    line('S3: reads', { s3Reads: s3Reads * times }),
    line('EventBridge: events', { events: events * times }),
    line('CloudWatch: logs', { logBytes: logBytes * times }),
  ];
}

export interface Months {
  readonly mailboxes: number;
  readonly everyMinutes: number;
  /** The fetch function's, by the parameter `fetchMemory`. */
  readonly fetchMb?: number;
}

/** A month without new mail. */
export function monthLines(measured: Measured, given: Months): readonly Line[] {
  const { idle, dispatch, sizes } = measured;
  const { mailboxes, everyMinutes, fetchMb = MEMORY_MB.fetch } = given;
  const polls = (mailboxes * MONTH_MINUTES) / everyMinutes;
  const jobs = polls / (dispatch.mailboxes / dispatch.jobs);
  // A job's own reading of the settings, and a share of each mailbox.
  const perMailbox = jobs * (dispatch.mailboxes / dispatch.jobs / idle.mailboxes);
  // Dispatch reads and sends as many as there are.
  const share = mailboxes / sizes.mailboxes;
  const sends = dispatch.fifoCalls * share * (5 / everyMinutes) * MONTH_MINUTES;
  const atOnce = Math.min(FIXED.functionsAtOnce, Math.ceil(jobs / MONTH_MINUTES));
  const secrets = Math.ceil(mailboxes / FIXED.secretsFor);
  return [
    line('Lambda: fetch', time(idle, fetchMb, perMailbox)),
    line('Lambda: dispatch', time(scaled(dispatch, share), MEMORY_MB.dispatch, MONTH_MINUTES)),
    ...requests(idle, perMailbox).filter(({ dollars }) => dollars > 0),
    line('S3: the note of success of each mailbox', { s3Writes: mailboxes * NOTED_A_MONTH }),
    line('SQS: jobs', { fifoCalls: sends + 2 * jobs + EMPTY_POLLS, queueCalls: EMPTY_POLLS }),
    line('Secrets Manager', {
      secrets,
      secretReads: (atOnce * secrets * MONTH_MINUTES) / SECRET_MINUTES,
    }),
    line('Schedule, alarms and figures', {
      scheduled: MONTH_MINUTES,
      alarms: FIXED.alarms,
      figures: FIXED.figures,
    }),
  ];
}

/** Its time is that of reading the settings, which are as long as there are mailboxes. */
function scaled(work: Work, share: number): Work {
  return { ...work, wallMs: work.wallMs * share, cpuMs: work.cpuMs * share };
}

const MILLION = 1_000_000;

/** A million messages stored and announced: in a first import, or each in a job that would have been idle. */
export function millionLines(measured: Measured, how: 'bulk' | 'trickle'): readonly Line[] {
  const { bulk, trickle, idle, sizes } = measured;
  const times = how === 'bulk' ? MILLION / sizes.bulk : MILLION;
  const work = how === 'bulk' ? bulk : difference(trickle, idle);
  const lambda =
    how === 'bulk'
      ? time(work, MEMORY_MB.fetch, times)
      : { ...time(work, MEMORY_MB.fetch, times), lambdaRequests: 0 };
  return [line('Lambda: fetch', lambda), ...requests(work, times)];
}

/** A million messages made documents of: ten at a time, or one by one as they come. */
export function parsedLines({ parseTen, parseOne }: Measured, how: 'bulk' | 'trickle'): readonly Line[] {
  const [work, batch] = how === 'bulk' ? [parseTen, 10] : [parseOne, 1];
  const times = MILLION / batch;
  return [
    line('Lambda: parse', time(work, MEMORY_MB.parse, times)),
    ...requests(work, times),
    // Sent by the rule one by one; received and deleted in batches.
    line('SQS: messages to parse', { queueCalls: MILLION + 2 * times }),
  ];
}

function difference(one: Work, other: Work): Work {
  const less = (of: (work: Work) => number) => Math.max(0, of(one) - of(other));
  return {
    s3Writes: less(({ s3Writes }) => s3Writes),
    s3Reads: less(({ s3Reads }) => s3Reads),
    events: less(({ events }) => events),
    fifoCalls: less(({ fifoCalls }) => fifoCalls),
    secretReads: less(({ secretReads }) => secretReads),
    wallMs: less(({ wallMs }) => wallMs),
    cpuMs: less(({ cpuMs }) => cpuMs),
    logBytes: less(({ logBytes }) => logBytes),
  };
}

export function totalOf(lines: readonly Line[]): number {
  return lines.reduce((sum, { dollars }) => sum + dollars, 0);
}

/** In words, whether a goal is met; and what the money goes for where it is not. */
function against(goal: number, lines: readonly Line[]): string {
  const total = totalOf(lines);
  if (total <= goal) return `**met**: ${money(total)} of ${money(goal)}`;
  const most = lines.toSorted((one, other) => other.dollars - one.dollars).slice(0, 3);
  const words = most.map(({ what, dollars }) => `${what} ${money(dollars)}`).join(', ');
  return `**missed**: ${money(total)}, and ${money(goal)} were wanted; most goes for ${words}`;
}

function money(dollars: number): string {
  return dollars.toFixed(2);
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [head, head.map((_, at) => (at === 0 ? '---' : '---:')), ...rows];
  return all.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** Beside each other, by what they are for. */
function columns(...of: readonly (readonly Line[])[]): readonly (readonly string[])[] {
  const names = [...new Set(of.flat().map(({ what }) => what))];
  const cell = (lines: readonly Line[], what: string) =>
    money(totalOf(lines.filter((one) => one.what === what)));
  return [
    ...names.map((what) => [what, ...of.map((lines) => cell(lines, what))]),
    ['**all**', ...of.map((lines) => `**${money(totalOf(lines))}**`)],
  ];
}

/** Mail that comes over the day, one message at a time, and is parsed. */
const EXAMPLES = [
  { mailboxes: 10, messagesADay: 100 },
  { mailboxes: 100, messagesADay: 100 },
  { mailboxes: 1000, messagesADay: 10 },
  { mailboxes: 1000, messagesADay: 100 },
] as const;

/** The least that fetch is made for (functions/wiring.ts). It waits nearly all the time, and a first import takes twice as long. */
const QUICK_MB = 1024;

/** What docs/deploy.md has between its marks. */
export function billInWords(measured: Measured): string {
  const bulk = millionLines(measured, 'bulk');
  const trickle = millionLines(measured, 'trickle');
  const goalMonth = { mailboxes: 10_000, everyMinutes: 5 };
  const month = monthLines(measured, goalMonth);
  const quick = monthLines(measured, { ...goalMonth, fetchMb: QUICK_MB });
  const parsed = [parsedLines(measured, 'bulk'), parsedLines(measured, 'trickle')] as const;
  const examples = EXAMPLES.map(({ mailboxes, messagesADay }) => {
    const messages = (mailboxes * messagesADay * 30) / MILLION;
    const idle = totalOf(monthLines(measured, { mailboxes, everyMinutes: 5 }));
    const all = [idle, messages * totalOf(trickle), messages * totalOf(parsed[1])];
    const name = `${mailboxes.toLocaleString('en')} mailboxes, ${messagesADay} messages a day each`;
    return [name, ...all.map(money), money(all.reduce((sum, one) => sum + one, 0))];
  });
  return [
    table(['a million messages, $', 'bulk', 'one by one'], columns(bulk, trickle)),
    `Bulk, stored and announced: ${against(GOALS.bulkMillion, bulk)}.`,
    table(['a million messages parsed, $', 'ten a call', 'one by one'], columns(...parsed)),
    table(
      ['10,000 mailboxes, each 5 minutes, $ a month', 'as deployed', `fetchMemory=${QUICK_MB}`],
      columns(month, quick),
    ),
    `Without new mail: ${against(GOALS.monthOfTenThousand, month)}.`,
    `With \`fetchMemory=${QUICK_MB}\`: ${against(GOALS.monthOfTenThousand, quick)}.`,
    table(['each 5 minutes, $ a month', 'looking', 'storing and announcing', 'parsing', 'all'], examples),
  ].join('\n\n');
}
