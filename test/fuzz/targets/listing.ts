import assert from 'node:assert/strict';
import { Listing } from '../../../lib/fetch/listing.ts';
import type { Target } from '../target.ts';

interface Line {
  readonly number: number;
  readonly uidl: string;
}

/** UIDL's and LIST's rows, joined in columns, are what a table of objects would have. */
export const listing: Target = {
  name: 'listing',
  seeds: ['\x011a\x012b\x013c\n123', '\x011a\x011b\x022a\n21', '\x0a9x\x029\x01z\n9z', ''].map((text) =>
    Buffer.from(text, 'latin1'),
  ),
  words: ['\n', '\x01', '\x02', '\x00', 'a', '\xff'],
  run(bytes) {
    const end = bytes.indexOf(0x0a);
    const uidls = linesOf(end < 0 ? bytes : bytes.subarray(0, end));
    const sizes = end < 0 ? [] : [...bytes.subarray(end + 1)];
    const joined = new Listing(bytes[0] ?? 0);
    for (const { number, uidl } of uidls) joined.addUidl(number, uidl);
    for (const [at, number] of sizes.entries()) joined.addOctets(number, sizeAt(at));
    assert.deepEqual([...joined.rows()], rowsOf(uidls, sizes));
    for (const { uidl } of uidls) assert.equal(joined.indexOf(uidl), indexOf(uidls, uidl));
    assert.equal(joined.indexOf('\xfe none'), null);
  },
};

/** A byte says how many bytes a UIDL has, 7 at most; the next is the message's number. */
function linesOf(bytes: Buffer): Line[] {
  const lines: Line[] = [];
  for (let at = 0; at + 1 < bytes.length; ) {
    const length = (bytes[at] ?? 0) & 0x07;
    lines.push({ number: (bytes[at + 1] ?? 0) + 1, uidl: bytes.toString('latin1', at + 2, at + 2 + length) });
    at += 2 + length;
  }
  return lines;
}

const sizeAt = (at: number) => (at % 5 === 4 ? null : at * 10);

function rowsOf(uidls: readonly Line[], sizes: readonly number[]): unknown[] {
  return uidls.flatMap(({ number, uidl }, index) => {
    if (!sizes.includes(number) || uidls.findIndex((one) => one.number === number) !== index) return [];
    // The last size that is one: a row without a number takes nothing back.
    const at = sizes.findLastIndex((one, place) => one === number && sizeAt(place) !== null);
    // Without UIDL nothing of the listing tells it from others.
    const repeated = uidl === '' || uidls.filter((one) => one.uidl === uidl).length > 1;
    return [{ index, number, uidl, octets: at < 0 ? null : sizeAt(at), repeated }];
  });
}

function indexOf(uidls: readonly Line[], uidl: string): number {
  return uidls.findIndex((one) => one.uidl === uidl);
}
