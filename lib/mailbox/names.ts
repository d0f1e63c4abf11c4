import { createHash } from 'node:crypto';

/**
 * Every name that Mailferry gives is a pure function of the mailbox id, the UIDL and, only where that is not
 * enough, the content: never of the clock, a header or the attempt, so that a repeat finds the same key and what
 * an earlier run stored is found before RETR. Nothing from mail goes into a key but hex digits of a hash.
 */

/** A mailbox id: chosen by a person, never changed afterwards; it is part of every key and event id. */
export const MAILBOX_ID = /^[a-z0-9][a-z0-9._-]{0,62}$/;

/** SHA-256 over parts, each preceded by its length, so that no two lists of parts give the same bytes. */
function hashOf(parts: readonly Buffer[]): string {
  const hash = createHash('sha256');
  const length = Buffer.alloc(4);
  for (const part of parts) {
    length.writeUInt32BE(part.length);
    hash.update(length);
    hash.update(part);
  }
  return hash.digest('hex');
}

/** The stem of a message's key: 32 hex digits. `uidl` holds raw bytes, one per character (latin1). */
export function messageId(mailbox: string, uidl: string): string {
  return hashOf([Buffer.from(mailbox, 'latin1'), Buffer.from(uidl, 'latin1')]).slice(0, 32);
}

/** All objects of a mailbox begin so. */
export function mailPrefix(mailbox: string): string {
  return `mail/${mailbox}/`;
}

/** What stands in place of a hash where the server gives no UIDL; no hash has these letters. */
const NAMELESS = 'nouidl';

/** All objects of a UIDL begin so: the first, and those that content tells apart. Without one, all such of the mailbox. */
export function messagePrefix(mailbox: string, uidl: string): string {
  return `${mailPrefix(mailbox)}${uidl === '' ? NAMELESS : messageId(mailbox, uidl)}`;
}

/** Where a message goes first, if it has a UIDL. */
export function messageKey(mailbox: string, uidl: string): string {
  return `${messagePrefix(mailbox, uidl)}.eml`;
}

/** Where it goes once `messageKey` turned out to hold other bytes (a UIDL repeated, or used again), or without a UIDL. */
export function messageKeyByContent(mailbox: string, uidl: string, sha256: string): string {
  return `${messagePrefix(mailbox, uidl)}-${sha256}.eml`;
}

/** The id of a message's event, the same on every repeat: 64 hex digits. */
export function eventId(mailbox: string, uidl: string, sha256: string): string {
  return hashOf([Buffer.from(mailbox, 'latin1'), Buffer.from(uidl, 'latin1'), Buffer.from(sha256, 'hex')]);
}

/** The id of the event that says a message was set aside: the same on every repeat, another when it happens again. */
export function setAsideId(mailbox: string, ref: string, setAsideMs: number): string {
  return hashOf([
    Buffer.from(mailbox, 'latin1'),
    Buffer.from(ref, 'latin1'),
    Buffer.from(String(setAsideMs)),
  ]);
}

/** The id of the event that says a message is over the size limit: one for a message, whatever becomes of the limit. */
export function tooLargeId(mailbox: string, ref: string): string {
  return hashOf([Buffer.from(mailbox, 'latin1'), Buffer.from(ref, 'latin1'), Buffer.from('too large')]);
}

/** The id of the event that says a mailbox fails, or has recovered: one of each for a time of failing. */
export function mailboxNewsId(mailbox: string, news: 'failing' | 'recovered', sinceMs: number): string {
  return hashOf([Buffer.from(mailbox, 'latin1'), Buffer.from(news), Buffer.from(String(sinceMs))]);
}

/** What a message's key gave it: `<id>`, `<id>-<sha256>` or `nouidl-<sha256>`. */
const STEM = /^(?:[0-9a-f]{32}(?:-[0-9a-f]{64})?|nouidl-[0-9a-f]{64})$/;

/** The stem of a message's key; null for a key that is no message of this mailbox. */
export function stemOfKey(mailbox: string, key: string): string | null {
  const stem = key.slice(mailPrefix(mailbox).length, -'.eml'.length);
  return key === `${mailPrefix(mailbox)}${stem}.eml` && STEM.test(stem) ? stem : null;
}

/** Everything that is parsed from one message lies under this; the date is UTC's when the message was stored. */
export function parsedPrefix(mailbox: string, stem: string, storedMs: number): string {
  const [date = ''] = new Date(storedMs).toISOString().split('T');
  return `parsed/${mailbox}/${date.replaceAll('-', '/')}/${stem}/`;
}

/** The id of the event that says a message was parsed: one for a message, its content and what was made of it. */
export function parsedId(mailbox: string, stem: string, sha256: string, documentSha256: string): string {
  const hashes = [Buffer.from(sha256, 'hex'), Buffer.from(documentSha256, 'hex')];
  return hashOf([Buffer.from(mailbox, 'latin1'), Buffer.from(stem), ...hashes]);
}

/** The id of the event that says a message cannot be parsed: one for a message and a reason. */
export function unparsableId(mailbox: string, stem: string, code: string): string {
  return hashOf([Buffer.from(mailbox, 'latin1'), Buffer.from(stem), Buffer.from(code)]);
}

/** The document that holds a mailbox's state. */
export function headKey(mailbox: string): string {
  return `state/${mailbox}.json`;
}

/** Older records of a mailbox's state; `name` is the segment's. */
export function segmentKey(mailbox: string, name: string): string {
  return `${segmentPrefix(mailbox)}${name}.ndjson.gz`;
}

export function segmentPrefix(mailbox: string): string {
  return `state/${mailbox}/`;
}

/** The name in a key that `segmentKey` gave; null for any other key. */
export function segmentOfKey(mailbox: string, key: string): string | null {
  const name = key.slice(segmentPrefix(mailbox).length, -'.ndjson.gz'.length);
  return key === segmentKey(mailbox, name) && !name.includes('/') ? name : null;
}
