/**
 * Messages as files of a Maildir, which may be gone on with: each is written under tmp/ and linked to new/ once it is whole.
 * Names say when a message was stored, and which it is; a mail program that reads one moves it to cur/ and adds its flags.
 */
import { promises as fs } from 'node:fs';
import { join } from 'node:path';
import { makeDirectories } from '../lib/store/folderDirectories.ts';
import { UsageError } from './exitCodes.ts';
import { type Destination, exportError, type Outgoing, place, syncFolder } from './exported.ts';

const PARTS = ['tmp', 'new', 'cur'] as const;
const FOLDER_MODE = 0o700;
const FILE_MODE = 0o600;

/** Each waits for the disk twice. */
const AT_ONCE = 8;

/** Rejects with UsageError where the folder is something else. */
export async function maildir(folder: string): Promise<Destination> {
  try {
    await begin(folder);
    const there = new Set([...(await stemsIn(join(folder, 'new'))), ...(await stemsIn(join(folder, 'cur')))]);
    const settled = () => syncFolder(join(folder, 'new'));
    return {
      atOnce: AT_ONCE,
      has: (mailbox, stem) => there.has(uniqueOf({ mailbox, stem })),
      put: (message) => put(folder, message),
      end: settled,
      abandon: settled,
    };
  } catch (error) {
    throw exportError(error, folder);
  }
}

async function begin(folder: string): Promise<void> {
  const names = await fs.readdir(folder).catch((error: NodeJS.ErrnoException): string[] => {
    if (error.code === 'ENOENT') return [];
    if (error.code === 'ENOTDIR') throw new UsageError(`${folder} is a file; nothing was written.`);
    throw error;
  });
  if (names.length > 0 && !PARTS.every((part) => names.includes(part)))
    throw new UsageError(`${folder} is not empty, and no Maildir; nothing was written. Name another folder.`);
  for (const part of PARTS) await makeDirectories(join(folder, part), FOLDER_MODE);
}

/** What stands between the time and the flags of a name. */
async function stemsIn(folder: string): Promise<readonly string[]> {
  const names = await fs.readdir(folder);
  return names.map((name) => name.slice(name.indexOf('.') + 1).split(':', 1)[0] ?? '');
}

/** The store's own name for it; so a repeat finds the same. */
function uniqueOf({ mailbox, stem }: Pick<Outgoing, 'mailbox' | 'stem'>): string {
  return `${stem}.${mailbox}`;
}

async function put(folder: string, message: Outgoing): Promise<void> {
  const seconds = Math.floor(message.storedMs / 1000);
  const name = `${seconds}.${uniqueOf(message)}`;
  const temp = join(folder, 'tmp', `${name}.${process.pid}`);
  try {
    await write(temp, message, seconds);
    // Where it exists, another command writes the same ones.
    await place(temp, join(folder, 'new', name));
  } catch (error) {
    throw exportError(error, folder);
  } finally {
    await fs.rm(temp, { force: true });
  }
}

/** Its date is what mail programs show as that of its arrival. */
async function write(path: string, { chunks }: Outgoing, seconds: number): Promise<void> {
  await using file = await fs.open(path, 'w', FILE_MODE);
  for await (const chunk of chunks) await file.writeFile(chunk);
  await file.utimes(seconds, seconds);
  await file.sync();
}
