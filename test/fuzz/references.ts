/**
 * What the parsers should say, written a second time, as plainly as possible and by other means: over whole text,
 * by regular expressions, with no thought for time or memory. All text is latin1.
 */

export interface BodyTold {
  /** Unstuffed; of a body that has not ended, as much as is certain. */
  readonly content: string;
  readonly ended: boolean;
  readonly rest: string;
}

/** The body that `wire` begins with: RFC 1939 section 3. */
export function bodyOf(wire: string): BodyTold {
  const end = /(^|\r\n)\.\r\n/.exec(wire);
  if (end !== null) {
    const stuffed = wire.slice(0, end.index + (end[1]?.length ?? 0));
    return { content: unstuffed(stuffed), ended: true, rest: wire.slice(end.index + end[0].length) };
  }
  // A dot that begins the last line, and a CR behind it, may still become the end.
  const open = /(?:^|\r\n)(\.\r?)$/.exec(wire)?.[1] ?? '';
  return { content: unstuffed(wire.slice(0, wire.length - open.length)), ended: false, rest: '' };
}

function unstuffed(text: string): string {
  return text.replace(/(^|\r\n)\./g, '$1');
}

export interface LineTold {
  /** Null: more is needed, or it is too long. */
  readonly line: string | null;
  readonly tooLong: boolean;
  readonly bareLf: boolean;
  readonly rest: string;
}

/** The line that `wire` begins with; it may have `max` characters before its CRLF. */
export function lineOf(wire: string, max: number): LineTold {
  const seen = wire.slice(0, max + 2);
  const end = seen.indexOf('\r\n');
  const held = end < 0 ? seen : seen.slice(0, end);
  return {
    line: end < 0 ? null : held,
    tooLong: end < 0 && seen.length === max + 2,
    bareLf: /(?<!\r)\n/.test(held),
    rest: wire.slice(end < 0 ? seen.length : end + 2),
  };
}

export interface StatusTold {
  readonly ok: boolean;
  readonly code: string | null;
  readonly text: string;
}

/** RFC 1939 section 3, RFC 2449 section 8. */
export function statusOf(line: string): StatusTold | null {
  const parts = /^(?:(\+ok)|-err)(?:[ \t]([\s\S]*))?$/i.exec(line);
  if (parts === null) return null;
  const text = parts[2] ?? '';
  const code = /^\[([\w/-]+)[\] \t]/.exec(text)?.[1] ?? '';
  return { ok: parts[1] !== undefined, code: /^.{1,64}$/.test(code) ? code.toUpperCase() : null, text };
}

/** A row of UIDL or LIST. */
export function rowOf(line: string): { readonly number: number; readonly rest: string } | null {
  const parts = /^[ \t]*(\d+)(?:[ \t]+([\s\S]*))?$/.exec(line);
  if (parts === null) return null;
  const number = exact(parts[1] ?? '');
  const rest = (parts[2] ?? '').replace(/\r+$/, '');
  return number === null || number === 0 || /[\r\n\0]/.test(rest) ? null : { number, rest };
}

export function octetsOf(rest: string): number | null {
  const digits = /^(\d+)(?:[ \t][\s\S]*)?$/.exec(rest)?.[1];
  return digits === undefined ? null : exact(digits);
}

function exact(digits: string): number | null {
  const value = BigInt(digits);
  return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : null;
}

/** The bytes before the first line that is empty or has nothing but CRs; all, if there is none. */
export function headerBlockOf(message: string): string {
  const end = /(^|\n)\r*\n/.exec(message);
  return end === null ? message : message.slice(0, end.index + (end[1]?.length ?? 0));
}
