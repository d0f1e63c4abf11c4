import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { Failed } from './main.ts';
import type { ManyTold } from './many.ts';
import { REGRESSIONS } from './regressions.ts';

const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url));
const WRONG_PORTS = fileURLToPath(new URL('./wrongPorts.ts', import.meta.url));

/** Each push; more by hand: `node test/sim/main.ts --from 1 --count 1000000 --workers 2`. */
const SEEDS = 2_000;

/** In a process of its own: the engine's constants are scaled while it is loaded, which the test runner's loader does not allow. */
function simulate(...args: readonly string[]): Promise<ManyTold> {
  return new Promise((resolve, reject) => {
    execFile(
      process.execPath,
      [MAIN, ...args],
      { maxBuffer: 64 * 1024 * 1024 },
      (error, said, complained) => {
        const last = said.trim().split('\n').at(-1) ?? '';
        if (last.startsWith('{')) resolve(JSON.parse(last) as ManyTold);
        else reject(error ?? new Error(complained));
      },
    );
  });
}

function named(failed: readonly Failed[]): string[] {
  return failed.map(({ seed, words, replay }) => `seed ${seed}: ${words} (${replay})`);
}

describe('histories from seeds', () => {
  it(`keep every promise, ${SEEDS} of them`, async () => {
    const { failed, counts, seconds, perSecond } = await simulate('--count', String(SEEDS), '--workers', '2');
    console.log(`${JSON.stringify(counts)} in ${seconds} s, ${perSecond} histories a second`);
    expect(named(failed)).toEqual([]);
    expect(counts.seeds).toBe(SEEDS);
    // A history that met nothing proves nothing.
    for (const count of [
      'kills',
      'freezes',
      'faults',
      'removed',
      'stored',
      'setAside',
      'turnedAway',
      'news',
      'nameless',
      'moved',
      'quitsRefused',
    ] as const) {
      expect(counts[count], count).toBeGreaterThan(SEEDS / 20);
    }
    expect(counts.lost + counts.wronglyDeleted + counts.wronglySetAside).toBe(0);
  });

  it('stay mended where they once failed', async () => {
    const { failed } = await simulate('--seeds', REGRESSIONS.map(({ seed }) => seed).join(','));
    expect(named(failed)).toEqual([]);
  });

  it.each([
    ['silence', 'I12 time'],
    ['lyingBus', 'I6 record'],
    ['forgetfulState', 'I6 record'],
    ['brokenClock', 'unexpected error'],
  ])('tell of %s', async (name, oracle) => {
    const { failed } = await simulate('--wrap', `${WRONG_PORTS}#${name}`, '--count', '50', '--until-failure');
    expect(failed[0]?.oracle).toBe(oracle);
  });

  it('are the same for the same seeds, in whatever process', async () => {
    const [one, again, dealt, others] = await Promise.all([
      simulate('--from', '1', '--count', '300'),
      simulate('--from', '1', '--count', '300'),
      simulate('--from', '1', '--count', '300', '--workers', '2'),
      simulate('--from', '301', '--count', '300'),
    ]);
    expect(again.hash).toBe(one.hash);
    expect(again.counts).toEqual(one.counts);
    expect(dealt.hash).toBe(one.hash);
    expect(others.hash).not.toBe(one.hash);
  });
});
