/**
 * Charsets of seven bits that no decoder at hand knows: ISO-2022-KR (RFC 1557) and HZ (RFC 1843). Between shifts they are
 * EUC-KR and GB2312 without the eighth bit.
 */
const [LF, ESC, SO, SI, TILDE] = [0x0a, 0x1b, 0x0e, 0x0f, 0x7e];

/** What says, once, which characters the shifts are to. */
const DESIGNATION_OCTETS = 4;

const CHARSETS: ReadonlyMap<string, (bytes: Buffer) => string> = new Map([
  ['iso-2022-kr', (bytes) => decoded(bytes, shiftsOfKorean, 'euc-kr')],
  ['csiso2022kr', (bytes) => decoded(bytes, shiftsOfKorean, 'euc-kr')],
  ['hz-gb-2312', (bytes) => decoded(bytes, shiftsOfHz, 'gbk')],
  ['hz', (bytes) => decoded(bytes, shiftsOfHz, 'gbk')],
]);

/** Undefined for any other charset. */
export function shiftedText(bytes: Buffer, charset: string): string | undefined {
  return CHARSETS.get(charset.trim().toLowerCase())?.(bytes);
}

interface Shift {
  /** So many octets are no characters. */
  readonly octets: number;
  /** What they stand for, if anything. */
  readonly text?: number;
  readonly isOn: boolean;
}

/** Undefined: there is a character. */
type Shifts = (bytes: Buffer, at: number, isOn: boolean) => Shift | undefined;

function decoded(bytes: Buffer, shifts: Shifts, label: string): string {
  const eight: number[] = [];
  let isOn = false;
  for (let at = 0; at < bytes.length; ) {
    const shift = shifts(bytes, at, isOn);
    if (shift !== undefined) {
      isOn = shift.isOn;
      if (shift.text !== undefined) eight.push(shift.text);
      at += shift.octets;
      continue;
    }
    const byte = bytes[at] ?? 0;
    // Each line begins anew.
    if (byte === LF) isOn = false;
    eight.push(isOn && byte > 0x20 ? byte | 0x80 : byte);
    at += 1;
  }
  return new TextDecoder(label).decode(Buffer.from(eight));
}

function shiftsOfKorean(bytes: Buffer, at: number, isOn: boolean): Shift | undefined {
  if (bytes[at] === ESC) return { octets: DESIGNATION_OCTETS, isOn };
  if (bytes[at] === SO) return { octets: 1, isOn: true };
  return bytes[at] === SI ? { octets: 1, isOn: false } : undefined;
}

function shiftsOfHz(bytes: Buffer, at: number, isOn: boolean): Shift | undefined {
  if (bytes[at] !== TILDE) return undefined;
  const next = String.fromCharCode(bytes[at + 1] ?? 0);
  if (next === '{') return { octets: 2, isOn: true };
  if (next === '}') return { octets: 2, isOn: false };
  // "~~" is one, and a line that ends in "~" goes on.
  if (next === '~' && !isOn) return { octets: 2, text: TILDE, isOn };
  return next === '\n' ? { octets: 2, isOn } : undefined;
}
