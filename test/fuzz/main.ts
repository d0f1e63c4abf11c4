/**
 * Fuzzes the parsers: `node test/fuzz/main.ts [--seconds 60] [--target NAME]… [--seed N]`.
 *
 * The time is shared between the targets. Exit code 1: a finding, with the one command that shows it again.
 * `--executions N` ends each target by count in place of time, `--keep` makes what was reached the corpus,
 * `--replay FILE` runs one input of one target, `--patience S` is how long a single input may take, `--unguided` is
 * there to see what guidance is worth. Deterministic from seed and corpus, but for where time ends it.
 */
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { readCorpus, writeCorpus, writeInput } from './corpus.ts';
import { Coverage } from './coverage.ts';
import { distilled, errorOf, type Finding, fuzz, type Outcome } from './fuzzer.ts';
import { PLANTED } from './planted/all.ts';
import type { Target } from './target.ts';
import { TARGETS } from './targets/all.ts';
import { startWatchdog, type Watchdog } from './watchdog.ts';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    executions: { type: 'string' },
    target: { type: 'string', multiple: true },
    seed: { type: 'string', default: '1' },
    patience: { type: 'string', default: '30' },
    replay: { type: 'string' },
    keep: { type: 'boolean', default: false },
    unguided: { type: 'boolean', default: false },
  },
});

const ROOT = new URL('../../', import.meta.url).href;
const OURS = ['lib/', 'bin/', 'test/fuzz/planted/'].map((folder) => ROOT + folder);

/** Made with the first finding. */
const FINDINGS = join(tmpdir(), `fuzz-findings-${process.pid}`);

const targets = chosen(values.target);
process.exitCode = (await (values.replay === undefined ? fuzzAll() : replay(values.replay))) ? 0 : 1;

function chosen(names: readonly string[] | undefined): readonly Target[] {
  if (names === undefined) return TARGETS;
  const all = [...TARGETS, ...PLANTED];
  return names.map((name) => {
    const target = all.find((one) => one.name === name);
    if (target === undefined)
      throw new Error(`No target ${name}; there are ${all.map((one) => one.name).join(', ')}.`);
    return target;
  });
}

async function fuzzAll(): Promise<boolean> {
  for (const target of targets) {
    if (!(await fuzzOne(target))) return false;
  }
  return true;
}

async function fuzzOne(target: Target): Promise<boolean> {
  const startedMs = performance.now();
  const endMs = startedMs + (Number(values.seconds) * 1000) / targets.length;
  const most = values.executions === undefined ? Number.POSITIVE_INFINITY : Number(values.executions);
  const ended =
    values.executions === undefined ? () => performance.now() >= endMs : (count: number) => count >= most;
  const watchdog = watchdogFor(target);
  const coverage = new Coverage(isOurs);
  const seed = Number(values.seed);
  const corpus = values.unguided ? [] : readCorpus(target.name);
  const guided = !values.unguided;
  const outcome = await fuzz(target, { seed, corpus, coverage, ended, guided, note: watchdog.note });
  await watchdog.stop();
  report(target, outcome, { coverage, seconds: (performance.now() - startedMs) / 1000 });
  coverage.stop();
  if (outcome.finding !== null) tell(target, outcome.finding);
  else if (values.keep)
    writeCorpus(target.name, await distilled(target, [...outcome.corpus], new Coverage(isOurs)));
  return outcome.finding === null;
}

/** What the coverage is of: the engine, and the parsers that are wrong on purpose. */
function isOurs(url: string): boolean {
  return OURS.some((folder) => url.startsWith(folder));
}

function watchdogFor(target: Target): Watchdog {
  return startWatchdog({
    patienceMs: Number(values.patience) * 1000,
    folder: FINDINGS,
    words: `${target.name}: an input did not end within ${values.patience} s. ${again(target, '%s')}`,
  });
}

function report(
  target: Target,
  { executions, corpus, trace }: Outcome,
  { coverage, seconds }: { coverage: Coverage; seconds: number },
): void {
  const { ran, known } = coverage.total;
  console.log(
    `${target.name}: ${executions} executions in ${seconds.toFixed(1)} s, ${Math.round(executions / seconds)}/s, ` +
      `${ran} of ${known} blocks, corpus ${corpus.length}, seed ${values.seed}, trace ${trace.slice(0, 16)}`,
  );
}

function tell(target: Target, { input, error }: Finding): void {
  console.error(error);
  console.error(
    `${target.name}: a finding of ${input.length} bytes. ${again(target, writeInput(FINDINGS, input))}`,
  );
}

function again(target: Target, path: string): string {
  return `To see it again: node scripts/run.mjs test/fuzz/main.ts --target ${target.name} --replay ${path}`;
}

async function replay(path: string): Promise<boolean> {
  const [target] = targets;
  if (target === undefined || targets.length > 1) throw new Error('--replay wants one --target.');
  const input = readFileSync(path);
  const watchdog = watchdogFor(target);
  watchdog.note(input);
  const found = await errorOf(target, input);
  await watchdog.stop();
  if (found === null) console.log(`${target.name}: no finding in ${path}`);
  else console.error(found.error);
  return found === null;
}
