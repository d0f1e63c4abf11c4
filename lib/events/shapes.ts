/**
 * What Mailferry says to the world. Types here and the JSON Schemas in ./schema come from these definitions
 * (`npm run schema`). An event is versioned by `v` in its detail: a version loses no field and changes no meaning, and what
 * it gains may be absent; what must change becomes `v: 2`.
 */
import { z } from 'zod';

/** The `source` of every event; EventBridge keeps names that begin with "aws." for itself. */
export const EVENT_SOURCE = 'mailferry';

const hex64 = z.string().regex(/^[0-9a-f]{64}$/);
const count = z.int().nonnegative();
const octets = count;
const instant = z.iso.datetime().describe('ISO 8601, UTC');
const mailbox = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._-]{0,62}$/)
  .describe('The mailbox id, as configured');
const uidl = z
  .string()
  // biome-ignore lint/suspicious/noControlCharactersInRegex: QUIRK: servers send any byte in a UIDL.
  .regex(/^[\u0000-\u00ff]*$/)
  .describe(
    'The unique-id (RFC 1939, UIDL) as the server gave it: one character for each byte, U+0000 to U+00FF; empty where it gave none; sha256: and its hash where it is longer than 1 KiB',
  );

const address = z.strictObject({
  name: z.string().nullable().describe('The display name, decoded'),
  address: z.string().describe('The addr-spec, as written'),
});

const addresses = z.array(address).nullable();
const messageId = z.string().describe('Without its angle brackets');
const messageIds = z.array(messageId).nullable();

const headerSummary = z
  .strictObject({
    from: addresses,
    to: addresses,
    cc: addresses,
    replyTo: addresses,
    subject: z.string().nullable().describe('Decoded'),
    date: instant.nullable().describe('The Date field as ISO 8601, UTC; null if it is absent or not a date'),
    dateRaw: z.string().nullable().describe('The Date field as written'),
    dateZone: z
      .enum(['known', 'unknown'])
      .nullable()
      .describe('unknown: the Date field names no zone that can be relied on, and UTC was taken'),
    messageId: messageId.nullable(),
    inReplyTo: messageIds,
    references: messageIds,
    listId: z.string().nullable().describe('The identifier (RFC 2919), without its description'),
    autoSubmitted: z.string().nullable().describe('The keyword (RFC 3834), in lower case'),
  })
  .describe(
    'A few header fields as the sender wrote them, capped. null: no such field; an empty list: none could be read',
  );

const storedMessage = {
  v: z.literal(1),
  id: hex64.describe('Names this message and content; the same on every repeat. Drop repeats by it'),
  mailbox,
  uidl,
  key: z.string().min(1).describe('The object in the bucket, or the file in the folder'),
  size: octets.describe('Octets of the object'),
  sha256: hex64.describe('SHA-256 of the object'),
  announcedSize: octets.nullable().describe('Octets according to LIST; null if the server did not say'),
  short: z
    .boolean()
    .describe('The server delivered fewer octets than LIST announced, and does not estimate sizes'),
  storedAt: instant,
  headers: headerSummary.nullable().describe('null: switched off, or left out because it might do harm'),
};

/** Exactly one of `bucket` and `folder`. */
const messageStored = z
  .union([
    z.strictObject({ ...storedMessage, bucket: z.string().min(1) }),
    z.strictObject({ ...storedMessage, folder: z.string().min(1) }),
  ])
  .describe('A message is stored and can be read. At least once for each message, in no order');

const parsing = {
  v: z.literal(1),
  id: hex64.describe('The same on every repeat. Drop repeats by it'),
  mailbox,
  key: z.string().min(1).describe('The message, as in Message Stored'),
  storedAt: instant.describe('When the message was stored'),
};

const parsedMessage = {
  ...parsing,
  sha256: hex64.describe('SHA-256 of the message'),
  document: z.string().min(1).describe('The document, whose schema is document.v1.json'),
  documentSize: octets,
  documentSha256: hex64,
  kind: z.string().min(1).describe('As in the document: mail, bounce, auto-reply and so on'),
  attachments: count,
  warnings: z.array(z.string()).describe('Codes, as in the document'),
};

/** Exactly one of `bucket` and `folder`. */
const messageParsed = z
  .union([
    z.strictObject({ ...parsedMessage, bucket: z.string().min(1) }),
    z.strictObject({ ...parsedMessage, folder: z.string().min(1) }),
  ])
  .describe('A stored message was parsed: its document and all that it names can be read. At least once');

const unparsableMessage = {
  ...parsing,
  code: z.string().min(1).describe('Stable, for programs'),
  reason: z.string().describe('For people'),
};

/** Exactly one of `bucket` and `folder`. */
const messageUnparsable = z
  .union([
    z.strictObject({ ...unparsableMessage, bucket: z.string().min(1) }),
    z.strictObject({ ...unparsableMessage, folder: z.string().min(1) }),
  ])
  .describe('A stored message has no document, and another try would not give one. It stays as it came');

const messageSetAside = z
  .strictObject({
    v: z.literal(1),
    id: hex64.describe('Names this message; the same on every repeat. Drop repeats by it'),
    mailbox,
    uidl,
    size: octets.nullable().describe('Octets according to LIST; null if the server did not say'),
    attempts: count,
    code: z.string().min(1).describe('Stable, for programs'),
    reason: z.string().describe('For people'),
    since: instant,
  })
  .describe('A message could not be fetched in a bounded number of attempts. It stays on the server');

