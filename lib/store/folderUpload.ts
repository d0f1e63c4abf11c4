/** An upload into a folder: a temporary file written while the bytes arrive, then synced and linked. */
import { createHash } from 'node:crypto';
import { refuseOtherBytes } from './checksum.ts';
import { folderError } from './folderErrors.ts';
import type { TempFile } from './folderTemp.ts';
import type { Digest, Upload } from './port.ts';

/** What an upload asks of its store: to link the file, and to give up its temporary name. */
export interface Placing {
  place(): Promise<'created' | 'exists'>;
  discard(): Promise<void>;
}

export class FolderUpload implements Upload {
  readonly #key: string;
  readonly #temp: TempFile;
  readonly #store: Placing;
  readonly #hash = createHash('sha256');
  #size = 0;
  /** What was written, once the file is synced and closed. */
  #written: Digest | undefined;
  #closed = false;

  constructor(key: string, temp: TempFile, store: Placing) {
    this.#key = key;
    this.#temp = temp;
    this.#store = store;
  }

  async write(chunk: Uint8Array): Promise<void> {
    try {
      await this.#temp.handle.writeFile(chunk);
      this.#hash.update(chunk);
      this.#size += chunk.length;
    } catch (error) {
      // The file may hold half of the chunk: it must not become an object, whoever goes on with it.
      await this.abort();
      throw folderError(error, { operation: 'write', key: this.#key });
    }
  }

  async complete(digest: Digest): Promise<'created' | 'exists'> {
    const at = { operation: 'complete', key: this.#key };
    try {
      this.#written ??= await this.#finish();
      refuseOtherBytes(this.#written, digest, at);
      const outcome = await this.#store.place();
      if (outcome === 'created') await this.#store.discard();
      return outcome;
    } catch (error) {
      throw folderError(error, at);
    }
  }

  async abort(): Promise<void> {
    await this.#close().catch(() => {});
    await this.#store.discard();
  }

  async #finish(): Promise<Digest> {
    await this.#temp.handle.sync();
    await this.#close();
    return { size: this.#size, sha256: this.#hash.digest('hex') };
  }

  async #close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#temp.handle.close();
  }
}
