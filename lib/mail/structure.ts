/**
 * A message's skeleton in one linear pass, ahead of mailparser: header blocks are measured, parts and their depth are
 * counted, and what is over a bound is refused before the parser sees the bytes. It follows the boundaries that
 * mailparser follows; where the two should ever differ, mailparser's own bounds and those of its process remain. All
 * bytes pass through it unchanged, except that header blocks are mended.
 */
import libmime from 'libmime';
import { BodyStart } from './bodyStart.ts';
import { headBlock, withoutMark } from './headBlock.ts';
import { firstFields } from './headerFields.ts';
import { MAX_DEPTH, MAX_HEADER_BYTES, MAX_PARTS, UnparsableError } from './parseLimits.ts';

const LF = 0x0a;
const DASH = 0x2d;
const BLANKS: ReadonlySet<number> = new Set([0x20, 0x09, 0x0d, LF]);
const CONTENT_TYPE: ReadonlySet<string> = new Set(['content-type']);

/** A delimiter line of RFC 2046 has 76 octets; a boundary that mailparser could match in more is bound by the header it stands in. */
const MAX_LINE_KEPT = MAX_HEADER_BYTES;

/** Feed it all bytes in order, then end it; both give what the parser is to see. Throws UnparsableError as soon as a bound is passed. */
export class Structure {
  /** Of the multiparts that are open, outermost first; null: it has none, and nothing in it can be told apart. */
  readonly #boundaries: (string | null)[] = [];
  /** The header block being read; null within a body. */
  #block: Buffer[] | null = [];
  #blockBytes = 0;
  /** The beginning of the line being read: all of a header line, of others as much as a delimiter may have. */
  #line: Buffer[] = [];
  #lineBytes = 0;
  #parts = 1;
  #bodyBytes = 0;
  #isAtStart = true;
  readonly #bodyStart = new BodyStart();
  /** What the parser is to see next. */
  #passed: Buffer[] = [];

  /** Whether there was a body, of whatever kind. */
  get hasBody(): boolean {
    return this.#bodyBytes > 0;
  }

  /** Whether a multipart was still open; once the message has ended. */
  get unclosed(): boolean {
    return this.#boundaries.some((boundary) => boundary !== null);
  }

  update(chunk: Buffer): Buffer {
    let at = 0;
    while (at < chunk.length) {
      if (this.#block === null && this.#boundaries.length === 0) {
        // Nothing can come that is not this body's.
        this.#bodyBytes += chunk.length - at;
        this.#passed.push(chunk.subarray(at));
        break;
      }
      const lf = chunk.indexOf(LF, at);
      const end = lf === -1 ? chunk.length : lf + 1;
      this.#take(chunk.subarray(at, end));
      if (lf !== -1) this.#endLine();
      at = end;
    }
    return this.#takePassed();
  }

  end(): Buffer {
    if (this.#lineBytes > 0) this.#endLine();
    this.#endUnended();
    this.#passed.push(...this.#bodyStart.release());
    return this.#takePassed();
  }

  #takePassed(): Buffer {
    const [first = Buffer.alloc(0)] = this.#passed;
    const passed = this.#passed.length > 1 ? Buffer.concat(this.#passed) : first;
    this.#passed = [];
    return passed;
  }

  #take(piece: Buffer): void {
    this.#lineBytes += piece.length;
    if (this.#block !== null) {
      this.#blockBytes += piece.length;
      if (this.#blockBytes > MAX_HEADER_BYTES) throw new UnparsableError('E_PARSE_HEADERS');
      this.#line.push(piece);
      return;
    }
    this.#bodyBytes += piece.length;
    // Only a line that begins with two dashes can be a delimiter; of one that came in pieces the first may be one octet.
    const mayDelimit = this.#boundaries.length > 0 && this.#mayDelimit(piece);
    if (mayDelimit) this.#line.push(piece);
    this.#passed.push(...this.#bodyStart.take(piece, mayDelimit));
  }

  #mayDelimit(piece: Buffer): boolean {
    const before = this.#lineBytes - piece.length;
    if (before === 0) return piece[0] === DASH && (piece.length === 1 || piece[1] === DASH);
    if (this.#line.length === 0 || this.#lineBytes > MAX_LINE_KEPT) return false;
    return before > 1 || piece[0] === DASH;
  }

  #endLine(): void {
    const line = this.#line.length === 1 ? this.#line[0] : Buffer.concat(this.#line);
    const whole = line !== undefined && line.length === this.#lineBytes;
    this.#line = [];
    this.#lineBytes = 0;
    const wasBody = this.#block === null;
    const delimits = line !== undefined && whole && this.#delimits(line);
    if (wasBody) this.#passed.push(...this.#bodyStart.endLine(delimits));
    if (line === undefined || delimits || this.#block === null) return;
    this.#block.push(line);
    if (line.length <= 2 && line.toString('latin1').trim() === '') this.#endBlock(this.#block, true);
  }

  /** Whether the line ends or begins a part; then the part is begun. */
  #delimits(line: Buffer): boolean {
    if (line[0] !== DASH || line[1] !== DASH || this.#boundaries.length === 0) return false;
    const text = line.toString('latin1', 2, blanksAt(line));
    const begun = this.#boundaries.lastIndexOf(text);
    const ended = text.endsWith('--') ? this.#boundaries.lastIndexOf(text.slice(0, -2)) : -1;
    if (begun === -1 && ended === -1) return false;
    if (this.#block !== null) {
      this.#endUnended();
      this.#passed.push(line);
    }
    if (begun === -1) {
      this.#boundaries.length = ended;
      return true;
    }
    this.#boundaries.length = begun + 1;
    this.#parts += 1;
    if (this.#parts > MAX_PARTS) throw new UnparsableError('E_PARSE_PARTS');
    this.#block = [];
    this.#blockBytes = 0;
    return true;
  }

  /** A block that ends without its empty line; what it swallowed may have begun another such block. */
  #endUnended(): void {
    while (this.#block !== null) this.#endBlock(this.#block, false);
  }

  #endBlock(lines: readonly Buffer[], ended: boolean): void {
    const { head, body } = headBlock(lines, ended);
    this.#block = null;
    this.#passed.push(this.#isAtStart ? withoutMark(head) : head);
    this.#isAtStart = false;
    this.#enter(head);
    if (ended && this.#boundaries.length > 0) this.#bodyStart.begin();
    for (const line of body) {
      this.#take(line);
      this.#endLine();
    }
  }

  /** What the header block says of the bytes behind it. */
  #enter(head: Buffer): void {
    const field = firstFields(head, CONTENT_TYPE, MAX_HEADER_BYTES + 1).get('content-type');
    if (field === undefined) return;
    const { value, params } = libmime.parseHeaderValue(field.raw, { stripComments: true });
    const boundary = params['boundary']?.trimEnd() ?? '';
    // As mailparser has it: a boundary is ASCII, and another one delimits nothing. It delimits whatever the type is.
    const usable = boundary !== '' && Buffer.byteLength(boundary) === boundary.length;
    if (!usable && !/^\s*multipart\//i.test(String(value))) return;
    this.#boundaries.push(usable ? boundary : null);
    if (this.#boundaries.length > MAX_DEPTH) throw new UnparsableError('E_PARSE_DEPTH');
  }
}

/** Where the blanks and the line end at the end of a line begin. A regular expression would try each run of blanks. */
function blanksAt(line: Buffer): number {
  let end = line.length;
  while (end > 0 && BLANKS.has(line[end - 1] ?? 0)) end -= 1;
  return end;
}
