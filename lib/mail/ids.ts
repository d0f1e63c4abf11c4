/** Message identifiers (RFC 5322 section 3.6.4) and list identifiers (RFC 2919). */
import { isWhole, withoutControls, wordsDecoded } from './values.ts';

const BRACKETED = /<([^<>]*)>/g;

/**
 * The text inside the first angle brackets. QUIRK: some mailers leave the brackets out; one bare word is then
 * the identifier, several words are none. An identifier over the cap is null: its beginning would be another's.
 */
export function oneId(text: string, cut: boolean): string | null {
  const plain = unworded(text);
  const bracketed = /<([^<>]*)>/.exec(plain)?.[1];
  if (bracketed !== undefined) return unfolded(bracketed);
  return cut || /[\s<>]/.test(plain) ? null : unfolded(plain);
}

/** What stands in angle brackets in a field of a mailing list (RFC 2369): URIs, in the sender's order. */
export function uris(text: string): string[] {
  return Array.from(text.matchAll(BRACKETED), (match) => unfolded(match[1] ?? '')).filter(
    (uri) => uri !== null,
  );
}

/**
 * All identifiers in their order. Words outside of brackets are RFC 822's phrases ("Your message of Tuesday"),
 * unless there are no brackets at all and every word could be an identifier.
 */
export function messageIds(text: string, cut: boolean): string[] {
  const plain = unworded(text);
  const texts = /[<>]/.test(plain)
    ? Array.from(plain.matchAll(BRACKETED), (match) => match[1] ?? '')
    : bare(plain, cut);
  return texts.map(unfolded).filter((id) => id !== null);
}

/**
 * QUIRK: where an identifier does not fit into a line, Python folds it into encoded words, brackets and all, which RFC 2047
 * section 5 forbids; replies by such programs lose their thread otherwise.
 */
function unworded(text: string): string {
  return /(?:^|\s)=\?/.test(text) ? wordsDecoded(text) : text;
}

function bare(text: string, cut: boolean): string[] {
  const words = text.split(/[\s,]+/).filter((word) => word !== '');
  const whole = cut ? words.slice(0, -1) : words;
  return whole.every((word) => word.includes('@')) ? whole : [];
}

/** Folding leaves blanks where a long identifier was broken; they are no part of it. */
function unfolded(id: string): string | null {
  const joined = withoutControls(id).replace(/\s+/g, '');
  return isWhole(joined) ? joined : null;
}
