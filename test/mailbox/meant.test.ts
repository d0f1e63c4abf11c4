import { describe, expect, it } from 'vitest';
import { didYouMean, meantBy } from '../../lib/mailbox/meant.ts';

describe('a name that is mistyped', () => {
  const commands = ['fetch', 'watch', 'plan', 'check', 'status', 'release', 'retry'];

  it.each([
    ['fetsh', 'fetch'],
    ['ftech', 'fetch'],
    ['FETCH', 'fetch'],
    ['statsu', 'status'],
    ['stat', 'status'],
    ['released', 'release'],
  ])('is known for what it means: %s for %s', (typed, meant) => {
    expect(meantBy(typed, commands)).toBe(meant);
    expect(didYouMean(typed, commands)).toBe(`; did you mean "${meant}"?`);
  });

  it.each(['delete', 'x', '', 're', 'plot', 'constructor'])('is not guessed at: %j', (typed) => {
    expect(meantBy(typed, commands)).toBe(null);
    expect(didYouMean(typed, commands)).toBe('');
  });

  it('is not guessed at where it may mean two', () => {
    expect(meantBy('mb', ['m1', 'm2'])).toBe(null);
    expect(meantBy('support3', ['support1', 'support2'])).toBe(null);
  });

  it('costs little however long it is', () => {
    const long = 'a'.repeat(100_000);
    expect(meantBy(long, [...commands, long.slice(0, -5)])).not.toBe('fetch');
    expect(
      meantBy(
        `${long}b`,
        Array.from({ length: 50 }, (_, at) => `m${at}`),
      ),
    ).toBe(null);
  });
});
