/**
 * Address lists (RFC 5322 section 3.4 and its obsolete forms) in one pass, without recursion. Names and
 * addresses are told apart before any word is decoded, so an encoded word can never become an address. What
 * is not clearly one address is left out, never pieced together.
 */
import { isWhole, readable } from './values.ts';

export interface Address {
  /** The display name, else the comment that stands for one; decoded. */
  readonly name: string | null;
  /** local-part@domain as it was written, without comments and blanks; not decoded. */
  readonly address: string;
}

/** More are of no use in an event; mass mailings list tens of thousands. */
export const MAX_ADDRESSES = 50;

/** A run that is neither blank nor special. */
const ATOM = /[^\s"(),:;<>[\]]+/y;
/** QUIRK: mailers leave "," and other specials bare inside an encoded word, which RFC 2047 section 5 forbids. */
const ENCODED_WORD = /=\?[^?\s]+\?[bq]\?[^?\s]*\?=/iy;

/** One or more words that belong together: "." and "@" bind across blanks and comments (RFC 5322 section 4.4). */
interface Token {
  /** As part of a name: unquoted. */
  text: string;
  /** As part of an address: quoted as written; null if it holds an encoded word, which no address may. */
  spec: string | null;
  /** How many "@" stand outside quotes. */
  ats: number;
  /** Where the token ended; a word that begins here is glued to it. */
  end: number;
  /** The "." or "@" outside quotes that it ends with. Kept, as looking at a growing string's end copies it each time. */
  open: '.' | '@' | null;
  /** A "." binds it across a blank: obsolete within an address, usual behind "Dr" in a name. */
  spaced: boolean;
}

interface Mailbox {
  phrase: Token[];
  /** What stands in angle brackets; null until "<". */
  angle: Token[] | null;
  inAngle: boolean;
  /** What stands in brackets began with "@": a source route, in which "," separates hosts. */
  inRoute: boolean;
  /** What follows the brackets: the end of this one's name, or the beginning of the next one's. */
  after: Token[];
  comment: string;
}

/** Whether quotes still close. One that does not says so of all behind it, which need not be looked for again. */
interface Quotes {
  close: boolean;
  /** One that does not close ends where an address in brackets begins; not in a text that was cut, where its end may be. */
  readonly mended: boolean;
}

/** At most `most`, in their order. `cut`: the last one may be incomplete and is left out. */
export function parseAddresses(text: string, cut: boolean, most = MAX_ADDRESSES): Address[] {
  const found: Address[] = [];
  const quotes = { close: true, mended: !cut };
  let mailbox = emptyMailbox();
  const flush = (next: Token[] = []) => {
    const address = addressOf(mailbox);
    if (address) found.push(address);
    mailbox = { ...emptyMailbox(), phrase: next };
  };
  for (let at = 0; at < text.length && found.length < most; ) {
    const character = text.charAt(at);
    if (isSeparator(character, mailbox)) flush();
    // QUIRK: two bracketed addresses without a comma are two, not one with a riddle for a name.
    else if (character === '<' && mailbox.angle && !mailbox.inAngle) flush(mailbox.after.splice(0));
    if (',:;<>'.includes(character)) {
      takeSpecial(character, mailbox);
      at += 1;
    } else at = takeWord(text, at, mailbox, quotes);
  }
  if (!cut && found.length < most) flush();
  return found;
}

function emptyMailbox(): Mailbox {
  return { phrase: [], angle: null, inAngle: false, inRoute: false, after: [], comment: '' };
}

/** ";" ends a group, and is Outlook's comma. A source route has commas of its own: <@a,@b:user@host>. */
function isSeparator(character: string, { inRoute }: Mailbox): boolean {
  return character === ';' || (character === ',' && !inRoute);
}

function takeSpecial(special: string, mailbox: Mailbox): void {
  if (special === '<') {
    mailbox.angle ??= [];
    mailbox.inAngle = true;
  } else if (special === '>') {
    mailbox.inAngle = false;
    mailbox.inRoute = false;
  } else if (special === ':') {
    // What stood before it was a source route, or a group's name.
    Object.assign(mailbox, mailbox.inAngle ? { angle: [], inRoute: false } : emptyMailbox());
  }
}

/** Takes one blank, comment or word; returns where it ended. */
function takeWord(text: string, at: number, mailbox: Mailbox, quotes: Quotes): number {
  if (text[at] === '(') {
    const end = commentEnd(text, at);
    mailbox.comment ||= text.slice(at + 1, text[end - 1] === ')' ? end - 1 : end);
    return end;
  }
  const word = wordAt(text, at, quotes);
  if (!word) return at + 1;
  const { phrase, angle, inAngle, after } = mailbox;
  if (inAngle && angle?.length === 0) mailbox.inRoute = word.spec?.startsWith('@') ?? false;
  if (angle) add(inAngle ? angle : after, word, at);
  else add(phrase, word, at);
  return word.end;
}

/** The quoted string, domain literal, encoded word or atom that begins here. */
function wordAt(text: string, at: number, quotes: Quotes): Token | undefined {
  if (text[at] === '"') {
    const end = quotedEnd(text, at, quotes);
    const spec = text.slice(at, end);
    return { text: unescaped(spec.replace(/^"|"$/g, '')), spec, ats: 0, end, open: null, spaced: false };
  }
  if (text[at] === '[') {
    const close = text.indexOf(']', at);
    const end = close === -1 ? text.length : close + 1;
    const spec = text.slice(at, end);
    return { text: spec, spec, ats: 0, end, open: null, spaced: false };
  }
  const encoded = matchAt(ENCODED_WORD, text, at);
  if (encoded) {
    return { text: encoded, spec: null, ats: 0, end: at + encoded.length, open: null, spaced: false };
  }
  const atom = matchAt(ATOM, text, at);
  if (!atom) return undefined;
  const ats = atom.split('@').length - 1;
  const open = atom.endsWith('.') ? '.' : atom.endsWith('@') ? '@' : null;
  return { text: atom, spec: atom, ats, end: at + atom.length, open, spaced: false };
}

function matchAt(sticky: RegExp, text: string, at: number): string | undefined {
  sticky.lastIndex = at;
  return sticky.exec(text)?.[0];
}

function add(tokens: Token[], next: Token, at: number): void {
  const last = tokens.at(-1);
  const glued = last?.end === at;
  if (!last || !(glued || last.open || /^[.@]/.test(next.spec ?? ''))) {
    tokens.push(next);
    return;
  }
  last.spaced ||= !glued && (last.open === '.' || next.spec?.startsWith('.') === true);
  last.text += (glued ? '' : ' ') + next.text;
  last.spec = last.spec === null || next.spec === null ? null : last.spec + next.spec;
  last.ats += next.ats;
  last.end = next.end;
  last.open = next.open;
}

function addressOf({ phrase, angle, after, comment }: Mailbox): Address | undefined {
  // Without brackets the one word with "@" is the address; two of them are a riddle.
  const candidates = angle ?? phrase.filter((token) => token.ats > 0);
  const [only] = candidates;
  if (!only?.spec || candidates.length > 1 || only.ats !== 1) return undefined;
  if (!angle && only.spaced) return undefined;
  if (only.spec.startsWith('@') || only.spec.endsWith('@') || !isWhole(only.spec)) return undefined;
  const words = [...phrase, ...after].filter((token) => token !== only).map((token) => token.text);
  const name = readable(words.join(' ')) || readable(unescaped(comment));
  return { name: name || null, address: only.spec };
}

/** Comments nest (RFC 5322 section 3.2.2); they are counted, so that their depth costs nothing. */
function commentEnd(text: string, start: number): number {
  let depth = 0;
  for (let at = start; at < text.length; at += 1) {
    const character = text[at];
    if (character === '\\') at += 1;
    else if (character === '(') depth += 1;
    else if (character === ')') depth -= 1;
    if (depth === 0) return at + 1;
  }
  return text.length;
}

function quotedEnd(text: string, start: number, quotes: Quotes): number {
  for (let at = start + 1; quotes.close && at < text.length; at += 1) {
    if (text[at] === '\\') at += 1;
    else if (text[at] === '"') return at + 1;
  }
  quotes.close = false;
  const bracket = quotes.mended ? text.indexOf('<', start) : -1;
  return bracket === -1 ? text.length : bracket;
}

function unescaped(text: string): string {
  return text.replace(/\\(.)/gs, '$1');
}
