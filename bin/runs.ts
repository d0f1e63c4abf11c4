/** Runs as the command makes them, once or on a schedule: beside one another, in turns at each host. */
import type { RunReport } from '../lib/fetch/report.ts';
import { type RunOptions, runMailbox } from '../lib/fetch/run.ts';
import { hostKey } from '../lib/fetch/turns.ts';
import type { Mailbox } from '../lib/mailbox/settings.ts';
import type { Call } from './commands/command.ts';
import { BESIDE, PATIENCE_MS } from './patience.ts';
import { Pool } from './pool.ts';

/** Mailboxes at work at once: enough to hide some slow servers, few enough for a laptop. Providers have their own limit. */
const MAILBOXES_AT_ONCE = 16;

export interface Task extends Required<Pick<RunOptions, 'suspects' | 'honourBackOff' | 'onProgress'>> {
  readonly mailbox: Mailbox;
}

/** Of all runs of one command. */
export function poolOf({ settings, ports }: Call): Pool<Mailbox> {
  return new Pool<Mailbox>(
    { all: MAILBOXES_AT_ONCE, perGroup: settings.connectionsPerHost, groupOf: hostKey },
    { ms: PATIENCE_MS, beside: BESIDE, after: ports.clock.after },
  );
}

/** Its time limit begins now, not when it began to wait for its turn. */
export function runOnce({ ports, signal, timeLimitMs }: Call, task: Task): Promise<RunReport> {
  const { mailbox, ...options } = task;
  return runMailbox(mailbox, ports, { ...options, deadlineMs: ports.clock.now() + timeLimitMs, signal });
}

/** Work is left, and the run got somewhere: another one goes on at once. */
export function goesOn({ outcome, counts, deletions }: RunReport): boolean {
  return outcome === 'more' && (counts.stored > 0 || deletions.committed > 0);
}
