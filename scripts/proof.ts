/**
 * `npm run proof`: the long proofs, each far beyond what `npm test` has time for. Without arguments all of them; with
 * names of steps only those. `--keep` notes the figures in docs/proof.json, and makes docs/proof.md of it.
 */
import { execFileSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Tally } from '../test/proof/tally.ts';
import { installParts, type PartName } from './parts/install.ts';
import { GATES, runGate } from './proof/gates.ts';
import { type Book, type Kept, scoreboard } from './proof/scoreboard.ts';

const USAGE = `usage: npm run proof -- [STEP ...] [--seeds N] [--fuzz-seconds N] [--kills N] [--lanes N] [--seed TEXT] [--keep] [--row NAME [--trial N [--times N]]]
  --seeds   histories of the simulation (default: 100000)
  --fuzz-seconds   for all fuzzers together (default: 600)
  --kills   processes killed at random instants (default: 5000)
  --lanes   mailboxes disturbed side by side (default: one more than cores)
  --seed    decides who is killed when (default: a new one, which is printed)
  --keep    the figures go into docs/proof.json, and docs/proof.md is made of it
  --row     only this one; the table has their names
  --trial   only this trial of the row, as a failure names it, until it fails or was played --times`;

const given = readArguments();

function readArguments() {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        kills: { type: 'string', default: '5000' },
        lanes: { type: 'string', default: String(availableParallelism() + 1) },
        seed: { type: 'string', default: String(Date.now()) },
        seeds: { type: 'string', default: '100000' },
        'fuzz-seconds': { type: 'string', default: '600' },
        keep: { type: 'boolean', default: false },
        row: { type: 'string' },
        trial: { type: 'string' },
        times: { type: 'string', default: '1' },
      },
    });
    const { kills, lanes, times, trial, seeds, 'fuzz-seconds': fuzzSeconds, ...others } = values;
    return {
      ...others,
      steps: positionals,
      sizes: { seeds: wholeNumber('seeds', seeds), fuzzSeconds: wholeNumber('fuzz-seconds', fuzzSeconds) },
      kills: wholeNumber('kills', kills),
      lanes: wholeNumber('lanes', lanes),
      times: wholeNumber('times', times),
      trial: trial === undefined ? undefined : wholeNumber('trial', trial),
    };
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n${USAGE}`);
    process.exit(2);
  }
}

function wholeNumber(name: string, text: string): number {
  if (!/^\d+$/.test(text)) throw new Error(`--${name} must be a whole number, not "${text}".`);
  return Number(text);
}

interface Proven {
  readonly good: boolean;
  /** For the JSON file; null: the step came to none. */
  readonly figures: object | null;
}

interface ProofStep {
  readonly name: string;
  readonly what: string;
  readonly prove: () => Promise<Proven>;
}

const STEPS: readonly ProofStep[] = [
  ...GATES.map((gate) => ({ ...gate, prove: () => proveGate(gate) })),
  {
    name: 'processes',
    what: 'real processes killed at random instants',
    prove: proveProcesses,
  },
];

/** What the tests read when they are loaded. */
async function withParts(...more: readonly PartName[]): Promise<void> {
  const names = ['dovecot', 'versitygw', 'minio', 'aws-lambda-ric', ...more] as const;
  const { env, missing } = await installParts(names, console.log);
  Object.assign(process.env, env);
  for (const { name, reason } of missing) console.log(`SKIPPED, this machine lacks ${name}: ${reason}`);
}

async function proveGate(gate: (typeof GATES)[number]): Promise<Proven> {
  if (gate.name === 'large') await withParts();
  if (gate.name === 'stores') await withParts('ceph-rgw');
  return runGate(gate, given.sizes);
}

async function proveProcesses(): Promise<Proven> {
  await withParts();
  const { ROWS, lacking, nameOf } = await import('../test/proof/rows.ts');
  const { prove, replay } = await import('../test/proof/prove.ts');
  const { inWords, progressIn } = await import('../test/proof/words.ts');
  const rows = ROWS.filter((row) => lacking(row).length === 0 && (given.row ?? nameOf(row)) === nameOf(row));
  const [row] = rows;
  if (row === undefined) throw new Error(`no row to prove; there are: ${ROWS.map(nameOf).join('; ')}`);
  const { seed, kills, lanes, trial, times } = given;
  console.log(`seed ${seed}`);
  const begun = performance.now();
  const seconds = () => Math.round((performance.now() - begun) / 1000);
  const onProgress = (sum: Tally) => console.log(`${String(seconds()).padStart(6)} s  ${progressIn(sum)}`);
  const proof =
    trial === undefined
      ? await prove({ rows, seed, kills, lanes, onProgress })
      : await replay({ row, seed, first: trial }, times);
  const skipped = ROWS.filter((one) => lacking(one).length > 0).map(nameOf);
  console.log(`\n${inWords(proof)}`);
  console.log(`${seconds()} s, ${(proof.total.kills / Math.max(1, seconds())).toFixed(1)} kills a second`);
  return { good: proof.failures.length === 0, figures: { seed, seconds: seconds(), skipped, ...proof } };
}

const unknown = given.steps.filter((name) => !STEPS.some((step) => step.name === name));
if (unknown.length > 0) {
  console.error(
    `no step ${unknown.join(', ')}; there are: ${STEPS.map(({ name }) => name).join(', ')}\n${USAGE}`,
  );
  process.exit(2);
}
const kept: Record<string, Kept> = {};
let good = true;
for (const { name, what, prove } of STEPS) {
  if (given.steps.length > 0 && !given.steps.includes(name)) continue;
  console.log(`\n=== ${name}: ${what}`);
  // What the other steps found is kept.
  const proven = await prove().catch((error: unknown): Proven => {
    console.error(error instanceof Error ? error.message : error);
    return { good: false, figures: null };
  });
  good &&= proven.good;
  if (!proven.good) console.log(`--- ${name} FAILED`);
  // What was broken is among the figures, and is shown as it is.
  if (proven.figures !== null) kept[name] = keptOf(name, proven.figures);
}
if (given.keep) await keep(kept);
process.exit(good ? 0 : 1);

function keptOf(name: string, figures: object): Kept {
  const sizes: Readonly<Record<string, string>> = {
    simulation: ` --seeds ${given.sizes.seeds}`,
    fuzz: ` --fuzz-seconds ${given.sizes.fuzzSeconds}`,
    processes: ` --kills ${given.kills}`,
  };
  return {
    made: new Date().toISOString(),
    commit: execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim(),
    machine: `Node ${process.versions.node}, ${availableParallelism()} cores`,
    command: `npm run proof -- ${name}${sizes[name] ?? ''}`,
    figures,
  };
}

/** Steps that were not run now keep what they told last. */
async function keep(steps: Book): Promise<void> {
  const path = (name: string) => fileURLToPath(new URL(`../docs/${name}`, import.meta.url));
  const before = await readFile(path('proof.json'), 'utf8').then(
    (text) => JSON.parse(text) as Book,
    () => ({}),
  );
  const book: Book = { ...before, ...steps };
  await writeFile(path('proof.json'), `${JSON.stringify(book, null, 2)}\n`);
  await writeFile(path('proof.md'), scoreboard(book));
}
