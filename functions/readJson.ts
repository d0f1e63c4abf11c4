import type { ObjectStore, Version } from '../lib/store/port.ts';

export type ReadJson =
  /** `value` undefined: too large, or not JSON, as `problem` says. */
  { readonly version: Version; readonly value: unknown; readonly problem: string | null };

/** A document of at most `maxBytes`; null if there is none. Rejects with StoreError. */
export async function readJson(store: ObjectStore, key: string, maxBytes: number): Promise<ReadJson | null> {
  const read = await readBytes(store, key, maxBytes);
  return read === null ? null : jsonOf(read);
}

export interface ReadBytes {
  readonly version: Version;
  /** Null: more than were asked for. */
  readonly bytes: Buffer | null;
  readonly maxBytes: number;
}

export async function readBytes(
  store: ObjectStore,
  key: string,
  maxBytes: number,
): Promise<ReadBytes | null> {
  const object = await store.read(key);
  if (object === null) return null;
  const { version } = object;
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of object.chunks) {
    bytes += piece.length;
    if (bytes > maxBytes) return { version, bytes: null, maxBytes };
    pieces.push(piece);
  }
  return { version, bytes: Buffer.concat(pieces), maxBytes };
}

export function jsonOf({ version, bytes, maxBytes }: ReadBytes): ReadJson {
  if (bytes === null) return { version, value: undefined, problem: `has more than ${maxBytes} bytes` };
  try {
    // The decoder drops a byte order mark, which editors put in front and RFC 8259, 8.1, lets a reader ignore.
    return { version, value: JSON.parse(new TextDecoder().decode(bytes)), problem: null };
  } catch {
    // The parser's own words quote the document.
    return { version, value: undefined, problem: 'is not JSON' };
  }
}
