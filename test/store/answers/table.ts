/** The table of all answers: rows as data, and as people read them. */
import { BESIDE, CELLS, type Outcome, type Row } from './row.ts';
import { rowsAnswered } from './rowsAnswered.ts';
import { rowsBeside } from './rowsBeside.ts';
import { rowsSealing } from './rowsSealing.ts';
import { rowsThrottled } from './rowsThrottled.ts';
import { rowsUnclear } from './rowsUnclear.ts';
import type { Write } from './scene.ts';

export const WRITES: readonly Write[] = ['create', 'replace', 'Complete'];

/** One behaviour of the store towards one kind of write, and what must come of it. */
export interface Entry {
  readonly row: Row;
  readonly write: Write;
  readonly expected: Outcome;
}

const rows = [...rowsAnswered, ...rowsUnclear, ...rowsThrottled, ...rowsBeside, ...rowsSealing];

export const answers: readonly Entry[] = [...CELLS, ...BESIDE]
  .flatMap((cell) => rows.filter((row) => row.cell === cell))
  .flatMap((row) =>
    WRITES.flatMap((write) => {
      const expected = row.outcomes[write];
      return expected === undefined ? [] : [{ row, write, expected }];
    }),
  );

export interface CellCount {
  readonly cell: string;
  readonly write: Write;
  readonly count: number;
}

/** How many of `entries` each of the 21 cells has. */
export function cellCounts(entries: readonly Entry[] = answers): CellCount[] {
  return CELLS.flatMap((cell) =>
    WRITES.map((write) => ({
      cell,
      write,
      count: entries.filter((entry) => entry.row.cell === cell && entry.write === write).length,
    })),
  );
}

const COLUMNS = [
  'answer',
  'write',
  'the store',
  'sent',
  'the adapter says',
  'settled as',
  'bucket then',
  'next attempt',
] as const;

export const LEGEND =
  '“mine” is what this run writes, “another’s” is other bytes of the same size; for the state, the bucket column has ' +
  'the updates that its document has. The next attempt is made against the same store without faults; then writes ' +
  'that were late land, and what is in the bucket stays as the next attempt found it.';

/** For docs/proof.md, which Markdown shows, and for a terminal, where the columns are in line. */
export function answersTable(entries: readonly Entry[] = answers): string {
  const lines = entries.map(({ row, write, expected: { sent, says, settled, bucket, next } }) => [
    row.cell,
    write,
    row.store,
    String(sent),
    says,
    settled,
    bucket,
    next,
  ]);
  const widths = COLUMNS.map((name, at) =>
    Math.max(...[name, ...lines.map((line) => line[at] ?? '')].map((cell) => cell.length)),
  );
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join(' | ')} |`;
  const rule = `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`;
  return [line(COLUMNS), rule, ...lines.map(line)].join('\n');
}
