/** Appending whole lines to a file so that they survive a crash, and other processes that append to it. */
import { constants, promises as fs } from 'node:fs';
import { dirname } from 'node:path';
import { leadsNowhere, notAFile, writeError } from './ndjsonErrors.ts';

/** Publishes that wait are written and synced together up to so many bytes; a single larger one goes alone. */
const MAX_GROUP_BYTES = 4 * 1024 * 1024;

/** A write comes back short when a limit is near or a signal came; the next one tells. More often, give up. */
const MAX_SHORT_WRITES = 8;

const NEWLINE = 0x0a;
/** Events hold names and subjects: for the user's eyes only. */
const FILE_MODE = 0o600;
const FOLDER_MODE = 0o700;

interface Waiting {
  readonly lines: Buffer;
  readonly done: () => void;
  readonly failed: (error: unknown) => void;
}

/** One append at a time; whoever comes meanwhile waits for the next, which serves all of them with one sync. */
export function groupCommit(append: (lines: Buffer) => Promise<void>): (lines: Buffer) => Promise<void> {
  const waiting: Waiting[] = [];
  let busy = false;

  const work = async () => {
    busy = true;
    while (waiting.length > 0) {
      const group = takeGroup(waiting);
      try {
        await append(Buffer.concat(group.map(({ lines }) => lines)));
        for (const { done } of group) done();
      } catch (error) {
        for (const { failed } of group) failed(error);
      }
    }
    busy = false;
  };

  return (lines) =>
    new Promise<void>((done, failed) => {
      waiting.push({ lines, done, failed });
      if (!busy) void work();
    });
}

function takeGroup(waiting: Waiting[]): readonly Waiting[] {
  let bytes = 0;
  const end = waiting.findIndex(({ lines }, index) => {
    bytes += lines.length;
    return index > 0 && bytes > MAX_GROUP_BYTES;
  });
  return waiting.splice(0, end === -1 ? waiting.length : end);
}

/**
 * The file is opened anew each time: a file that was moved away or removed between two appends (logrotate) must
 * not go on taking events that nobody will find.
 */
export function appender(path: string): (lines: Buffer) => Promise<void> {
  return async (lines) => {
    try {
      await using file = await open(path);
      if (!(await file.stat()).isFile()) throw notAFile(path);
      if (lines.length > 0) {
        await writeLines(file, lines);
        await file.sync();
      }
      // Of a file that was there too: who made it may not have synced its name, and an inode number tells no
      // old file from a new one, since numbers are given again.
      await syncFolder(dirname(await fs.realpath(path)));
    } catch (error) {
      throw writeError(error, path);
    }
  };
}

/** O_RDWR because the last byte is read; O_NONBLOCK lest a pipe in the file's place hold the open for ever. */
const APPEND = constants.O_APPEND | constants.O_RDWR | constants.O_NONBLOCK;

async function open(path: string): Promise<fs.FileHandle> {
  try {
    return await fs.open(path, APPEND);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
  await makeFolder(dirname(path));
  return fs.open(path, APPEND | constants.O_CREAT, FILE_MODE).catch((error) => unlessNowhere(path, error));
}

/**
 * Makes what is missing of the folder, and syncs the name of each new one in the one above. QUIRK: Node's own recursive
 * mkdir never ends where a file system says ENOENT although the folder above is there, as /proc and automounted ones do.
 */
async function makeFolder(folder: string, isAboveThere = false): Promise<void> {
  try {
    await fs.mkdir(folder, { mode: FOLDER_MODE });
  } catch (error) {
    if (await isFolder(folder)) return;
    if (!isMissing(error) || isAboveThere || dirname(folder) === folder) return unlessNowhere(folder, error);
    await makeFolder(dirname(folder));
    return makeFolder(folder, true);
  }
  await syncFolder(dirname(folder));
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

/** Rejects, in plainer words where `path` is a link whose end is not there, as of a disk that is not mounted. */
async function unlessNowhere(path: string, error: unknown): Promise<never> {
  const found = await fs.lstat(path).catch(() => null);
  const isNowhere = found?.isSymbolicLink() && isMissing(await fs.stat(path).catch((reason) => reason));
  throw isNowhere ? leadsNowhere(path) : error;
}

async function isFolder(path: string): Promise<boolean> {
  const found = await fs.stat(path).catch(() => null);
  return found?.isDirectory() ?? false;
}

async function syncFolder(folder: string): Promise<void> {
  await using handle = await fs.open(folder, 'r');
  await handle.sync();
}

/**
 * One write, so that another process's lines come before or after, never between. What is already there is ended
 * by a newline first if a crash left it without one.
 */
async function writeLines(file: fs.FileHandle, lines: Buffer): Promise<void> {
  let rest = (await isTorn(file)) ? ended(lines) : lines;
  for (let writes = 0; writes <= MAX_SHORT_WRITES; writes += 1) {
    const { bytesWritten } = await file.write(rest);
    if (bytesWritten === rest.length) return;
    if (bytesWritten > 0) rest = afterShortWrite(rest, bytesWritten);
  }
  throw Object.assign(new Error('the file takes only parts of lines'), { code: 'ENOSPC' });
}

/**
 * What is left to write: the torn line again from its beginning, on a line of its own. Its rest alone may not
 * follow, since another process may have written meanwhile.
 */
function afterShortWrite(lines: Buffer, bytesWritten: number): Buffer {
  const start = lines.lastIndexOf(NEWLINE, bytesWritten - 1) + 1;
  return ended(lines.subarray(start));
}

function ended(lines: Buffer): Buffer {
  return Buffer.concat([Buffer.of(NEWLINE), lines]);
}

/**
 * Whether the file ends within a line. QUIRK: ext4 shows another process's write while it grows, page by page;
 * what is then taken for torn costs an empty line, since the append itself waits for that write's end.
 */
async function isTorn(file: fs.FileHandle): Promise<boolean> {
  const { size } = await file.stat();
  if (size === 0) return false;
  const { buffer, bytesRead } = await file.read(Buffer.alloc(1), 0, 1, size - 1);
  return bytesRead === 1 && buffer[0] !== NEWLINE;
}
