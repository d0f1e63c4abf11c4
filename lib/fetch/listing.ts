import { createHash } from 'node:crypto';
import { UidlColumn } from './uidlColumn.ts';

/** One row of a listing, as a view: made when asked for, so that 200,000 rows need no 200,000 objects. */
export interface Row {
  readonly index: number;
  /** Valid in the session that gave it, and nowhere else. */
  readonly number: number;
  /** Raw bytes as latin1; '' where the server gave none. */
  readonly uidl: string;
  /** Octets as announced, or null. */
  readonly octets: number | null;
  /** Whether it does not tell the row from all others: another has it, too, or there is none. */
  readonly repeated: boolean;
}

const FIRST_ROWS = 64;
const NONE = -1;
const NO_OCTETS = 0xffffffff;

/** Characters that are hashed at once: a call for each of a million rows is slow. */
const DIGEST_BLOCK = 16 * 1024;

/**
 * What UIDL and LIST said, joined on the message number (a mailbox may change between the two), in columns:
 * about 20 bytes a row and the UIDL's own. Rows that LIST does not confirm are left for the next session.
 */
export class Listing {
  /** Null as long as they are 1, 2, 3 and so on, which they are on nearly every server. */
  #numbers: Float64Array | null = null;
  #octets = new Uint32Array(FIRST_ROWS).fill(NO_OCTETS);
  readonly #uidls = new UidlColumn();
  #flags = new Uint8Array(FIRST_ROWS);
  /** Open addressing: a row's index, by the hash of its UIDL. */
  #slots: Int32Array | null = null;
  #repeats = false;
  #numbered = true;
  /** Octets of the rows without UIDL. */
  readonly #namelessOctets = new Set<number | null>();
  #sorted: Uint32Array | null = null;
  /** A UIDL that is looked up, a million times over. */
  #scratch = Buffer.alloc(128);
  #byNumber: Map<number, number> | null = null;
  readonly #seed: number;

  /** `seed`: random, so that no server can choose UIDLs that all fall into one slot. */
  constructor(seed: number) {
    this.#seed = seed | 0;
  }

  get length(): number {
    return this.#uidls.length;
  }

