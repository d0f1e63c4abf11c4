/**
 * A header block as mailparser is to see it. Mail that programs make by hand, or that lost octets on its way, has header
 * blocks that run on into what they stand before; a parser that goes by the letter shows nothing of it.
 */

export interface HeadBlock {
  readonly head: Buffer;
  /** Lines that were taken for the header's, and are none. */
  readonly body: readonly Buffer[];
}

/** As much of a line as decides what it is. */
const LOOKED_AT = 200;

const FIELD = /^[^\s:]+[ \t]*:/;
const FOLDED = /^[ \t]/;
const MBOX = /^>?From /;

/** QUIRK: the encoding in quotes, or with an empty parameter behind it; mailparser takes it for one that it does not know. */
const ENCODING = /^content-transfer-encoding[ \t]*:[ \t]*"?(base64|quoted-printable)"?[ \t]*(?:;|\r|\n|$)/i;

const MARK = Buffer.from('\ufeff');
const EMPTY_LINE = Buffer.from('\r\n');

/**
 * `lines`: with their ends. `ended`: by an empty line; it is among them. One without, as before text that follows at
 * once, or where each line ends in CR CR LF, ends where the first line that can be no field stands.
 */
export function headBlock(lines: readonly Buffer[], ended: boolean): HeadBlock {
  const end = ended ? -1 : lines.findIndex((line, at) => !belongs(line, at));
  if (end === -1) return { head: written(lines), body: [] };
  return { head: Buffer.concat([written(lines.slice(0, end)), EMPTY_LINE]), body: lines.slice(end) };
}

/** QUIRK: PowerShell and old PHP write a byte order mark before the first field. */
export function withoutMark(head: Buffer): Buffer {
  return head.indexOf(MARK) === 0 ? head.subarray(MARK.length) : head;
}

function belongs(line: Buffer, at: number): boolean {
  const text = beginningOf(line);
  return FIELD.test(text) || FOLDED.test(text) || (at === 0 && MBOX.test(text));
}

function written(lines: readonly Buffer[]): Buffer {
  return Buffer.concat(lines.map(withPlainEncoding));
}

function withPlainEncoding(line: Buffer): Buffer {
  const encoding = ENCODING.exec(beginningOf(line))?.[1];
  return encoding === undefined ? line : Buffer.from(`Content-Transfer-Encoding: ${encoding}\r\n`);
}

function beginningOf(line: Buffer): string {
  return line.toString('latin1', 0, LOOKED_AT);
}
