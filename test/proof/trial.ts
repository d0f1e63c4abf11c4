/** One mailbox, from its first mail until nothing is left to do: killed again and again, and looked at after each kill. */
import { setTimeout as sleep } from 'node:timers/promises';
import { letter } from '../crash/mailForTrials.ts';
import type { Seen } from '../real/endsLedger.ts';
import { checked, type Trial, toDo, undone } from './looking.ts';
import { phaseOf, type Said } from './phases.ts';
import type { Plan, Step, Victim } from './plan.ts';
import { RUN_SECONDS } from './programs.ts';
import { ended, type Run, reached, saidBy, signalled, start, together } from './runs.ts';

/** Undisturbed runs until a mailbox is done with: one does it all, if it has the time. */
const CLOSING_RUNS = 4;

/** Rejects with the first promise that was broken. */
export async function disturb(trial: Trial, plan: Plan): Promise<void> {
  const mail = await recorded(trial, plan);
  await deliver(trial, mail.splice(0, plan.mail.length));
  for (const step of plan.steps) {
    if (trial.enough()) break;
    await deliver(trial, mail.splice(0, step.arriving.length));
    await (step.victim === 'zombie' ? haunted(trial, step) : struck(trial, step));
  }
  await close(trial);
}

interface Mail {
  readonly put: Buffer;
  /** What RETR gives of it. */
  readonly given: Buffer;
}

/** All mail of a plan as a reader that is not ours gets it, from a mailbox that nobody else touches. */
async function recorded({ ground, user, twin }: Trial, { mail, steps }: Plan): Promise<Mail[]> {
  const sizes = [...mail, ...steps.flatMap(({ arriving }) => arriving)];
  const letters = sizes.map((bytes, index) => letter(`${user}-${index}`, bytes));
  const names = await ground.near.put(twin, letters);
  const oracle = await ground.record(twin);
  return letters.map((put, index) => {
    const given = oracle.get(names[index] ?? '');
    if (given === undefined) throw new Error(`the server does not list ${names[index]}`);
    return { put, given };
  });
}

async function deliver({ ground, user, oracle, tally }: Trial, mail: readonly Mail[]): Promise<void> {
  const put = mail.map((one) => one.put);
  tally.messages += mail.length;
  tally.octets += mail.reduce((sum, { given }) => sum + given.length, 0);
  const names = await ground.near.put(user, put);
  for (const [index, name] of names.entries()) oracle.set(name, mail[index]!.given);
}

/** Runs at once, of which one or more, or their server, are killed. */
async function struck(trial: Trial, step: Step): Promise<void> {
  const { tally } = trial;
  const before = await checked(trial);
  const load = { messages: toDo(trial, before), company: step.runs.length };
  const runs = await Promise.all(step.runs.map(() => start(trial)));
  const strikes = step.runs.map(async (instant, index) => {
    const run = runs[index];
    if (instant === null || run === undefined) return;
    if (!(await reached(trial, run, { instant, load }))) {
      tally.late += 1;
      return;
    }
    const said = saidBy(run);
    const count = await kill(trial, step.victim, run);
    tally.kills += count;
    if (step.victim === 'client') tally.company[step.runs.length as 1 | 2 | 3] += count;
    if (count > 0) await placed(trial, { victim: step.victim, count, said, before });
  });
  const outcomes = await Promise.allSettled(strikes);
  // What went wrong is told once nobody changes the ground any more.
  await Promise.all(runs.map((run) => ended(trial, run)));
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
  await checked(trial);
}

/** How many processes. Of a server it returns only when that serves again. */
async function kill({ ground: { near, store }, user }: Trial, victim: Victim, run: Run): Promise<number> {
  if (victim === 'client') {
    if (!signalled(run, 'SIGKILL')) return 0;
    await run.ended;
    return 1;
  }
  if (victim === 'session') return near.killPop3(user);
  const server = victim === 'store' ? store : near;
  await server?.kill();
  await server?.restart();
  return 1;
}

interface Placed {
  readonly victim: Victim;
  /** Processes. */
  readonly count: number;
  readonly said: Said;
  readonly before: Seen;
}

/** Looks at once, though others may go on, and notes who was struck in which phase. */
async function placed(trial: Trial, { victim, count, said, before }: Placed): Promise<void> {
  const seen = await checked(trial);
  const phase = phaseOf(said, {
    objects: seen.objects.size - before.objects.size,
    events: seen.events.length - before.events.length,
  });
  trial.tally.victims[victim] += count;
  trial.tally.phases[phase] += count;
  trial.story.push(`${victim} in ${phase}, after ${said.verbs.join(' ') || 'nothing'}`);
}

/** A run is stopped, others do what there is to do, and then it goes on from where it was. */
async function haunted(trial: Trial, step: Step): Promise<void> {
  const before = await checked(trial);
  const zombie = await start(trial);
  const load = { messages: toDo(trial, before), company: 1 };
  const [instant] = step.runs;
  if (!instant || !(await reached(trial, zombie, { instant, load }))) {
    trial.tally.late += 1;
    await ended(trial, zombie);
    return;
  }
  if (!signalled(zombie, 'SIGSTOP')) return void (await ended(trial, zombie));
  try {
    const said = saidBy(zombie);
    await placed(trial, { victim: 'zombie', count: 1, said, before });
    const after = await together(trial, before, step.runs.length);
    // One that was stopped before it began has its whole time yet.
    if (step.beyond && said.connected) {
      trial.tally.beyond += 1;
      await sleep(Math.max(0, zombie.startedMs + pastMs(trial) - performance.now()));
      await together(trial, after, 1);
    }
  } finally {
    signalled(zombie, 'SIGCONT');
  }
  await ended(trial, zombie);
  await checked(trial);
}

/** After a run's start its deadline is over. */
function pastMs({ pace }: Trial): number {
  return pace.startMs + RUN_SECONDS * 1000;
}

/** Runs that nobody disturbs, until all is stored, announced and, where the policy says so, gone from the server. */
async function close(trial: Trial): Promise<void> {
  let seen = await checked(trial);
  for (let runs = 0; runs < CLOSING_RUNS; runs += 1) {
    seen = await together(trial, seen, 1);
    if (undone(trial, seen).length === 0) return;
  }
  throw new Error(`after ${CLOSING_RUNS} undisturbed runs:\n${undone(trial, seen).join('\n')}`);
}
