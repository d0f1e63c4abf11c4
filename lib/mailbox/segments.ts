/**
 * Segments: older records, each an immutable object of compressed lines, so that a head stays small. A segment is
 * written before the head that names it, under a name that is given once; so a head never names one that is not
 * there, and one that no head names is garbage.
 */
import { gunzipSync, gzipSync } from 'node:zlib';
import { digestOf } from '../store/checksum.ts';
import type { ObjectStore } from '../store/port.ts';
import { createSettled } from '../store/settle.ts';
import { SEGMENT_RECORDS, SEGMENT_UNPACKED_BYTES } from './bounds.ts';
import { segmentKey, segmentOfKey, segmentPrefix } from './names.ts';
import { recordKey, type Segment, type StoredRecord } from './state.ts';
import { broken } from './stateError.ts';
import { readRecord } from './stateShapes.ts';

/** Of the lines; the head's version says who may read a mailbox's state at all. */
const SEGMENT_VERSION = 1;

/** Another run has merged it away since the head that names it was read: read the head again. */
export class SegmentGone extends Error {
  readonly segment: string;

  constructor(segment: string) {
    super(`segment ${segment} is not there`);
    this.name = 'SegmentGone';
    this.segment = segment;
  }
}

/** One mailbox's segments in the store. Rejects with StoreError, StateError or SegmentGone. */
export class SegmentFiles {
  readonly #store: ObjectStore;
  readonly #mailbox: string;
  readonly #clock: { now(): number; nonce(): string };

  constructor(store: ObjectStore, mailbox: string, clock: { now(): number; nonce(): string }) {
    this.#store = store;
    this.#mailbox = mailbox;
    this.#clock = clock;
  }

  async write(records: readonly StoredRecord[]): Promise<Segment> {
    const name = `${this.#clock.now()}-${this.#clock.nonce()}`;
    const body = pack(records);
    const key = segmentKey(this.#mailbox, name);
    const settled = await createSettled(this.#store, key, body, digestOf(body));
    if (settled === 'different') throw broken(this.#mailbox, key, 'somebody else was given its name');
    return { name, records: records.length, bytes: body.length };
  }

  async read({ name, records, bytes }: Segment): Promise<readonly StoredRecord[]> {
    const key = segmentKey(this.#mailbox, name);
    const object = await this.#store.read(key);
    if (object === null) throw new SegmentGone(name);
    if (object.size !== bytes) throw broken(this.#mailbox, key, `it has ${object.size} bytes, not ${bytes}`);
    const pieces: Uint8Array[] = [];
    for await (const chunk of object.chunks) pieces.push(chunk);
    const unpacked = unpack(Buffer.concat(pieces));
    if ('wrong' in unpacked) throw broken(this.#mailbox, key, unpacked.wrong, unpacked.cause);
    if (unpacked.records.length !== records)
      throw broken(this.#mailbox, key, `it has ${unpacked.records.length} records, not ${records}`);
    return unpacked.records;
  }

  async remove(name: string): Promise<void> {
    await this.#store.remove(segmentKey(this.#mailbox, name));
  }

  /** The names of all that are in the store, whoever wrote them. */
  async *names(): AsyncGenerator<string> {
    for await (const { key } of this.#store.list(segmentPrefix(this.#mailbox))) {
      const name = segmentOfKey(this.#mailbox, key);
      if (name !== null) yield name;
    }
  }
}

/** When a segment was made, epoch milliseconds by its maker's clock. */
export function madeMs(name: string): number {
  return Number(name.split('-', 1)[0]);
}

/**
 * Which of the last segments go into the one that is written next: those no larger than what they are merged
 * with, as long as it does not grow too large. So each record is written about as often as sizes double.
 */
export function toMerge(segments: readonly Segment[], records: number): readonly Segment[] {
  let total = records;
  let from = segments.length;
  for (; from > 0; from -= 1) {
    const next = segments[from - 1]?.records ?? 0;
    if (next > total || next + total > SEGMENT_RECORDS) break;
    total += next;
  }
  return segments.slice(from);
}

/** In their order, of each record only the newest. */
export function newest(records: readonly StoredRecord[]): StoredRecord[] {
  return [...new Map(records.map((record) => [recordKey(record), record])).values()];
}

/** Lines of JSON, gzip: `zcat` shows it to a person. */
function pack(records: readonly StoredRecord[]): Buffer {
  const lines = [{ v: SEGMENT_VERSION, records: records.length }, ...records].map((line) =>
    JSON.stringify(line),
  );
  return gzipSync(`${lines.join('\n')}\n`);
}

type Unpacked =
  | { readonly records: readonly StoredRecord[] }
  | { readonly wrong: string; readonly cause?: unknown };

/** Every line must be right: with records missing, mail would be fetched again and again. */
function unpack(packed: Buffer): Unpacked {
  let lines: string[];
  let values: unknown[];
  try {
    lines = gunzipSync(packed, { maxOutputLength: SEGMENT_UNPACKED_BYTES }).toString('utf8').split('\n');
    values = lines.slice(0, -1).map((line) => JSON.parse(line) as unknown);
  } catch (cause) {
    return { wrong: 'it is not lines of JSON, compressed by gzip', cause };
  }
  const [header, ...rows] = values;
  if (JSON.stringify(header) !== JSON.stringify({ v: SEGMENT_VERSION, records: rows.length }))
    return { wrong: 'its first line does not say what it holds' };
  const records: StoredRecord[] = [];
  for (const row of rows) {
    const read = readRecord(row);
    if ('wrong' in read) return { wrong: `line ${records.length + 2}: ${read.wrong}` };
    records.push(read.value);
  }
  return { records };
}
