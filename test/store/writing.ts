/** What the store's tests write, and how; without a test runner, for processes of their own. */
import { createHash } from 'node:crypto';
import { Digester } from '../../lib/store/checksum.ts';
import type { Digest, ObjectStore, Upload } from '../../lib/store/port.ts';

export const bytes = (text: string): Uint8Array => Buffer.from(text, 'latin1');

/** Bytes of `size` that differ by `seed` and do not repeat within a part. */
export function noise(size: number, seed: string): Uint8Array {
  const out = Buffer.alloc(size);
  const block = createHash('sha512').update(seed).digest();
  for (let at = 0, number = 0; at < size; at += block.length, number += 1) {
    block.writeUInt32LE(number, 0);
    block.copy(out, at);
  }
  return out;
}

/** The one message that may ever lie under `key`. */
export const messageOf = (key: string): Uint8Array => noise(20_000, key);

/** Begins an upload of `body` in chunks that divide nothing evenly, and gives it with its digest. */
export async function uploaded(
  store: ObjectStore,
  key: string,
  body: Uint8Array,
): Promise<{ upload: Upload; digest: Digest }> {
  const upload = await store.upload(key);
  const digester = new Digester();
  // One buffer for all chunks: a store that keeps what it was given, instead of taking it, is found out.
  const chunk = Buffer.alloc(777_777);
  for (let at = 0; at < body.length; at += chunk.length) {
    const piece = chunk.subarray(0, Math.min(chunk.length, body.length - at));
    piece.set(body.subarray(at, at + piece.length));
    digester.update(piece);
    await upload.write(piece);
  }
  chunk.fill(0xff);
  return { upload, digest: digester.digest() };
}

/** Adds one to the counter in `key`, however many conflicts that takes. */
export async function increment(store: ObjectStore, key: string): Promise<void> {
  for (;;) {
    const found = await store.read(key);
    let text = '';
    if (found) for await (const chunk of found.chunks) text += Buffer.from(chunk).toString();
    const next = JSON.stringify({ count: found ? Number(JSON.parse(text).count) + 1 : 1 });
    if ((await store.replace(key, bytes(next), found?.version ?? null)) !== 'conflict') return;
  }
}
