/** Many histories, in one process or in several, and what they came to. */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Told } from './history.ts';
import { Counts } from './ledger.ts';
import type { Failed } from './main.ts';

export interface Many {
  /** These and no others; null: `count` of them, `step` apart. */
  readonly named: readonly number[] | null;
  readonly from: number;
  readonly count: number;
  readonly step: number;
  readonly workers: number;
  readonly untilFailure: boolean;
  /** Arguments that every process and every replay needs. */
  readonly extras: readonly string[];
}

export interface ManyTold {
  readonly counts: Counts;
  readonly failed: Failed[];
  readonly seconds: number;
  readonly perSecond: number;
  /** Of all hashes: the same seeds give the same. */
  readonly hash: number;
}

/** What was killed is never settled, and never freed: 0.2 MB a history, so that 50,000 took a process to 10 GB. */
const MOST_IN_A_PROCESS = 4_000;

/** Failing seeds that are told of; the number of them tells the rest. */
const MOST_TOLD = 50;

const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url));

export async function many(live: (seed: number) => Promise<Told>, asked: Many): Promise<ManyTold> {
  const beganMs = performance.now();
  const parts =
    asked.workers > 1 ? (await Promise.all(shares(asked).map(inTurn))).flat() : [await inThis(live, asked)];
  const counts = new Counts();
  for (const part of parts) add(counts, part.counts);
  const failed = parts.flatMap((part) => part.failed).sort((one, other) => one.seed - other.seed);
  const hash = parts.reduce((sum, part) => (sum + part.hash) % 2 ** 32, 0);
  const seconds = (performance.now() - beganMs) / 1000;
  return { counts, failed, hash, seconds: round(seconds), perSecond: round(counts.seeds / seconds) };
}

type Part = Pick<ManyTold, 'counts' | 'failed' | 'hash'>;

async function inThis(live: (seed: number) => Promise<Told>, asked: Many): Promise<Part> {
  const counts = new Counts();
  const failed: Failed[] = [];
  let hash = 0;
  let playing = 0;
  // In an event handler it would be nobody's; the seed that was playing is to blame.
  process.on('unhandledRejection', (reason) => {
    const words = reason instanceof Error ? (reason.stack ?? reason.message) : String(reason);
    failed.push(failure(asked, playing, { oracle: 'unexpected error', words: `nobody handled: ${words}` }));
  });
  for (const seed of seedsOf(asked)) {
    playing = seed;
    const told = await live(seed);
    add(counts, told.counts);
    hash = (hash + told.hash) % 2 ** 32;
    const { violation } = told;
    if (violation && failed.length < MOST_TOLD)
      failed.push(failure(asked, seed, { oracle: violation.oracle, words: violation.message }));
    if (asked.untilFailure && failed.length > 0) break;
    if (seed % 8 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  return { counts, failed, hash };
}

function failure({ extras }: Many, seed: number, what: Pick<Failed, 'oracle' | 'words'>): Failed {
  const replay = [
    'node',
    'scripts/run.mjs',
    'test/sim/main.ts',
    '--seed',
    String(seed),
    '--trace',
    ...extras,
  ].join(' ');
  return { seed, ...what, replay };
}

function* seedsOf({ named, from, count, step }: Many): Generator<number> {
  if (named !== null) return yield* named;
  for (let nth = 0; nth < count; nth += 1) yield from + nth * step;
}

/** Dealt out in turn, so that each has its part of those that take long. */
function shares({ from, count, step, workers, ...rest }: Many): Many[] {
  return Array.from({ length: workers }, (_, nth) => ({
    ...rest,
    workers: 1,
    from: from + nth * step,
    count: Math.ceil((count - nth) / workers),
    step: step * workers,
  }));
}

/** One process after the other. */
async function inTurn(share: Many): Promise<ManyTold[]> {
  const told: ManyTold[] = [];
  for (let nth = 0; nth < share.count; nth += MOST_IN_A_PROCESS) {
    const count = Math.min(MOST_IN_A_PROCESS, share.count - nth);
    const part = await inChild({ ...share, from: share.from + nth * share.step, count });
    told.push(part);
    // A million take an hour: what fails is told when it does.
    for (const { seed, oracle, words } of part.failed) console.error(`seed ${seed}: ${oracle}: ${words}`);
    if (share.untilFailure && part.failed.length > 0) break;
  }
  return told;
}

/** Each child prints its own counts as JSON on its last line. */
function inChild({ from, count, step, untilFailure, extras }: Many): Promise<ManyTold> {
  const args = ['--from', String(from), '--count', String(count), '--step', String(step), ...extras];
  if (untilFailure) args.push('--until-failure');
  return new Promise((resolve, reject) => {
    const child = fork(MAIN, args, { silent: true, execArgv: ['--max-semi-space-size=16'] });
    let said = '';
    let complained = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    child.stderr?.on('data', (chunk: Buffer) => {
      complained += chunk.toString();
    });
    child.on('error', reject);
    child.on('close', (code) => {
      const last = said.trim().split('\n').at(-1) ?? '';
      if (code === 0 || (code === 1 && last.startsWith('{'))) resolve(JSON.parse(last) as ManyTold);
      else reject(new Error(`A process of the simulation ended with ${code}: ${complained}`));
    });
  });
}

function add(to: Counts, counts: Counts): void {
  for (const key of Object.keys(counts) as (keyof Counts)[]) to[key] += counts[key];
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
