/**
 * Puts a secret back into its file: whole and durable or not at all (temporary file, fsync, rename, fsync of the
 * folder), with the mode and owner that the file had.
 */
import { constants, promises as fs } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { type Secret, SecretError } from './port.ts';

/** Of a file that is new: its owner's alone. */
const NEW_MODE = 0o600;

/** Whether its folder takes files: a secret that a container mounts is read-only, as a rule. */
export async function proveFile(path: string, reference: string): Promise<void> {
  try {
    await fs.access(dirname(await target(path)), constants.W_OK | constants.X_OK);
  } catch (error) {
    throw failed(reference, error);
  }
}

/** `nonce`: of a name that nothing else has. */
export async function saveFile(
  path: string,
  secret: Secret,
  { reference, nonce }: { readonly reference: string; readonly nonce: string },
): Promise<void> {
  try {
    const whole = await target(path);
    const before = await fs.stat(whole).catch(absent);
    const temporary = join(dirname(whole), `.${basename(whole)}.${nonce}`);
    // Exclusive, so that nobody's link is followed, and closed to others until it has its mode.
    const file = await fs.open(temporary, 'wx', NEW_MODE);
    try {
      await writeWhole(file, secret, before).finally(() => file.close());
      await fs.rename(temporary, whole);
    } catch (error) {
      await fs.rm(temporary, { force: true });
      throw error;
    }
    await syncFolder(dirname(whole));
  } catch (error) {
    throw failed(reference, error);
  }
}

interface Before {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

async function writeWhole(file: fs.FileHandle, secret: Secret, before: Before | undefined): Promise<void> {
  await file.writeFile(`${secret.reveal()}\n`);
  if (before !== undefined) {
    const own = await file.stat();
    if (own.uid !== before.uid || own.gid !== before.gid) await file.chown(before.uid, before.gid);
    await file.chmod(before.mode & 0o7777);
  }
  await file.sync();
}

async function syncFolder(path: string): Promise<void> {
  await using folder = await fs.open(path, constants.O_RDONLY | constants.O_DIRECTORY);
  await folder.sync();
}

/** Where a symbolic link leads: the link stays one. */
async function target(path: string): Promise<string> {
  return (await fs.realpath(path).catch(absent)) ?? path;
}

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code === 'ENOENT') return undefined;
  throw error;
}

const MENDED_BY_A_PERSON: ReadonlySet<string> = new Set([
  'EACCES',
  'EPERM',
  'EROFS',
  'ENOENT',
  'ENOTDIR',
  'EBUSY',
]);

function failed(reference: string, error: unknown): SecretError {
  const errno = error instanceof Error && 'code' in error ? String(error.code) : 'no code';
  if (MENDED_BY_A_PERSON.has(errno)) {
    return new SecretError(
      `${reference}: the file cannot be replaced (${errno}). Refresh tokens are exchanged at each use: keep it in a folder that the user who runs Mailferry may write to.`,
      { kind: 'person', code: 'E_SECRET_DENIED', reference },
      { cause: error },
    );
  }
  return new SecretError(
    `${reference}: the file cannot be replaced now (${errno}).`,
    { kind: 'later', code: 'E_SECRET_UNAVAILABLE', reference },
    { cause: error },
  );
}
