/** The characters of a text part. */
import { buffer } from 'node:stream/consumers';
import libmime from 'libmime';

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

/** An unknown label, and UTF-7, in which "+ADw-" is "<" to whoever looks later, are taken for UTF-8. */
async function labelled(bytes: Buffer, charset: string, cut: boolean): Promise<DecodedText> {
  const decoder = libmime.createDecodeStream(charset);
  decoder.end(bytes);
  const text = (await buffer(decoder)).toString();
  const whole = cut ? text.replace(/\ufffd{1,4}$/, '') : text;
  return { text: whole, guessed: whole.includes('\ufffd') || !(decoder.supported || isAscii(bytes)) };
}

function isAscii(bytes: Buffer): boolean {
  // In UTF-7 characters hide behind "+".
  return bytes.every((byte) => byte < 0x80) && !bytes.includes('+');
}

function plain(text: string): string {
  return text
    .replaceAll('\r\n', '\n')
    .replaceAll('\r', '\n')
    .replace(/(?![\t\n])\p{Cc}/gu, '')
    .toWellFormed();
}
