/**
 * That patched code is code: a misspelt name would fail some test as well as a broken promise does. Each patched
 * file is laid beside the original under a name of its own, and the compiler sees them all at once.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { patched } from '../patches/patches.ts';
import type { Mutant } from './mutant.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** What a rule taken out may leave behind: names that nobody uses, a comparison that cannot be true, code never reached. */
const LEFT_BEHIND = /error TS(2367|6133|6138|6192|6196|6198|7027):/;

/** One line for each complaint of the compiler, with the mutant's name. */
export function unsound(mutants: readonly Mutant[]): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'mailferry-mutants-'));
  try {
    for (const name of ['lib', 'package.json', 'tsconfig.json'])
      cpSync(join(root, name), join(folder, name), { recursive: true });
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
    for (const [nth, mutant] of mutants.entries()) lay(mutant, nth, folder);
    const tsc = join(root, 'node_modules/typescript/bin/tsc');
    const { stdout, status } = spawnSync(process.execPath, [tsc, '-p', folder], { encoding: 'utf8' });
    if (status === null) throw new Error('the compiler did not run');
    return stdout.split('\n').flatMap((line) => {
      const nth = /\.mutant(\d+)\.ts\(/.exec(line)?.[1];
      if (!line.includes('error TS') || LEFT_BEHIND.test(line)) return [];
      return [`${nth === undefined ? 'the source' : mutants[Number(nth)]?.name}: ${line}`];
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function lay({ patches }: Mutant, nth: number, folder: string): void {
  for (const file of new Set(patches.map((patch) => patch.file))) {
    const source = readFileSync(join(root, file), 'utf8');
    const changed = patches.filter((patch) => patch.file === file).reduce(patched, source);
    writeFileSync(join(folder, file.replace(/\.ts$/, `.mutant${nth}.ts`)), changed);
  }
}
