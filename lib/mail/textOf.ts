/** The characters of a text part. */
import { buffer } from 'node:stream/consumers';
import libmime from 'libmime';
import { shiftedText } from './shiftedText.ts';

export interface DecodedText {
  /** Lines end in LF; no other controls but TAB; well-formed. */
  readonly text: string;
  /** The label means nothing, or the bytes are not what it says: some characters are a guess. */
  readonly guessed: boolean;
}

export interface TextForm {
  /** The label; null: none. */
  readonly charset: string | null;
  /** RFC 3676. */
  readonly flowed: 'no' | 'yes' | 'delsp';
  /** The bytes end somewhere within the text. */
  readonly cut: boolean;
}

/** QUIRK: what has no label is UTF-8 or, if it is not, what Windows wrote in the west. */
const FALLBACK = new TextDecoder('windows-1252');

/** QUIRK: what mailers say by default, also of octets that are none of it. */
const ASCII = /^(?:us[-_]?)?ascii$|^ansi_x3\.4/i;

/** Behind "+" and escapes UTF-7 and ISO-2022-CN hide characters in octets of ASCII. */
const SHIFTS: ReadonlySet<number> = new Set([0x2b, 0x0e, 0x0f, 0x1b]);

export async function decodedText(bytes: Buffer, { charset, flowed, cut }: TextForm): Promise<DecodedText> {
  const { text, guessed } = charset === null ? unlabelled(bytes, cut) : await labelled(bytes, charset, cut);
  const unfolded = flowed === 'no' ? text : libmime.decodeFlowed(text, flowed === 'delsp');
  return { text: plain(unfolded), guessed };
}

function unlabelled(bytes: Buffer, cut: boolean): DecodedText {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: cut });
    return { text, guessed: false };
  } catch {
    return { text: FALLBACK.decode(bytes), guessed: true };
  }
}

/** An unknown label, and UTF-7, in which "+ADw-" is "<" to whoever looks later, say no more than none. */
async function labelled(bytes: Buffer, charset: string, cut: boolean): Promise<DecodedText> {
  if (ASCII.test(charset)) return { ...unlabelled(bytes, cut), guessed: bytes.some(isBeyondAscii) };
  const shifted = shiftedText(bytes, charset);
  if (shifted !== undefined) return { text: shifted, guessed: shifted.includes('\ufffd') };
  const decoder = libmime.createDecodeStream(widest(charset));
  if (!decoder.supported) return { ...unlabelled(bytes, cut), guessed: !isPlainAscii(bytes) };
  decoder.end(bytes);
  const text = (await buffer(decoder)).toString();
  const whole = cut ? text.replace(/\ufffd{1,4}$/, '') : text;
  return { text: whole, guessed: whole.includes('\ufffd') };
}

/** QUIRK: what is labelled GB2312 or GBK holds characters of GB18030, in which both are contained. */
function widest(charset: string): string {
  return libmime.normalizeCharset(charset) === 'GBK' ? 'gb18030' : charset;
}

function isBeyondAscii(byte: number): boolean {
  return byte > 0x7f;
}

function isPlainAscii(bytes: Buffer): boolean {
  return !bytes.some((byte) => isBeyondAscii(byte) || SHIFTS.has(byte));
}

function plain(text: string): string {
  return text
    .replace(/^\ufeff/, '')
    .replaceAll('\r\n', '\n')
    .replaceAll('\r', '\n')
    .replace(/(?![\t\n])\p{Cc}/gu, '')
    .toWellFormed();
}
