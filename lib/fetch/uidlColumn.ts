const FIRST_ROWS = 64;

/** UIDLs one behind the other, by index: four bytes each, and their own. */
export class UidlColumn {
  #bytes = Buffer.alloc(FIRST_ROWS * 24);
  #ends = new Uint32Array(FIRST_ROWS);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** Of all UIDLs; valid until the next one is added. */
  get bytes(): Buffer {
    return this.#bytes;
  }

  add(uidl: string): void {
    if (this.#length === this.#ends.length) this.#grow();
    const start = this.start(this.#length);
    while (start + uidl.length > this.#bytes.length)
      this.#bytes = Buffer.concat([this.#bytes], this.#bytes.length * 2);
    this.#bytes.write(uidl, start, 'latin1');
    this.#ends[this.#length] = start + uidl.length;
    this.#length += 1;
  }

  at(index: number): string {
    return this.#bytes.toString('latin1', this.start(index), this.end(index));
  }

  /** Where in `bytes` it begins. */
  start(index: number): number {
    return index === 0 ? 0 : (this.#ends[index - 1] ?? 0);
  }

  /** Where in `bytes` it ends. */
  end(index: number): number {
    return this.#ends[index] ?? 0;
  }

  #grow(): void {
    const ends = new Uint32Array(this.#ends.length * 2);
    ends.set(this.#ends);
    this.#ends = ends;
  }
}
