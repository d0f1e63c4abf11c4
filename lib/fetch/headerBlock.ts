import { createHash, type Hash } from 'node:crypto';
import { HEADER_SCAN_BYTES } from '../mail/headers.ts';

const LF = 0x0a;
const CR = 0x0d;

/**
 * Watches a message go by, up to its first empty line (CRLF or LF alone): hashes the bytes before that line, which
 * is what TOP n 0 is compared with, and keeps the first 64 KB of them. The same code serves RETR and TOP, so a
 * server that ends lines oddly does so in both; some add the empty line to a message that has none.
 */
export class HeaderBlock {
  readonly #hash: Hash = createHash('sha256');
  readonly #kept: Buffer[] = [];
  #keptBytes = 0;
  #ended = false;
  /** CRs of a line that has nothing else yet: part of the empty line, or of the block. */
  #heldCrs = 0;
  #atLineStart = true;

  /** The chunk is copied where it is kept. */
  update(chunk: Uint8Array): void {
    if (this.#ended) return;
    let from = 0;
    for (let at = 0; at < chunk.length; at += 1) {
      if (this.#atLineStart && chunk[at] === LF) {
        this.#ended = true;
        return;
      }
      if (this.#atLineStart && chunk[at] === CR) {
        this.#heldCrs += 1;
        from = at + 1;
        continue;
      }
      // The line is not empty; the rest of it decides nothing.
      this.#release();
      const end = chunk.indexOf(LF, at);
      this.#atLineStart = end !== -1;
      at = end === -1 ? chunk.length : end;
      this.#add(chunk.subarray(from, at + 1));
      from = at + 1;
    }
  }

  /** 32 hex digits: of all bytes before the empty line, or of the whole message where it has none. */
  hash(): string {
    if (!this.#ended) this.#release();
    return this.#hash.digest('hex').slice(0, 32);
  }

  /** Nothing that comes can change what is kept. */
  get isOver(): boolean {
    return this.#ended || this.#keptBytes === HEADER_SCAN_BYTES;
  }

  kept(): Buffer {
    return Buffer.concat(this.#kept);
  }

  #release(): void {
    if (this.#heldCrs > 0) this.#add(Buffer.alloc(this.#heldCrs, CR));
    this.#heldCrs = 0;
  }

  #add(piece: Uint8Array): void {
    this.#hash.update(piece);
    const room = HEADER_SCAN_BYTES - this.#keptBytes;
    if (room <= 0) return;
    const copy = Buffer.from(piece.subarray(0, room));
    this.#kept.push(copy);
    this.#keptBytes += copy.length;
  }
}
