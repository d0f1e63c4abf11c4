/**
 * What a parser's process says to the one that started it: frames of a kind, a length and so many octets. No I/O. The
 * reader believes nothing: an unknown kind or a length over its bound ends the conversation.
 */

/** One octet each. */
export const FRAME = {
  /** The process runs; what fails from here on is the mail's fault. */
  ready: 0x52,
  /** The next bytes of a part's content. */
  content: 0x43,
  /** That content is whole. */
  end: 0x45,
  /** JSON: a ParsedMail. The last frame. */
  document: 0x44,
  /** The code of an UnparsableError. The last frame. */
  unparsable: 0x58,
} as const;

export type FrameKind = (typeof FRAME)[keyof typeof FRAME];

export interface Frame {
  readonly kind: FrameKind;
  readonly payload: Buffer;
}

const HEADER_BYTES = 5;

/**
 * Of one frame. A document holds MAX_TEXT_BYTES of text, each of which may take six as JSON, and headers of MAX_HEADER_BYTES
 * and a thousand parts besides.
 */
export const MAX_FRAME_BYTES = 16 * 1024 * 1024;

export class FrameError extends Error {
  override readonly name = 'FrameError';
}

export function frame(kind: FrameKind, payload: Uint8Array = Buffer.alloc(0)): Buffer {
  if (payload.length > MAX_FRAME_BYTES) throw new FrameError(`a frame of ${payload.length} octets`);
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt8(kind);
  header.writeUInt32BE(payload.length, 1);
  return Buffer.concat([header, payload]);
}

/** Bytes in, in any pieces; whole frames out. */
export class FrameReader {
  #pieces: Buffer[] = [];
  #octets = 0;
  /** Of the frame being read, its header included; until the header is there, the header's. */
  #wanted = HEADER_BYTES;

  /** Throws FrameError; what came before is lost then. */
  *read(chunk: Buffer): Generator<Frame> {
    this.#pieces.push(chunk);
    this.#octets += chunk.length;
    while (this.#octets >= this.#wanted) {
      const bytes = this.#joined();
      this.#wanted = HEADER_BYTES + lengthOf(bytes);
      if (bytes.length < this.#wanted) continue;
      const payload = bytes.subarray(HEADER_BYTES, this.#wanted);
      this.#pieces = [bytes.subarray(this.#wanted)];
      this.#octets -= this.#wanted;
      this.#wanted = HEADER_BYTES;
      yield { kind: kindOf(bytes), payload };
    }
  }

  /** Whether nothing of a frame has come that is not whole. */
  get isEmpty(): boolean {
    return this.#octets === 0;
  }

  #joined(): Buffer {
    const [only] = this.#pieces;
    const bytes = this.#pieces.length === 1 && only !== undefined ? only : Buffer.concat(this.#pieces);
    this.#pieces = [bytes];
    return bytes;
  }
}

function lengthOf(bytes: Buffer): number {
  kindOf(bytes);
  const length = bytes.readUInt32BE(1);
  if (length > MAX_FRAME_BYTES) throw new FrameError(`a frame of ${length} octets`);
  return length;
}

function kindOf(bytes: Buffer): FrameKind {
  const kind = bytes[0];
  const known = Object.values(FRAME).find((one) => one === kind);
  if (known === undefined) throw new FrameError(`a frame of kind ${kind}`);
  return known;
}
