/**
 * `npm run costs`: what Mailferry costs on AWS, from counted requests, written lines and measured time of the functions as they
 * are deployed, against stand-ins with a meter before each. `--keep` notes the figures in docs/costs.json, and makes the tables
 * of docs/deploy.md of them.
 */
import { execFileSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { billInWords } from '../test/bench/costs/bill.ts';
import { withTables } from '../test/bench/costs/document.ts';
import { LATENCIES, measureCosts } from '../test/bench/costs/measure.ts';
import { installParts } from './parts/install.ts';

const USAGE = `usage: npm run costs -- [--keep]
  --keep   the figures go into docs/costs.json, and the tables into docs/deploy.md`;

function readArguments() {
  try {
    return parseArgs({ options: { keep: { type: 'boolean', default: false } } }).values;
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n${USAGE}`);
    process.exit(2);
  }
}

const given = readArguments();
const { env, missing } = await installParts(['versitygw', 'aws-lambda-ric'], console.log);
for (const { name, reason } of missing) console.log(`this machine lacks ${name}: ${reason}`);
if (missing.length > 0) process.exit(1);

const measured = await measureCosts({
  parts: { versitygw: env['MAILFERRY_VERSITYGW'] ?? '', ric: env['MAILFERRY_RIC'] ?? '' },
  sizes: { mailboxes: 10_000, bulk: 2000, octets: 20_000, repeats: 7 },
  latencies: LATENCIES,
  log: console.log,
});
console.log(`\n${billInWords(measured)}`);
if (given.keep) {
  const path = (name: string) => fileURLToPath(new URL(`../docs/${name}`, import.meta.url));
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim();
  const kept = { made: new Date().toISOString(), commit, ...measured };
  await writeFile(path('costs.json'), `${JSON.stringify(kept, null, 2)}\n`);
  await writeFile(path('deploy.md'), withTables(await readFile(path('deploy.md'), 'utf8'), measured));
}
