/** The header of a message as its document has it: as in events, and more of it. */
import { type Address, parseAddresses } from './addressList.ts';
import type { DocumentHeaders } from './documentShape.ts';
import { dateIn, type Read, readerOf } from './fieldReader.ts';
import { type Field, firstFields } from './headerFields.ts';
import { keyword } from './headers.ts';
import { messageIds, oneId, uris } from './ids.ts';
import { MAX_DOCUMENT_ADDRESSES, MAX_DOCUMENT_IDS, MAX_HEADER_BYTES } from './parseLimits.ts';
import { readable, verbatim } from './values.ts';

const ADDRESSED = ['from', 'sender', 'reply-to', 'to', 'cc', 'bcc'];
const LISTED = ['unsubscribe', 'post', 'help', 'subscribe', 'owner', 'archive'].map((name) => `list-${name}`);
const OTHERS = [
  ...['subject', 'date', 'message-id', 'in-reply-to', 'references', 'return-path'],
  ...['auto-submitted', 'precedence', 'list-id', 'list-unsubscribe-post'],
];
/** Say what kind of message it is, and have no place in the document, or none where they cannot be read. */
const MARKS = [
  ...['auto-submitted', 'x-failed-recipients', 'x-auto-response-suppress'],
  // What stood for Auto-Submitted before RFC 3834, and still does.
  ...[
    'x-autoreply',
    'x-auto-reply',
    'x-autoreply-from',
    'x-auto-reply-from',
    'x-mail-autoreply',
    'x-autorespond',
  ],
];
const WANTED: ReadonlySet<string> = new Set([...ADDRESSED, ...LISTED, ...OTHERS, ...MARKS]);

export interface ReadHeaders {
  readonly headers: DocumentHeaders;
  /** Values of the fields of MARKS, in lower case. */
  readonly marks: ReadonlyMap<string, string>;
}

/** `head`: the message's first MAX_HEADER_BYTES, or all of it. */
export function documentHeaders(head: Uint8Array): ReadHeaders {
  const fields = firstFields(head, WANTED, MAX_HEADER_BYTES);
  const read = readerOf(fields);
  return {
    headers: {
      from: read('from', addresses),
      sender: read('sender', addresses),
      replyTo: read('reply-to', addresses),
      to: read('to', addresses),
      cc: read('cc', addresses),
      bcc: read('bcc', addresses),
      subject: read('subject', readable),
      ...dateIn(read),
      messageId: read('message-id', oneId),
      inReplyTo: read('in-reply-to', ids),
      references: read('references', ids),
      returnPath: read('return-path', returnPath),
      autoSubmitted: read('auto-submitted', keyword),
      // QUIRK: "auto_reply" has an underscore.
      precedence: read('precedence', (text) => verbatim(text).toLowerCase()),
      list: list(fields, read),
    },
    marks: new Map(
      MARKS.flatMap((name) => {
        const field = fields.get(name);
        return field === undefined ? [] : [[name, verbatim(field.raw).toLowerCase()]];
      }),
    ),
  };
}

function list(fields: ReadonlyMap<string, Field>, read: Read): DocumentHeaders['list'] {
  if (!fields.has('list-id') && !LISTED.some((name) => fields.has(name))) return null;
  return {
    id: read('list-id', oneId),
    unsubscribe: read('list-unsubscribe', firstUris),
    oneClick: read('list-unsubscribe-post', (text) => /one-click/i.test(text)) ?? false,
    post: read('list-post', firstUris),
    help: read('list-help', firstUris),
    subscribe: read('list-subscribe', firstUris),
    owner: read('list-owner', firstUris),
    archive: read('list-archive', firstUris),
  };
}

function addresses(text: string, cut: boolean): Address[] {
  return parseAddresses(text, cut, MAX_DOCUMENT_ADDRESSES);
}

function ids(text: string, cut: boolean): string[] {
  return messageIds(text, cut).slice(-MAX_DOCUMENT_IDS);
}

function firstUris(text: string): string[] {
  return uris(text).slice(0, MAX_DOCUMENT_IDS);
}

/** "<>" is the empty path of a bounce; another one has its address in brackets, or bare. */
function returnPath(text: string, cut: boolean): string | null {
  return /^<\s*>/.test(text) ? '' : oneId(text, cut);
}
