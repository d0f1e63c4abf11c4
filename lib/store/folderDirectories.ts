/**
 * Folders whose entries survive a power cut: a file's name is durable only once the folder that holds it was
 * synced, and a folder's only once its parent was.
 */
import { promises as fs } from 'node:fs';
import { dirname } from 'node:path';
import { errnoOf } from './folderErrors.ts';

/** Mail is private: group at most. The umask may take more away. */
const DIRECTORY_MODE = 0o750;

/** How many folders are remembered as durable; forgetting all of them costs some needless syncs, no promise. */
const REMEMBERED = 4096;

interface Syncs {
  readonly running: Promise<void>;
  /** The one after it, which every caller that came meanwhile shares. */
  waiting: Promise<void> | undefined;
}

export class Directories {
  /** The store's folder, absolute. */
  readonly #root: string;
  /** Folders whose own names, and those of their parents, were made durable by this process. */
  readonly #durable = new Set<string>();
  readonly #syncs = new Map<string, Syncs>();
  /** That of the store's folder when it was first written to. */
  #device: number | undefined;

  constructor(root: string) {
    this.#root = root;
  }

  /**
   * Makes the store's folder and `child` in it, and syncs every parent of a folder that had to be made. A disk that was
   * unmounted meanwhile leaves an empty folder in its place, where all mail would be stored anew, and unseen later. One
   * that was mounted again may have another number, and has `child`.
   */
  async makeRoot(child: string): Promise<void> {
    const isKnown = this.#device === undefined || (await isDirectory(child));
    if (!isKnown && (await deviceOf(this.#root)) !== this.#device)
      throw Object.assign(new Error(`${this.#root} is on another disk than before`), { code: 'EOTHERDISK' });
    await this.#makeRoot(child);
    this.#device = await deviceOf(this.#root);
  }

  async #makeRoot(child: string): Promise<void> {
    const first = await makeDirectories(child, DIRECTORY_MODE);
    if (first === undefined) return;
    for (let made = child; made.length >= first.length; made = dirname(made)) await this.sync(dirname(made));
  }

  /** Makes `directory` where it is missing, and returns when its name and those of its parents are durable. */
  async ensure(directory: string): Promise<void> {
    if (this.#durable.has(directory)) return;
    await makeDirectories(directory, DIRECTORY_MODE);
    await this.#anchor(directory);
  }

  /** Returns when what can be found in `directory` can still be found there after a power cut. */
  async confirm(directory: string): Promise<void> {
    await this.#anchor(directory);
    await this.sync(directory);
  }

  /** Also for a folder that was already there: whoever made it may have died before syncing its parent. */
  async #anchor(directory: string): Promise<void> {
    if (this.#durable.has(directory)) return;
    for (let at = directory; at !== this.#root; at = dirname(at)) await this.sync(dirname(at));
    if (this.#durable.size >= REMEMBERED) this.#durable.clear();
    this.#durable.add(directory);
  }

  /** After a folder turned out to be gone. */
  forget(directory: string): void {
    this.#durable.delete(directory);
  }

  /**
   * Returns when every entry made in `directory` before the call is durable. One fsync serves all who ask
   * while another runs, which is what makes many small creates cheap; nobody joins one that has begun.
   */
  sync(directory: string): Promise<void> {
    const current = this.#syncs.get(directory);
    if (current === undefined) return this.#begin(directory);
    const begin = () => this.#begin(directory);
    current.waiting ??= current.running.then(begin, begin);
    return current.waiting;
  }

  #begin(directory: string): Promise<void> {
    const syncs: Syncs = { running: fsyncDirectory(directory), waiting: undefined };
    this.#syncs.set(directory, syncs);
    const end = () => {
      if (syncs.waiting === undefined) this.#syncs.delete(directory);
    };
    syncs.running.then(end, end);
    return syncs.running;
  }
}

/**
 * Makes `directory` and what is missing above it; the topmost that was made, or undefined. QUIRK: Node's own recursive
 * mkdir never ends where a file system says ENOENT although the folder above is there, as /proc and automounted ones do.
 */
export async function makeDirectories(directory: string, mode: number): Promise<string | undefined> {
  const first = await makeOne(directory, mode);
  if (first !== 'nothing above it') return first ? directory : undefined;
  const top = dirname(directory) === directory ? undefined : await makeDirectories(dirname(directory), mode);
  await fs.mkdir(directory, { mode }).catch(async (error: unknown) => {
    // Somebody else was faster.
    if (errnoOf(error) !== 'EEXIST' || !(await isDirectory(directory))) throw error;
  });
  return top ?? directory;
}

/** Whether it had to be made. */
async function makeOne(directory: string, mode: number): Promise<boolean | 'nothing above it'> {
  try {
    await fs.mkdir(directory, { mode });
    return true;
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'ENOENT') return 'nothing above it';
    // EEXIST of Linux; other systems say that it is read-only, or whose it is, before they look.
    if (await isDirectory(directory)) return false;
    if (errno !== 'EEXIST' || (await fs.stat(directory).catch(errnoOf)) !== 'ENOENT') throw error;
    throw Object.assign(new Error(`${directory} is a link that leads nowhere`), { code: 'EDANGLING' });
  }
}

/** Of what is there of the way to `path`. */
async function deviceOf(path: string): Promise<number> {
  const found = await fs.stat(path).catch((error: unknown) => {
    if (errnoOf(error) !== 'ENOENT' || dirname(path) === path) throw error;
    return null;
  });
  return found === null ? deviceOf(dirname(path)) : found.dev;
}

async function isDirectory(path: string): Promise<boolean> {
  const found = await fs.stat(path).catch(() => null);
  return found?.isDirectory() ?? false;
}

async function fsyncDirectory(directory: string): Promise<void> {
  const handle = await fs.open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
