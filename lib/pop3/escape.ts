import { isUtf8 } from 'node:buffer';
import { SHOWN_CHARACTERS } from './limits.ts';

/**
 * Server text as something that may stand in a log, a terminal or JSON: valid UTF-8 is kept readable, every
 * control character, invisible direction mark and backslash becomes \xNN or \u{N}, and the result has at most
 * `cap` characters ("…" marks the cut). Bytes that are not UTF-8 (GBK is common) are shown as \xNN.
 */
export function escapeBytes(bytes: Uint8Array, cap: number = SHOWN_CHARACTERS): string {
  const utf8 = isUtf8(bytes);
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString(
    utf8 ? 'utf8' : 'latin1',
  );
  let shown = '';
  for (const character of text) {
    const escaped = escapeCharacter(character, utf8);
    if (shown.length + escaped.length > cap - 1) return `${shown}…`;
    shown += escaped;
  }
  return shown;
}

function escapeCharacter(character: string, utf8: boolean): string {
  const point = character.codePointAt(0) ?? 0;
  if (point === 0x5c || isControl(point) || (!utf8 && point > 0x7e)) {
    return `\\x${point.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  if (isInvisible(point)) return `\\u{${point.toString(16).toUpperCase()}}`;
  return character;
}

/** C0, DEL and C1. */
function isControl(point: number): boolean {
  return point < 0x20 || (point >= 0x7f && point <= 0x9f);
}

/** Line separators, direction marks and overrides, byte order mark, tag characters: they make text lie. */
function isInvisible(point: number): boolean {
  return (
    point === 0x061c ||
    (point >= 0x200b && point <= 0x200f) ||
    (point >= 0x2028 && point <= 0x202e) ||
    (point >= 0x2060 && point <= 0x206f) ||
    point === 0xfeff ||
    (point >= 0xe0000 && point <= 0xe007f)
  );
}
