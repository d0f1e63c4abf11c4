/**
 * `document.json`, version 1: what a message says, for programs that do not read MIME. A version gains no field, loses
 * none and changes no meaning; what must change becomes `v: 2`. The JSON Schema is made from this (`npm run schema`).
 * The sender chose all of it: nothing here is verified.
 */
import { z } from 'zod';

const count = z.int().nonnegative();
const hex64 = z.string().regex(/^[0-9a-f]{64}$/);
const instant = z.iso.datetime();
/** Every string: no lone surrogates, which strict JSON parsers refuse. */
const text = z.string().refine((value) => value.isWellFormed(), 'must be well-formed Unicode');

const address = z.strictObject({
  name: text.nullable().describe('The display name, decoded'),
  address: text.describe('The addr-spec, as written'),
});
const addresses = z
  .array(address)
  .nullable()
  .describe('null: no such field; empty: nothing in it is clearly an address');
const ids = z.array(text).nullable().describe('Without angle brackets');
const uris = z.array(text).nullable().describe('What stands in angle brackets');

const headers = z.strictObject({
  from: addresses,
  sender: addresses,
  replyTo: addresses,
  to: addresses,
  cc: addresses,
  bcc: addresses,
  subject: text.nullable().describe('Decoded'),
  date: instant.nullable().describe('The Date field as ISO 8601, UTC; null if it is absent or not a date'),
  dateRaw: text.nullable().describe('The Date field as written'),
  dateZone: z
    .enum(['known', 'unknown'])
    .nullable()
    .describe('unknown: the field names no zone that can be relied on, and UTC was taken'),
  messageId: text.nullable().describe('Without angle brackets'),
  inReplyTo: ids,
  references: ids.describe('Without angle brackets, oldest first'),
  returnPath: text.nullable().describe('The address that delivery came from; empty: <>, as of bounces'),
  autoSubmitted: text.nullable().describe('The keyword (RFC 3834), in lower case'),
  precedence: text.nullable().describe('In lower case'),
  list: z
    .strictObject({
      id: text.nullable().describe('The identifier (RFC 2919), without its description'),
      unsubscribe: uris,
      oneClick: z.boolean().describe('List-Unsubscribe-Post (RFC 8058) is there'),
      post: uris,
      help: uris,
      subscribe: uris,
      owner: uris,
      archive: uris,
    })
    .nullable()
    .describe('Fields of a mailing list (RFC 2369); null: there are none'),
});

const recipient = z.strictObject({
  recipient: text.nullable().describe('Final-Recipient, without its type'),
  originalRecipient: text.nullable(),
  action: text.nullable().describe('failed, delayed, delivered, relayed or expanded, in lower case'),
  status: text.nullable().describe('RFC 3463, such as 5.1.1'),
  diagnostic: text.nullable().describe('What the other server said, without its type'),
});

const report = z
  .strictObject({
    type: text.describe('report-type (RFC 6522), in lower case'),
    recipients: z.array(recipient).describe('Of a delivery report (RFC 3464)'),
    originalMessageId: text.nullable().describe('Of the message that the report is about'),
  })
  .nullable()
  .describe('null: the message is no multipart/report');

/** What the parser says of a part. */
const parsedPart = z.strictObject({
  part: text.describe('Its number in the message, as in IMAP: 1, 2.1'),
  role: z
    .enum(['text', 'html', 'attachment'])
    .describe('text: in the text of the document. html: untouched, and nothing in it is made harmless'),
  type: text.describe('The media type as written, in lower case'),
  charset: text.nullable().describe('The label as written'),
  name: text
    .nullable()
    .describe('Fit for a file: no path, no controls, at most 255 octets; null for text and html'),
  nameRaw: text
    .nullable()
    .describe('As the sender gave it, decoded, controls replaced; null: none was given'),
  disposition: text.nullable(),
  contentId: text.nullable().describe('Without angle brackets: what cid: in HTML refers to'),
  related: z.boolean().describe('Belongs to the HTML (multipart/related)'),
  hasObject: z.boolean(),
});

/** Where a part's content is. */
const part = parsedPart.omit({ hasObject: true }).extend({
  size: count.nullable().describe('Octets, transfer encoding undone; null: only in `text`'),
  sha256: hex64.nullable(),
  key: z.string().nullable().describe('The object or file with exactly the content; null: only in `text`'),
});

const warning = z.strictObject({
  code: z
    .enum(['no-content', 'unclosed', 'charset', 'text-cut'])
    .describe(
      'no-content: a body is there, and no part could be made out. unclosed: the end of a multipart is missing. charset: a label means nothing or does not fit. text-cut: text goes on in the object',
    ),
  part: text.nullable(),
});

const content = {
  kind: z
    .enum(['mail', 'bounce', 'delivery-report', 'read-report', 'complaint', 'auto-reply', 'auto-generated'])
    .describe(
      'bounce: delivery failed (RFC 3464). auto-reply, auto-generated: by RFC 3834 and what is used in its place',
    ),
  headers,
  report,
  smime: z
    .enum(['signed', 'encrypted', 'compressed', 'certificates', 'unknown'])
    .nullable()
    .describe('S/MIME (RFC 8551), by the media type; nothing is checked or decrypted'),
  tnef: z.boolean().describe('Has a winmail.dat, which may hold attachments'),
  text: text.nullable().describe('All text/plain that is shown inline; null: there is none'),
  warnings: z.array(warning),
};

/** What the parser gives; untrusted until it has this shape. */
export const parsedMail = z.strictObject({ ...content, parts: z.array(parsedPart) });

export const mailDocument = z
  .strictObject({
    v: z.literal(1),
    mailbox: z.string().describe('The mailbox id'),
    key: z.string().describe('The message, byte for byte'),
    size: count.describe('Octets of the message'),
    sha256: hex64.describe('Of the message'),
    storedAt: instant.describe('When the message was stored'),
    ...content,
    parts: z.array(part).describe('Leaves of the message in their order'),
  })
  .describe('A parsed message. The sender chose all of it; nothing is verified');

export type ParsedMail = z.infer<typeof parsedMail>;
export type ParsedPart = z.infer<typeof parsedPart>;
export type MailDocument = z.infer<typeof mailDocument>;
export type DocumentHeaders = ParsedMail['headers'];
export type Report = NonNullable<ParsedMail['report']>;
export type Warning = z.infer<typeof warning>;
