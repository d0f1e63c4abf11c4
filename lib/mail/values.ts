/** Field values as an event may carry them: characters instead of bytes, no controls, well-formed, bounded. */
import libmime from 'libmime';

/** Enough for any subject or name that a person reads; a longer one is cut, an identifier is left out. */
export const MAX_VALUE_CODE_POINTS = 1000;

/**
 * The characters behind raw header bytes (one character a byte): UTF-8 (RFC 6532) where it is valid, else
 * ISO 8859-1, which is never wrong about ASCII. `cut`: the last sequence may be incomplete.
 */
export function characters(raw: string, cut: boolean): string {
  try {
    const decoder = new TextDecoder('utf-8', { fatal: true });
    return decoder.decode(Buffer.from(raw, 'latin1'), { stream: cut }).trim();
  } catch {
    return raw.trim();
  }
}

/** An unstructured value, its encoded words decoded (RFC 2047). */
export function readable(text: string): string {
  // Controls go before as well: NUL is a marker within libmime's joining of words.
  return verbatim(wordsDecoded(text));
}

/** As `readable`, of any length and with whatever was encoded. */
export function wordsDecoded(text: string): string {
  return decoded(withoutControls(text));
}

/** A value as it was written. */
export function verbatim(text: string): string {
  return capped(withoutControls(text).toWellFormed().trim());
}

/** TAB becomes a blank; C0, DEL and C1 go: databases, XML and terminals choke on them. */
export function withoutControls(text: string): string {
  return text.replaceAll('\t', ' ').replace(/\p{Cc}/gu, '');
}

/** Whether `text` may stand as an identifier or address: cutting or cleaning one would make another. */
export function isWhole(text: string): boolean {
  return text !== '' && text === verbatim(text);
}

/** QUIRK: "?" stands bare in words that are nearly readable. Bounded, as each "=?" begins a search; real ones have 75 characters. */
const Q_WORD = /=\?([\w*-]{1,40})\?q\?((?:[^?]|\?(?!=)){1,300})\?=/gi;

/** What is labelled so holds characters of GB18030, in which both are contained. */
const GBK_WORD = /=\?(?:gb2312|gbk)(?=[*?])/gi;

/** A charset whose decoder throws leaves the words as they stand. */
function decoded(text: string): string {
  if (!text.includes('=?')) return text;
  const words = text
    .replace(GBK_WORD, '=?gb18030')
    .replace(Q_WORD, (_word, charset, octets) => `=?${charset}?Q?${octets.replaceAll('?', '=3F')}?=`);
  try {
    return libmime.decodeWords(words);
  } catch {
    return text;
  }
}

/** The first MAX_VALUE_CODE_POINTS code points; a pair of surrogates is never split. */
function capped(text: string): string {
  if (text.length <= MAX_VALUE_CODE_POINTS) return text;
  // No code point has more than two units, so the slice holds enough of them; its own last pair may be split.
  const start = Array.from(text.slice(0, 2 * MAX_VALUE_CODE_POINTS + 1));
  return start.slice(0, MAX_VALUE_CODE_POINTS).join('');
}
