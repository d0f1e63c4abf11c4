/**
 * SHA-256 over a message as it goes by: of the whole, and beside it the composite of fixed-size parts, which
 * is all that S3 keeps for an object uploaded in parts.
 */
import { createHash, type Hash, hash } from 'node:crypto';
import { type Digest, PART_BYTES, StoreError } from './port.ts';

/**
 * Takes a message's bytes in any chunks; `digest` is called once, after the last. Bytes of the first part are
 * hashed once, since until then the part is the whole; later ones twice.
 */
export class Digester {
  readonly #whole = createHash('sha256');
  /** Of the part being filled, from the second on. */
  #part: Hash | undefined;
  #composite: Hash | undefined;
  #parts = 1;
  #room = PART_BYTES;
  #size = 0;

  update(chunk: Uint8Array): void {
    let rest = chunk;
    while (rest.length > 0) {
      // A part ends only when a byte beyond it comes: exactly PART_BYTES are one part, and no composite.
      if (this.#room === 0) this.#beginPart();
      const piece = rest.length <= this.#room ? rest : rest.subarray(0, this.#room);
      this.#whole.update(piece);
      this.#part?.update(piece);
      this.#room -= piece.length;
      this.#size += piece.length;
      rest = rest.subarray(piece.length);
    }
  }

  digest(): Digest {
    const composite = this.#part && this.#composite?.update(this.#part.digest()).digest('base64');
    const sha256 = this.#whole.digest('hex');
    if (composite === undefined) return { size: this.#size, sha256 };
    return { size: this.#size, sha256, composite: `${composite}-${this.#parts}` };
  }

  #beginPart(): void {
    this.#composite ??= createHash('sha256');
    this.#composite.update((this.#part ?? this.#whole.copy()).digest());
    this.#part = createHash('sha256');
    this.#parts += 1;
    this.#room = PART_BYTES;
  }
}

/** The digest of bytes that are all there. */
export function digestOf(body: Uint8Array): Digest {
  // The one-shot call costs a fraction of a Hash object, which is what counts for small mail.
  if (body.length <= PART_BYTES) return { size: body.length, sha256: hash('sha256', body, 'hex') };
  const digester = new Digester();
  digester.update(body);
  return digester.digest();
}

/** What a store does that keeps its own checksums: refuses bytes that are not those of `claimed`. */
export function refuseOtherBytes(
  actual: Digest,
  claimed: Digest,
  at: { operation: string; key: string },
): void {
  if (actual.size === claimed.size && actual.sha256 === claimed.sha256) return;
  throw new StoreError(
    `${at.operation} ${at.key}: the bytes are not those of the checksum that came with them; nothing was stored. The next run tries again.`,
    { kind: 'later', code: 'E_STORE_DIGEST', ...at },
  );
}
