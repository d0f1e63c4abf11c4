/**
 * Where lines and bodies end: a state machine over bytes that knows no socket and no verb.
 *
 * Rules: a status line or row ends at CRLF. A body ends only at CRLF "." CRLF, where its very start counts as
 * the start of a line; sizes, silence and the end of the stream never end anything. A line begins after CRLF
 * and nowhere else: QUIRK: Cyrus and GreenMail send bodies with bare LF, in which LF "." CRLF is content.
 *
 * Goals: linear for any chunking, state of a few bits across chunks, no copy of a chunk unless a stuffed dot
 * has to be taken out of its middle.
 */

const CR = 0x0d;
const LF = 0x0a;
const DOT = 0x2e;
const CRLF_DOT = Buffer.from('\r\n.', 'latin1');
const LONE_CR = Buffer.from('\r', 'latin1');
const NOTHING = Buffer.alloc(0);

/** Collects one line at a time, CRLF removed, into one buffer of the largest size allowed. */
export class LineFraming {
  readonly #held: Buffer;
  #length = 0;
  #complete = false;
  #bareLf = false;

  /** @param maxBytes of a line without its CRLF */
  constructor(maxBytes: number) {
    // Two octets more, so that the CR and LF of a line of exactly the maximum fit.
    this.#held = Buffer.allocUnsafe(maxBytes + 2);
  }

  /** Takes bytes of `chunk` from `from`; returns where it stopped: behind the line's LF, or at the end. */
  push(chunk: Buffer, from: number): number {
    if (this.#complete) this.#reset();
    let at = from;
    while (at < chunk.length && !this.#complete && !this.tooLong) {
      const found = chunk.indexOf(LF, at);
      const end = found < 0 ? chunk.length : found + 1;
      at += this.#keep(chunk, at, end);
      if (found >= 0 && at === end) this.#endAtLf();
    }
    return at;
  }

  /** The line, valid until the next push; null: more bytes are needed. */
  get line(): Buffer | null {
    return this.#complete ? this.#held.subarray(0, this.#length) : null;
  }

  /** What came of a line that is not complete; empty behind a complete one. */
  get partial(): Buffer {
    return this.#held.subarray(0, this.#complete ? 0 : this.#length);
  }

  /** The line cannot end within the limit any more. */
  get tooLong(): boolean {
    return !this.#complete && this.#length === this.#held.length;
  }

  /** A LF without CR came; whether that is content or an error is the caller's to say. */
  get bareLf(): boolean {
    return this.#bareLf;
  }

  #keep(chunk: Buffer, from: number, end: number): number {
    const count = chunk.copy(this.#held, this.#length, from, end);
    this.#length += count;
    return count;
  }

  #endAtLf(): void {
    if (this.#length >= 2 && this.#held[this.#length - 2] === CR) {
      this.#complete = true;
      this.#length -= 2;
    } else {
      this.#bareLf = true;
    }
  }

  #reset(): void {
    this.#length = 0;
    this.#complete = false;
    this.#bareLf = false;
  }
}

/**
 * Where the next byte stands. A CR or LF is content as soon as it is seen (the CRLF before the final dot
 * belongs to the body); only a dot at the start of a line, and a CR behind it, wait for what follows.
 */
type Place = 'line start' | 'in line' | 'after CR' | 'after dot' | 'after dot CR' | 'ended';

/** Takes the body of one multi-line reply out of the stream, unstuffed. */
export class BodyFraming {
  #place: Place = 'line start';
  #next = 0;
  #unstuffed = false;

  get ended(): boolean {
    return this.#place === 'ended';
  }

  /**
   * A line began with one dot and went on with something else, which a server that stuffs dots (RFC 1939 section 3)
   * never sends: a dot of the content is missing.
   */
  get unstuffed(): boolean {
    return this.#unstuffed;
  }

  /** After a push: where in the chunk the bytes begin that are not this body's. */
  get next(): number {
    return this.#next;
  }

  /**
   * Takes `chunk` from `from` on, up to the body's end; returns the content in it, possibly none: a view of
   * the chunk, or a new buffer where stuffed dots had to go from between.
   */
  push(chunk: Buffer, from: number): Buffer {
    let content: Buffer = NOTHING;
    let assembled: { buffer: Buffer; length: number } | null = null;
    let at = from;
    while (at < chunk.length && !this.ended) {
      const piece = this.#step(chunk, at);
      at = this.#next;
      if (piece.length === 0) continue;
      if (content.length === 0) {
        content = piece;
        continue;
      }
      if (assembled === null) {
        // At most the chunk, and the one CR that may have been held from the chunk before.
        assembled = { buffer: Buffer.allocUnsafe(chunk.length - from + 1), length: 0 };
        assembled.length = content.copy(assembled.buffer, 0);
      }
      assembled.length += piece.copy(assembled.buffer, assembled.length);
    }
    this.#next = at;
    return assembled === null ? content : assembled.buffer.subarray(0, assembled.length);
  }

  /** One step of the machine from `at`: sets the place and `#next`, returns the content it passed. */
  #step(chunk: Buffer, at: number): Buffer {
    const byte = chunk[at];
    switch (this.#place) {
      case 'line start':
        if (byte !== DOT) return this.#run(chunk, at);
        return this.#skip(at, 'after dot');
      case 'after CR':
        if (byte !== LF || (at + 1 < chunk.length && chunk[at + 1] !== DOT)) return this.#run(chunk, at);
        this.#skip(at, 'line start');
        return chunk.subarray(at, at + 1);
      case 'after dot':
        // The dot was stuffing unless CRLF follows; one is dropped, whatever comes next.
        if (byte !== CR) {
          this.#unstuffed ||= byte !== DOT;
          return this.#run(chunk, at);
        }
        return this.#skip(at, 'after dot CR');
      case 'after dot CR':
        if (byte === LF) return this.#skip(at, 'ended');
        // A line that begins with a bare CR. The byte itself, no LF, is looked at in the next step.
        this.#unstuffed = true;
        this.#place = 'in line';
        this.#next = at;
        return LONE_CR;
      default:
        return this.#run(chunk, at);
    }
  }

  #skip(at: number, place: Place): Buffer {
    this.#place = place;
    this.#next = at + 1;
    return NOTHING;
  }

  /** Content up to the next line that begins with a dot, or to the chunk's end. */
  #run(chunk: Buffer, at: number): Buffer {
    const found = chunk.indexOf(CRLF_DOT, at);
    if (found >= 0) {
      this.#place = 'after dot';
      this.#next = found + 3;
      return chunk.subarray(at, found + 2);
    }
    this.#next = chunk.length;
    this.#place = placeAtEnd(chunk, at);
    return chunk.subarray(at);
  }
}

/** The place behind a chunk whose bytes from `from` on are content; no CR stands before them. */
function placeAtEnd(chunk: Buffer, from: number): Place {
  const last = chunk[chunk.length - 1];
  if (last === CR) return 'after CR';
  if (last === LF && chunk.length - from >= 2 && chunk[chunk.length - 2] === CR) return 'line start';
  return 'in line';
}
