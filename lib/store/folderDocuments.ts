/**
 * Documents that are replaced by compare-and-swap, on a file system that only has exclusive names.
 *
 * On disk the document `state/shop.json` is a folder of that name, which holds its revisions:
 *
 *     state/shop.json/@41.json      older ones, kept for a while
 *     state/shop.json/@42.json      the highest number is the document
 *
 * "@" is not in the alphabet of keys, so a revision is never mistaken for an object; and since the folder
 * bears the document's name, `create` finds the name taken, as it must.
 *
 * Replacing revision r: write and sync a temporary file, link it to r+1 (the file system lets one writer
 * have that name), look whether r+1 could have been had before, sync the folder, remove old revisions.
 *
 * Why a slow writer cannot win. It may be stopped before its link until r+1 came, was superseded and removed,
 * and then link the name anew. But r+1 is removed only by a writer that has linked r+1+KEPT or more, and the
 * highest revision is never removed; so if after the link no revision that high is there, the name was never
 * had before, and the writer has won. Otherwise its file is a stray that nobody reads, because readers take
 * the highest; or it did win and was then overtaken KEPT times between two system calls. It cannot tell, so it
 * says 'unknown' and the caller looks.
 *
 * A crash before the link leaves the old revision and a temporary file; after it, the new one. Readers never
 * see nothing: the revision they found is removed only after KEPT newer ones. One readdir of so few names is a
 * single system call that local file systems serve whole. QUIRK: a folder on NFS must be used by one machine
 * at a time, since clients cache names for seconds.
 */
import { promises as fs } from 'node:fs';
import { extname, join } from 'node:path';
import type { Directories } from './folderDirectories.ts';
import { errnoOf, folderError } from './folderErrors.ts';
import type { TempFiles } from './folderTemp.ts';
import { StoreError, type Version } from './port.ts';

/** Revisions kept, the newest among them. Also what a person can go back to by hand; at 256 KB a head, 2 MB. */
const KEPT = 8;

/** Begins the version of a file that is no document's. */
export const OBJECT_VERSION = 'object-';

/** A reader that is overtaken KEPT times this often in a row is not being served. */
const LOOKS = 100;

/** What follows the number is the document's own ending, else it is a copy that somebody made: "@42.json.bak". */
const REVISION = /^@([1-9]\d{0,14})(\.[^@]*)?$/;

interface Newest {
  readonly revision: number;
  readonly version: Version;
  readonly path: string;
  /** Octets. */
  readonly size: number;
}

export class Documents {
  readonly #directories: Directories;
  readonly #temp: TempFiles;

  constructor(directories: Directories, temp: TempFiles) {
    this.#directories = directories;
    this.#temp = temp;
  }

  /** The newest revision of the document in `directory`; null if there is none, 'object' if a file is there. */
  async newest(directory: string): Promise<Newest | 'object' | null> {
    for (let looks = 0; looks < LOOKS; looks += 1) {
      const names = await fs.readdir(directory).catch(ifAbsent);
      if (names === 'ENOENT') return null;
      // Where a file stands in place of a folder further up, this says so.
      if (names === 'ENOTDIR') return (await fs.stat(directory)).isFile() ? 'object' : null;
      const revision = revisionsAmong(names, directory).at(-1);
      if (revision === undefined) return null;
      const path = revisionPath(directory, revision);
      const found = await fs.stat(path).catch(ifAbsent);
      if (typeof found !== 'string') {
        return { revision, version: versionOf(revision, found), path, size: found.size };
      }
    }
    throw overtaken('read', directory);
  }

  /** The newest revision with its bytes, durable: what a reader acts on must still be so after a power cut. */
  async read(directory: string): Promise<{ version: Version; body: Uint8Array } | null> {
    for (let looks = 0; looks < LOOKS; looks += 1) {
      const found = await this.newest(directory);
      if (found === null || found === 'object') return null;
      const body = await fs.readFile(found.path).catch(ifAbsent);
      if (typeof body === 'string') continue;
      await this.#directories.confirm(directory);
      return { version: found.version, body };
    }
    throw overtaken('read', directory);
  }

