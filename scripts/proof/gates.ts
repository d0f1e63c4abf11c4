/** The proofs that are commands: each run as anybody would run it, its figures read off what it prints. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';

export interface Sizes {
  /** Histories of the simulation. */
  readonly seeds: number;
  /** For all fuzzers together. */
  readonly fuzzSeconds: number;
}

export type Figures = Readonly<Record<string, number | string>>;

export interface Gate {
  readonly name: string;
  readonly what: string;
  /** Arguments of `node`, each a command; they run side by side. */
  readonly commands: (sizes: Sizes) => readonly (readonly string[])[];
  /** Throws where the output is not what it should be. */
  readonly figures: (outputs: readonly string[]) => Figures;
}

const cores = availableParallelism();
const root = fileURLToPath(new URL('../..', import.meta.url));
const vitest = (...args: string[]) => ['node_modules/vitest/vitest.mjs', 'run', ...args];

export const GATES: readonly Gate[] = [
  {
    name: 'simulation',
    what: 'histories of the engine in a simulated world',
    commands: ({ seeds }) => [
      ['test/sim/main.ts', '--from', '1', '--count', String(seeds), '--workers', String(cores)],
    ],
    figures: ([output]) => simulated(lastJson(output)),
  },
  {
    name: 'awaits',
    what: 'every await of a run over three messages fails, alone and in pairs',
    commands: () => shares('test/awaits/main.ts'),
    figures: (outputs) => awaited(outputs.map(lastJson)),
  },
  {
    name: 'model',
    what: 'the protocol, explored to its last state',
    commands: () => [['test/model/main.ts']],
    figures: ([output]) => modelled(lastJson(output)),
  },
  {
    name: 'mutants',
    what: 'wrong engines, each of which must be caught',
    commands: () => [['test/mutants/run.ts']],
    figures: ([output]) => matched(output, /(?<right>\d+) of (?<all>\d+) as they must be/),
  },
  {
    name: 'answers',
    what: 'whatever a store may answer',
    commands: () => [vitest('test/store/answers/answers.test.ts')],
    figures: ([output]) =>
      matched(output, /(?<held>\d+) of (?<answers>\d+) answers came to .*, in (?<cells>\d+) of/),
  },
  {
    name: 'stores',
    what: 'the contract of stores on versitygw and MinIO, in plain buckets, with versions and under Object Lock; whole runs into Ceph RGW, which is lax',
    commands: () => [
      vitest('--project', 'contract', '--project', 'real', 'test/store/s3', 'test/real/cephRgw'),
    ],
    figures: ([output]) => matched(output, /Tests +(?<passed>\d+) passed/),
  },
  {
    name: 'splits',
    what: 'every pair of splits of every kind of reply',
    commands: () => [vitest('test/fuzz/splitPairs.test.ts')],
    figures: ([output]) =>
      matched(
        output,
        /(?<framing>\d+) splits of framing and (?<sessions>\d+) of sessions .* (?<ends>\d+) ends/,
      ),
  },
  {
    name: 'fuzz',
    what: 'mutated input for everything that reads',
    commands: ({ fuzzSeconds }) => [['test/fuzz/main.ts', '--seconds', String(fuzzSeconds)]],
    figures: ([output]) => fuzzed(output ?? ''),
  },
  {
    name: 'large',
    what: 'memory and state at scale',
    commands: () => [vitest('--project', 'large')],
    figures: ([output]) => measured(output ?? ''),
  },
];

export interface Ran {
  readonly good: boolean;
  readonly figures: Figures;
}

/** Prints what the commands print, as they end. */
export async function runGate(gate: Gate, sizes: Sizes): Promise<Ran> {
  const ended = await Promise.all(gate.commands(sizes).map(outputOf));
  for (const { output } of ended) console.log(tailOf(output));
  return {
    good: ended.every(({ code }) => code === 0),
    figures: gate.figures(ended.map(({ output }) => output)),
  };
}

