/**
 * The object store as Mailferry needs it: messages are created and never replaced, one small document per
 * mailbox is replaced by compare-and-swap. Implementations normalise what their provider says; they never
 * guess. An answer that does not tell whether a write happened is StoreError 'unknown', and the caller looks.
 */

/** Opaque; what `replace` compares. An ETag in S3, a revision in a folder. */
export type Version = string;

/** What is known of a message's bytes once they have all gone by. */
export interface Digest {
  /** Octets. */
  readonly size: number;
  /** SHA-256 of all bytes, 64 lower-case hex digits. */
  readonly sha256: string;
  /**
   * SHA-256 over the SHA-256 of each PART_BYTES part, base64 and "-" and the number of parts, as S3 reports
   * for multipart uploads (it keeps no whole-object SHA-256 for them). Absent for objects of one part.
   */
  readonly composite?: string | undefined;
}

/** Every part but the last has exactly this many bytes, so that a composite checksum is a function of the bytes. */
export const PART_BYTES = 8 * 1024 * 1024;

/** What one upload holds at most: two parts on their way and one being filled. */
export const UPLOAD_BYTES = 3 * PART_BYTES;

export interface StoredObject {
  readonly version: Version;
  /** Octets. */
  readonly size: number;
  /** When the object was made, by the store's clock, in ms since the epoch; null where the store does not say. Made once, it stays. */
  readonly storedMs: number | null;
  /** To be read to its end, or left by `break`/`return()`, which frees the connection. */
  readonly chunks: AsyncIterable<Uint8Array>;
}

export interface Upload {
  /** Takes the next bytes; resolves when it can take more. The chunk may be reused by the caller afterwards. */
  write(chunk: Uint8Array): Promise<void>;
  /**
   * Makes the object visible if the key is free. `digest` is of everything written. 'exists': the key was
   * taken, by whatever bytes; the upload stays, and may be completed again should the key become free. A StoreError 'later' means not stored and the bytes are gone: retrieve again.
   */
  complete(digest: Digest): Promise<'created' | 'exists'>;
  /** Frees what the upload holds; nothing becomes visible. Safe after any failure, and twice. */
  abort(): Promise<void>;
}

export interface ObjectStore {
  /** Where the objects are, as events and reports name it. */
  readonly place: { readonly bucket: string } | { readonly folder: string };

  /** Creates `key` with exactly `body`, checksummed by the store where it can; never replaces. */
  create(key: string, body: Uint8Array, digest: Digest): Promise<'created' | 'exists'>;

  /** Begins an object larger than PART_BYTES; nothing is visible before `complete`. */
  upload(key: string): Promise<Upload>;

  /**
   * Compare-and-swap of a document; what `create` or `upload` made is not replaced. `expected` null: the key must be free. 'conflict': it was not so, nothing was written
   * (a document that vanished under a version is a conflict too).
   */
  replace(key: string, body: Uint8Array, expected: Version | null): Promise<Version | 'conflict'>;

  /** The newest object, or null if there is none. */
  read(key: string): Promise<StoredObject | null>;

  /** Whether `key` holds exactly the bytes of `digest`: by the store's own checksum, else by reading and hashing. */
  verify(key: string, digest: Digest): Promise<'same' | 'different' | 'absent'>;

  /** Keys that begin with `prefix`, ascending, complete as of the call; `size` in octets. */
  list(prefix: string): AsyncIterable<{ readonly key: string; readonly size: number }>;

  /** Removes a superseded state segment or a probe's object. Absent is success. */
  remove(key: string): Promise<void>;
}

export type StoreErrorKind =
  /** The write may or may not have been done, now or later: look. */
  | 'unknown'
  /** Not done; the same may work later: throttled, unavailable, conflict after all retries. */
  | 'later'
  /** Not done, and a person must act: access denied, no such bucket, disk full, read-only, no conditional writes. */
  | 'person';

export class StoreError extends Error {
  readonly kind: StoreErrorKind;
  /** Stable, for programs: E_STORE_… */
  readonly code: string;
  /** The port's method, for example "create". */
  readonly operation: string;
  readonly key: string;

  constructor(
    message: string,
    facts: { kind: StoreErrorKind; code: string; operation: string; key: string },
    options?: { cause?: unknown },
  ) {
    super(message, options);
    this.name = 'StoreError';
    this.kind = facts.kind;
    this.code = facts.code;
    this.operation = facts.operation;
    this.key = facts.key;
  }
}