  /** As the port's `replace`; `directory` is the document's folder, `key` is for errors. */
  async replace(
    at: { directory: string; key: string },
    body: Uint8Array,
    expected: Version | null,
  ): Promise<Version | 'conflict'> {
    const { directory, key } = at;
    const held = await this.newest(directory);
    if (held === 'object' && expected?.startsWith(OBJECT_VERSION)) throw plainFile(key);
    if (held === 'object' || (held?.version ?? null) !== expected) return 'conflict';
    const revision = (held?.revision ?? 0) + 1;
    const temp = await this.#temp.write(body);
    try {
      const version = versionOf(revision, await fs.stat(temp));
      if (held === null && !(await this.#makeFolder(directory))) return 'conflict';
      if (!(await this.#link(temp, { directory, key, revision }))) return 'conflict';
      await this.#settle(directory, key, revision);
      return version;
    } finally {
      await this.#temp.discard(temp);
    }
  }

  /**
   * Removes every revision, the newest last, so that nobody meanwhile reads an old one as the newest. For
   * documents that nobody writes any more: a writer at work could bring its own back.
   */
  async remove(directory: string): Promise<void> {
    const names = await fs.readdir(directory).catch(ifAbsent);
    if (typeof names === 'string') return;
    for (const revision of revisionsAmong(names, directory)) {
      await fs.unlink(revisionPath(directory, revision)).catch(ifAbsent);
    }
    this.#directories.forget(directory);
    await fs.rmdir(directory).catch((error: unknown) => {
      // Somebody has written it again, or other files are in it: then it stays.
      if (!['ENOENT', 'ENOTEMPTY', 'EEXIST'].includes(errnoOf(error) ?? '')) throw error;
    });
  }

  /** False if a plain file has the document's name: an object, made in between. */
  async #makeFolder(directory: string): Promise<boolean> {
    try {
      await this.#directories.ensure(directory);
      return true;
    } catch (error) {
      if (errnoOf(error) === 'EEXIST') return false;
      throw error;
    }
  }

  /** False if somebody else has the revision, or the document was removed. */
  async #link(tempPath: string, at: { directory: string; key: string; revision: number }): Promise<boolean> {
    try {
      await fs.link(tempPath, revisionPath(at.directory, at.revision));
      return true;
    } catch (error) {
      if (errnoOf(error) === 'EEXIST') return false;
      this.#directories.forget(at.directory);
      if (errnoOf(error) === 'ENOENT' && at.revision > 1) return false;
      throw folderError(error, { operation: 'replace', key: at.key }, 'link');
    }
  }

  /** After the link: makes sure that it counts, makes it durable, and removes what it supersedes. */
  async #settle(directory: string, key: string, revision: number): Promise<void> {
    try {
      const present = revisionsAmong(await fs.readdir(directory), directory);
      if ((present.at(-1) ?? revision) >= revision + KEPT) {
        await fs.unlink(revisionPath(directory, revision)).catch(ifAbsent);
        throw new StoreError(
          `replace ${key}: revision ${revision} was overtaken; whether it was ever the newest cannot be told. Read the document again.`,
          { kind: 'unknown', code: 'E_STORE_OVERTAKEN', operation: 'replace', key },
        );
      }
      await this.#directories.confirm(directory);
      for (const old of present) {
        // Only clutter depends on this, and the next writer tries again.
        if (old <= revision - KEPT) await fs.unlink(revisionPath(directory, old)).catch(() => {});
      }
    } catch (error) {
      throw folderError(error, { operation: 'replace', key }, 'after the link');
    }
  }
}

/** Whether the entries of a folder, of which `name` is one, are a document's revisions. */
export function isRevision(name: string): boolean {
  return REVISION.test(name);
}

/** Of the document in `directory`, ascending. */
function revisionsAmong(names: readonly string[], directory: string): number[] {
  const revisions: number[] = [];
  for (const name of names) {
    const [, digits, ending = ''] = REVISION.exec(name) ?? [];
    if (digits !== undefined && ending === extname(directory)) revisions.push(Number(digits));
  }
  return revisions.sort((a, b) => a - b);
}

function revisionPath(directory: string, revision: number): string {
  return join(directory, `@${revision}${extname(directory)}`);
}

/** The file beside the number, so that a document removed and begun anew never has a version twice. */
function versionOf(revision: number, file: { ino: number; mtimeMs: number }): Version {
  return `${revision}-${file.ino}-${file.mtimeMs}`;
}

function plainFile(key: string): StoreError {
  return new StoreError(
    `replace ${key}: a file stands there, as a bucket has it, and in a folder a document is a folder of revisions: make a folder of that name, and move the file into it as @1.json. Nothing was written.`,
    { kind: 'person', code: 'E_STORE_PATH', operation: 'replace', key },
  );
}

function ifAbsent(error: unknown): 'ENOENT' | 'ENOTDIR' {
  const errno = errnoOf(error);
  if (errno === 'ENOENT' || errno === 'ENOTDIR') return errno;
  throw error;
}

function overtaken(operation: string, directory: string): StoreError {
  return new StoreError(
    `${operation} ${directory}: it changed faster than it could be read, ${LOOKS} times. The next run tries again.`,
    { kind: 'later', code: 'E_STORE_BUSY', operation, key: directory },
  );
}
