/**
 * The n-th await fails, for every n: all single faults, then all pairs of them.
 *
 *   node test/awaits/main.ts [--share 1/2] [--pairs 1/4]  JSON on the last line; a share of the work; all singles, and a part of the pairs
 *   node test/awaits/main.ts --plan 12:late,31:cut         one plan
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
  options: {
    share: { type: 'string', default: '1/1' },
    pairs: { type: 'string', default: '1/1' },
    plan: { type: 'string' },
  },
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

/** "2/5": the second of each five. */
function dealt(share: string): (index: number) => boolean {
  const [nth = 1, of = 1] = share.split('/').map(Number);
  return (index) => index % of === nth % of;
}

async function all(): Promise<AwaitsTold> {
  const beganMs = performance.now();
  const isOurs = dealt(values.share);
  const isPaired = dealt(values.pairs);
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
      if (!isOurs(singles)) continue;
      const first: [number, string] = [index + 1, fault];
      const after = await tried(new Map([first]));
      // By the half, so that who has every other one of the singles has some of each part.
      if (!isPaired(singles >> 1)) continue;
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
