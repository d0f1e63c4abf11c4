/**
 * When a mailbox is due: a pure function of its settings and the minute, so that whoever asks needs no memory of who asked
 * before. The command's `watch` and the scheduled function ask the same one.
 *
 * Slots are whole minutes since 1970 in UTC, which no change to or from summer time repeats or leaves out. Every `every`
 * slots one is due, for ever on the same grid: nothing that runs late moves it.
 */
import { createHash } from 'node:crypto';
import type { Mailbox } from './settings.ts';

export type Scheduled = Pick<Mailbox, 'id' | 'every' | 'enabled'>;

const MINUTE_MS = 60_000;

/** Slots behind the present one that are made up for: FIFO queues drop a repeat for five minutes, so a slot told again within four is one job. */
export const LOOK_BACK_SLOTS = 4;

const MINUTES: Readonly<Record<string, number>> = { m: 1, h: 60, d: 1440 };

/** "5m", "2h", "1d" in minutes; NaN for anything else. */
export function minutesOf(every: string): number {
  const [, count, unit] = /^(\d{1,4})([mhd])$/.exec(every) ?? [];
  return Number(count) * (MINUTES[unit ?? ''] ?? Number.NaN);
}

export function slotOf(ms: number): number {
  return Math.floor(ms / MINUTE_MS);
}

/**
 * Whether the mailbox is to be fetched in this slot. Mailboxes of one interval are spread over its slots by a hash of
 * `spreadBy`: the mailbox's id, or what several are fetched together by.
 */
export function due(mailbox: Scheduled, slot: number, spreadBy = mailbox.id): boolean {
  return latestDue(mailbox, slot, { lookBack: 0, spreadBy }) !== null;
}

export interface LookBack {
  /** How many slots before `slot` count too. */
  readonly lookBack?: number;
  readonly spreadBy?: string;
}

/** The latest slot up to this one in which the mailbox was due; null: none within the look-back. Two asked about one slot give one answer. */
export function latestDue(mailbox: Scheduled, slot: number, options: LookBack = {}): number | null {
  const { lookBack = LOOK_BACK_SLOTS, spreadBy = mailbox.id } = options;
  if (!mailbox.enabled) return null;
  const grid = gridOf(mailbox, spreadBy);
  const latest = slotOfPeriod(grid, periodOf(grid, slot));
  return latest >= slot - lookBack ? latest : null;
}

/** When a living process begins next, in epoch milliseconds after `afterMs`: within its slot, too, each has a moment of its own. */
export function nextBeginMs(mailbox: Scheduled, afterMs: number): number {
  const grid = gridOf(mailbox, mailbox.id);
  return slotOfPeriod(grid, beginsUntil(grid, afterMs) + 1) * MINUTE_MS + grid.offsetMs;
}

/** How many such moments there are after `fromMs` and up to `untilMs`. */
export function beginsBetween(mailbox: Scheduled, fromMs: number, untilMs: number): number {
  const grid = gridOf(mailbox, mailbox.id);
  return Math.max(0, beginsUntil(grid, untilMs) - beginsUntil(grid, fromMs));
}

interface Grid {
  readonly minutes: number;
  /** The slot of period 0. */
  readonly phase: number;
  readonly offsetMs: number;
}

function gridOf({ every }: Scheduled, spreadBy: string): Grid {
  const minutes = minutesOf(every);
  const hash = createHash('sha256').update(spreadBy).digest();
  return { minutes, phase: hash.readUIntBE(0, 6) % minutes, offsetMs: hash.readUInt32BE(6) % MINUTE_MS };
}

function periodOf({ minutes, phase }: Grid, slot: number): number {
  return Math.floor((slot - phase) / minutes);
}

function slotOfPeriod({ minutes, phase }: Grid, period: number): number {
  return period * minutes + phase;
}

/** The period that has begun last. */
function beginsUntil(grid: Grid, ms: number): number {
  return periodOf(grid, slotOf(ms - grid.offsetMs));
}
