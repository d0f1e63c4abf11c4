/**
 * What is on record of the messages of one listing. A mailbox may have a million records, so those in segments go
 * by once: of most rows it is only noted that a record agrees with them, one byte a row.
 */
import { dueMsOf, isDue, isShort, type Policy } from '../mailbox/policy.ts';
import type { Seed, StoredRecord } from '../mailbox/state.ts';
import type { StateFile } from '../mailbox/stateFile.ts';
import type { Listing, Row } from './listing.ts';
import { knowledgeOf, refOf, type Shelf, shelfOf } from './plan.ts';
import { type Place, Vanished } from './vanished.ts';

/** Records that are kept although a note would do: small mailboxes have theirs at hand, large ones read them again. */
const RECORDS_AT_HAND = 2000;

const WHOLE = 1;
const SHORT = 2;
/** Some record of it is not at hand. */
const AWAY = 4;
/** Its day to be deleted has not come. */
const YOUNG = 8;
/** It was there before the start. */
const SEEDED = 16;

type Records = Map<string, readonly StoredRecord[]>;

/** 'short': the server delivered less than it announced, or announced nothing to compare with. 'both': of two mails. */
export type Noted = 'whole' | 'short' | 'both';

export class Known {
  readonly #listing: Listing;
  readonly #state: StateFile;
  readonly #policy: Policy;
  #nextDueMs: number | null = null;
  /** How many seeds have their UIDL in the listing. */
  seedsListed = 0;
  readonly #seededTwins = new Map<string, number>();
  #alike: ReadonlyMap<string, number> | null = null;
  readonly #notes: Uint8Array;
  readonly #atHand: Records = new Map();
  #vanished = new Vanished();
  #doubted = false;
  #kept = 0;
  /** UIDLs of which every record is at hand. */
  readonly #watched: Set<string>;
  /** Of those without UIDL, what is open or has failed, by size; of one that vanished no row tells. */
  readonly #nameless: ReadonlySet<string>;
  /** Records of what is retrieved now, and of what was before it and is not settled yet. */
  #lent: readonly [Records, Records] = [new Map(), new Map()];

  constructor(listing: Listing, state: StateFile, policy: Policy) {
    this.#listing = listing;
    this.#state = state;
    this.#policy = policy;
    this.#notes = new Uint8Array(listing.length);
    const { intents, failures } = state.head;
    this.#watched = new Set([...intents, ...failures].map(({ uidl }) => uidl));
    this.#watched.delete('');
    this.#nameless = new Set([...intents, ...failures].filter(({ uidl }) => uidl === '').map(shelfOf));
    state.onSealed = (records) => this.#take(records);
  }

