import { LineFraming } from './framing.ts';
import { parseRow, type Row } from './replies.ts';

/** What a UIDL or LIST answer came to. */
export interface ListingEnd {
  /** Well-formed rows that the server sent, visited or not. */
  readonly rows: number;
  /** More rows came than the limit: the first so many were visited, the others only counted. */
  readonly truncated: boolean;
  /** Lines that are no row (number missing, zero or inexact, a bare CR or LF or NUL inside): skipped. */
  readonly odd: number;
}

export interface ListingBounds {
  readonly lineBytes: number;
  readonly rows: number;
}

/**
 * Rows out of an unstuffed body, one at a time; holds one line, whatever the size of the mailbox. A line
 * over the limit fails closed, since what it says cannot be known.
 */
export class Listing {
  readonly #lines: LineFraming;
  readonly #maxRows: number;
  readonly #visit: (row: Row) => void;
  #rows = 0;
  #odd = 0;

  /** @param visit gets each row; its bytes are valid during the call only */
  constructor(bounds: ListingBounds, visit: (row: Row) => void) {
    this.#lines = new LineFraming(bounds.lineBytes);
    this.#maxRows = bounds.rows;
    this.#visit = visit;
  }

  /** Takes a piece of the body; false: a line is longer than allowed. */
  push(piece: Buffer): boolean {
    let at = 0;
    while (at < piece.length) {
      at = this.#lines.push(piece, at);
      if (this.#lines.tooLong) return false;
      if (this.#lines.line !== null) this.#count(this.#lines.line);
    }
    return true;
  }

  get end(): ListingEnd {
    return { rows: this.#rows, truncated: this.#rows > this.#maxRows, odd: this.#odd };
  }

  #count(line: Buffer): void {
    const row = parseRow(line);
    if (row === null) {
      this.#odd++;
      return;
    }
    this.#rows++;
    if (this.#rows <= this.#maxRows) this.#visit(row);
  }
}
