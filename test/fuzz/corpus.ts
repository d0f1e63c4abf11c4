import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** One file per input in a folder per target: named by content, or by a person, after the bug that it once found. */
export const CORPUS = fileURLToPath(new URL('corpus/', import.meta.url));

/** The inputs kept for a target, in the order of their names. */
export function readCorpus(target: string): Buffer[] {
  const folder = join(CORPUS, target);
  if (!existsSync(folder)) return [];
  const names = readdirSync(folder).sort();
  return names.map((name) => readFileSync(join(folder, name)));
}

/** Makes `inputs` all that is kept for a target, beside what a person named. */
export function writeCorpus(target: string, inputs: readonly Buffer[]): void {
  const folder = join(CORPUS, target);
  const before = existsSync(folder) ? readdirSync(folder) : [];
  for (const name of before) if (BY_CONTENT.test(name)) rmSync(join(folder, name));
  for (const input of inputs) writeInput(folder, input);
}

const BY_CONTENT = /^[0-9a-f]{16}$/;

/** Named by its content, so that no input is kept twice. Returns the file's path. */
export function writeInput(folder: string, input: Buffer): string {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, createHash('sha256').update(input).digest('hex').slice(0, 16));
  writeFileSync(path, input);
  return path;
}
