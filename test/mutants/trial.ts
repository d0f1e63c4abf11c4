/** One mutant tried, in a process of its own. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Mutant, NamedTest, Outcome, Simulation } from './mutant.ts';

/** What a mutant may live through unseen; one that is not caught by then is a hole in the proof. */
export const SEEDS = 2_000;

/** Seeds are played in growing numbers at a time: most mutants fall within the first few. */
const FIRST_SEEDS = 20;
const MOST_SEEDS = 160;

export interface Trial {
  readonly mutant: Mutant;
  readonly outcome: Outcome;
  /** Oracle and seed, or the test; what went wrong, where the patch is broken. */
  readonly by: string;
  /** That it was caught at, by the simulation. */
  readonly seed?: number;
  readonly seconds: number;
}

/** One failing test. */
export interface Failed {
  readonly title: string;
  /** Name of the error's class. */
  readonly error: string;
  readonly words: string;
}

/** The last line of namedTest.ts. */
export interface NamedTestResult {
  readonly ran: number;
  readonly failed: readonly Failed[];
}

/** What is read of the last line of test/sim/main.ts. */
interface SimulationResult {
  readonly failed: readonly { readonly seed: number; readonly oracle: string; readonly words: string }[];
}

type Judgement = Pick<Trial, 'outcome' | 'by' | 'seed'>;

const root = fileURLToPath(new URL('../../', import.meta.url));

/** Errors of the language: a patch that does not fit its surroundings, and no promise. */
const SLIP = /^(TypeError|ReferenceError|SyntaxError|RangeError)$/;

/** The oracle of the simulation that tells of such errors. */
const UNEXPECTED = 'unexpected error';

/** Seeds that caught mutants the last time that all were tried (run.ts --note): tried first, before all others in turn. */
export const NOTED = fileURLToPath(new URL('noted.json', import.meta.url));
const noted = JSON.parse(readFileSync(NOTED, 'utf8')) as Readonly<Record<string, number>>;

export async function tryMutant(mutant: Mutant): Promise<Trial> {
  const begunMs = performance.now();
  const { caughtBy } = mutant;
  const judgement =
    'oracles' in caughtBy ? await simulated(mutant, caughtBy) : await tested(mutant, caughtBy);
  return { mutant, ...judgement, seconds: (performance.now() - begunMs) / 1000 };
}

async function simulated(mutant: Mutant, simulation: Simulation): Promise<Judgement> {
  const { oracles, seeds = SEEDS } = simulation;
  const seed = noted[mutant.name];
  const atOnce = seed === undefined ? null : await played(mutant, simulation, ['--seeds', String(seed)]);
  if (atOnce) return atOnce;
  let count = FIRST_SEEDS;
  for (let from = 1; from <= seeds; from += count) {
    if (from > 1) count = Math.min(count * 2, MOST_SEEDS);
    count = Math.min(count, seeds + 1 - from);
    const judgement = await played(mutant, simulation, ['--from', String(from), '--count', String(count)]);
    if (judgement) return judgement;
  }
  return {
    outcome: 'survived',
    by: `${seeds} seeds keep ${oracles === 'any' ? 'all promises' : oracles.join(', ')}`,
  };
}

/** Null: nothing of what must break broke in these seeds. */
async function played(
  mutant: Mutant,
  { oracles }: Simulation,
  seeds: readonly string[],
): Promise<Judgement | null> {
  const patch = ['--patch', 'test/mutants/chosen.ts#chosen'];
  const { lastLine, errors } = await run(mutant, ['test/sim/main.ts', ...seeds, ...patch]);
  const result = parsed<SimulationResult>(lastLine);
  if (result === null) return { outcome: 'broken', by: errors };
  const slip = result.failed.find(({ oracle }) => oracle === UNEXPECTED);
  if (slip) return { outcome: 'broken', by: told(slip) };
  const promise = result.failed.find(({ oracle }) => oracles === 'any' || oracles.includes(oracle));
  return promise ? { outcome: 'caught', by: told(promise), seed: promise.seed } : null;
}

function told({ words, seed }: SimulationResult['failed'][number]): string {
  return `${words} (seed ${seed})`;
}

async function tested(mutant: Mutant, { file, title }: NamedTest): Promise<Judgement> {
  const { lastLine, errors } = await run(mutant, ['test/mutants/namedTest.ts', file, title]);
  const result = parsed<NamedTestResult>(lastLine);
  if (result === null) return { outcome: 'broken', by: `${file}: ${errors}` };
  const { ran, failed } = result;
  const promise = failed.find(({ error, title: failing }) => failing !== file && !SLIP.test(error));
  if (promise) return { outcome: 'caught', by: `${file}: ${promise.title}` };
  const [slip] = failed;
  if (slip) return { outcome: 'broken', by: `${slip.title}: ${slip.error}: ${slip.words}` };
  if (ran === 0) return { outcome: 'broken', by: `${file}: no title there begins with "${title}"` };
  return { outcome: 'survived', by: `${file}: ${ran} tests pass` };
}

interface Ended {
  readonly lastLine: string;
  /** The end of what came on stderr. */
  readonly errors: string;
}

/** Node over a script of the tree, with the mutant named in its environment. */
function run(mutant: Mutant, args: readonly string[]): Promise<Ended> {
  const child = spawn(process.execPath, args, {
    cwd: root,
    env: { ...withoutVitest(process.env), MUTANT: mutant.name },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let errors = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors = (errors + text).slice(-2_000);
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', () => resolve({ lastLine: out.trimEnd().split('\n').at(-1) ?? '', errors }));
  });
}

/** Vitest tells its workers so by these; one that runs below such a worker must not take them for its own. */
function withoutVitest(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !/^(VITEST|TEST$|NODE_ENV$)/.test(name)));
}

function parsed<T>(line: string): T | null {
  try {
    return JSON.parse(line) as T;
  } catch {
    return null;
  }
}
