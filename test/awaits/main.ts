/**
 * The n-th await fails, for every n: all single faults, then all pairs of them.
 *
 *   node test/awaits/main.ts [--share 1/2]          JSON on the last line; a share of the pairs
 *   node test/awaits/main.ts --plan 12:late,31:cut  one plan
 *
 * The second fault of a pair may strike the run that the first one hit, or the one that recovers from it.
 */
import { parseArgs } from 'node:util';
import { applyPatches } from '../patches/patches.ts';
import { SCALED } from '../sim/scale.ts';
import type { Plan } from './planned.ts';

export interface AwaitsTold {
  readonly places: number;
  readonly singles: number;
  readonly pairs: number;
  readonly failed: readonly { readonly plan: string; readonly words: string }[];
  readonly seconds: number;
}

const { values } = parseArgs({
  options: { share: { type: 'string', default: '1/1' }, plan: { type: 'string' } },
});

applyPatches(SCALED);
Error.stackTraceLimit = 0;
const { play } = await import('./history.ts');

const wordsOf = (plan: Plan) => [...plan].map(([at, fault]) => `${at}:${fault}`).join(',');

function planOf(words: string): Plan {
  return new Map(
    words.split(',').map((word) => {
      const [at = '', fault = ''] = word.split(':');
      return [Number(at), fault];
    }),
  );
}

async function all(): Promise<AwaitsTold> {
  const beganMs = performance.now();
  const [nth = 1, of = 1] = values.share.split('/').map(Number);
  const failed: { plan: string; words: string }[] = [];
  const tried = async (plan: Plan) => {
    const outcome = await play(plan);
    if (outcome.violation) failed.push({ plan: wordsOf(plan), words: outcome.violation.message });
    return outcome.places;
  };
  const places = await tried(new Map());
  let singles = 0;
  let pairs = 0;
  for (const [index, faults] of places.entries()) {
    for (const fault of faults) {
      singles += 1;
      if (singles % of !== nth % of) continue;
      const first: [number, string] = [index + 1, fault];
      const after = await tried(new Map([first]));
      for (let second = index + 1; second < after.length; second += 1) {
        for (const other of after[second] ?? []) {
          pairs += 1;
          await tried(new Map([first, [second + 1, other]]));
        }
      }
      // Where Node tells of rejections that nobody handled.
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
  const seconds = Math.round((performance.now() - beganMs) / 100) / 10;
  return { places: places.length, singles, pairs, failed, seconds };
}

if (values.plan === undefined) {
  const told = await all();
  console.log(JSON.stringify(told));
  process.exitCode = told.failed.length > 0 ? 1 : 0;
} else {
  const { violation, places } = await play(planOf(values.plan));
  console.log(`${places.length} places; ${violation?.message ?? 'all promises hold'}`);
  process.exitCode = violation ? 1 : 0;
}
