/**
 * The one place that writes a mailbox's state. A write is a compare-and-swap of the whole head; one that is lost,
 * or whose answer is, is settled by reading back: the nonce tells whose write it was. Records that the head has no
 * room for are sealed into a segment first, in the same write.
 */
import { type ObjectStore, StoreError } from '../store/port.ts';
import { HEAD_BYTES, RECORDS_BYTES, SEGMENT_SEEDS } from './bounds.ts';
import { type LoadedHead, loadHead } from './head.ts';
import { headKey, segmentKey } from './names.ts';
import { bytesOf } from './room.ts';
import { newest, SegmentFiles, SegmentGone, toMerge } from './segments.ts';
import {
  type Head,
  isStartDecided,
  type Seed,
  type Segment,
  type StoredRecord,
  segmentsOf,
} from './state.ts';
import { broken, StateError } from './stateError.ts';
import { type Judge, Sweep } from './sweep.ts';

/** Each lost round means that another run won one, so that many in a row are a store that never lets anybody win. */
const COMMIT_TRIES = 20;

/** So many answers that do not tell are the store's trouble: the run ends, and the next one looks. */
const UNKNOWN_TRIES = 5;

/** A pass over the segments begins anew where another run has merged some; merges are rare. */
const PASS_TRIES = 5;

type VisitOf<T> = (records: Iterable<T>) => 'enough' | undefined | Promise<'enough' | undefined>;
export type Visit = VisitOf<StoredRecord>;

/** Over documents of one kind; those that come to be named meanwhile are shown, too. */
interface Pass<T> {
  readonly named: () => readonly Segment[];
  readonly read: (segment: Segment) => Promise<Iterable<T>>;
  readonly visit: VisitOf<T>;
}

export interface StateClock {
  now(): number;
  /** Random, never the same again. */
  nonce(): string;
}

/** What one write takes with it: segments made for it, and those it no longer names. */
interface Fitted {
  readonly head: Head;
  readonly made: readonly Segment[];
  readonly superseded: readonly Segment[];
  readonly sealed: readonly StoredRecord[];
}

/** A run's view of the state; `commit` calls queue up behind one another. */
export class StateFile {
  readonly #store: ObjectStore;
  readonly #nonce: () => string;
  readonly #segments: SegmentFiles;
  #loaded: LoadedHead;
  #last: Promise<unknown> = Promise.resolve();
  /** Told of records that leave the head for a segment, once they have. */
  onSealed: (records: readonly StoredRecord[]) => void = () => {};

  private constructor(store: ObjectStore, clock: StateClock, loaded: LoadedHead) {
    this.#store = store;
    this.#nonce = () => clock.nonce();
    this.#segments = new SegmentFiles(store, loaded.head.mailbox, clock);
    this.#loaded = loaded;
  }

  static async open(store: ObjectStore, mailbox: string, clock: StateClock): Promise<StateFile> {
    return new StateFile(store, clock, await loadHead(store, mailbox));
  }

  get head(): Head {
    return this.#loaded.head;
  }

  /**
   * Applies `change` and writes; applied again on whatever another run wrote first. No write where it changes
   * nothing. Resolves once the state says so; rejects with StoreError or StateError, and then it may or may not.
   */
  commit(change: (head: Head) => Head): Promise<void> {
    return this.#queued(() => this.#commit(change));
  }

