import type { ObjectStore, Version } from '../lib/store/port.ts';

export type ReadJson =
  /** `value` undefined: too large, or not JSON, as `problem` says. */
  { readonly version: Version; readonly value: unknown; readonly problem: string | null };

/** A document of at most `maxBytes`; null if there is none. Rejects with StoreError. */
export async function readJson(store: ObjectStore, key: string, maxBytes: number): Promise<ReadJson | null> {
  const object = await store.read(key);
  if (object === null) return null;
  const { version } = object;
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of object.chunks) {
    bytes += piece.length;
    if (bytes > maxBytes) return { version, value: undefined, problem: `has more than ${maxBytes} bytes` };
    pieces.push(piece);
  }
  try {
    return { version, value: JSON.parse(Buffer.concat(pieces).toString()), problem: null };
  } catch {
    // The parser's own words quote the document.
    return { version, value: undefined, problem: 'is not JSON' };
  }
}
