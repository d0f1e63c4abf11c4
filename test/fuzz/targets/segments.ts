import assert from 'node:assert/strict';
import { withRecords } from '../../../lib/mailbox/records.ts';
import type { Segment, StoredRecord } from '../../../lib/mailbox/state.ts';
import {
  checkPlan,
  headWith,
  NOW_MS,
  openState,
  packed,
  RECORD,
  storeWith,
  unlessRefused,
} from '../stateDocuments.ts';
import type { Target } from '../target.ts';

const NAME = '1-a';

const SEEDS: readonly unknown[] = [
  [{ v: 1, records: 1 }, RECORD],
  [
    { v: 1, records: 3 },
    RECORD,
    { ...RECORD, uidl: '\xfd \xff', octets: 100, goneMs: 9, rows: 2 },
    { ...RECORD, uidl: 'c', size: null, composite: 'x', byContent: true },
  ],
  [{ v: 1, records: 2 }, RECORD],
  [{ v: 2, records: 0 }],
];

/** A segment is read whole or refused with words, and no plan rests on one that is refused. */
export const segments: Target = {
  name: 'segments',
  json: true,
  seeds: [
    ...SEEDS.map((lines) => Buffer.from(JSON.stringify(lines))),
    packed('{"v":1,"records":0}\n'),
    Buffer.from(`{"v":1,"records":1}\n${JSON.stringify(RECORD)}\n`),
  ],
  words: [
    '\n',
    '"',
    ':',
    ',',
    '{',
    '}',
    '[',
    ']',
    'null',
    '\xff',
    '\xed\xa0\x80',
    '\0',
    '{"v":1,"records":1}\n',
  ],
  async run(bytes) {
    const { body, lines } = segmentOf(bytes);
    const segment: Segment = { name: NAME, records: countedBy(lines[0]), bytes: body.length };
    const store = await storeWith(headWith([segment]), new Map([[NAME, body]]));
    const state = await openState(store);
    const read = await unlessRefused(async () => {
      const records: StoredRecord[] = [];
      await state.eachSegment((some) => {
        records.push(...some);
      });
      return records;
    });
    if (read === null) {
      assert.equal(await unlessRefused(() => checkPlan(state, []).then(() => 'planned')), null);
      assert.equal(
        await unlessRefused(() => state.sweep((record) => record, NOW_MS).then(() => 'swept')),
        null,
      );
      assert.deepEqual(state.head.segments, [segment], 'what is refused must stay named');
      return;
    }
    assert.equal(read.length, segment.records);
    assert.deepEqual(read, lines.slice(1));
    for (const { uidl } of read) assert.match(uidl, /^[\0-\xff]*$/);
    await checkPlan(state, lines.slice(1));
    await state.sweep((record) => ({ ...record, goneMs: NOW_MS }), NOW_MS);
    await state.commit((head) => withRecords(head, [RECORD]));
  },
};

/** The object, and what each of its lines says: a list of lines in JSON, lines as they are, or what is no gzip. */
function segmentOf(bytes: Buffer): { readonly body: Buffer; readonly lines: readonly unknown[] } {
  if (bytes[0] === 0x1f) return { body: bytes, lines: [] };
  const listed = parsed(bytes.toString('utf8'));
  if (Array.isArray(listed)) {
    return { body: packed(listed.map((line) => `${JSON.stringify(line)}\n`).join('')), lines: listed };
  }
  const lines = bytes.toString('utf8').split('\n').slice(0, -1);
  return { body: packed(bytes), lines: lines.map(parsed) };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function countedBy(line: unknown): number {
  const records = typeof line === 'object' && line !== null && 'records' in line ? line.records : 0;
  return typeof records === 'number' && Number.isSafeInteger(records) && records >= 0 ? records : 0;
}
