/** What the lines of a server mean. Pure; nothing here throws on any bytes. */

export interface Status {
  readonly ok: boolean;
  /** RFC 2449 response code, upper case, without brackets: IN-USE, LOGIN-DELAY, SYS/TEMP, … */
  readonly code: string | null;
  /** What stands behind the indicator and one blank; may be empty. */
  readonly text: Buffer;
}

const PLUS = 0x2b;
const BLANK = 0x20;
const TAB = 0x09;

/** Null where the line is no status line. Text is optional everywhere: QUIRK: o2.pl answers a bare "+OK". */
export function parseStatus(line: Buffer): Status | null {
  const ok = startsWith(line, '+OK');
  if (!ok && !startsWith(line, '-ERR')) return null;
  const indicator = ok ? 3 : 4;
  if (line.length > indicator && !isBlank(line[indicator])) return null;
  const text = line.subarray(indicator + 1);
  return { ok, code: responseCode(text), text };
}

/** What stands behind "+ ", base64 (RFC 5034 section 4); null: no challenge. QUIRK: "+" alone, without the blank. */
export function parseChallenge(line: Buffer): string | null {
  if (line[0] !== PLUS || (line.length > 1 && line[1] !== BLANK)) return null;
  return line.toString('latin1', 2);
}

/** Indicators are upper case in RFC 1939; the case of a letter is no reason to refuse a mailbox. */
function startsWith(line: Buffer, indicator: string): boolean {
  return line.toString('latin1', 0, indicator.length).toUpperCase() === indicator;
}

/**
 * RFC 2449 section 8: right behind the indicator, in brackets; 64 characters are more than any registered. QUIRK: some
 * write what belongs to it behind a blank: "[LOGIN-DELAY 300]", "[WEBALERT https://…]".
 */
function responseCode(text: Buffer): string | null {
  const match = /^\[([A-Za-z0-9/_-]{1,64})[\] \t]/.exec(text.toString('latin1', 0, 66));
  return match?.[1]?.toUpperCase() ?? null;
}

export interface Row {
  readonly number: number;
  /** Everything behind the number and the blanks after it, which may be several. */
  readonly rest: Buffer;
}

/**
 * One row of UIDL or LIST, or the text of their single-message answers. Null: not of the form "number rest",
 * or with a CR, LF or NUL inside. QUIRK: Comcast puts several blanks before the UIDL, GMX blanks into it;
 * others leave it out ("7" and "7 " have an empty rest), or set the numbers in a column.
 */
export function parseRow(text: Buffer): Row | null {
  let indent = 0;
  while (isBlank(text[indent])) indent++;
  const line = text.subarray(indent);
  const digits = countDigits(line);
  const number = wholeNumber(line, digits);
  if (number === null || number < 1) return null;
  let at = digits;
  while (isBlank(line[at])) at++;
  if (at === digits && at < line.length) return null;
  const rest = withoutTrailingCr(line.subarray(at));
  return rest.includes(0x0d) || rest.includes(0x0a) || rest.includes(0x00) ? null : { number, rest };
}

/**
 * The octets of a LIST row; null where they are no number. QUIRK: mailpit sent "%!d(float64=5461)", Exchange
 * -1794967296. RFC 1939 allows more words behind the number.
 */
export function parseOctets(rest: Buffer): number | null {
  const digits = countDigits(rest);
  if (digits < rest.length && !isBlank(rest[digits])) return null;
  return wholeNumber(rest, digits);
}

function countDigits(bytes: Buffer): number {
  let count = 0;
  for (const byte of bytes) {
    if (byte < 0x30 || byte > 0x39) break;
    count++;
  }
  return count;
}

/** The first `digits` bytes as a number, if there are any and it is exact. */
function wholeNumber(bytes: Buffer, digits: number): number | null {
  if (digits === 0) return null;
  const number = Number(bytes.toString('latin1', 0, digits));
  return Number.isSafeInteger(number) ? number : null;
}

function withoutTrailingCr(bytes: Buffer): Buffer {
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0x0d) end--;
  return bytes.subarray(0, end);
}

function isBlank(byte: number | undefined): boolean {
  return byte === BLANK || byte === TAB;
}
