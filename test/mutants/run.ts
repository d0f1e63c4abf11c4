/**
 * Tries every mutant, or those whose names are given, and prints who caught each: `node test/mutants/run.ts`. With
 * `--note` the seeds that caught them are written down, to be tried first from then on.
 * Exit 1: one was not caught. How to see one at work: MUTANT='its name' before the commands of chosen.ts and
 * namedTest.ts.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { MUTANTS, mutantNamed } from './all.ts';
import { CONTROLS } from './controls.ts';
import { misfits } from './fits.ts';
import { tableOf } from './table.ts';
import { NOTED, type Trial } from './trial.ts';
import { isAsExpected, tryAll } from './trials.ts';

const { values, positionals: names } = parseArgs({
  allowPositionals: true,
  options: { note: { type: 'boolean', default: false } },
});
const mutants = names.length === 0 ? [...CONTROLS, ...MUTANTS] : names.map(mutantNamed);
const stale = misfits(mutants);
for (const line of stale) console.error(line);
if (stale.length > 0) process.exit(2);
const trials = await tryAll(mutants);
console.log(tableOf(trials));
if (values.note) note(trials);
process.exit(trials.every(isAsExpected) ? 0 : 1);

function note(tried: readonly Trial[]): void {
  const before = JSON.parse(readFileSync(NOTED, 'utf8')) as Record<string, number>;
  const caught = tried.flatMap(({ mutant, seed }) =>
    seed === undefined ? [] : [[mutant.name, seed] as const],
  );
  const seeds = Object.entries({ ...before, ...Object.fromEntries(caught) });
  const named = new Set(MUTANTS.map(({ name }) => name));
  const sorted = seeds.filter(([name]) => named.has(name)).sort(([a], [b]) => (a < b ? -1 : 1));
  writeFileSync(NOTED, `${JSON.stringify(Object.fromEntries(sorted), null, 2)}\n`);
}
