/** `npm run check`: format, lint with layers, types and the unit suite; needs nothing but npm's packages. */
import { concluded, runSuite, runTools } from './steps.ts';
import { SUITES } from './suites.ts';

const steps = [...(await runTools())];
for (const suite of SUITES.filter(({ name }) => name === 'unit'))
  steps.push(await runSuite(suite, {}, false));
process.exit(concluded(steps, []));
