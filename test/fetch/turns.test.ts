import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hostKey, Turns } from '../../lib/fetch/turns.ts';

const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('turns at a host', () => {
  it('are never more at once than they may be, come in order, and are all had', async () => {
    const hosts = fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(
        hosts,
        fc.integer({ min: 1, max: 4 }),
        fc.infiniteStream(fc.nat()),
        async (keys, most, drawn) => {
          const turns = new Turns(most);
          const begun: { key: string; nth: number; leave: () => void }[] = [];
          const had: { key: string; nth: number }[] = [];
          for (const [nth, key] of keys.entries())
            void turns.take(key).then((leave) => begun.push({ key, nth, leave }) && had.push({ key, nth }));
          for (await settled(); begun.length > 0; await settled()) {
            for (const key of new Set(keys)) {
              const now = begun.filter((one) => one.key === key).length;
              const left =
                keys.filter((one) => one === key).length - had.filter((one) => one.key === key).length;
              expect(now).toBeLessThanOrEqual(most);
              // Nobody waits while there is room.
              if (now < most) expect(left).toBe(0);
            }
            const [one] = begun.splice((drawn.next().value ?? 0) % begun.length, 1);
            one?.leave();
            one?.leave();
          }
          expect(had).toHaveLength(keys.length);
          for (const key of new Set(keys)) {
            const order = had.filter((one) => one.key === key).map(({ nth }) => nth);
            expect(order).toEqual([...order].sort((a, b) => a - b));
          }
        },
      ),
      { numRuns: 50 },
    );
  });

  it('are of the host, however its name is written', () => {
    expect(hostKey({ host: 'POP.Example.org.' })).toBe(hostKey({ host: 'pop.example.org' }));
  });
});
