/**
 * Tests of one file over the mutant that MUTANT names, those whose titles begin with what is given:
 *
 *     MUTANT='redaction off' node test/mutants/namedTest.ts test/pop3/secrets.test.ts 'a password > is in no error'
 *
 * Vitest transforms modules itself, so that Node's hooks do not see them: the patches come in as a plugin of it.
 * The last line says as JSON what was run and what failed.
 */
import { fileURLToPath } from 'node:url';
import { startVitest, type TestCase } from 'vitest/node';
import { patched } from '../patches/patches.ts';
import { chosen } from './chosen.ts';
import type { Failed, NamedTestResult } from './trial.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

const mutation = {
  name: 'mutation',
  // Before types are stripped: the patches are of the source.
  enforce: 'pre' as const,
  transform(code: string, id: string) {
    return chosen.filter(({ file }) => id === root + file).reduce(patched, code);
  },
};

const [file = '', title = ''] = process.argv.slice(2);
const vitest = await startVitest(
  'test',
  [file],
  {
    root,
    config: false,
    watch: false,
    include: ['test/**/*.test.ts'],
    pool: 'forks',
    // It is kept by file and plugin, so that one mutant would be served another's modules.
    fsModuleCache: false,
    maxWorkers: 1,
    testNamePattern: new RegExp(`^${title.replace(/[^\w ]/g, '\\$&')}`),
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // One that says nothing.
    reporters: [{}],
  },
  { plugins: [mutation] },
);

const failed: Failed[] = [];
let ran = 0;
for (const module of vitest.state.getTestModules()) {
  for (const { name, message } of module.errors())
    failed.push({ title: file, error: name ?? '', words: message });
  for (const test of module.children.allTests()) look(test);
}
await vitest.close();
const result: NamedTestResult = { ran, failed };
console.log(JSON.stringify(result));

function look(test: TestCase): void {
  const { state, errors = [] } = test.result();
  if (state === 'passed' || state === 'failed') ran += 1;
  for (const { name, message } of errors)
    failed.push({ title: test.fullName, error: name ?? '', words: message });
}
