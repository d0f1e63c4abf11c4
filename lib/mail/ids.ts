/** Message identifiers (RFC 5322 section 3.6.4) and list identifiers (RFC 2919). */
import { isWhole, withoutControls } from './values.ts';

const BRACKETED = /<([^<>]*)>/g;

/**
 * The text inside the first angle brackets. QUIRK: some mailers leave the brackets out; one bare word is then
 * the identifier, several words are none. An identifier over the cap is null: its beginning would be another's.
 */
export function oneId(text: string, cut: boolean): string | null {
  const bracketed = /<([^<>]*)>/.exec(text)?.[1];
  if (bracketed !== undefined) return unfolded(bracketed);
  return cut || /[\s<>]/.test(text) ? null : unfolded(text);
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
  const texts = /[<>]/.test(text)
    ? Array.from(text.matchAll(BRACKETED), (match) => match[1] ?? '')
    : bare(text, cut);
  return texts.map(unfolded).filter((id) => id !== null);
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
