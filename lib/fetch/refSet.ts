import { type MessageRef, refKey } from '../mailbox/state.ts';

const FIRST_SLOTS = 64;

/**
 * A set of messages by the hash of their refs, 53 bits each: 16 bytes a message, where strings would take a
 * hundred. Two that collide are taken for one, which may cost a report a count or keep a mail on its server, and
 * nothing else may rest on it.
 */
export class RefSet {
  /** Open addressing; 0 is an empty slot. */
  #slots = new Float64Array(FIRST_SLOTS);
  #size = 0;

  add(ref: MessageRef): void {
    if ((this.#size + 1) * 2 > this.#slots.length) this.#grow();
    if (this.#put(hashOf(refKey(ref)))) this.#size += 1;
  }

  has(ref: MessageRef): boolean {
    if (this.#size === 0) return false;
    const hash = hashOf(refKey(ref));
    return this.#slots[this.#slotOf(hash)] === hash;
  }

  #put(hash: number): boolean {
    const slot = this.#slotOf(hash);
    if (this.#slots[slot] === hash) return false;
    this.#slots[slot] = hash;
    return true;
  }

  /** Where it is, or would go. */
  #slotOf(hash: number): number {
    const mask = this.#slots.length - 1;
    let slot = hash & mask;
    while (this.#slots[slot] !== 0 && this.#slots[slot] !== hash) slot = (slot + 1) & mask;
    return slot;
  }

  #grow(): void {
    const before = this.#slots;
    this.#slots = new Float64Array(before.length * 2);
    for (const hash of before) if (hash !== 0) this.#put(hash);
  }
}

/** Two 32-bit multiply-and-mix hashes, joined to a positive integer below 2 ** 53. */
function hashOf(text: string): number {
  let low = 0x9e3779b9;
  let high = 0x85ebca6b;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    low = Math.imul(low ^ code, 0x01000193);
    high = Math.imul(high ^ code, 0x5bd1e995);
    high ^= high >>> 15;
  }
  low ^= low >>> 16;
  return ((high >>> 0) & 0x1fffff) * 2 ** 32 + (low >>> 0) + 1;
}
