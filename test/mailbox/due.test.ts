import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  beginsBetween,
  due,
  LOOK_BACK_SLOTS,
  latestDue,
  minutesOf,
  nextBeginMs,
  type Scheduled,
  slotOf,
} from '../../lib/mailbox/due.ts';

const MINUTE_MS = 60_000;

const id = fc.stringMatching(/^[a-z0-9][a-z0-9._-]{0,20}$/);
const every = fc.oneof(
  fc.integer({ min: 1, max: 1440 }).map((minutes) => `${minutes}m`),
  fc.integer({ min: 1, max: 24 }).map((hours) => `${hours}h`),
  fc.constantFrom('1d', '1m', '1439m', '7m'),
);
const scheduled: fc.Arbitrary<Scheduled> = fc.record({ id, every, enabled: fc.constant(true) });
/** From 1970 to 2100. */
const ms = fc.integer({ min: 0, max: 4_102_444_800_000 });
const slot = ms.map(slotOf);

const dueIn = (mailbox: Scheduled, from: number, count: number) =>
  Array.from({ length: count }, (_, at) => from + at).filter((at) => due(mailbox, at));

describe('what is due', () => {
  it('is due once in each period, wherever one begins to look', () => {
    fc.assert(
      fc.property(scheduled, slot, (mailbox, from) => {
        expect(dueIn(mailbox, from, minutesOf(mailbox.every))).toHaveLength(1);
      }),
    );
  });

  it('never drifts: any later period has its slot at the same place', () => {
    fc.assert(
      fc.property(scheduled, slot, fc.integer({ min: 1, max: 100_000 }), (mailbox, at, periods) => {
        expect(due(mailbox, at + periods * minutesOf(mailbox.every))).toBe(due(mailbox, at));
      }),
    );
  });

  it('keeps its distance over the nights on which clocks are changed', () => {
    // In Berlin 2026-03-29 has 23 hours and 2026-10-25 has 25.
    for (const day of ['2026-03-28', '2026-10-24']) {
      const slots = dueIn({ id: 'support', every: '90m', enabled: true }, slotOf(Date.parse(day)), 3 * 1440);
      expect(new Set(slots.slice(1).map((at, nth) => at - (slots[nth] ?? 0)))).toEqual(new Set([90]));
    }
  });

  it('is never due while it is disabled', () => {
    fc.assert(
      fc.property(scheduled, slot, (mailbox, at) => {
        expect(latestDue({ ...mailbox, enabled: false }, at, { lookBack: 2000 })).toBeNull();
      }),
    );
  });

  it('spreads 10,000 mailboxes over the minutes of their interval, and those of a bundle not at all', () => {
    const perSlot = new Map<number, number>();
    for (let nth = 0; nth < 10_000; nth += 1) {
      const mailbox = { id: `customer-${nth}`, every: '1h', enabled: true };
      const at = latestDue(mailbox, 30_000_000, { lookBack: 59 }) ?? -1;
      perSlot.set(at, (perSlot.get(at) ?? 0) + 1);
      expect(latestDue(mailbox, 30_000_000, { lookBack: 59, spreadBy: 'bundle-7' })).toBe(
        latestDue({ ...mailbox, id: 'bundle-7' }, 30_000_000, { lookBack: 59 }),
      );
    }
    expect(perSlot.size).toBe(60);
    // 167 on average: a fair hash is within five standard deviations of it.
    expect(Math.max(...perSlot.values())).toBeLessThan(167 + 5 * 13);
    expect(Math.min(...perSlot.values())).toBeGreaterThan(167 - 5 * 13);
  });
});

describe('a schedule that misses slots', () => {
  it('makes up for each, once, as long as it looks again within the look-back', () => {
    const gaps = fc.array(fc.integer({ min: 1, max: LOOK_BACK_SLOTS + 1 }), { minLength: 20, maxLength: 60 });
    fc.assert(
      fc.property(scheduled, slot, gaps, (mailbox, from, steps) => {
        const told = new Set<number>();
        const looked = [from];
        for (const step of steps) looked.push((looked.at(-1) ?? from) + step);
        for (const now of looked) {
          const slotToDo = latestDue(mailbox, now);
          if (slotToDo !== null && slotToDo >= from) told.add(slotToDo);
        }
        // Of several that fell due between two looks the last one stands for all.
        const wanted = looked
          .slice(1)
          .flatMap((now, nth) => dueIn(mailbox, (looked[nth] ?? 0) + 1, now - (looked[nth] ?? 0)).slice(-1));
        const atFirst = due(mailbox, from) ? [from] : [];
        expect([...told].sort()).toEqual([...atFirst, ...wanted].sort());
      }),
    );
  });

  it('does not make up for what is longer ago', () => {
    const mailbox = { id: 'support', every: '1d', enabled: true };
    const [at = 0] = dueIn(mailbox, 30_000_000, 1440);
    expect(latestDue(mailbox, at + LOOK_BACK_SLOTS)).toBe(at);
    expect(latestDue(mailbox, at + LOOK_BACK_SLOTS + 1)).toBeNull();
  });
});

describe('the moments at which a living process begins', () => {
  it('lie in the slots that are due, one in each, and are counted as they are', () => {
    fc.assert(
      fc.property(scheduled, ms, fc.integer({ min: 0, max: 20 }), (mailbox, from, count) => {
        let at = from;
        for (let nth = 0; nth < count; nth += 1) {
          const next = nextBeginMs(mailbox, at);
          expect(next).toBeGreaterThan(at);
          expect(next - at).toBeLessThanOrEqual(minutesOf(mailbox.every) * MINUTE_MS);
          expect(due(mailbox, slotOf(next))).toBe(true);
          at = next;
        }
        expect(beginsBetween(mailbox, from, at)).toBe(count);
        expect(beginsBetween(mailbox, at, from)).toBe(0);
      }),
    );
  });

  it('are spread within a minute too', () => {
    const offsets = Array.from({ length: 1000 }, (_, nth) =>
      nextBeginMs({ id: `m${nth}`, every: '1m', enabled: true }, 0),
    );
    const perSecond = new Set(offsets.map((at) => Math.floor(at / 1000)));
    expect(perSecond.size).toBe(60);
  });
});
