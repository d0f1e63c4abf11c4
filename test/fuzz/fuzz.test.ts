import { execFile } from 'node:child_process';
import { rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { readCorpus } from './corpus.ts';
import { errorOf } from './fuzzer.ts';
import { TARGETS } from './targets/all.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** All targets together. */
const SECONDS = 70;

const CORPUS_BYTES = 300 * 1024;

interface Said {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The runner, as a person starts it: the coverage is that of the files as Node loads them. */
function fuzzer(...args: readonly string[]): Promise<Said> {
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      ['test/fuzz/main.ts', ...args],
      { cwd: ROOT, maxBuffer: 16 * 1024 * 1024 },
      (_, stdout, stderr) => resolve({ code: child.exitCode, signal: child.signalCode, stdout, stderr }),
    );
  });
}

/** The arguments of the one command that a finding is told with. */
function commandOf({ stderr }: Said): string[] {
  const command = /To see it again: node scripts\/run\.mjs test\/fuzz\/main\.ts (.*)$/m.exec(stderr)?.[1];
  expect(command, stderr).toBeDefined();
  return command?.split(' ') ?? [];
}

function removeFinding(command: readonly string[]): void {
  rmSync(dirname(command.at(-1) ?? ''), { recursive: true });
}

describe('the corpus', () => {
  it.each(TARGETS)('of $name holds nothing that breaks a promise', async (target) => {
    const corpus = readCorpus(target.name);
    expect(corpus.length).toBeGreaterThan(0);
    for (const input of [...target.seeds, ...corpus]) {
      const found = await errorOf(target, input);
      if (found !== null) throw new Error(`input ${input.toString('base64')}`, { cause: found.error });
    }
  });

  it('is small enough to live in the tree', () => {
    const bytes = TARGETS.flatMap(({ name }) => readCorpus(name)).reduce(
      (sum, { length }) => sum + length,
      0,
    );
    expect(bytes).toBeLessThan(CORPUS_BYTES);
  });
});

describe('the parsers', () => {
  it(`survive ${SECONDS} s of mutated input`, async () => {
    const said = await fuzzer('--seconds', String(SECONDS));
    console.log(said.stdout);
    expect(said.code, said.stderr).toBe(0);
    for (const { name } of TARGETS)
      expect(said.stdout).toMatch(new RegExp(`^${name}: [1-9]\\d* executions`, 'm'));
  });
});

/** Many times what each is found with: a seed that has it late is no failure. */
const ENOUGH = '200000';

describe('the fuzzer', () => {
  it.each(['planted-terminator', 'planted-pollution', 'planted-magic'])(
    'finds %s, and how to see it again',
    async (name) => {
      const said = await fuzzer('--target', name, '--executions', ENOUGH);
      expect(said.code, said.stdout).toBe(1);
      const command = commandOf(said);
      expect(command.slice(0, 3)).toEqual(['--target', name, '--replay']);
      const again = await fuzzer(...command);
      expect(again.code).toBe(1);
      // The first line that is the error's own.
      const [first = ''] = again.stderr.split('\n');
      expect(said.stderr).toContain(first);
      removeFinding(command);
    },
  );

  it('finds what hides behind three conditions only because it is led by what ran', async () => {
    const alone = await fuzzer('--target', 'planted-magic', '--executions', ENOUGH, '--unguided');
    expect(alone.code, alone.stderr).toBe(0);
  });

  it('ends an input that does not end, and has it', async () => {
    const said = await fuzzer('--target', 'planted-endless', '--executions', ENOUGH, '--patience', '1');
    expect(said.signal).toBe('SIGKILL');
    const command = commandOf(said);
    const again = await fuzzer(...command, '--patience', '1');
    expect(again.signal).toBe('SIGKILL');
    for (const told of [command, commandOf(again)]) removeFinding(told);
  });

  it('does the same again for the same seed, and something else for another', async () => {
    const trace = async (seed: string) => {
      const said = await fuzzer('--target', 'headers', '--executions', '2000', '--seed', seed);
      return /trace [0-9a-f]+/.exec(said.stdout)?.[0];
    };
    const first = await trace('5');
    expect(first).toBeDefined();
    expect(await trace('5')).toBe(first);
    expect(await trace('6')).not.toBe(first);
  });
});
