import { ANNOUNCING } from './announcing.ts';
import { CONTROLS } from './controls.ts';
import { DELETING } from './deleting.ts';
import type { Mutant } from './mutant.ts';
import { OUTSIDE } from './outside.ts';
import { POLICIES } from './policies.ts';
import { RECORDING } from './recording.ts';
import { RETRIEVING } from './retrieving.ts';
import { SEGMENTS } from './segments.ts';
import { STORING } from './storing.ts';
import { SUSPECTING } from './suspecting.ts';
import { UNNAMED } from './unnamed.ts';
import { WAITING } from './waiting.ts';

export const MUTANTS: readonly Mutant[] = [
  ...RETRIEVING,
  ...STORING,
  ...ANNOUNCING,
  ...DELETING,
  ...RECORDING,
  ...SEGMENTS,
  ...SUSPECTING,
  ...WAITING,
  ...POLICIES,
  ...UNNAMED,
  ...OUTSIDE,
];

/** Throws where none has that name. */
export function mutantNamed(name: string): Mutant {
  const found = [...CONTROLS, ...MUTANTS].find((mutant) => mutant.name === name);
  if (found) return found;
  const names = MUTANTS.map((mutant) => mutant.name).join('\n');
  throw new Error(`there is no mutant ${JSON.stringify(name)}; there are:\n${names}`);
}
