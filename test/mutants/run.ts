/**
 * Tries every mutant, or those whose names are given, and prints who caught each: `node test/mutants/run.ts`.
 * Exit 1: one was not caught. How to see one at work: MUTANT='its name' before the commands of chosen.ts and
 * namedTest.ts.
 */
import { MUTANTS, mutantNamed } from './all.ts';
import { CONTROLS } from './controls.ts';
import { misfits } from './fits.ts';
import { tableOf } from './table.ts';
import { isAsExpected, tryAll } from './trials.ts';

const names = process.argv.slice(2);
const mutants = names.length === 0 ? [...CONTROLS, ...MUTANTS] : names.map(mutantNamed);
const stale = misfits(mutants);
for (const line of stale) console.error(line);
if (stale.length > 0) process.exit(2);
const trials = await tryAll(mutants);
console.log(tableOf(trials));
process.exit(trials.every(isAsExpected) ? 0 : 1);