/** Of long tables the end is enough; the last line is for programs. */
const LINES_SHOWN = 60;

function tailOf(output: string): string {
  const lines = output.trim().split('\n');
  const shown = lines.at(-1)?.startsWith('{') ? lines.slice(0, -1) : lines;
  return shown.slice(-LINES_SHOWN).join('\n');
}

async function outputOf(args: readonly string[]): Promise<{ code: number | null; output: string }> {
  const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (piece: string) => {
    output += piece;
  });
  const [code] = (await once(child, 'close')) as [number | null];
  // Vitest colours its lines even here.
  return { code, output: stripVTControlCharacters(output) };
}

function shares(main: string): string[][] {
  return Array.from({ length: cores }, (_, nth) => [main, '--share', `${nth + 1}/${cores}`]);
}

// biome-ignore lint/suspicious/noExplicitAny: what programs of this tree print, each read in one place below.
type Printed = any;

function lastJson(output: string | undefined): Printed {
  return JSON.parse(output?.trim().split('\n').at(-1) ?? '');
}

function simulated({ counts, failed, seconds }: Printed): Figures {
  return {
    ...counts,
    failed: failed.length,
    broke: failed.map(({ seed }: Printed) => seed).join(' '),
    seconds,
  };
}

function awaited(parts: readonly Printed[]): Figures {
  const sum = (of: (part: Printed) => number) => parts.reduce((total, part) => total + of(part), 0);
  return {
    places: parts[0].places,
    singles: parts[0].singles,
    pairs: sum((part) => part.pairs),
    failed: sum((part) => part.failed.length),
  };
}

function modelled({ scenarios, mutants }: Printed): Figures {
  const sum = (of: (row: Printed) => number) =>
    scenarios.reduce((total: number, row: Printed) => total + of(row), 0);
  return {
    scenarios: scenarios.length,
    states: sum(({ states }) => states),
    transitions: sum(({ transitions }) => transitions),
    broken: scenarios.filter(({ violation }: Printed) => violation !== null).length,
    mutants: mutants.length,
    caught: mutants.filter(({ violation }: Printed) => violation !== null).length,
  };
}

function fuzzed(output: string): Figures {
  const lines = [...output.matchAll(/^(\w+): (\d+) executions in ([\d.]+) s/gm)];
  if (lines.length === 0) throw new Error('the fuzzers told nothing');
  return {
    targets: lines.length,
    executions: lines.reduce((sum, [, , executions]) => sum + Number(executions), 0),
    seconds: Math.round(lines.reduce((sum, [, , , seconds]) => sum + Number(seconds), 0)),
  };
}

function measured(output: string): Figures {
  return {
    ...matched(
      output,
      /folder: peak (?<folderSmallMb>\d+) MB for 10 MB, .* (?<folderLargeMb>\d+) MB for 1 GB/,
    ),
    ...optional(
      output,
      /bucket: peak (?<bucketSmallMb>\d+) MB for 10 MB, .* (?<bucketLargeMb>\d+) MB for 1 GB/,
    ),
    ...matched(output, /\((?<rowBytes>-?\d+) bytes a row\), .*\((?<idleRowBytes>-?\d+) bytes a row\)/),
    ...matched(
      output,
      /idle poll over (?<listed>\d+) messages: one read of (?<headBytes>\d+) bytes, no write/,
    ),
  };
}

function matched(output: string | undefined, pattern: RegExp): Figures {
  const groups = pattern.exec(output ?? '')?.groups;
  if (groups === undefined) throw new Error(`nothing in the output is like ${pattern}`);
  return Object.fromEntries(Object.entries(groups).map(([name, text]) => [name, Number(text)]));
}

/** Where a part that the machine lacks may have been skipped. */
function optional(output: string, pattern: RegExp): Figures {
  return pattern.test(output) ? matched(output, pattern) : {};
}
