/** An input that says itself where it is cut, so that the cuts are mutated with the bytes. */
export interface Chunked {
  readonly whole: Buffer;
  /** `whole` in pieces, some perhaps empty. */
  readonly chunks: readonly Buffer[];
  /** The first byte of the input, for targets that have more to choose. */
  readonly choice: number;
}

/** The input's low four bits that are not cuts but "one byte at a time". */
const BYTE_BY_BYTE = 15;

/** First a byte of which the low half counts the cuts, then two bytes for each, then what is cut. */
export function chunked(input: Buffer): Chunked {
  const choice = input[0] ?? 0;
  const count = (choice & 0x0f) === BYTE_BY_BYTE ? 0 : choice & 0x0f;
  const whole = input.subarray(1 + 2 * count);
  if ((choice & 0x0f) === BYTE_BY_BYTE) return { whole, chunks: bytesOf(whole), choice };
  const cuts = Array.from({ length: count }, (_, index) => {
    const at = 1 + 2 * index;
    return (((input[at] ?? 0) << 8) | (input[at + 1] ?? 0)) % (whole.length + 1);
  });
  return { whole, chunks: cutAt(whole, cuts), choice };
}

export function cutAt(whole: Buffer, cuts: readonly number[]): Buffer[] {
  const edges = [0, ...[...cuts].sort((a, b) => a - b), whole.length];
  return edges.slice(1).map((edge, index) => whole.subarray(edges[index], edge));
}

export function bytesOf(whole: Buffer): Buffer[] {
  return Array.from(whole, (_, at) => whole.subarray(at, at + 1));
}

/** An input for `chunked`: latin1 text, uncut, in two, and byte by byte. */
export function seedsOf(...texts: readonly string[]): Buffer[] {
  return texts.flatMap((text) => {
    const bytes = Buffer.from(text, 'latin1');
    const middle = Buffer.alloc(3);
    middle[0] = 1;
    middle.writeUInt16BE(Math.floor(bytes.length / 2), 1);
    return [Buffer.of(0), middle, Buffer.of(BYTE_BY_BYTE)].map((head) => Buffer.concat([head, bytes]));
  });
}
