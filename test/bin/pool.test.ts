import { describe, expect, it } from 'vitest';
import { Pool } from '../../bin/pool.ts';
import { FakeTimer, settled } from '../pop3/fakeTimer.ts';

/** Work that ends when the test says so. */
class Held {
  readonly begun: string[] = [];
  readonly busy = new Map<string, () => void>();
  readonly end = new Map<string, (error?: Error) => void>();

  work = (name: string, busy: () => void) => {
    this.begun.push(name);
    this.busy.set(name, busy);
    return new Promise<string>((resolve, reject) => {
      this.end.set(name, (error) => (error ? reject(error) : resolve(name.toUpperCase())));
    });
  };
}

function pool(names: readonly string[], width: number, beside: number) {
  const timer = new FakeTimer();
  const held = new Held();
  const after = (ms: number, fire: () => void) => timer.after(ms, fire);
  const places = new Pool<string>({ all: width, perGroup: 9, groupOf: () => '' }, { ms: 100, beside, after });
  const results = places.all(names, held.work);
  results.catch(() => {});
  return { timer, held, results };
}

describe('a pool with patience', () => {
  it('lets the next one begin beside one that only waits', async () => {
    const { timer, held, results } = pool(['a', 'b', 'c'], 1, 5);
    await settled();
    expect(held.begun).toEqual(['a']);
    await timer.advance(100);
    expect(held.begun).toEqual(['a', 'b']);
    held.end.get('b')?.();
    await settled();
    expect(held.begun).toEqual(['a', 'b', 'c']);
    held.end.get('c')?.();
    held.end.get('a')?.();
    expect(await results).toEqual(['A', 'B', 'C']);
    expect(timer.pending).toBe(0);
  });

  it('leaves its place to work that gets on', async () => {
    const { timer, held } = pool(['a', 'b'], 1, 5);
    await settled();
    for (let times = 0; times < 5; times += 1) {
      held.busy.get('a')?.();
      await timer.advance(100);
    }
    expect(held.begun).toEqual(['a']);
    await timer.advance(100);
    expect(held.begun).toEqual(['a', 'b']);
  });

  it('has no more beside than its bound, and takes the next when one of them ends', async () => {
    const { timer, held } = pool(['a', 'b', 'c'], 1, 1);
    await timer.advance(300);
    expect(held.begun).toEqual(['a', 'b']);
    held.end.get('a')?.();
    await timer.advance(100);
    expect(held.begun).toEqual(['a', 'b', 'c']);
  });

  it('tells of a failure beside as of any other', async () => {
    const { timer, held, results } = pool(['a', 'b'], 1, 1);
    await timer.advance(100);
    held.end.get('a')?.(new Error('broken'));
    held.end.get('b')?.();
    await expect(results).rejects.toThrow('broken');
  });
});
