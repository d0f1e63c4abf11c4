/**
 * `npm test`: proves the tree. Without arguments all of it; with names of suites only those. What a suite needs is
 * installed while the quick ones run. The last line is the count.
 */
import { installParts } from './parts/install.ts';
import { concluded, runSuite, runTools, type Step } from './steps.ts';
import { SUITES } from './suites.ts';

const names = process.argv.slice(2);
const unknown = names.filter((name) => !SUITES.some((suite) => suite.name === name));
if (unknown.length > 0) {
  console.error(`no suite ${unknown.join(', ')}; there are: ${SUITES.map(({ name }) => name).join(', ')}`);
  process.exit(2);
}
const chosen = names.length === 0 ? SUITES : SUITES.filter(({ name }) => names.includes(name));

const installing = installParts([...new Set(chosen.flatMap(({ needs }) => needs))], console.log);
const steps: Step[] = names.length === 0 ? [...(await runTools())] : [];
for (const suite of chosen) {
  const parts = suite.needs.length === 0 ? { env: {}, missing: [] } : await installing;
  const excused = parts.missing.some(({ name }) => suite.needs.includes(name));
  steps.push(await runSuite(suite, parts.env, excused));
}
process.exit(
  concluded(
    steps,
    (await installing).missing.map(({ name, reason }) => `${name}: ${reason}`),
  ),
);
