/**
 * What an event says of a message: a few header fields, read by a linear scan of its first bytes. Whatever the
 * bytes, it answers in bounded time with a bounded, well-formed value. What is absent or cannot be read is null
 * or left out, never guessed. The sender chose all of it: nothing here is verified.
 */
import { type Address, parseAddresses } from './addressList.ts';
import { dateIn, readerOf } from './fieldReader.ts';
import { firstFields } from './headerFields.ts';
import { messageIds, oneId } from './ids.ts';
import { readable } from './values.ts';

export type { Address } from './addressList.ts';
export { HEADER_SCAN_BYTES } from './headerFields.ts';

/** A list is empty if its field is there but holds nothing that can be read; null if there is no such field. */
export interface HeaderSummary {
  from: Address[] | null;
  to: Address[] | null;
  cc: Address[] | null;
  replyTo: Address[] | null;
  /** Decoded (RFC 2047). */
  subject: string | null;
  /** ISO 8601 in UTC. */
  date: string | null;
  /** The Date field as it was written, controls removed. */
  dateRaw: string | null;
  /** 'unknown': the field has no zone that means anything, and `date` takes it for UTC. Null with `date`. */
  dateZone: 'known' | 'unknown' | null;
  /** Without its angle brackets; so are the next two. */
  messageId: string | null;
  inReplyTo: string[] | null;
  /** The nearest ancestors, oldest first. */
  references: string[] | null;
  /** The list's identifier (RFC 2919), without its description. */
  listId: string | null;
  /** The keyword (RFC 3834) in lower case: "no", "auto-generated", "auto-replied" or another. */
  autoSubmitted: string | null;
}

/** A longer thread is found by its last ones. */
export const MAX_REFERENCES = 100;

/** Of each list, as JSON in UTF-8: six of them and five values of 1,000 code points stay below the next bound. */
const MAX_LIST_BYTES = 12 * 1024;

/** No summary is larger than this as JSON in UTF-8: an event of 256 KB has room for it and the rest. */
export const MAX_SUMMARY_JSON_BYTES = 100_000;

const SUMMARIZED: ReadonlySet<string> = new Set([
  'from',
  'to',
  'cc',
  'reply-to',
  'subject',
  'date',
  'message-id',
  'in-reply-to',
  'references',
  'list-id',
  'auto-submitted',
]);
const TRACE: ReadonlySet<string> = new Set(['received']);
const IDENTIFYING: ReadonlySet<string> = new Set(['message-id', 'received']);

/** Summarises the header in `head`, a message's first HEADER_SCAN_BYTES or all of it; more is not looked at. */
export function summarize(head: Uint8Array): HeaderSummary {
  const read = readerOf(firstFields(head, SUMMARIZED));
  return {
    from: read('from', addresses),
    to: read('to', addresses),
    cc: read('cc', addresses),
    replyTo: read('reply-to', addresses),
    subject: read('subject', readable),
    ...dateIn(read),
    messageId: read('message-id', oneId),
    inReplyTo: read('in-reply-to', ids),
    references: read('references', ids),
    listId: read('list-id', oneId),
    autoSubmitted: read('auto-submitted', keyword),
  };
}

/**
 * Whether the header says which message this is: it has a Message-ID or a Received field that is not empty.
 * Without one, equal headers do not make two messages the same.
 */
export function identifies(head: Uint8Array): boolean {
  const fields = firstFields(head, IDENTIFYING);
  return [...fields.values()].some(({ raw }) => raw.trim() !== '');
}

/**
 * Whether the header has the trace of a delivery (RFC 5321 section 4.4): with it, equal bytes are one mail that came once,
 * whatever a server calls it. A Message-ID may come again, from a device or a test that makes the same one each time.
 */
export function hasTrace(head: Uint8Array): boolean {
  return (firstFields(head, TRACE).get('received')?.raw.trim() ?? '') !== '';
}

function addresses(text: string, cut: boolean): Address[] {
  return fitting(parseAddresses(text, cut));
}

/** The last ones are kept, as they are the nearest. */
function ids(text: string, cut: boolean): string[] {
  return fitting(messageIds(text, cut).slice(-MAX_REFERENCES).reverse()).reverse();
}

/** As many of the first items as MAX_LIST_BYTES holds. */
function fitting<T>(items: T[]): T[] {
  let bytes = 2;
  const end = items.findIndex((item) => {
    bytes += Buffer.byteLength(JSON.stringify(item)) + 1;
    return bytes > MAX_LIST_BYTES;
  });
  return end === -1 ? items : items.slice(0, end);
}

/** The first word of Auto-Submitted and its like, in lower case. */
export function keyword(text: string): string | null {
  return (
    /^(?:\([^()]{0,200}\)\s*)?([a-z0-9-]{1,64})(?=\s*(?:[;,(]|$))/i.exec(text)?.[1]?.toLowerCase() ?? null
  );
}
