/**
 * The one gate for keys. Everything Mailferry puts into a key is a mailbox id, hex, a date or a fixed word, so
 * a key outside this alphabet is a mistake in the program, never something mail can cause: it is a TypeError.
 * No segment begins with a dot: that rules out "." and "..", hidden files, and a folder store's own `.tmp`.
 */

/** S3's limit; the alphabet is ASCII, so characters are bytes. */
const MAX_KEY_BYTES = 1024;

/** 255 bytes is the longest file name that the common file systems take. */
const SEGMENT = '[A-Za-z0-9_-][A-Za-z0-9._-]{0,254}';
const KEY = new RegExp(`^${SEGMENT}(?:/${SEGMENT})*$`);
const PREFIX = new RegExp(`^(?:${SEGMENT}/)*(?:${SEGMENT})?$`);

/** Throws a TypeError unless `key` is one that every store can hold under exactly that name. */
export function checkKey(key: string): void {
  if (key.length > MAX_KEY_BYTES || !KEY.test(key)) {
    throw new TypeError(`not a key of the object store: ${JSON.stringify(key)}`);
  }
}

/** Throws a TypeError unless `prefix` begins some key: it may be empty, end in "/" or within a segment. */
export function checkPrefix(prefix: string): void {
  if (prefix.length > MAX_KEY_BYTES || !PREFIX.test(prefix)) {
    throw new TypeError(`not a prefix of the object store: ${JSON.stringify(prefix)}`);
  }
}
