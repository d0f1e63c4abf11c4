/**
 * The temporary files of a folder store, in `<folder>/.tmp`: whole and synced before they are linked to the
 * name that others look for.
 *
 * Names are never used twice (process id, a nonce of the store, a counter, and the exclusive flag), so a
 * process that slept for a day cannot link a stranger's bytes. That makes sweeping safe whatever it removes:
 * the worst is that a link finds nothing and the write counts as not done. Its age limit is only courtesy.
 */
import { promises as fs } from 'node:fs';
import { join } from 'node:path';
import type { Directories } from './folderDirectories.ts';

/** No run comes near a day; what was not written to for one belongs to a dead process. */
const LEFTOVER_AGE_MS = 24 * 60 * 60 * 1000;

/** Bounds what one opening spends on leftovers; the next takes the rest. */
const SWEPT_AT_ONCE = 1000;

/** Mail is private: group may read, others may not. */
const FILE_MODE = 0o640;

export interface TempFile {
  readonly path: string;
  readonly handle: fs.FileHandle;
}

export class TempFiles {
  readonly #folder: string;
  readonly #directories: Directories;
  readonly #nonce: string;
  #count = 0;
  #prepared: Promise<void> | undefined;

  constructor(root: string, directories: Directories, random: () => number) {
    this.#folder = join(root, '.tmp');
    this.#directories = directories;
    this.#nonce = `${process.pid}-${Math.floor(random() * Number.MAX_SAFE_INTEGER).toString(36)}`;
  }

  /** A new empty file, open for writing. */
  async create(): Promise<TempFile> {
    this.#prepared ??= this.#prepare();
    try {
      await this.#prepared;
      return await this.#open();
    } catch (error) {
      // Prepared anew by the next call: the folder may have been removed, or made writable.
      this.#prepared = undefined;
      throw error;
    }
  }

  /** The path of a new file that holds `body`, synced and closed. */
  async write(body: Uint8Array): Promise<string> {
    const { path, handle } = await this.create();
    try {
      await handle.writeFile(body);
      await handle.sync();
      await handle.close();
      return path;
    } catch (error) {
      await handle.close().catch(() => {});
      await this.discard(path);
      throw error;
    }
  }

  /** Gives up the temporary name. A failure leaves a file that a later opening sweeps. */
  async discard(path: string): Promise<void> {
    await fs.unlink(path).catch(() => {});
  }

  async #prepare(): Promise<void> {
    await this.#directories.makeRoot(this.#folder);
    const own = await this.#open();
    try {
      // The file system's own clock: the machine's may differ from it where the folder is mounted from afar.
      const { mtimeMs } = await own.handle.stat();
      await this.#sweep(mtimeMs - LEFTOVER_AGE_MS);
    } finally {
      await own.handle.close();
      await this.discard(own.path);
    }
  }

  async #open(): Promise<TempFile> {
    this.#count += 1;
    const path = join(this.#folder, `${this.#nonce}-${this.#count}`);
    return { path, handle: await fs.open(path, 'wx', FILE_MODE) };
  }

  async #sweep(oldestMs: number): Promise<void> {
    const names = await fs.readdir(this.#folder);
    for (const name of names.slice(0, SWEPT_AT_ONCE)) {
      const path = join(this.#folder, name);
      const found = await fs.lstat(path).catch(() => undefined);
      if (found?.isFile() && found.mtimeMs < oldestMs) await this.discard(path);
    }
  }
}
