/** How long this machine takes for a run of this row: measured, so that instants fall over all of it. */
import { letter } from '../crash/mailForTrials.ts';
import type { Ground } from './ground.ts';
import type { Sign } from './plan.ts';

export interface Pace {
  /** From a process's start to its first connection. */
  readonly startMs: number;
  /** From a sign of life to the next (started) or to the end, as far as anybody knows. */
  leftMs(from: Sign, load: Load): number;
  /** A run that nobody disturbed took so long: the machine's other work comes and goes. */
  learn(load: Load, tookMs: number): void;
}

export interface Load {
  /** That are there to be stored or deleted. */
  readonly messages: number;
  /** Runs at once; they share the machine. */
  readonly company: number;
}

const MESSAGES = 12;

/** Of a run's time: instants reach a little beyond its end, as no two runs take equally long. */
const STRETCH = 1.1;

/** Each run beside it costs so much of its own time more: there are two cores. */
const COMPANY_SHARE = 0.4;

/** Of what is learned, against what was known. */
const LEARNED_SHARE = 0.3;

/** Also lets the store be probed, so that no trial's run has that on its way. */
export async function measurePace(ground: Ground, user: string): Promise<Pace> {
  await deliver(ground, user, MESSAGES);
  const { report, words } = await (await ground.startAtLeisure(user)).ended;
  if (report?.outcome !== 'done') throw new Error(`the first run: ${JSON.stringify(report)}\n${words}`);
  await deliver(ground, user, MESSAGES);
  const full = await timed(ground, user);
  const idle = await timed(ground, user);
  const each = Math.max(0, full.runMs - idle.runMs) / MESSAGES;
  const measured = ({ messages, company }: Load) =>
    (idle.runMs + each * messages) * (1 + COMPANY_SHARE * (company - 1));
  let factor = 1;
  return {
    startMs: full.startMs,
    leftMs(from, load) {
      if (from === 'started') return full.startMs;
      const signInMs = from === 'listing' ? Math.min(full.signInMs, idle.runMs) : 0;
      return (measured(load) - signInMs) * factor * STRETCH;
    },
    learn(load, tookMs) {
      factor += LEARNED_SHARE * (tookMs / measured(load) - factor);
    },
  };
}

async function deliver({ near }: Ground, user: string, messages: number): Promise<void> {
  const names = Array.from({ length: messages }, (_, index) => `${performance.now()}-${index}`);
  await near.put(
    user,
    names.map((name) => letter(name, 3000)),
  );
}

async function timed(ground: Ground, user: string) {
  const begunMs = performance.now();
  const process = await ground.start(user);
  const watched = ground.tap.watch(process.pid);
  const never = process.ended.then(({ words }) => Promise.reject(new Error(`it never got there: ${words}`)));
  never.catch(() => {});
  const timeOf = (sign: Promise<void>) => Promise.race([sign.then(() => performance.now()), never]);
  const connectedMs = await timeOf(watched.connected);
  const listingMs = await timeOf(watched.listing);
  await process.ended;
  watched.forget();
  return {
    startMs: connectedMs - begunMs,
    signInMs: listingMs - connectedMs,
    runMs: performance.now() - connectedMs,
  };
}
