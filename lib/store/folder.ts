/**
 * The object store in a folder: what `mailferry` uses where there is no bucket. Objects are plain files under
 * their keys, to be opened by a person or any program; they appear whole or not at all:
 *
 *     mail/<mailbox>/<id>.eml           objects, made once, never changed
 *     state/<mailbox>.json/@42.json     documents (see folderDocuments.ts)
 *     .tmp/…                            files not finished yet
 *
 * Creating: a temporary file on the same file system, fsync, link(2) to the final name (which fails if the name
 * is taken, and there is no lock to go stale), fsync of the folder. All that is answered is durable: before
 * 'exists' and 'same' the folder is synced too, because whoever made the link may have died before that.
 */
import { createHash } from 'node:crypto';
import { promises as fs } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { digestOf, refuseOtherBytes } from './checksum.ts';
import { Directories } from './folderDirectories.ts';
import { Documents, OBJECT_VERSION } from './folderDocuments.ts';
import { errnoOf, folderError } from './folderErrors.ts';
import { listFolder } from './folderList.ts';
import { TempFiles } from './folderTemp.ts';
import { FolderUpload } from './folderUpload.ts';
import { checkKey, checkPrefix } from './keys.ts';
import type { Digest, ObjectStore, StoredObject, Upload, Version } from './port.ts';

/** Files up to this size are read in one piece, with nothing left open for a reader that never reads. */
const WHOLE_BYTES = 1024 * 1024;

/** Larger ones go through a buffer of this size. */
const READ_BYTES = 256 * 1024;

/** `folder` is made when first written to. `random`, in [0, 1), tells this process's temporary files apart. */
export function folderStore(folder: string, options: { readonly random: () => number }): ObjectStore {
  return new FolderStore(resolve(folder), options.random);
}

class FolderStore implements ObjectStore {
  readonly place: { readonly folder: string };
  readonly #root: string;
  readonly #directories: Directories;
  readonly #temp: TempFiles;
  readonly #documents: Documents;

  constructor(root: string, random: () => number) {
    this.place = { folder: root };
    this.#root = root;
    this.#directories = new Directories(root);
    this.#temp = new TempFiles(root, this.#directories, random);
    this.#documents = new Documents(this.#directories, this.#temp);
  }

