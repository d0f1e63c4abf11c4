import type { Mutant } from './mutant.ts';
import { type Trial, tryMutant } from './trial.ts';

/** Each trial keeps one core busy. */
const AT_ONCE = 2;

/** In the order of the mutants, whatever order they end in. */
export async function tryAll(mutants: readonly Mutant[]): Promise<readonly Trial[]> {
  const trials: Trial[] = [];
  const queue = mutants.entries();
  const work = async () => {
    for (const [index, mutant] of queue) trials[index] = await tryMutant(mutant);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return trials;
}

export function isAsExpected({ mutant, outcome }: Trial): boolean {
  return outcome === (mutant.expected ?? 'caught');
}
