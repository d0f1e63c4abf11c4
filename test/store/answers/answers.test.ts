/** Every answer that a store may give to a write, and what the adapter and the settling make of it. */
import { afterAll, describe, expect, it } from 'vitest';
import { play } from './play.ts';
import { answers, answersTable, cellCounts, type Entry, LEGEND } from './table.ts';

const held: Entry[] = [];

afterAll(() => {
  const cells = cellCounts(held).filter(({ count }) => count > 0);
  console.log(`${LEGEND}\n\n${answersTable(held)}`);
  console.log(
    `${held.length} of ${answers.length} answers came to what they must, in ${cells.length} of ${cellCounts().length} cells`,
  );
});

describe.each(answers)('$row.cell to $write: the store $row.store', (entry) => {
  it(`is settled as ${entry.expected.settled}`, async () => {
    const { outcome, broken } = await play(entry.row, entry.write);
    expect(outcome).toEqual(entry.expected);
    expect(broken).toEqual([]);
    held.push(entry);
  });
});

it.each(cellCounts())('$cell to $write is tried', ({ count }) => {
  expect(count).toBeGreaterThan(0);
});
