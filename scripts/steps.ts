/** The steps of `npm test` and `npm run check`: tools and suites run in turn, and what they add up to. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Suite } from './suites.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const bin = join(root, 'node_modules', '.bin');

export interface Count {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

export interface Step extends Count {
  readonly name: string;
  readonly minutes: number;
  /** Why it failed, where no test of its own says so. */
  readonly problem?: string;
}

/** Each is one check: it passes or fails as a whole. */
const TOOLS = [
  { name: 'format, lint, layers', command: [join(bin, 'biome'), 'check', '--error-on-warnings', '.'] },
  { name: 'types', command: [join(bin, 'tsc'), '-p', '.'] },
] as const;

export async function runTools(): Promise<readonly Step[]> {
  const steps: Step[] = [];
  for (const { name, command } of TOOLS) {
    const begun = performance.now();
    const code = await run(command, {});
    const count = { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, skipped: 0 };
    steps.push(said({ name, minutes: minutesSince(begun), ...count }));
  }
  return steps;
}

/** The fields of Vitest's JSON report that are counted. */
interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
}

/** `env` has the paths of the parts that are there; `excused`: one is missing, so that no test may have run. */
export async function runSuite(
  suite: Suite,
  env: Readonly<Record<string, string>>,
  excused: boolean,
): Promise<Step> {
  const begun = performance.now();
  const folder = await mkdtemp(join(tmpdir(), 'mailferry-report-'));
  const file = join(folder, 'report.json');
  console.log(`\n=== ${suite.name}: ${suite.what}`);
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`];
  const code = await run([join(bin, 'vitest'), 'run', '--project', suite.name, ...reporters], env);
  const report = await readFile(file, 'utf8').then(
    (text) => JSON.parse(text) as Report,
    () => undefined,
  );
  await rm(folder, { recursive: true, force: true });
  const counted = {
    passed: report?.numPassedTests ?? 0,
    failed: report?.numFailedTests ?? 0,
    skipped: (report?.numPendingTests ?? 0) + (report?.numTodoTests ?? 0),
  };
  const problem = problemOf(counted, code, excused);
  const failed = counted.failed + (problem === undefined ? 0 : 1);
  const step = { name: suite.name, minutes: minutesSince(begun), ...counted, failed };
  return said(problem === undefined ? step : { ...step, problem });
}

/** What no test's own failure tells: a file that could not be loaded, an error outside tests, an empty suite. */
function problemOf(count: Count, code: number, excused: boolean): string | undefined {
  if (code !== 0 && count.failed === 0) return `Vitest ended with ${code}, with no test failed`;
  if (count.passed + count.failed === 0 && !excused) return 'it ran no test';
  return undefined;
}

function said(step: Step): Step {
  const problem = step.problem === undefined ? '' : `: ${step.problem}`;
  console.log(`--- ${step.name}: ${countLine([step])}, ${step.minutes.toFixed(1)} min${problem}`);
  return step;
}

/** "N passed, N failed", and ", N skipped" when some were. */
export function countLine(counts: readonly Count[]): string {
  const sum = (of: (count: Count) => number) => counts.reduce((total, count) => total + of(count), 0);
  const skipped = sum((count) => count.skipped);
  const line = `${sum((count) => count.passed)} passed, ${sum((count) => count.failed)} failed`;
  return skipped === 0 ? line : `${line}, ${skipped} skipped`;
}

/** Prints the last lines of a run and gives its exit code. */
export function concluded(steps: readonly Step[], skippedParts: readonly string[]): number {
  console.log('');
  for (const { name, minutes, problem, ...count } of steps) {
    const words = problem === undefined ? '' : `  (${problem})`;
    console.log(`${name.padEnd(22)}${minutes.toFixed(1).padStart(5)} min  ${countLine([count])}${words}`);
  }
  for (const part of skippedParts) console.log(`SKIPPED, this machine lacks ${part}`);
  console.log(countLine(steps));
  return steps.some(({ failed }) => failed > 0) ? 1 : 0;
}

function minutesSince(begun: number): number {
  return (performance.now() - begun) / 60_000;
}

let running: ChildProcess | undefined;

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    running?.kill(signal);
    process.exitCode = 1;
    running?.once('exit', () => process.exit(1));
    if (!running) process.exit(1);
  });
}

/** The exit code. The pinned Node comes first in PATH: the tools begin with "env node". */
async function run(command: readonly string[], env: Readonly<Record<string, string>>): Promise<number> {
  const [program, ...args] = command;
  running = spawn(program!, args, {
    cwd: root,
    env: { ...process.env, ...env, PATH: `${bin}:${process.env['PATH']}` },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const [code] = (await once(running, 'exit')) as [number | null];
  running = undefined;
  return code ?? 1;
}
