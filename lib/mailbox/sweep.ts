/**
 * A sweep holds every record against what is listed now. Segments never change, so what it changes is written as
 * new ones, and the old ones are taken away once no head names them.
 */
import { UNNAMED_KEPT_MS, VANISHED_KEPT_MS } from './bounds.ts';
import { madeMs, type SegmentFiles } from './segments.ts';
import type { Head, Segment, StoredRecord } from './state.ts';

/** The record as it is to be from now on: the very same, another, or null where it is dropped. */
export type Judge = (record: StoredRecord) => StoredRecord | null;

/**
 * Drops a record only when each sweep has missed its UIDL for weeks: servers list nothing, or half, when they are
 * in trouble, and mail that was gone comes back from a backup under its old UIDL.
 */
export function whileListed(isListed: (record: StoredRecord) => boolean, nowMs: number): Judge {
  return (record) => {
    const { goneMs, ...known } = record;
    if (isListed(record)) return goneMs === undefined ? record : known;
    if (goneMs === undefined) return { ...known, goneMs: nowMs };
    return nowMs - goneMs >= VANISHED_KEPT_MS ? null : record;
  };
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
    for (const segment of head.segments) {
      const before = [...(await this.#files.read(segment))];
      const after = this.#judged(before);
      if (after === before) continue;
      this.#replaced.set(segment.name, after.length === 0 ? null : await this.#files.write(after));
    }
  }

  /** A segment that another run has merged since keeps its records as they were, until the next sweep. */
  applied(head: Head): Head {
    const segments = head.segments.flatMap((segment) => {
      const other = this.#replaced.get(segment.name);
      if (other === undefined) return [segment];
      return other === null ? [] : [other];
    });
    return { ...head, segments, records: this.#judged(head.records), sweptMs: this.#nowMs };
  }

  /** Takes away what this sweep replaced or wrote in vain, and what writes that did not win left long ago. */
  async cleared(head: Head): Promise<void> {
    const named = new Set(head.segments.map(({ name }) => name));
    const ours = new Set<string>();
    for (const [name, other] of this.#replaced) {
      ours.add(name);
      if (other !== null) ours.add(other.name);
    }
    for await (const name of this.#files.names()) {
      if (named.has(name)) continue;
      if (ours.has(name) || this.#nowMs - madeMs(name) >= UNNAMED_KEPT_MS) await this.#files.remove(name);
    }
  }

  #judged(records: readonly StoredRecord[]): readonly StoredRecord[] {
    let same = true;
    const judged = records.flatMap((record) => {
      const after = this.#judge(record);
      if (after !== record) same = false;
      return after === null ? [] : [after];
    });
    return same ? records : judged;
  }
}
