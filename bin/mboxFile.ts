/** All messages in one mbox file, which appears when it is whole. */
import { promises as fs } from 'node:fs';
import { dirname } from 'node:path';
import { HEADER_SCAN_BYTES } from '../lib/mail/headers.ts';
import { fromLine, MboxQuoting } from '../lib/mail/mbox.ts';
import { UsageError } from './exitCodes.ts';
import { type Destination, exportError, type Outgoing, place, syncFolder } from './exported.ts';

/** Mail is for the user's eyes only. */
const FILE_MODE = 0o600;

/** Rejects with UsageError where there is anything at `path`. `nonce` tells it from another command's. */
export async function mboxFile(path: string, nonce: string): Promise<Destination> {
  const taken = await fs.lstat(path).catch(() => null);
  if (taken !== null) throw exists(path);
  const temp = `${path}.${nonce}.part`;
  const file = await fs.open(temp, 'wx', FILE_MODE).catch((error: unknown) => {
    throw exportError(error, temp);
  });
  let position = 0;
  const write = async (bytes: Uint8Array) => {
    for (let rest = bytes; rest.length > 0; ) {
      const { bytesWritten } = await file.write(rest, 0, rest.length, position).catch((error: unknown) => {
        throw exportError(error, temp);
      });
      position += bytesWritten;
      rest = rest.subarray(bytesWritten);
    }
  };
  const forget = async () => {
    await file.close();
    await fs.rm(temp, { force: true });
  };
  return {
    atOnce: 1,
    has: () => false,
    async put(message) {
      const before = position;
      try {
        for await (const bytes of quoted(message)) await write(bytes);
      } catch (error) {
        position = before;
        await file.truncate(position);
        throw error;
      }
    },
    async end() {
      await file.sync().catch((error: unknown) => {
        throw exportError(error, temp);
      });
      if ((await place(temp, path)) === 'exists') throw exists(path);
      await forget();
      await syncFolder(dirname(path));
    },
    abandon: forget,
  };
}

async function* quoted({ chunks, storedMs }: Outgoing): AsyncGenerator<Uint8Array> {
  const quoting = new MboxQuoting();
  // The sender is in the header, and stands before it.
  let head: Buffer | null = Buffer.alloc(0);
  for await (const chunk of chunks) {
    if (head === null) {
      yield quoting.update(chunk);
      continue;
    }
    head = Buffer.concat([head, chunk]);
    if (head.length < HEADER_SCAN_BYTES) continue;
    yield Buffer.from(fromLine(head, storedMs));
    yield quoting.update(head);
    head = null;
  }
  if (head !== null) {
    yield Buffer.from(fromLine(head, storedMs));
    yield quoting.update(head);
  }
  yield quoting.end();
}

function exists(path: string): UsageError {
  return new UsageError(`${path} is there already; nothing was written. Name a file that is not.`);
}