  /** In the order of UIDL's answer; a number that comes twice keeps its first row. */
  addUidl(number: number, uidl: string): void {
    const index = this.length;
    if (index === this.#octets.length) this.#grow();
    if (this.#numbers === null && number !== index + 1) this.#numbers = this.#countedNumbers();
    if (this.#numbers !== null) this.#numbers[index] = number;
    if (this.#byNumber?.has(number) === false) this.#byNumber.set(number, index);
    this.#numbered &&= uidl === String(number);
    this.#uidls.add(uidl);
  }

  /** False: UIDL's answer has no such number. */
  addOctets(number: number, octets: number | null): boolean {
    const index = this.indexOfNumber(number);
    if (index === undefined) return false;
    this.#flags[index] = (this.#flags[index] ?? 0) | CONFIRMED;
    // 4 GB are no size of a mail: such a number says as little as none.
    if (octets !== null && octets < NO_OCTETS) this.#octets[index] = octets;
    return true;
  }

  /** A number that LIST alone has: as a row without UIDL. */
  addNameless(number: number, octets: number | null): void {
    this.addUidl(number, '');
    this.addOctets(number, octets);
  }

  /** It is left for the next session. */
  leave(number: number): void {
    const index = this.indexOfNumber(number);
    if (index !== undefined) this.#flags[index] = (this.#flags[index] ?? 0) & ~CONFIRMED;
  }

  /** How many rows only one of the two answers has. */
  get left(): number {
    let left = 0;
    for (let index = 0; index < this.length; index += 1)
      if (((this.#flags[index] ?? 0) & CONFIRMED) === 0) left += 1;
    return left;
  }

  row(index: number): Row {
    this.#index();
    return {
      index,
      number: this.#numberOf(index),
      uidl: this.#uidls.at(index),
      octets: this.#octetsAt(index),
      repeated: ((this.#flags[index] ?? 0) & REPEATED) !== 0,
    };
  }

  /** Whether any UIDL is repeated, or missing. */
  get repeats(): boolean {
    this.#index();
    return this.#repeats;
  }

  /** Whether a row bears the UIDL; where it is none, whether a row without has the size. */
  has({ uidl, size }: { readonly uidl: string; readonly size: number | null }): boolean {
    this.#index();
    return uidl === '' ? this.#namelessOctets.has(size) : this.indexOf(uidl) !== null;
  }

  /** How many rows bear the UIDL and have the size. */
  rowsOf({ uidl, size }: { readonly uidl: string; readonly size: number | null }): number {
    const first = this.indexOf(uidl);
    if (first === null) return 0;
    if (!this.row(first).repeated) return this.#octetsAt(first) === size ? 1 : 0;
    let rows = 0;
    for (const row of this.rows()) if (row.uidl === uidl && row.octets === size) rows += 1;
    return rows;
  }

  /** Whether any row has this size; asked of each record that is not listed. */
  hasOctets(octets: number | null): boolean {
    this.#sorted ??= this.#octets.slice(0, this.length).sort();
    const wanted = octets ?? NO_OCTETS;
    let [low, high] = [0, this.#sorted.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#sorted[middle] ?? 0) < wanted) low = middle + 1;
      else high = middle;
    }
    return this.#sorted[low] === wanted;
  }

  /** Whether any row has no UIDL. */
  get hasNameless(): boolean {
    this.#index();
    return this.#namelessOctets.size > 0;
  }

  /** Whether each UIDL is its message's number, which may be another's in the next session. */
  get isNumbered(): boolean {
    return this.#numbered && this.length > 0;
  }

  /** From now on no UIDL tells its row from others. */
  doubt(): void {
    this.#index();
    for (let index = 0; index < this.length; index += 1)
      this.#flags[index] = (this.#flags[index] ?? 0) | REPEATED;
    this.#repeats = true;
  }

  /** Whether there are rows, and each has a UIDL. */
  get isNamed(): boolean {
    return this.length > 0 && !this.hasNameless;
  }

  /** Of a row that alone bears its UIDL: its octets as announced; undefined where others bear it, too. */
  octetsOfUnique(index: number): number | null | undefined {
    this.#index();
    if (((this.#flags[index] ?? 0) & REPEATED) !== 0) return undefined;
    return this.#octetsAt(index);
  }

  /** The first row that bears this UIDL, or null. */
  indexOf(uidl: string): number | null {
    if (uidl.length > this.#scratch.length) this.#scratch = Buffer.alloc(uidl.length * 2);
    const wanted = this.#scratch;
    const length = wanted.write(uidl, 'latin1');
    const slots = this.#index();
    const uidls = this.#uidls;
    const { bytes } = uidls;
    let slot = this.#hash(wanted, 0, length) & (slots.length - 1);
    for (; slots[slot] !== NONE; slot = (slot + 1) & (slots.length - 1)) {
      const index = slots[slot] ?? 0;
      if (bytes.compare(wanted, 0, length, uidls.start(index), uidls.end(index)) === 0) return index;
    }
    return null;
  }

  /** Rows that both answers have. */
  *rows(): Generator<Row> {
    for (let index = 0; index < this.length; index += 1) {
      if (((this.#flags[index] ?? 0) & CONFIRMED) !== 0) yield this.row(index);
    }
  }

  /** Hash of all that decides what there is to do: the rows in order, and `policy`. */
  digest(policy: string, without: ReadonlySet<number> = new Set()): string {
    const hash = createHash('sha256').update(policy);
    let block = '';
    for (let index = 0; index < this.length; index += 1) {
      if (((this.#flags[index] ?? 0) & CONFIRMED) === 0 || without.has(index)) continue;
      block += `\n${this.#octetsAt(index) ?? '-'} ${this.#uidls.at(index)}`;
      if (block.length < DIGEST_BLOCK) continue;
      hash.update(block, 'latin1');
      block = '';
    }
    hash.update(block, 'latin1');
    return hash.digest('base64url');
  }

  #octetsAt(index: number): number | null {
    const octets = this.#octets[index] ?? NO_OCTETS;
    return octets === NO_OCTETS ? null : octets;
  }

  #numberOf(index: number): number {
    return this.#numbers === null ? index + 1 : (this.#numbers[index] ?? 0);
  }

  #countedNumbers(): Float64Array {
    return new Float64Array(this.#octets.length).map((_, index) => index + 1);
  }

  /** Message numbers run from 1 upwards on nearly every server; a map serves the others. */
  indexOfNumber(number: number): number | undefined {
    if (this.#numbers === null) return number >= 1 && number <= this.length ? number - 1 : undefined;
    if (this.#byNumber === null) {
      this.#byNumber = new Map();
      for (let index = this.length - 1; index >= 0; index -= 1)
        this.#byNumber.set(this.#numberOf(index), index);
    }
    return this.#byNumber.get(number);
  }

  /** By UIDL, once the listing is complete; marks those that are repeated. */
  #index(): Int32Array {
    if (this.#slots !== null) return this.#slots;
    const uidls = this.#uidls;
    const slots = new Int32Array(2 ** Math.ceil(Math.log2(this.length * 2 + 2))).fill(NONE);
    for (let index = 0; index < this.length; index += 1) {
      const [start, end] = [uidls.start(index), uidls.end(index)];
      if (start === end) this.#noteNameless(index);
      let slot = this.#hash(uidls.bytes, start, end) & (slots.length - 1);
      for (; slots[slot] !== NONE; slot = (slot + 1) & (slots.length - 1)) {
        const other = slots[slot] ?? 0;
        if (!this.#sameUidl(index, other)) continue;
        this.#repeats = true;
        this.#flags[index] = (this.#flags[index] ?? 0) | REPEATED;
        this.#flags[other] = (this.#flags[other] ?? 0) | REPEATED;
        break;
      }
      if (slots[slot] === NONE) slots[slot] = index;
    }
    this.#slots = slots;
    return slots;
  }

  #noteNameless(index: number): void {
    const flags = this.#flags[index] ?? 0;
    if ((flags & CONFIRMED) === 0) return;
    this.#flags[index] = flags | REPEATED;
    this.#repeats = true;
    this.#namelessOctets.add(this.#octetsAt(index));
  }

  #hash(bytes: Buffer, start: number, end: number): number {
    let hash = 0x811c9dc5 ^ this.#seed;
    for (let at = start; at < end; at += 1) hash = Math.imul(hash ^ (bytes[at] ?? 0), 0x01000193);
    return hash ^ (hash >>> 15);
  }

  #sameUidl(a: number, b: number): boolean {
    const uidls = this.#uidls;
    const { bytes } = uidls;
    return bytes.compare(bytes, uidls.start(b), uidls.end(b), uidls.start(a), uidls.end(a)) === 0;
  }

  #grow(): void {
    const rows = this.#octets.length * 2;
    const octets = new Uint32Array(rows).fill(NO_OCTETS);
    const flags = new Uint8Array(rows);
    if (this.#numbers !== null) {
      const numbers = new Float64Array(rows);
      numbers.set(this.#numbers);
      this.#numbers = numbers;
    }
    octets.set(this.#octets);
    flags.set(this.#flags);
    [this.#octets, this.#flags] = [octets, flags];
  }
}

const CONFIRMED = 1;
const REPEATED = 2;
