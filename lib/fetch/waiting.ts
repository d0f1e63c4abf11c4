/** Whether a scheduled run leaves its mailbox alone. */
import { delayOf, renewableSecret, signInSettings, type Wait, waitOf } from '../mailbox/backOff.ts';
import type { Head } from '../mailbox/state.ts';
import type { Waiting } from './report.ts';
import type { RunOptions } from './run.ts';
import type { RunBegin } from './runContext.ts';
import { isRenewed } from './secretMark.ts';

/** Null: it is tried. 'renewed': before its time, since what was refused is another one by now. */
export async function mustWait(
  begin: RunBegin,
  head: Head,
  { suspects }: RunOptions,
): Promise<Waiting | 'renewed' | null> {
  const { mailbox, ports } = begin;
  const nowMs = ports.clock.now();
  const wait = waitOf(head, signInSettings(mailbox), nowMs);
  // Suspects come right behind their mailbox's own run, and would never get their turn if they kept to LOGIN-DELAY.
  const delay = suspects === 'only' ? null : delayOf(head, nowMs);
  if (wait === null || delay !== null) return inReport(wait ?? delay);
  return (await isTriedAnew(begin, head, nowMs)) ? 'renewed' : inReport(wait);
}

async function isTriedAnew(
  { mailbox, ports, deadline }: RunBegin,
  head: Head,
  nowMs: number,
): Promise<boolean> {
  const mark = renewableSecret(head, nowMs);
  return mark !== null && !deadline.aborted && (await isRenewed(mark, mailbox, ports.secrets));
}

function inReport(wait: Wait | null): Waiting | null {
  return wait && { until: new Date(wait.untilMs).toISOString(), code: wait.code, message: wait.message };
}
