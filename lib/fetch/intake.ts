import { Digester } from '../store/checksum.ts';
import { type Digest, type ObjectStore, PART_BYTES, type Upload } from '../store/port.ts';
import { HeaderBlock } from './headerBlock.ts';

/** LIST is a hint for the first allocation only, and a lying one must not cost memory. */
const FIRST_ROOM_BYTES = 64 * 1024;

const START_BYTES = 512;

/**
 * Takes one message as RETR gives it: hashes it, and holds it in memory while it fits into one part, or uploads
 * it in parts while it arrives. Nothing is visible before its owner completes it, and that is after the fence.
 */
export class Intake {
  readonly #store: ObjectStore;
  /** Where it goes; null: that is not known yet. */
  readonly key: string | null;
  /** False: it is only hashed. */
  #holds: boolean;
  readonly #digester = new Digester();
  readonly header = new HeaderBlock();
  #start = Buffer.alloc(0);
  #body: Buffer;
  #size = 0;
  #upload: Upload | null = null;

  /** `key` 'by content': held where it fits into memory, and else only hashed. Null: it is only hashed. */
  constructor(store: ObjectStore, key: string | 'by content' | null, announced: number | null) {
    this.#store = store;
    this.key = key === 'by content' ? null : key;
    this.#holds = key !== null;
    const room = key === null ? 0 : Math.min(announced ?? FIRST_ROOM_BYTES, PART_BYTES);
    this.#body = Buffer.allocUnsafe(room);
  }

  /** A promise only where the store must be waited for. The chunk is not kept. */
  take(chunk: Uint8Array): void | Promise<void> {
    this.#digester.update(chunk);
    this.header.update(chunk);
    if (this.#start.length < START_BYTES) this.#begin(chunk);
    if (!this.#holds) return;
    if (this.#upload) return this.#upload.write(chunk);
    if (this.#size + chunk.length <= PART_BYTES) return this.#keep(chunk);
    if (this.key !== null) return this.#beginUpload(this.key, chunk);
    this.#holds = false;
    this.#body = Buffer.alloc(0);
  }

  digest(): Digest {
    return this.#digester.digest();
  }

  /** The first 512 bytes, however large it is. */
  get start(): Buffer {
    return this.#start;
  }

  /** What was taken, where it fitted into memory. */
  get body(): Buffer | null {
    return this.#upload === null && this.#holds ? this.#body.subarray(0, this.#size) : null;
  }

  get upload(): Upload | null {
    return this.#upload;
  }

  /** Frees what is held; nothing becomes visible. */
  async discard(): Promise<void> {
    this.#body = Buffer.alloc(0);
    await this.#upload?.abort();
  }

  #begin(chunk: Uint8Array): void {
    this.#start = Buffer.concat([this.#start, chunk.subarray(0, START_BYTES - this.#start.length)]);
  }

  async #beginUpload(key: string, chunk: Uint8Array): Promise<void> {
    const upload = await this.#store.upload(key);
    this.#upload = upload;
    const held = this.#body.subarray(0, this.#size);
    this.#body = Buffer.alloc(0);
    await upload.write(held);
    await upload.write(chunk);
  }

  #keep(chunk: Uint8Array): void {
    const size = this.#size + chunk.length;
    if (size > this.#body.length) {
      const larger = Buffer.allocUnsafe(
        Math.min(PART_BYTES, Math.max(size, this.#body.length * 2, FIRST_ROOM_BYTES)),
      );
      this.#body.copy(larger, 0, 0, this.#size);
      this.#body = larger;
    }
    this.#body.set(chunk, this.#size);
    this.#size = size;
  }
}