  /** Reads all segments once. Rejects as the store or the state does. */
  async read(): Promise<void> {
    for (const record of this.#state.head.records) this.#noteVanished(record);
    await this.#state.eachSegment((records) => {
      this.#take(records);
    });
    await this.#state.eachSeeds((seeds) => {
      this.takeSeeds(seeds);
    });
  }

  /** Of UIDLs that are other mail's by now, content alone tells what is stored: reads all once more. */
  async doubt(): Promise<void> {
    this.#listing.doubt();
    this.#doubted = true;
    this.#notes.fill(0);
    this.#atHand.clear();
    this.#vanished = new Vanished();
    this.#kept = 0;
    this.seedsListed = 0;
    this.#nextDueMs = null;
    await this.read();
  }

  /** Whether what is stored is told by content alone. */
  get isDoubted(): boolean {
    return this.#doubted;
  }

  /** Whether some record of the row's UIDL has its size. */
  agrees(row: Row): boolean {
    return (
      this.noted(row.index) !== null || this.records(refOf(row, null)).some(({ size }) => size === row.octets)
    );
  }

  /** Whether there are records of its UIDL, and none has its size. */
  disagrees(row: Row): boolean {
    if (this.agrees(row)) return false;
    return ((this.#notes[row.index] ?? 0) & AWAY) !== 0 || this.records(refOf(row, null)).length > 0;
  }

  /** These were there before the start. */
  takeSeeds(seeds: Iterable<Seed>): void {
    for (const { uidl, size, rows = 1 } of seeds) {
      const index = this.#listing.indexOf(uidl);
      if (index === null) continue;
      this.seedsListed += 1;
      const octets = this.#listing.octetsOfUnique(index);
      if (octets === undefined) this.#seededTwins.set(this.#seedKey({ uidl, octets: size }), rows);
      else if (this.#policy.estimated || octets === size) this.#note(index, SEEDED);
    }
  }

  /**
   * Whether it was there before the start. Where more rows are alike than were then, nobody knows which of them is the
   * new one, and none is taken for old: rather one that was there than one that is missed.
   */
  seeded(row: Row): boolean {
    if (!row.repeated) return ((this.#notes[row.index] ?? 0) & SEEDED) !== 0;
    const rows = this.#seededTwins.get(this.#seedKey(row));
    return rows !== undefined && (this.#twins().get(this.#seedKey(row)) ?? 0) <= rows;
  }

  /** A size that is an estimate may be another the next time. */
  #seedKey({ uidl, octets }: Pick<Row, 'uidl' | 'octets'>): string {
    return this.#policy.estimated ? uidl : `${octets ?? '-'} ${uidl}`;
  }

  /** How many rows are alike, of those whose UIDL is repeated. */
  #twins(): ReadonlyMap<string, number> {
    if (this.#alike !== null) return this.#alike;
    const alike = new Map<string, number>();
    for (const row of this.#listing.rows())
      if (row.repeated) alike.set(this.#seedKey(row), (alike.get(this.#seedKey(row)) ?? 0) + 1);
    this.#alike = alike;
    return alike;
  }

  /** What a segment says of a row that alone bears its UIDL; null: nothing that agrees with its size. */
  noted(index: number): Noted | null {
    const note = this.#notes[index] ?? 0;
    if (note & WHOLE) return note & SHORT ? 'both' : 'whole';
    return note & SHORT ? 'short' : null;
  }

  /** Whether a record in a segment that agrees with the row was stored too lately for it to be deleted. */
  young(index: number): boolean {
    return ((this.#notes[index] ?? 0) & YOUNG) !== 0;
  }

  /** When the first of these is to be deleted, epoch milliseconds; null: there is none. */
  get nextDueMs(): number | null {
    return this.#nextDueMs;
  }

  /** Recent records and those at hand, of each content the newest. Of a UIDL some may be at hand, and others lent. */
  records(shelf: Shelf): readonly StoredRecord[] {
    const recent = knowledgeOf(this.#state.head).records(shelf);
    const [now, before] = this.#lent;
    const name = shelfOf(shelf);
    return [now, before, this.#atHand].reduce((all, older) => joined(all, older.get(name)), recent);
  }

  /** Where this content is stored under a UIDL that is listed no more, and with a size that is. */
  vanished(sha256: string): Place | null {
    return this.#vanished.find(sha256);
  }

  /** Sees to it that `records` has all of these; only for the few that are looked at one by one. */
  async watch(uidls: Iterable<string>): Promise<void> {
    const added = new Set([...uidls].filter((uidl) => uidl !== '' && !this.#watched.has(uidl)));
    if (added.size === 0 || this.#state.head.segments.length === 0) return;
    for (const uidl of added) this.#watched.add(uidl);
    await this.#state.eachSegment((records) => {
      for (const record of records) if (added.has(record.uidl)) this.#keep(record);
    });
  }

  /** The same for a batch that is about to be retrieved, until the batch after the next. */
  async lend(rows: readonly Row[]): Promise<void> {
    const away = new Set(
      rows.filter(({ index }) => ((this.#notes[index] ?? 0) & AWAY) !== 0).map(({ uidl }) => uidl),
    );
    const lent: Records = new Map();
    this.#lent = [lent, this.#lent[0]];
    if (away.size === 0) return;
    await this.#state.eachSegment((records) => {
      for (const record of records) if (away.has(record.uidl)) put(lent, record);
    });
  }

  #take(records: Iterable<StoredRecord>): void {
    for (const record of records) {
      if (record.uidl === '') {
        this.#noteVanished(record);
        if (this.#listing.has(record) || this.#nameless.has(shelfOf(record))) this.#keep(record);
        continue;
      }
      if (this.#doubted) this.#noteVanished(record);
      const index = this.#listing.indexOf(record.uidl);
      const watched = this.#watched.has(record.uidl);
      if (index === null) {
        if (!this.#doubted) this.#noteVanished(record);
        if (watched) this.#keep(record);
        continue;
      }
      const octets = this.#listing.octetsOfUnique(index);
      if (octets === record.size) this.#noteRecord(index, record);
      if (octets === undefined || watched || this.#kept < RECORDS_AT_HAND) this.#keep(record);
      else this.#note(index, AWAY);
    }
  }

  #noteRecord(index: number, record: StoredRecord): void {
    const short = isShort(this.#policy, record);
    this.#note(index, short ? SHORT : WHOLE);
    const dueMs = dueMsOf(this.#policy, record);
    if (short || dueMs === null || isDue(this.#policy, record)) return;
    this.#note(index, YOUNG);
    this.#nextDueMs = Math.min(dueMs, this.#nextDueMs ?? dueMs);
  }

  #noteVanished(record: StoredRecord): void {
    const isGone = this.#doubted || !this.#listing.has(record);
    if (isGone && this.#listing.hasOctets(record.size)) this.#vanished.add(record);
  }

  #note(index: number, note: number): void {
    this.#notes[index] = (this.#notes[index] ?? 0) | note;
  }

  #keep(record: StoredRecord): void {
    put(this.#atHand, record);
    this.#kept += 1;
  }
}

function joined(
  records: readonly StoredRecord[],
  older: readonly StoredRecord[] | undefined,
): readonly StoredRecord[] {
  if (older === undefined) return records;
  if (records.length === 0) return older;
  const contents = new Set(records.map(({ sha256 }) => sha256));
  return [...records, ...older.filter(({ sha256 }) => !contents.has(sha256))];
}

/** The newer of two records of the same content comes last. */
function put(into: Records, record: StoredRecord): void {
  const name = shelfOf(record);
  const others = into.get(name)?.filter(({ sha256 }) => sha256 !== record.sha256) ?? [];
  into.set(name, [...others, record]);
}
