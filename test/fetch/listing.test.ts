import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteBudget } from '../../lib/fetch/byteBudget.ts';
import { HeaderBlock } from '../../lib/fetch/headerBlock.ts';
import { Listing } from '../../lib/fetch/listing.ts';

describe('a listing', () => {
  it('joins UIDL and LIST on the message number, in any order and with gaps', () => {
    const listing = new Listing(1);
    for (const [number, uidl] of [
      [3, 'c'],
      [1, 'a'],
      [7, 'g'],
      [2, 'b'],
    ] as const)
      listing.addUidl(number, uidl);
    for (const [number, octets] of [
      [7, 70],
      [1, 10],
      [3, null],
      [9, 90],
    ] as const)
      listing.addOctets(number, octets);
    expect([...listing.rows()].map(({ number, uidl, octets }) => [number, uidl, octets])).toEqual([
      [3, 'c', null],
      [1, 'a', 10],
      [7, 'g', 70],
    ]);
  });

  it('marks exactly the rows that their UIDL does not tell from others', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('', 'a', 'b', 'ab', '\xff', 'aa')),
        fc.integer(),
        (uidls, seed) => {
          const listing = new Listing(seed);
          uidls.forEach((uidl, at) => {
            listing.addUidl(at + 1, uidl);
            listing.addOctets(at + 1, at);
          });
          for (const row of listing.rows()) {
            const alike = uidls.filter((uidl) => uidl === row.uidl).length;
            expect(row.repeated).toBe(row.uidl === '' || alike > 1);
          }
        },
      ),
    );
  });

  it('has another digest when a row, a size, the order or the policy is another', () => {
    const digestOf = (rows: readonly [string, number][], policy = 'keep') => {
      const listing = new Listing(0);
      rows.forEach(([uidl, octets], at) => {
        listing.addUidl(at + 1, uidl);
        listing.addOctets(at + 1, octets);
      });
      return listing.digest(policy);
    };
    const digests = [
      digestOf([]),
      digestOf([['a', 1]]),
      digestOf([['a', 2]]),
      digestOf([['b', 1]]),
      digestOf([
        ['a', 1],
        ['b', 1],
      ]),
      digestOf([
        ['b', 1],
        ['a', 1],
      ]),
      digestOf([['a', 1]], 'when-stored'),
      digestOf([['a 1', 1]]),
    ];
    expect(new Set(digests).size).toBe(digests.length);
  });

  it('holds 200,000 rows in a few dozen bytes each', () => {
    const before = process.memoryUsage().arrayBuffers;
    const listing = new Listing(0);
    for (let number = 1; number <= 200_000; number += 1) listing.addUidl(number, `0000${number}6b069e57`);
    for (let number = 1; number <= 200_000; number += 1) listing.addOctets(number, number);
    expect(listing.row(199_999)).toMatchObject({ number: 200_000, octets: 200_000, repeated: false });
    expect((process.memoryUsage().arrayBuffers - before) / 200_000).toBeLessThan(150);
  });
});

/** What a header block is, said plainly. */
function naive(bytes: Buffer): Buffer {
  let start = 0;
  for (let at = bytes.indexOf(10); at !== -1; at = bytes.indexOf(10, start)) {
    if (bytes.subarray(start, at).every((byte) => byte === 13)) return bytes.subarray(0, start);
    start = at + 1;
  }
  return bytes;
}

describe('a header block', () => {
  it('is the same in any chunks: all bytes before the first empty line', () => {
    const bytes = fc
      .array(fc.constantFrom(10, 13, 65, 66, 0, 255), { maxLength: 40 })
      .map((list) => Buffer.from(list));
    fc.assert(
      fc.property(bytes, fc.array(fc.nat({ max: 6 })), (message, cuts) => {
        const block = new HeaderBlock();
        let at = 0;
        for (const cut of cuts) {
          block.update(message.subarray(at, at + cut));
          at += cut;
        }
        block.update(message.subarray(at));
        const whole = new HeaderBlock();
        whole.update(naive(message));
        expect(block.hash()).toBe(whole.hash());
        expect(block.kept().equals(naive(message))).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });

  it('is kept up to 64 KB and hashed to its end', () => {
    const [one, other] = [new HeaderBlock(), new HeaderBlock()];
    const long = Buffer.alloc(100_000, 'x');
    one.update(long);
    other.update(long);
    other.update(Buffer.from('y'));
    expect(one.kept()).toHaveLength(64 * 1024);
    expect(one.hash()).not.toBe(other.hash());
  });
});

describe('the byte budget', () => {
  it('never lends more than it has, serves in order, and takes each loan back once', async () => {
    const budget = new ByteBudget(10);
    const order: string[] = [];
    const first = await budget.reserve(8);
    const large = budget.reserve(100).then((giveBack) => {
      order.push('large');
      return giveBack;
    });
    const small = budget.reserve(1).then((giveBack) => {
      order.push('small');
      return giveBack;
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(order).toEqual([]);
    first();
    first();
    (await large)();
    (await small)();
    expect(order).toEqual(['large', 'small']);
  });

  it('gives one of several at most its part, and all of them together at most the whole', async () => {
    const whole = new ByteBudget(10);
    const [one, other] = [new ByteBudget(6, whole), new ByteBudget(6, whole)];
    const first = await one.reserve(6);
    expect(one.reserveNow(1)).toBeNull();
    // More than the whole has left; what was taken of its own part for that is given back.
    expect(other.reserveNow(5)).toBeNull();
    const second = other.reserveNow(4);
    expect(second).not.toBeNull();
    let third = false;
    const waiting = other.reserve(2).then((free) => {
      third = true;
      return free;
    });
    await Promise.resolve();
    expect(third).toBe(false);
    first();
    first();
    (await waiting)();
    second?.();
    const rest = await whole.reserve(10);
    expect(whole.reserveNow(1)).toBeNull();
    rest();
  });
});
