/**
 * Segments: older records, each an immutable object of compressed lines, so that a head stays small. A segment is
 * written before the head that names it, under a name that is given once; so a head never names one that is not
 * there, and one that no head names is garbage.
 */
import { isUtf8 } from 'node:buffer';
import { gunzipSync, gzipSync } from 'node:zlib';
import { digestOf } from '../store/checksum.ts';
import type { ObjectStore } from '../store/port.ts';
import { createSettled } from '../store/settle.ts';
import { SEGMENT_RECORDS, SEGMENT_UNPACKED_BYTES } from './bounds.ts';
import { headKey, segmentKey, segmentOfKey, segmentPrefix } from './names.ts';
import { recordKey } from './records.ts';
import type { Seed, Segment, StoredRecord } from './state.ts';
import { broken } from './stateError.ts';
import { type Read, readRecord, readSeed } from './stateShapes.ts';

/** Of the lines; the head's version says who may read a mailbox's state at all. */
const SEGMENT_VERSION = 1;

const LF = 0x0a;

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

  async write(records: readonly (StoredRecord | Seed)[]): Promise<Segment> {
    const name = `${this.#clock.now()}-${this.#clock.nonce()}`;
    const body = pack(records);
    const key = segmentKey(this.#mailbox, name);
    const settled = await createSettled(this.#store, key, body, digestOf(body));
    if (settled === 'different') throw broken(this.#mailbox, key, 'somebody else was given its name');
    return { name, records: records.length, bytes: body.length };
  }

  /** Its records one by one, each made when it is asked for: iterating throws StateError at a line that is wrong. */
  read(segment: Segment): Promise<Iterable<StoredRecord>> {
    return this.#lines(segment, readRecord);
  }

  /** The same of a document of seeds. */
  readSeeds(segment: Segment): Promise<Iterable<Seed>> {
    return this.#lines(segment, readSeed);
  }

  async #lines<T>({ name, records, bytes }: Segment, readOne: ReadOne<T>): Promise<Iterable<T>> {
    const key = segmentKey(this.#mailbox, name);
    const object = await this.#store.read(key);
    if (object === null) throw new SegmentGone(name);
    if (object.size !== bytes) throw broken(this.#mailbox, key, `it has ${object.size} bytes, not ${bytes}`);
    const pieces: Uint8Array[] = [];
    for await (const chunk of object.chunks) pieces.push(chunk);
    const refuse = (why: string, cause?: unknown) => broken(this.#mailbox, key, why, cause);
    return linesIn(unpack(Buffer.concat(pieces), refuse), { count: records, readOne, refuse });
  }

  async remove(name: string): Promise<void> {
    await this.#store.remove(segmentKey(this.#mailbox, name));
  }

  /**
   * For how long the store has had it: as of the last write of the head, by the store's clock, or as of now by ours
   * where it does not say when that was. Null where it does not say when it came.
   */
  async keptMs(name: string): Promise<number | null> {
    const cameMs = await this.#storedMs(segmentKey(this.#mailbox, name));
    if (cameMs === null) return null;
    return ((await this.#storedMs(headKey(this.#mailbox))) ?? this.#clock.now()) - cameMs;
  }

  async #storedMs(key: string): Promise<number | null> {
    const object = await this.#store.read(key);
    if (object === null) return null;
    for await (const _ of object.chunks);
    return object.storedMs;
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
function pack(records: readonly (StoredRecord | Seed)[]): Buffer {
  const lines = [{ v: SEGMENT_VERSION, records: records.length }, ...records].map((line) =>
    JSON.stringify(line),
  );
  return gzipSync(`${lines.join('\n')}\n`);
}

type ReadOne<T> = (value: unknown) => Read<T>;

type Refuse = (why: string, cause?: unknown) => Error;

function unpack(packed: Buffer, refuse: Refuse): Buffer {
  try {
    const lines = gunzipSync(packed, { maxOutputLength: SEGMENT_UNPACKED_BYTES });
    if (isUtf8(lines)) return lines;
  } catch (cause) {
    throw refuse('it is not what gzip wrote', cause);
  }
  throw refuse('it is not UTF-8');
}

/** Every line must be right: with records missing, mail would be fetched again and again. */
function* linesIn<T>(
  lines: Buffer,
  {
    count,
    readOne,
    refuse,
  }: { readonly count: number; readonly readOne: ReadOne<T>; readonly refuse: Refuse },
): Generator<T> {
  let seen = 0;
  let from = 0;
  for (let end = lines.indexOf(LF); end >= 0; end = lines.indexOf(LF, from)) {
    const value = parsed(lines.toString('utf8', from, end), refuse);
    from = end + 1;
    if (seen > 0) yield right(readOne(value), seen, refuse);
    else if (JSON.stringify(value) !== JSON.stringify(header(count)))
      throw refuse(`its first line does not say that it has ${count} records`);
    seen += 1;
  }
  if (seen !== count + 1 || from !== lines.length)
    throw refuse(`it has not ${count} records, but ${seen - 1}`);
}

function parsed(line: string, refuse: Refuse): unknown {
  try {
    return JSON.parse(line);
  } catch (cause) {
    throw refuse('it has a line that is not JSON', cause);
  }
}

function right<T>(read: Read<T>, nth: number, refuse: Refuse): T {
  if ('wrong' in read) throw refuse(`record ${nth}: ${read.wrong}`);
  return read.value;
}

function header(records: number): object {
  return { v: SEGMENT_VERSION, records };
}
