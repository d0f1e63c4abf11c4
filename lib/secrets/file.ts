/**
 * Secrets in files, `file:PATH`: one secret a file, as Docker, Kubernetes and systemd mount them.
 *
 * Files that everybody may read are not refused: that is how Docker (0444) and Kubernetes (0644) mount secrets
 * into a container, and certificates are read through here too. On a shared machine the file's owner sets its mode.
 */
import { constants, promises as fs } from 'node:fs';
import { resolve } from 'node:path';
import { proveFile, saveFile } from './fileSave.ts';
import { Secret, SecretError, type SecretSaver, type Secrets } from './port.ts';
import { targetOf } from './references.ts';

/** As large as a secret in Secrets Manager; a larger file is a mistaken path, such as a mailbox. */
export const MAX_SECRET_FILE_BYTES = 64 * 1024;

/** Relative paths start at `baseFolder`. The file is read on each call, so `fresh` changes nothing. */
export function fileSecrets(baseFolder: string): Secrets {
  return {
    async read(reference) {
      const path = resolve(baseFolder, targetOf(reference, 'file'));
      const value = textOf(await contentOf(path, reference), reference);
      if (value === '')
        throw refusal(reference, 'E_SECRET_EMPTY', 'the file is empty. Write the secret into it.');
      return new Secret(value);
    },
  };
}

/**
 * Puts secrets back into their files. No file system replaces a file only if it still holds something: between the look
 * and the rename another process may do the same. Both were given theirs a moment ago.
 */
export function fileSaver(baseFolder: string, nonce: () => string): SecretSaver {
  const pathOf = (reference: string) => resolve(baseFolder, targetOf(reference, 'file'));
  return {
    prove: async (reference) => proveFile(pathOf(reference), reference),
    async save(reference, secret, instead) {
      const path = pathOf(reference);
      if (instead !== null) {
        const standing = textOf(await contentOf(path, reference), reference);
        if (standing !== instead.reveal()) return standing === secret.reveal();
      }
      await saveFile(path, secret, { reference, nonce: nonce() });
      return true;
    },
  };
}

/** The file without one line end at its end, which editors and `echo` add; further ones are the secret's own. */
function textOf(content: Uint8Array, reference: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(content).replace(/\r?\n$/, '');
  } catch {
    throw refusal(reference, 'E_SECRET_MALFORMED', 'the file is not UTF-8 text. Save it as UTF-8.');
  }
}

async function contentOf(path: string, reference: string): Promise<Uint8Array> {
  try {
    // Without O_NONBLOCK a named pipe at this path would wait for a writer for ever.
    await using file = await fs.open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    if (!(await file.stat()).isFile()) {
      throw refusal(reference, 'E_SECRET_MALFORMED', 'this is not a regular file. Correct the path.');
    }
    return await readBounded(file, reference);
  } catch (error) {
    throw error instanceof SecretError ? error : fromSystem(error, reference);
  }
}

/** Reads to the end rather than to the size that stat gave: the file may be growing. */
async function readBounded(file: fs.FileHandle, reference: string): Promise<Uint8Array> {
  const buffer = Buffer.alloc(MAX_SECRET_FILE_BYTES + 1);
  let length = 0;
  while (length < buffer.length) {
    const { bytesRead } = await file.read(buffer, length);
    if (bytesRead === 0) return buffer.subarray(0, length);
    length += bytesRead;
  }
  const limit = `the file is larger than ${MAX_SECRET_FILE_BYTES} bytes, so it cannot be one secret. Correct the path.`;
  throw refusal(reference, 'E_SECRET_MALFORMED', limit);
}

const SYSTEM: Readonly<Record<string, readonly [code: string, words: string]>> = {
  ENOENT: ['E_SECRET_MISSING', 'there is no such file. Create it or correct the path.'],
  ENOTDIR: ['E_SECRET_MISSING', 'a part of the path is not a folder. Correct the path.'],
  EACCES: ['E_SECRET_DENIED', 'the file may not be read. Let the user that runs Mailferry read it.'],
  EPERM: ['E_SECRET_DENIED', 'the file may not be read. Let the user that runs Mailferry read it.'],
  EISDIR: ['E_SECRET_MALFORMED', 'this is a folder. Correct the path.'],
  ELOOP: ['E_SECRET_MALFORMED', 'its symbolic links lead in a circle. Correct the path.'],
  ENAMETOOLONG: ['E_SECRET_MALFORMED', 'the path is too long. Correct it.'],
  ENXIO: ['E_SECRET_MALFORMED', 'this is a socket or device. Correct the path.'],
};

function fromSystem(error: unknown, reference: string): SecretError {
  const errno = error instanceof Error && 'code' in error ? String(error.code) : 'no code';
  const known = SYSTEM[errno];
  if (known) return refusal(reference, known[0], known[1], error);
  return new SecretError(
    `${reference}: the file cannot be read now (${errno}). The next run tries again.`,
    { kind: 'later', code: 'E_SECRET_UNAVAILABLE', reference },
    { cause: error },
  );
}

function refusal(reference: string, code: string, words: string, cause?: unknown): SecretError {
  const message = `${reference}: ${words}`;
  return new SecretError(message, { kind: 'person', code, reference }, cause === undefined ? {} : { cause });
}
