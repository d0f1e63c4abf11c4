/**
 * The beginning of a part's body, held until it is known whether there is one. The line end before a delimiter is the
 * delimiter's (RFC 2046 section 5.1.1). QUIRK: of a part with nothing else mailsplit takes it for the content, two octets in place of none.
 */
const CRLF = '\r\n';

export class BodyStart {
  #held: Buffer[] = [];
  #heldBytes = 0;
  #isOn = false;

  /** A body begins that a delimiter may end. */
  begin(): void {
    this.#isOn = true;
  }

  /** Takes octets of a line; gives those that may pass. `mayDelimit`: the line so far may be a delimiter. */
  take(piece: Buffer, mayDelimit: boolean): readonly Buffer[] {
    if (!this.#isOn) return [piece];
    this.#held.push(piece);
    this.#heldBytes += piece.length;
    return mayDelimit || this.#heldBytes <= CRLF.length ? [] : this.release();
  }

  /** The line has ended, and is a delimiter or none. */
  endLine(delimits: boolean): readonly Buffer[] {
    if (!this.#isOn) return [];
    if (!delimits) return this.#isEmptyLine() ? [] : this.release();
    const held = Buffer.concat(this.release());
    // What it began with is nothing, or the empty line.
    return [held.subarray(Math.max(0, held.indexOf('--')))];
  }

  release(): readonly Buffer[] {
    const held = this.#held;
    this.#held = [];
    this.#heldBytes = 0;
    this.#isOn = false;
    return held;
  }

  #isEmptyLine(): boolean {
    return this.#heldBytes <= CRLF.length && CRLF.endsWith(Buffer.concat(this.#held).toString('latin1'));
  }
}
