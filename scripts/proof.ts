/**
 * `npm run proof`: the long proofs, each far beyond what `npm test` has time for. Without arguments all of them; with
 * names of steps only those. `--json FILE` keeps the figures, from which docs/proof.md is made.
 */
import { writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import type { Tally } from '../test/proof/tally.ts';
import { installParts } from './parts/install.ts';

const USAGE = `usage: npm run proof -- [STEP ...] [--kills N] [--lanes N] [--seed TEXT] [--json FILE] [--row NAME [--trial N [--times N]]]
  --kills   processes killed at random instants (default: 5000)
  --lanes   mailboxes disturbed side by side (default: one more than cores)
  --seed    decides who is killed when (default: a new one, which is printed)
  --json    the figures, for docs/proof.md
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
        json: { type: 'string' },
        row: { type: 'string' },
        trial: { type: 'string' },
        times: { type: 'string', default: '1' },
      },
    });
    const { kills, lanes, times, trial, ...others } = values;
    return {
      ...others,
      steps: positionals,
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
  /** For the JSON file. */
  readonly figures: object;
}

interface ProofStep {
  readonly name: string;
  readonly what: string;
  readonly prove: () => Promise<Proven>;
}

const STEPS: readonly ProofStep[] = [
  {
    name: 'processes',
    what: 'real processes killed at random instants',
    prove: proveProcesses,
  },
];

async function proveProcesses(): Promise<Proven> {
  const { env, missing } = await installParts(
    ['dovecot', 'versitygw', 'minio', 'aws-lambda-ric'],
    console.log,
  );
  // What the tests read when they are loaded.
  Object.assign(process.env, env);
  const { ROWS, lacking, nameOf } = await import('../test/proof/rows.ts');
  const { prove, replay } = await import('../test/proof/prove.ts');
  const { inWords, progressIn } = await import('../test/proof/words.ts');
  for (const { name, reason } of missing) console.log(`SKIPPED, this machine lacks ${name}: ${reason}`);
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
const figures: Record<string, object> = {};
let good = true;
for (const { name, what, prove } of STEPS) {
  if (given.steps.length > 0 && !given.steps.includes(name)) continue;
  console.log(`\n=== ${name}: ${what}`);
  // What the other steps found is kept.
  const proven = await prove().catch((error: unknown): Proven => {
    console.error(error instanceof Error ? error.message : error);
    return { good: false, figures: { error: String(error) } };
  });
  figures[name] = proven.figures;
  good &&= proven.good;
}
if (given.json !== undefined) {
  const machine = { node: process.version, platform: process.platform, cores: availableParallelism() };
  const document = { made: new Date().toISOString(), machine, ...figures };
  await writeFile(given.json, `${JSON.stringify(document, null, 2)}\n`);
}
process.exit(good ? 0 : 1);
