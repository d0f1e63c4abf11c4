import { describe, expect, it } from 'vitest';
import { Company } from '../../bin/company.ts';
import { FakeTimer, settled } from '../pop3/fakeTimer.ts';

const PATIENCE_MS = 1000;

/** Work by name that ends when the test says so. */
function company() {
  const timer = new FakeTimer();
  const company = new Company(PATIENCE_MS, (ms, fire) => timer.after(ms, fire));
  const under: string[] = [];
  const ends = new Map<string, (error?: Error) => void>();
  const work = (name: string) => () => {
    under.push(name);
    return new Promise<void>((resolve, reject) => {
      ends.set(name, (error) => {
        under.splice(under.indexOf(name), 1);
        if (error) reject(error);
        else resolve();
      });
    });
  };
  return {
    timer,
    under,
    beside: (name: string) => company.beside(work(name)),
    alone: (name: string) => company.alone(work(name)),
    async end(name: string, error?: Error) {
      ends.get(name)?.(error);
      await settled();
    },
  };
}

describe('work beside other work, and alone', () => {
  it('goes on side by side, and waits for a pause to be alone', async () => {
    const { under, beside, alone, end, timer } = company();
    for (const name of ['a', 'b']) void beside(name);
    void alone('x');
    void beside('c');
    await settled();
    expect(under).toEqual(['a', 'b', 'c']);
    for (const name of ['a', 'b', 'c']) await end(name);
    expect(under).toEqual(['x']);
    void beside('d');
    await settled();
    expect(under).toEqual(['x']);
    await end('x');
    expect(under).toEqual(['d']);
    expect(timer.pending).toBe(0);
  });

  it('lets nobody new begin beside once somebody waited for long, and then them first', async () => {
    const { timer, under, beside, alone, end } = company();
    void beside('a');
    void alone('x');
    void alone('y');
    await timer.advance(PATIENCE_MS);
    void beside('b');
    await settled();
    expect(under).toEqual(['a']);
    await end('a');
    expect(under).toEqual(['x']);
    void beside('c');
    await end('x');
    expect(under).toEqual(['b', 'c']);
    // The second one has waited as long, and is not forgotten.
    void beside('d');
    await end('b');
    await end('c');
    expect(under).toEqual(['y']);
    await end('y');
    expect(under).toEqual(['d']);
  });

  it('goes on behind what failed', async () => {
    const { under, beside, alone, end } = company();
    const failing = alone('x');
    failing.catch(() => {});
    void beside('a');
    await settled();
    await end('x', new Error('broken'));
    await expect(failing).rejects.toThrow('broken');
    expect(under).toEqual(['a']);
  });

  it('is never alone beside those who were let in at the same moment', async () => {
    const { under, beside, alone, end } = company();
    void alone('x');
    await settled();
    void beside('a');
    void alone('y');
    await end('x');
    expect(under).toEqual(['a']);
    await end('a');
    expect(under).toEqual(['y']);
  });
});
