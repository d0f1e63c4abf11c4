/** Listing a folder store by key prefix, in the order of S3: ascending by the bytes of the whole key. */
import { type Dirent, promises as fs } from 'node:fs';
import { join } from 'node:path';
import { type Documents, isRevision } from './folderDocuments.ts';
import { errnoOf } from './folderErrors.ts';

/** How many sizes are asked for at once: enough to keep the file system busy, few beside the thread pool. */
const SIZES_AT_ONCE = 32;

/** Names that can be segments of keys; others are a person's own files, which are no objects of ours. */
const OURS = /^[A-Za-z0-9_-][A-Za-z0-9._-]*$/;

interface Found {
  readonly key: string;
  readonly kind: 'object' | 'document' | 'folder';
}

/** The objects and documents under `root` whose keys begin with `prefix`; those that vanish meanwhile are left out. */
export async function* listFolder(
  root: string,
  prefix: string,
  documents: Documents,
): AsyncGenerator<{ key: string; size: number }> {
  const start = prefix.slice(0, prefix.lastIndexOf('/') + 1);
  yield* listUnder(start);

  async function* listUnder(parent: string): AsyncGenerator<{ key: string; size: number }> {
    const found = await entriesOf(root, parent, prefix);
    for (let from = 0; from < found.length; from += SIZES_AT_ONCE) {
      const some = found.slice(from, from + SIZES_AT_ONCE);
      const sizes = await Promise.all(some.map((entry) => sizeOf(entry)));
      for (const [index, entry] of some.entries()) {
        const size = sizes[index];
        if (entry.kind === 'folder') yield* listUnder(`${entry.key}/`);
        else if (size !== undefined) yield { key: entry.key, size };
      }
    }
  }

  async function sizeOf(entry: Found): Promise<number | undefined> {
    if (entry.kind === 'folder') return undefined;
    const path = join(root, entry.key);
    if (entry.kind === 'object') return (await fs.stat(path).catch(ifGone))?.size;
    const newest = await documents.newest(path);
    return newest === null || newest === 'object' ? undefined : newest.size;
  }
}

/** The children of `parent` (empty, or ending in "/") that lie on the way to `prefix` or under it. */
async function entriesOf(root: string, parent: string, prefix: string): Promise<Found[]> {
  const entries = (await fs.readdir(join(root, parent), { withFileTypes: true }).catch(ifGone)) ?? [];
  const found: Found[] = [];
  for (const entry of entries) {
    const key = parent + entry.name;
    if (!OURS.test(entry.name) || !key.startsWith(prefix)) continue;
    const kind = await kindOf(join(root, key), entry);
    if (kind !== undefined) found.push({ key, kind });
  }
  // A folder's keys all go on with "/", which sorts after "-" and "." and before digits and letters.
  return found.sort((a, b) => (sortName(a) < sortName(b) ? -1 : 1));
}

async function kindOf(path: string, entry: Dirent): Promise<Found['kind'] | undefined> {
  if (entry.isFile()) return 'object';
  // As programs make that save space where the same file is there twice. Of a folder it might lead round and round.
  if (entry.isSymbolicLink()) {
    const target = await fs.stat(path).catch(() => undefined);
    return target?.isFile() ? 'object' : undefined;
  }
  if (!entry.isDirectory()) return undefined;
  const directory = await fs.opendir(path).catch(ifGone);
  if (directory === undefined) return undefined;
  try {
    // The first name of ours tells: a document's folder holds revisions only, however much mail others hold.
    for (;;) {
      const child = await directory.read();
      if (child === null || OURS.test(child.name)) return 'folder';
      if (isRevision(child.name)) return 'document';
    }
  } finally {
    await directory.close();
  }
}

function sortName(entry: Found): string {
  return entry.kind === 'folder' ? `${entry.key}/` : entry.key;
}

function ifGone(error: unknown): undefined {
  const errno = errnoOf(error);
  if (errno === 'ENOENT' || errno === 'ENOTDIR') return undefined;
  throw error;
}
