import type { StoredRecord } from '../mailbox/state.ts';
import { UidlColumn } from './uidlColumn.ts';

/** Where an object was stored, and which UIDL it was announced under. */
export type Place = Pick<StoredRecord, 'uidl' | 'byContent'>;

const FIRST_ROWS = 64;
const NONE = -1;
const SHA256_BYTES = 32;
const BY_CONTENT = 1;

/**
 * Records whose UIDL the server lists no more, to be found by content, in columns: a server that was moved may have
 * given 200,000 messages new UIDLs. About 50 bytes each, and the UIDL's own.
 */
export class Vanished {
  #contents = Buffer.alloc(FIRST_ROWS * SHA256_BYTES);
  #flags = new Uint8Array(FIRST_ROWS);
  readonly #uidls = new UidlColumn();
  /** Open addressing by the first bytes of the content, which are random already. */
  #slots = new Int32Array(FIRST_ROWS * 2).fill(NONE);

  get length(): number {
    return this.#uidls.length;
  }

  /** Of a content that is there already the first place stands. */
  add(record: StoredRecord): void {
    const content = Buffer.from(record.sha256, 'hex');
    if (this.#indexOf(content) !== null) return;
    const index = this.length;
    if (index === this.#flags.length) this.#grow();
    this.#uidls.add(record.under ?? record.uidl);
    this.#flags[index] = record.byContent ? BY_CONTENT : 0;
    content.copy(this.#contents, index * SHA256_BYTES);
    this.#insert(index);
  }

  find(sha256: string): Place | null {
    if (this.length === 0) return null;
    const index = this.#indexOf(Buffer.from(sha256, 'hex'));
    if (index === null) return null;
    const uidl = this.#uidls.at(index);
    return this.#flags[index] === BY_CONTENT ? { uidl, byContent: true } : { uidl };
  }

  #indexOf(content: Buffer): number | null {
    const slots = this.#slots;
    for (let slot = slotIn(slots, content, 0); ; slot = (slot + 1) & (slots.length - 1)) {
      const index = slots[slot] ?? NONE;
      if (index === NONE) return null;
      const at = index * SHA256_BYTES;
      if (this.#contents.compare(content, 0, SHA256_BYTES, at, at + SHA256_BYTES) === 0) return index;
    }
  }

  #insert(index: number): void {
    const slots = this.#slots;
    let slot = slotIn(slots, this.#contents, index * SHA256_BYTES);
    while (slots[slot] !== NONE) slot = (slot + 1) & (slots.length - 1);
    slots[slot] = index;
  }

  #grow(): void {
    const rows = this.#flags.length * 2;
    const flags = new Uint8Array(rows);
    flags.set(this.#flags);
    this.#flags = flags;
    this.#contents = Buffer.concat([this.#contents], rows * SHA256_BYTES);
    this.#slots = new Int32Array(rows * 2).fill(NONE);
    for (let index = 0; index < this.length; index += 1) this.#insert(index);
  }
}

function slotIn(slots: Int32Array, contents: Buffer, at: number): number {
  return contents.readUInt32LE(at) & (slots.length - 1);
}
