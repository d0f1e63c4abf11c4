/** Runs over a mailbox under trial: started, waited for, and met at an instant. */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Seen } from '../real/endsLedger.ts';
import { checked, type Trial, toDo } from './looking.ts';
import type { Load } from './pace.ts';
import type { Said } from './phases.ts';
import type { Instant } from './plan.ts';
import type { Process } from './programs.ts';
import type { Watched } from './tap.ts';

/** A run ends by its deadline; a busy machine takes longer to notice. */
const OVERDUE_MS = 30_000;

export interface Run extends Process {
  readonly watched: Watched;
  readonly startedMs: number;
  connectedMs: number | undefined;
  over: boolean;
}

export async function start(trial: Trial): Promise<Run> {
  const { ground, user, tally } = trial;
  tally.runs += 1;
  const startedMs = performance.now();
  const process = await ground.start(user);
  const watched = ground.tap.watch(process.pid);
  const run: Run = { ...process, watched, startedMs, connectedMs: undefined, over: false };
  void watched.connected.then(() => {
    run.connectedMs = performance.now();
  });
  void process.ended.then(() => {
    run.over = true;
    watched.forget();
  });
  return run;
}

/** Rejects if it does not come to its end. */
export async function ended(trial: Trial, run: Run): Promise<void> {
  const overdue = new AbortController();
  const late = sleep(OVERDUE_MS, undefined, { signal: overdue.signal }).then(() => {
    throw new Error(`a run goes on ${OVERDUE_MS} ms after everything that was to happen to it`);
  });
  // Not waited for any more once the run has ended.
  late.catch(() => {});
  const { killed, report, words } = await Promise.race([run.ended, late]).finally(() => overdue.abort());
  if (!killed) trial.story.push(`a run: ${report ? JSON.stringify(report) : words}`);
}

export interface Appointment {
  readonly instant: Instant;
  readonly load: Load;
}

/** Waits for the instant; whether the run still goes on then. */
export async function reached({ pace }: Trial, run: Run, { instant, load }: Appointment): Promise<boolean> {
  const { from, at } = instant;
  if (from !== 'started') await Promise.race([run.watched[from], run.ended]);
  await Promise.race([sleep(at * pace.leftMs(from, load)), run.ended]);
  return !run.over;
}

/** False where the process has ended: the number is looked up first, lest it be another's by now, or nobody's. */
export function signalled({ pid }: Run, signal: NodeJS.Signals): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // "pid (name) state ppid …"
    const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
    return parent === process.pid && process.kill(pid, signal);
  } catch {
    return false;
  }
}

export function saidBy({ connectedMs, watched }: Run): Said {
  return { connected: connectedMs !== undefined, verbs: [...watched.verbs] };
}

/** Runs that nobody disturbs. */
export async function together(trial: Trial, before: Seen, company: number): Promise<Seen> {
  const load = { messages: toDo(trial, before), company };
  const runs = await Promise.all(Array.from({ length: company }, () => start(trial)));
  await Promise.all(
    runs.map(async (run) => {
      await ended(trial, run);
      if (run.connectedMs !== undefined) trial.pace.learn(load, performance.now() - run.connectedMs);
    }),
  );
  return checked(trial);
}
