/** Stored mail on its way out of the store, to files that other programs read. */
import { promises as fs } from 'node:fs';
import { errnoOf } from '../lib/store/folderErrors.ts';
import type { StoredKey } from './storedKeys.ts';

export interface Outgoing extends StoredKey {
  readonly mailbox: string;
  /** Epoch milliseconds. */
  readonly storedMs: number;
  /** To be read to its end; may reject with StoreError. */
  readonly chunks: AsyncIterable<Uint8Array>;
}

/** Where it goes. Nothing of a message that was cut off stays. */
export interface Destination {
  /** Messages that may be written at once. */
  readonly atOnce: number;
  /** Whether an earlier command has written it: then it need not be read. */
  has(mailbox: string, stem: string): boolean;
  put(message: Outgoing): Promise<void>;
  /** All that was put is there. */
  end(): Promise<void>;
  /** Leaves what can be gone on with, and nothing else. */
  abandon(): Promise<void>;
}

/** The disk, not the mail, is in the way. */
export class ExportError extends Error {
  override readonly name = 'ExportError';
  readonly code: string;

  constructor(message: string, code: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}

/** Words for what the file system said; anything else is thrown on. */
export function exportError(error: unknown, path: string): unknown {
  if (!(error instanceof Error && 'code' in error && 'syscall' in error)) return error;
  return new ExportError(`${path} cannot be written: ${error.message}`, 'E_EXPORT_WRITE', { cause: error });
}

/** Of FAT, which sticks have, and of shares: no hard links, or no fsync of folders. */
const LACKING: ReadonlySet<string | undefined> = new Set([
  'EPERM',
  'EINVAL',
  'ENOTSUP',
  'EOPNOTSUPP',
  'ENOSYS',
]);

/** Whole, to the name that others look for. 'exists': there is something of it, and stays. */
export async function place(temp: string, path: string): Promise<'placed' | 'exists'> {
  try {
    // Unlike a rename, a link never takes the place of what came there meanwhile.
    await linked(temp, path);
    return 'placed';
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return 'exists';
    throw exportError(error, path);
  }
}

async function linked(temp: string, path: string): Promise<void> {
  try {
    await fs.link(temp, path);
  } catch (error) {
    if (!LACKING.has(errnoOf(error))) throw error;
    // Without links: what is renamed over is our own.
    await (await fs.open(path, 'wx')).close();
    await fs.rename(temp, path);
  }
}

/** Names in it are on the disk, as far as that can be had there: the store has all of it still. */
export async function syncFolder(path: string): Promise<void> {
  await using folder = await fs.open(path, 'r');
  await folder.sync().catch((error: unknown) => {
    if (!LACKING.has(errnoOf(error))) throw exportError(error, path);
  });
}
