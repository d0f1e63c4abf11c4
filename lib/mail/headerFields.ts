/**
 * The header block of a message as raw fields: one pass over bounded bytes, nothing decoded. It
 * takes what the wild sends: bare LF, an mbox "From " line first, lines without a colon, blanks before the
 * colon (RFC 5322 section 4.5), a byte order mark before a name, bytes of any value.
 */

/** 64 KB: thirty times a usual header, and small beside the window that it is kept in. */
export const HEADER_SCAN_BYTES = 64 * 1024;

export interface Field {
  /** Unfolded (RFC 5322 section 2.2.3), one character for each byte. */
  readonly raw: string;
  /** The scan ended inside this field: its last item may be only the beginning of one. */
  readonly cut: boolean;
}

/** Those that may come again: their lists are to be joined (RFC 5322 section 4.5.3). */
const DESTINATIONS: ReadonlySet<string> = new Set(['to', 'cc', 'bcc']);

/** UTF-8's byte order mark, one character for each byte. */
const MARK = /^\xef\xbb\xbf/;

/**
 * The first field of each of the `wanted` (lower-case) names. The first wins because relays add theirs on top
 * and most readers show the first: a second From or Subject further down is older, or smuggled in. Of DESTINATIONS, all.
 */
export function firstFields(
  head: Uint8Array,
  wanted: ReadonlySet<string>,
  scanBytes = HEADER_SCAN_BYTES,
): ReadonlyMap<string, Field> {
  const scanned = Math.min(head.length, scanBytes);
  const text = Buffer.from(head.buffer, head.byteOffset, scanned).toString('latin1');
  const lines = new Map<string, string[]>();
  let current: string[] | undefined;
  let at = 0;
  while (at < text.length) {
    const lf = text.indexOf('\n', at);
    const end = lf === -1 ? text.length : lf;
    const line = text.slice(at, text[end - 1] === '\r' && end > at ? end - 1 : end);
    if (line === '') return unfold(lines, undefined);
    if (line.startsWith(' ') || line.startsWith('\t')) current?.push(line);
    else if (at > 0 || !isMboxLine(line)) current = begin(line, wanted, lines);
    at = end + 1;
  }
  return unfold(lines, text.length === scanBytes ? current : undefined);
}

/** QUIRK: servers over mbox spools have passed on the separator line, and ">From " where it was quoted. */
function isMboxLine(line: string): boolean {
  return line.startsWith('From ') || line.startsWith('>From ');
}

/** The parts of the field that begins in `line`, to which its continuations go; undefined if it is not wanted. */
function begin(
  line: string,
  wanted: ReadonlySet<string>,
  lines: Map<string, string[]>,
): string[] | undefined {
  const colon = line.indexOf(':');
  if (colon === -1) return undefined;
  const name = line.slice(0, colon).replace(MARK, '').trimEnd().toLowerCase();
  if (!wanted.has(name)) return undefined;
  const value = line.slice(colon + 1);
  const earlier = lines.get(name);
  if (earlier === undefined) {
    const started = [value];
    lines.set(name, started);
    return started;
  }
  if (!DESTINATIONS.has(name)) return undefined;
  earlier.push(',', value);
  return earlier;
}

function unfold(
  lines: ReadonlyMap<string, readonly string[]>,
  cut: readonly string[] | undefined,
): ReadonlyMap<string, Field> {
  const fields = new Map<string, Field>();
  for (const [name, parts] of lines) {
    fields.set(name, { raw: parts.join(''), cut: parts === cut });
  }
  return fields;
}