  create(key: string, body: Uint8Array, digest: Digest): Promise<'created' | 'exists'> {
    return this.#at('create', key, async (path) => {
      refuseOtherBytes(digestOf(body), digest, { operation: 'create', key });
      const temp = await this.#temp.write(body);
      try {
        return await this.#link(temp, path, { operation: 'create', key });
      } finally {
        await this.#temp.discard(temp);
      }
    });
  }

  upload(key: string): Promise<Upload> {
    return this.#at('upload', key, async (path) => {
      const temp = await this.#temp.create();
      return new FolderUpload(key, temp, {
        place: () => this.#link(temp.path, path, { operation: 'complete', key }),
        discard: () => this.#temp.discard(temp.path),
      });
    });
  }

  replace(key: string, body: Uint8Array, expected: Version | null): Promise<Version | 'conflict'> {
    return this.#at('replace', key, (directory) =>
      this.#documents.replace({ directory, key }, body, expected),
    );
  }

  read(key: string): Promise<StoredObject | null> {
    return this.#at('read', key, async (path) => {
      const found = await fs.stat(path).catch(ifAbsent);
      if (found === null) return null;
      if (found.isDirectory()) {
        const document = await this.#documents.read(path);
        if (document === null) return null;
        const { version, body } = document;
        return { version, size: body.length, storedMs: null, chunks: once(body) };
      }
      const version = `${OBJECT_VERSION}${found.ino}-${found.mtimeMs}`;
      const chunks = found.size <= WHOLE_BYTES ? once(await fs.readFile(path)) : pieces(path, key);
      return { version, size: found.size, storedMs: Math.floor(found.mtimeMs), chunks };
    });
  }

  verify(key: string, digest: Digest): Promise<'same' | 'different' | 'absent'> {
    return this.#at('verify', key, async (path) => {
      const found = await fs.stat(path).catch(ifAbsent);
      if (found === null) return 'absent';
      if (found.isDirectory()) {
        const document = await this.#documents.read(path);
        if (document === null) return 'absent';
        return digestOf(document.body).sha256 === digest.sha256 ? 'same' : 'different';
      }
      if (found.size !== digest.size || (await hashFile(path, key, found.size)) !== digest.sha256)
        return 'different';
      await this.#directories.confirm(dirname(path));
      return 'same';
    });
  }

  async *list(prefix: string): AsyncGenerator<{ readonly key: string; readonly size: number }> {
    checkPrefix(prefix);
    try {
      yield* listFolder(this.#root, prefix, this.#documents);
    } catch (error) {
      throw folderError(error, { operation: 'list', key: prefix });
    }
  }

  /** Not synced: an object that returns with a power cut is a superseded one, and is removed again. */
  remove(key: string): Promise<void> {
    return this.#at('remove', key, async (path) => {
      try {
        await fs.unlink(path);
      } catch (error) {
        // A folder's error is EISDIR on Linux and EPERM in POSIX, which is also that of a protected file.
        const found = await fs.stat(path).catch(ifAbsent);
        if (found?.isDirectory()) return this.#documents.remove(path);
        if (found !== null) throw error;
      }
    });
  }

  /** Passes the gate, and says what the file system's errors mean. */
  async #at<T>(operation: string, key: string, work: (path: string) => Promise<T>): Promise<T> {
    checkKey(key);
    try {
      return await work(join(this.#root, key));
    } catch (error) {
      throw folderError(error, { operation, key });
    }
  }

  async #link(
    from: string,
    to: string,
    at: { operation: string; key: string },
  ): Promise<'created' | 'exists'> {
    const parent = dirname(to);
    const outcome = await this.#linkOnce(from, to).catch(async (error: unknown) => {
      if (errnoOf(error) !== 'ENOENT') throw folderError(error, at, 'link');
      // Somebody removed the folder since it was made; if it is the temporary file that is gone, this fails too.
      this.#directories.forget(parent);
      return this.#linkOnce(from, to);
    });
    await this.#directories.confirm(parent).catch((error: unknown) => {
      throw folderError(error, at, 'after the link');
    });
    return outcome;
  }

  async #linkOnce(from: string, to: string): Promise<'created' | 'exists'> {
    await this.#directories.ensure(dirname(to));
    try {
      await fs.link(from, to);
      return 'created';
    } catch (error) {
      if (errnoOf(error) === 'EEXIST') return 'exists';
      throw error;
    }
  }
}

function ifAbsent(error: unknown): null {
  const errno = errnoOf(error);
  if (errno === 'ENOENT' || errno === 'ENOTDIR') return null;
  throw error;
}

async function* once(body: Uint8Array): AsyncGenerator<Uint8Array> {
  if (body.length > 0) yield body;
}

/** The file is opened when reading begins: a reader that never begins holds nothing. */
async function* pieces(path: string, key: string): AsyncGenerator<Uint8Array> {
  try {
    const handle = await fs.open(path, 'r');
    try {
      for (;;) {
        const { buffer, bytesRead } = await handle.read(Buffer.allocUnsafe(READ_BYTES));
        if (bytesRead === 0) return;
        yield buffer.subarray(0, bytesRead);
      }
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw folderError(error, { operation: 'read', key });
  }
}

async function hashFile(path: string, key: string, size: number): Promise<string> {
  if (size <= WHOLE_BYTES) return digestOf(await fs.readFile(path)).sha256;
  const hash = createHash('sha256');
  for await (const piece of pieces(path, key)) hash.update(piece);
  return hash.digest('hex');
}
