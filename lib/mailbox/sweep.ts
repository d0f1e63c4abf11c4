/**
 * A sweep holds every record against what is listed now. Segments never change, so what it changes is written as
 * new ones, and the old ones are taken away once no head names them.
 */
import { StoreError } from '../store/port.ts';
import { UNNAMED_KEPT_MS, VANISHED_KEPT_MS } from './bounds.ts';
import { madeMs, type SegmentFiles } from './segments.ts';
import { type Head, type Seed, type Segment, type StoredRecord, segmentsOf } from './state.ts';

/** What is on record of a message that is or was listed. */
type Listed = StoredRecord | Seed;

/** It as it is to be from now on: the very same, another, or null where it is dropped. */
export type Judge = <T extends Listed>(record: T) => T | null;

/**
 * Drops a record only when each sweep has missed its UIDL for weeks: servers list nothing, or half, when they are
 * in trouble, and mail that was gone comes back from a backup under its old UIDL.
 */
export function whileListed(isListed: (record: Seed) => boolean, nowMs: number): Judge {
  return (record) => {
    const { goneMs } = record;
    if (isListed(record)) return goneMs === undefined ? record : withoutGone(record);
    if (goneMs === undefined) return { ...record, goneMs: nowMs };
    return nowMs - goneMs >= VANISHED_KEPT_MS ? null : record;
  };
}

function withoutGone<T extends Listed>({ goneMs: _, ...record }: T): T {
  // Nothing but an optional field is left out.
  return record as T;
}

/** `prepare`, then commit what `applied` gives, then `cleared`. */
export class Sweep {
  readonly #files: SegmentFiles;
  readonly #judge: Judge;
  readonly #nowMs: number;
  /** What takes a segment's place, by its name; null: nothing is left of it. */
  readonly #replaced = new Map<string, Segment | null>();

  constructor(files: SegmentFiles, judge: Judge, nowMs: number) {
    this.#files = files;
    this.#judge = judge;
    this.#nowMs = nowMs;
  }

  /** Rejects with SegmentGone where another run has merged meanwhile. */
  async prepare(head: Head): Promise<void> {
    for (const segment of head.segments) await this.#replace(segment, await this.#files.read(segment));
    for (const segment of head.start?.seeds ?? [])
      await this.#replace(segment, await this.#files.readSeeds(segment));
  }

  async #replace({ name }: Segment, records: Iterable<Listed>): Promise<void> {
    const before = [...records];
    const after = this.#judged(before);
    if (after === before) return;
    this.#replaced.set(name, after.length === 0 ? null : await this.#files.write(after));
  }

  /** A segment that another run has merged since keeps its records as they were, until the next sweep. */
  applied(head: Head): Head {
    const { start } = head;
    return {
      ...head,
      segments: this.#instead(head.segments),
      ...(start === undefined ? {} : { start: { ...start, seeds: this.#instead(start.seeds) } }),
      records: this.#judged(head.records),
      sweptMs: this.#nowMs,
    };
  }

  #instead(segments: readonly Segment[]): readonly Segment[] {
    return segments.flatMap((segment) => {
      const other = this.#replaced.get(segment.name);
      if (other === undefined) return [segment];
      return other === null ? [] : [other];
    });
  }

  /**
   * Takes away what this sweep replaced or wrote in vain, and what writes that did not win left long ago. The store may
   * refuse it, to whoever has no right to delete: that costs room and nothing else, and the next sweep asks again.
   */
  async cleared(head: Head): Promise<void> {
    const named = new Set(segmentsOf(head).map(({ name }) => name));
    const ours = new Set<string>();
    for (const [name, other] of this.#replaced) {
      ours.add(name);
      if (other !== null) ours.add(other.name);
    }
    for await (const name of this.#files.names()) {
      if (named.has(name)) continue;
      const left = ours.has(name) || (await this.#isLongUnnamed(name));
      if (left && !(await this.#removed(name))) return;
    }
  }

  /** A clock that is weeks off, of its maker or ours, makes one look old that is named a moment later: the store's own decides. */
  async #isLongUnnamed(name: string): Promise<boolean> {
    if (this.#nowMs - madeMs(name) < UNNAMED_KEPT_MS) return false;
    const sinceMs = await this.#files.keptMs(name);
    return sinceMs === null || sinceMs >= UNNAMED_KEPT_MS;
  }

  /** False: the store would not, and would not take away the others either. */
  async #removed(name: string): Promise<boolean> {
    try {
      await this.#files.remove(name);
      return true;
    } catch (error) {
      if (error instanceof StoreError) return false;
      throw error;
    }
  }

  #judged<T extends Listed>(records: readonly T[]): readonly T[] {
    let same = true;
    const judged = records.flatMap((record) => {
      const after = this.#judge(record);
      if (after !== record) same = false;
      return after === null ? [] : [after];
    });
    return same ? records : judged;
  }
}
