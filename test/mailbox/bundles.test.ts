import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Bundle, bundlesOf, LARGEST_BUNDLE } from '../../lib/mailbox/bundles.ts';

const ids = fc.uniqueArray(fc.stringMatching(/^[a-z0-9][a-z0-9._-]{0,30}$/), { maxLength: 200 });

function bundleById(bundles: readonly Bundle[]): Map<string, string> {
  return new Map(bundles.flatMap(({ name, mailboxes }) => mailboxes.map((id) => [id, name] as const)));
}

function moved(before: readonly Bundle[], after: readonly Bundle[]): string[] {
  const now = bundleById(after);
  return [...bundleById(before)].filter(([id, name]) => now.get(id) !== name).map(([id]) => id);
}

describe('bundles', () => {
  it('hold each mailbox once, whatever the order, and never more than the most', () => {
    fc.assert(
      fc.property(ids, (given) => {
        const bundles = bundlesOf(given);
        expect(bundles.flatMap(({ mailboxes }) => mailboxes).sort()).toEqual([...given].sort());
        expect(bundlesOf([...given].reverse())).toEqual(bundles);
        expect(new Set(bundles.map(({ name }) => name)).size).toBe(bundles.length);
        for (const { mailboxes } of bundles) {
          expect(mailboxes.length).toBeGreaterThan(0);
          expect(mailboxes.length).toBeLessThanOrEqual(LARGEST_BUNDLE);
        }
      }),
    );
  });

  it('stay as they are when a mailbox comes or goes, but for one that is cut or joined', () => {
    fc.assert(
      fc.property(ids, fc.stringMatching(/^[a-z]{31,40}$/), (given, added) => {
        const before = bundlesOf(given);
        const after = bundlesOf([...given, added]);
        const gone = moved(before, after);
        expect(gone.length).toBeLessThanOrEqual(LARGEST_BUNDLE);
        const old = bundleById(before);
        expect(new Set(gone.map((id) => old.get(id))).size).toBeLessThanOrEqual(1);
      }),
    );
  });

  it('have about ten mailboxes, and one more moves less than one on average', () => {
    const all = Array.from({ length: 1_000 }, (_, at) => `mailbox-${at}`);
    const first = bundlesOf(all);
    const average = all.length / first.length;
    expect(average).toBeGreaterThan(9);
    expect(average).toBeLessThan(11);
    let before = first;
    let sum = 0;
    for (let at = 0; at < 100; at += 1) {
      all.push(`another-${at}`);
      const after = bundlesOf(all);
      sum += moved(before, after).length;
      before = after;
    }
    console.log(`bundles: ${average.toFixed(1)} mailboxes each; one more of them moves ${sum / 100}`);
    expect(sum / 100).toBeLessThan(1);
  });

  it('keep their names for ever: jobs and slots hang on them', () => {
    expect(bundlesOf(['support', 'billing'])).toEqual([
      { name: 'b-000000000000', mailboxes: ['billing', 'support'] },
    ]);
    const names = bundlesOf(Array.from({ length: 60 }, (_, at) => `m${at}`)).map(({ name }) => name);
    expect(names).toMatchInlineSnapshot(`
      [
        "b-000000000000",
        "b-400000000000",
        "b-600000000000",
        "b-800000000000",
        "b-c00000000000",
        "b-e00000000000",
      ]
    `);
  });
});
