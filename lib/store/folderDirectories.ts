/**
 * Folders whose entries survive a power cut: a file's name is durable only once the folder that holds it was
 * synced, and a folder's only once its parent was.
 */
import { promises as fs } from 'node:fs';
import { dirname } from 'node:path';

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

  constructor(root: string) {
    this.#root = root;
  }

  /** Makes the store's folder and `child` in it, and syncs every parent of a folder that had to be made. */
  async makeRoot(child: string): Promise<void> {
    const first = await fs.mkdir(child, { recursive: true, mode: DIRECTORY_MODE });
    if (first === undefined) return;
    for (let made = child; made.length >= first.length; made = dirname(made)) await this.sync(dirname(made));
  }

  /** Makes `directory` where it is missing, and returns when its name and those of its parents are durable. */
  async ensure(directory: string): Promise<void> {
    if (this.#durable.has(directory)) return;
    await fs.mkdir(directory, { recursive: true, mode: DIRECTORY_MODE });
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

async function fsyncDirectory(directory: string): Promise<void> {
  const handle = await fs.open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