  /**
   * Shows all records that are in segments, one segment at a time, oldest first, until `visit` has seen enough;
   * some may be shown again, where another run merges them meanwhile.
   */
  eachSegment(visit: Visit): Promise<void> {
    return this.#each({
      named: () => this.head.segments,
      read: (segment) => this.#segments.read(segment),
      visit,
    });
  }

  /** The same of what was left alone at the start. */
  eachSeeds(visit: VisitOf<Seed>): Promise<void> {
    return this.#each({
      named: () => this.head.start?.seeds ?? [],
      read: (segment) => this.#segments.readSeeds(segment),
      visit,
    });
  }

  /**
   * Decides once and for all what was there before the start, if nobody has: whoever comes first. Resolves once the
   * state says so.
   */
  decideStart(choice: string, seeds: Iterable<Seed>, nowMs: number): Promise<void> {
    return this.#queued(async () => {
      const made: Segment[] = [];
      for (const some of pieces(seeds, SEGMENT_SEEDS)) made.push(await this.#segments.write(some));
      await this.#commit((head) =>
        isStartDecided(head) ? head : { ...head, start: { choice, atMs: nowMs, seeds: made } },
      );
      await this.#discard(made);
    });
  }

  async #each<T>({ named, read, visit }: Pass<T>): Promise<void> {
    const seen = new Set<string>();
    for (let tries = 0; ; tries += 1) {
      try {
        for (const segment of named()) {
          if (seen.has(segment.name)) continue;
          seen.add(segment.name);
          if ((await visit(await read(segment))) === 'enough') return;
        }
        return;
      } catch (error) {
        if (!(error instanceof SegmentGone)) throw error;
        await this.#queued(() => this.#reloadAfter(error, tries));
      }
    }
  }

  /**
   * Holds every record against `judge`, writes anew what it changes, and takes away segments that no head names.
   * `nowMs` is noted as the time of the sweep.
   */
  sweep(judge: Judge, nowMs: number): Promise<void> {
    return this.#queued(async () => {
      const sweep = await this.#prepared(judge, nowMs);
      await this.#commit((head) => sweep.applied(head));
      await sweep.cleared(this.head);
    });
  }

  async #prepared(judge: Judge, nowMs: number): Promise<Sweep> {
    for (let tries = 0; ; tries += 1) {
      const sweep = new Sweep(this.#segments, judge, nowMs);
      try {
        await sweep.prepare(this.head);
        return sweep;
      } catch (error) {
        if (!(error instanceof SegmentGone)) throw error;
        await this.#reloadAfter(error, tries);
      }
    }
  }

  #queued<T>(act: () => Promise<T>): Promise<T> {
    const done = this.#last.then(act);
    this.#last = done.catch(() => {});
    return done;
  }

  /** A segment that the newest head names and that is not there was taken away by somebody else. */
  async #reloadAfter({ segment }: SegmentGone, tries: number): Promise<void> {
    const { mailbox } = this.head;
    this.#loaded = await loadHead(this.#store, mailbox);
    if (segmentsOf(this.head).some(({ name }) => name === segment)) {
      throw broken(mailbox, segmentKey(mailbox, segment), 'the head names it, and it is not in the store');
    }
    if (tries >= PASS_TRIES) throw contended(mailbox, PASS_TRIES, 'readings');
  }

  async #commit(change: (head: Head) => Head): Promise<void> {
    const { mailbox } = this.head;
    const written = new Set<string>();
    let unknowns = 0;
    for (let tries = 0; tries < COMMIT_TRIES; tries += 1) {
      const { head, version } = this.#loaded;
      const changed = change(head);
      if (changed === head) return;
      const fitted = await this.#fitted(changed);
      if (fitted === 'gone') continue;
      const next: Head = { ...fitted.head, revision: head.revision + 1, nonce: this.#nonce() };
      written.add(next.nonce);
      const answer = await this.#store.replace(headKey(mailbox), encoded(next), version).catch(whenUnknown);
      if (typeof answer === 'string' && answer !== 'conflict') {
        this.#loaded = { head: next, version: answer };
        return this.#won(fitted);
      }
      this.#loaded = await loadHead(this.#store, mailbox);
      if (written.has(this.head.nonce)) return this.#won(fitted);
      // After an unknown answer the write may still land, and name what was made for it.
      if (answer === 'conflict') await this.#discard(fitted.made);
      else if (++unknowns === UNKNOWN_TRIES) throw answer;
    }
    throw contended(mailbox, COMMIT_TRIES, 'writes');
  }

  /** Seals records where they outgrow the head. 'gone': another run has merged meanwhile; the head is read anew. */
  async #fitted(head: Head): Promise<Fitted | 'gone'> {
    if (bytesOf(head.records) <= RECORDS_BYTES) return { head, made: [], superseded: [], sealed: [] };
    const superseded = toMerge(head.segments, head.records.length);
    const older: StoredRecord[] = [];
    try {
      for (const segment of superseded) older.push(...(await this.#segments.read(segment)));
    } catch (error) {
      if (!(error instanceof SegmentGone)) throw error;
      await this.#reloadAfter(error, 0);
      return 'gone';
    }
    const segment = await this.#segments.write(newest([...older, ...head.records]));
    const segments = [...head.segments.slice(0, head.segments.length - superseded.length), segment];
    return { head: { ...head, records: [], segments }, made: [segment], superseded, sealed: head.records };
  }

  async #won({ made, superseded, sealed }: Fitted): Promise<void> {
    if (sealed.length > 0) this.onSealed(sealed);
    // An earlier write of the same may have won late, with a segment of its own.
    await this.#discard([...superseded, ...made]);
  }

  /**
   * Removes what the head does not name. Even a write that was told to have lost may have won: the store's own
   * retry finds what it wrote, and another run has built upon it. What cannot be removed now is left to a sweep.
   */
  async #discard(segments: readonly Segment[]): Promise<void> {
    const named = new Set(segmentsOf(this.head).map(({ name }) => name));
    for (const { name } of segments) if (!named.has(name)) await this.#segments.remove(name).catch(() => {});
  }
}

function* pieces<T>(items: Iterable<T>, most: number): Generator<readonly T[]> {
  let piece: T[] = [];
  for (const item of items) {
    if (piece.push(item) < most) continue;
    yield piece;
    piece = [];
  }
  if (piece.length > 0) yield piece;
}

function whenUnknown(error: unknown): StoreError {
  if (error instanceof StoreError && error.kind === 'unknown') return error;
  throw error;
}

function encoded(head: Head): Buffer {
  const body = Buffer.from(JSON.stringify(head), 'utf8');
  if (body.length <= HEAD_BYTES) return body;
  throw new StateError(
    `state of ${head.mailbox}: its head would have ${body.length} bytes, and ${HEAD_BYTES} are the most. Nothing was changed. This is a mistake in Mailferry: please report it.`,
    { kind: 'person', code: 'E_STATE_TOO_LARGE' },
  );
}

function contended(mailbox: string, times: number, what: 'writes' | 'readings'): StateError {
  return new StateError(
    `state of ${mailbox}: ${times} ${what} in a row were overtaken by other writers. The next run tries again.`,
    { kind: 'later', code: 'E_STATE_CONTENDED' },
  );
}
