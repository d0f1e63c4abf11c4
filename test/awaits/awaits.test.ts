import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import type { AwaitsTold } from './main.ts';

const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url));
const SHARES = ['1/2', '2/2'];

/** All singles each time; of the pairs a quarter, another each day, for all take minutes: `npm run proof -- awaits` has them at once. */
const QUARTER = `${(Math.floor(Date.now() / 86_400_000) % 4) + 1}/4`;

async function told(share: string): Promise<AwaitsTold> {
  const run = promisify(execFile)(process.execPath, [MAIN, '--share', share, '--pairs', QUARTER], {
    maxBuffer: 2 ** 26,
  });
  const { stdout } = await run.catch((error: { stdout?: string }) => ({ stdout: error.stdout ?? '' }));
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as AwaitsTold;
}

describe('the n-th await of a run over three messages', () => {
  it('may fail in every way, alone and with another after it, and no promise breaks', async () => {
    const parts = await Promise.all(SHARES.map(told));
    const failed = parts.flatMap((part) => part.failed);
    const pairs = parts.reduce((sum, part) => sum + part.pairs, 0);
    const { places, singles } = parts[0] ?? { places: 0, singles: 0 };
    console.log(
      `${places} places where something may go wrong: ${singles} single faults and ${pairs} pairs (quarter ${QUARTER}), ${failed.length} broken`,
    );
    const replays = failed.map(
      ({ plan, words }) => `node scripts/run.mjs test/awaits/main.ts --plan ${plan}: ${words}`,
    );
    expect(replays.slice(0, 10)).toEqual([]);
    expect(singles).toBeGreaterThan(200);
    expect(pairs).toBeGreaterThan(5_000);
  });
});
