/** That every patch still fits: one that does not must be an error, not a mutant that is no longer one. */
import { readFileSync } from 'node:fs';
import { patched } from '../patches/patches.ts';
import type { Mutant } from './mutant.ts';

const root = new URL('../../', import.meta.url);

/** One line for each mutant that does not fit the tree; of one file, patches are applied one upon the other. */
export function misfits(mutants: readonly Mutant[]): string[] {
  return mutants.flatMap(({ name, patches }) => {
    const sources = new Map<string, string>();
    try {
      for (const patch of patches) {
        const source = sources.get(patch.file) ?? readFileSync(new URL(patch.file, root), 'utf8');
        sources.set(patch.file, patched(source, patch));
      }
      return [];
    } catch (error) {
      return [`${name}: ${String(error)}`];
    }
  });
}