const messageTooLarge = z
  .strictObject({
    v: z.literal(1),
    id: hex64.describe('Names this message; the same on every repeat. Drop repeats by it'),
    mailbox,
    uidl,
    size: octets
      .nullable()
      .describe('Octets according to LIST, which may be fewer than came; null if the server did not say'),
    limit: octets.describe('The size limit of the mailbox then'),
    since: instant,
  })
  .describe(
    'A message is larger than the mailbox allows. It stays on the server, and is fetched once the limit is raised',
  );

const diagnosis = z
  .strictObject({
    step: z.string().describe('Where it failed: dns, tcp, tls, greeting, stls, capa, secret, sign-in, …'),
    says: z.string().describe('The words of the server or the token endpoint, escaped, else ours'),
    next: z.string().describe('What to do'),
    facts: z
      .record(z.string(), z.string())
      .describe('What is known, by name, for people and for searching. Names may be added'),
  })
  .describe('Only where getting in failed. Nothing secret is in it');

const mailboxFailing = z
  .strictObject({
    v: z.literal(1),
    id: hex64.describe('Names this time of failing; the same on every repeat. Drop repeats by it'),
    mailbox,
    since: instant.describe('Of the first failure'),
    failures: count.describe('In a row'),
    kind: z
      .enum(['later', 'person'])
      .describe('person: it goes on until somebody acts. later: it may end by itself'),
    code: z.string().min(1).describe('Stable, for programs'),
    phase: z.string().nullable(),
    reason: z.string().describe('For people: what happened last, in the words of the server, and what to do'),
    diagnosis: diagnosis.optional(),
  })
  .describe('A mailbox cannot be fetched. Once, however long it lasts; Mailbox Recovered ends it');

const mailboxRecovered = z
  .strictObject({
    v: z.literal(1),
    id: hex64.describe('The same on every repeat. Drop repeats by it'),
    mailbox,
    since: instant.describe('As in the Mailbox Failing that it ends'),
    at: instant.describe('Of the first run that went well'),
  })
  .describe('A mailbox that failed works again');

const runFinished = z
  .strictObject({
    v: z.literal(1),
    id: z.string().min(1).describe('Names the run'),
    mailbox,
    startedAt: instant,
    durationMs: count,
    outcome: z.enum(['done', 'more', 'failed']).describe('more: the run ended in time with work left'),
    counts: z
      .strictObject({
        listed: count,
        stored: count,
        alreadyStored: count,
        skipped: count,
        setAside: count,
        failed: count,
        notReached: count,
      })
      .describe('Messages; listed is the sum of the others'),
    deletions: z
      .strictObject({ requested: count, committed: count })
      .describe('requested: DELE was answered +OK; committed: QUIT was answered +OK after it'),
    bytesStored: octets,
    error: z
      .strictObject({
        code: z.string().min(1).describe('Stable, for programs'),
        phase: z.string().nullable(),
        message: z.string(),
      })
      .nullable(),
  })
  .describe('A run on one mailbox has ended, well or not');

/** Read-only all the way down: an event is a fact. */
type Fact<T> = T extends readonly (infer Element)[]
  ? readonly Fact<Element>[]
  : T extends object
    ? { readonly [Key in keyof T]: Fact<T[Key]> }
    : T;

export type Address = Fact<z.infer<typeof address>>;
export type HeaderSummary = Fact<z.infer<typeof headerSummary>>;
export type MessageStored = Fact<z.infer<typeof messageStored>>;
export type MessageParsed = Fact<z.infer<typeof messageParsed>>;
export type MessageUnparsable = Fact<z.infer<typeof messageUnparsable>>;
export type MessageSetAside = Fact<z.infer<typeof messageSetAside>>;
export type MessageTooLarge = Fact<z.infer<typeof messageTooLarge>>;
export type MailboxFailing = Fact<z.infer<typeof mailboxFailing>>;
export type MailboxRecovered = Fact<z.infer<typeof mailboxRecovered>>;
export type RunFinished = Fact<z.infer<typeof runFinished>>;

export type MailferryEvent =
  | { readonly detailType: 'Message Stored'; readonly detail: MessageStored }
  | { readonly detailType: 'Message Parsed'; readonly detail: MessageParsed }
  | { readonly detailType: 'Message Unparsable'; readonly detail: MessageUnparsable }
  | { readonly detailType: 'Message Set Aside'; readonly detail: MessageSetAside }
  | { readonly detailType: 'Message Too Large'; readonly detail: MessageTooLarge }
  | { readonly detailType: 'Mailbox Failing'; readonly detail: MailboxFailing }
  | { readonly detailType: 'Mailbox Recovered'; readonly detail: MailboxRecovered }
  | { readonly detailType: 'Run Finished'; readonly detail: RunFinished };

/** The detail of each event, by detail type: what ./schema is written from. */
export const DETAILS = {
  'Message Stored': messageStored,
  'Message Parsed': messageParsed,
  'Message Unparsable': messageUnparsable,
  'Message Set Aside': messageSetAside,
  'Message Too Large': messageTooLarge,
  'Mailbox Failing': mailboxFailing,
  'Mailbox Recovered': mailboxRecovered,
  'Run Finished': runFinished,
} as const satisfies Record<MailferryEvent['detailType'], z.ZodType>;
