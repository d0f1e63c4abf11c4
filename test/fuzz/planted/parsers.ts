/**
 * Parsers that are wrong on purpose, each as such parsers are wrong in the wild. The fuzzer must find each; they are
 * files of their own, since the coverage counts this folder as it counts the engine.
 */

/** A body ends where its terminator is in one chunk: node-pop3 and yapople lose mail so. */
export function bodyByChunk(chunks: readonly Buffer[]): string | null {
  let read = '';
  for (const chunk of chunks) {
    read += chunk.toString('latin1');
    if (chunk.toString('latin1').endsWith('\r\n.\r\n') || read === '.\r\n') {
      return read.slice(0, -3).replace(/(^|\r\n)\./g, '$1');
    }
  }
  return null;
}

/** Good but for one beginning of three bytes, of which each one right leads to another line. */
export function magic(bytes: Buffer): void {
  if (bytes[0] !== 0x91) return;
  if (bytes[1] !== 0xe3) return;
  if (bytes[2] !== 0x16) return;
  throw new Error('A beginning that cannot be.');
}

/** Merges objects key by key, as libraries do: a key named __proto__ reaches the prototype of them all. */
export function merge(into: Record<string, unknown>, from: unknown): void {
  if (typeof from !== 'object' || from === null) return;
  for (const [key, value] of Object.entries(from)) {
    const there = into[key];
    if (typeof there === 'object' && there !== null) merge(there as Record<string, unknown>, value);
    else into[key] = value;
  }
}

/** Steps over a comment by its length, and over an empty one never. */
export function endless(bytes: Buffer): number {
  let at = 0;
  while (at < bytes.length) at += bytes[at] === 0x28 ? (bytes[at + 1] ?? 1) : 1;
  return at;
}
