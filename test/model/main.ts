/**
 * `node test/model/main.ts [name …]`: explores the scenarios and mutants of these names, or all of them; prints
 * both tables, the history to each violation of the protocol, and everything as JSON in the last line.
 * With `--trace`, the histories to what the mutants break too. Exits with 1 where the protocol or a mutant is not
 * as it should be.
 */
import { MUTANTS } from './mutants.ts';
import { SCENARIOS } from './scenarios.ts';
import { mutantRow, mutantTable, scenarioRow, scenarioTable, traceText } from './tables.ts';

const names = process.argv.slice(2).filter((one) => one !== '--trace');
const traces = process.argv.includes('--trace');
const chosen = ({ name }: { readonly name: string }) => names.length === 0 || names.includes(name);

const scenarios = SCENARIOS.filter(chosen).map(scenarioRow);
const mutants = MUTANTS.filter(chosen).map(mutantRow);
const wrong = scenarios.filter(({ violation }) => violation !== null);
const unlike = mutants.filter(({ violation, expected }) => (violation === null) !== (expected === null));

console.log(`${scenarioTable(scenarios)}\n\n${mutantTable(mutants)}\n`);
for (const row of wrong) console.log(`${row.scenario}: ${traceText(row)}\n`);
for (const row of traces ? mutants : []) console.log(`${row.mutant}, ${row.scenario}: ${traceText(row)}\n`);
for (const { mutant } of unlike) console.log(`${mutant}: not as the table of mutants says\n`);
console.log(JSON.stringify({ scenarios, mutants }));
process.exitCode = wrong.length + unlike.length === 0 ? 0 : 1;
