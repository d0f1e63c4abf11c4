/**
 * The patches of the mutant that the environment names, for the simulation and for Vitest alike:
 * `MUTANT='412 = stored' node test/sim/main.ts --patch test/mutants/chosen.ts#chosen …`
 */
import type { Patch } from '../patches/patches.ts';
import { mutantNamed } from './all.ts';

export const chosen: readonly Patch[] = mutantNamed(process.env['MUTANT'] ?? '').patches;
