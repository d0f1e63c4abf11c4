/**
 * What is on record of the messages of one listing. A mailbox may have a million records, so those in segments go
 * by once: of most rows it is only noted that a record agrees with them, one byte a row.
 */
import { isShort, type StoredRecord } from '../mailbox/state.ts';
import type { StateFile } from '../mailbox/stateFile.ts';
import type { Listing } from './listing.ts';
import { knowledgeOf } from './plan.ts';

/** Records that are kept although a note would do: small mailboxes have theirs at hand, large ones read them again. */
const RECORDS_AT_HAND = 2000;

const WHOLE = 1;
const SHORT = 2;

/** 'short': the server delivered less than it announced, or announced nothing to compare with. */
export type Noted = 'whole' | 'short';

export class Known {
  readonly #listing: Listing;
  readonly #state: StateFile;
  readonly #notes: Uint8Array;
  readonly #atHand = new Map<string, StoredRecord[]>();
  #kept = 0;
  /** UIDLs of which every record is at hand. */
  readonly #watched: Set<string>;

  constructor(listing: Listing, state: StateFile) {
    this.#listing = listing;
    this.#state = state;
    this.#notes = new Uint8Array(listing.length);
    const { intents, failures } = state.head;
    this.#watched = new Set([...intents, ...failures].map(({ uidl }) => uidl));
    state.onSealed = (records) => this.#take(records);
  }

  /** Reads all segments once. Rejects as the store or the state does. */
  read(): Promise<void> {
    return this.#state.eachSegment((records) => {
      this.#take(records);
    });
  }

  /** What a segment says of a row that alone bears its UIDL; null: nothing that agrees with its size. */
  noted(index: number): Noted | null {
    const note = this.#notes[index] ?? 0;
    if (note & WHOLE) return 'whole';
    return note & SHORT ? 'short' : null;
  }

  /** Recent records and those at hand, of each content the newest. */
  records(uidl: string): readonly StoredRecord[] {
    const recent = knowledgeOf(this.#state.head).records(uidl);
    const older = this.#atHand.get(uidl);
    if (older === undefined) return recent;
    return [...recent, ...older.filter(({ sha256 }) => !recent.some((record) => record.sha256 === sha256))];
  }

  /** Sees to it that `records` has all of these; only for the few that are looked at one by one. */
  async watch(uidls: Iterable<string>): Promise<void> {
    const added = new Set([...uidls].filter((uidl) => !this.#watched.has(uidl)));
    if (added.size === 0 || this.#state.head.segments.length === 0) return;
    for (const uidl of added) this.#watched.add(uidl);
    await this.#state.eachSegment((records) => {
      for (const record of records) if (added.has(record.uidl)) this.#keep(record);
    });
  }

  #take(records: Iterable<StoredRecord>): void {
    for (const record of records) {
      const index = this.#listing.indexOf(record.uidl);
      const watched = this.#watched.has(record.uidl);
      if (index === null) {
        if (watched) this.#keep(record);
        continue;
      }
      const { octets, repeated } = this.#listing.row(index);
      if (!repeated && octets === record.size)
        this.#notes[index] = (this.#notes[index] ?? 0) | noteOf(record);
      if (repeated || watched || this.#kept < RECORDS_AT_HAND) this.#keep(record);
    }
  }

  #keep(record: StoredRecord): void {
    const others = this.#atHand.get(record.uidl)?.filter(({ sha256 }) => sha256 !== record.sha256) ?? [];
    this.#atHand.set(record.uidl, [...others, record]);
    this.#kept += 1;
  }
}

function noteOf(record: StoredRecord): number {
  return isShort(record) ? SHORT : WHOLE;
}
