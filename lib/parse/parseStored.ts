/**
 * One stored message to its document, and the event that says so. Nothing here is on record: a repeat reads, parses and
 * writes the same again, and gives an event with the same id.
 */
import type { Published, Publisher } from '../events/port.ts';
import type { MailferryEvent, MessageParsed, MessageUnparsable } from '../events/shapes.ts';
import { MAX_MAIL_BYTES, UNPARSABLE, type UnparsableCode } from '../mail/parseLimits.ts';
import { parsedId, stemOfKey, unparsableId } from '../mailbox/names.ts';
import { Digester } from '../store/checksum.ts';
import type { Digest, ObjectStore } from '../store/port.ts';
import { type Filed, file, type StoredMail } from './filing.ts';
import type { ParsePorts } from './ports.ts';

/** Of one message; fifty MB take three seconds on a whole core, and a small function has a third of one. */
export const PARSE_MS = 30_000;

/** What is known of a message before it is read. */
export interface MailToParse {
  readonly mailbox: string;
  readonly key: string;
  /** As announced; null: whatever lies there. */
  readonly sha256: string | null;
  /** As announced: where the store does not say it. In ms since the epoch; null: not known. */
  readonly storedMs: number | null;
}

/** What was announced of it. */
export type Outcome = { readonly parsed: MessageParsed } | { readonly unparsable: MessageUnparsable };

/** Rejects with StoreError, PublisherError, ParserError, or NotAnnouncedError: another time may help, and nothing was announced. */
export async function parseStored(mail: MailToParse, ports: ParsePorts): Promise<Outcome> {
  const stem = stemOfKey(mail.mailbox, mail.key);
  if (stem === null) throw new TypeError(`not the key of a message of ${mail.mailbox}: ${mail.key}`);
  const read = await readMail(ports.store, mail);
  const stored = { ...mail, stem, storedMs: read.storedMs };
  if ('code' in read) return unparsable(ports, { ...stored, digest: read.digest }, read.code);
  const parsing = await ports.parser.parse(read.pieces, PARSE_MS);
  const known = { ...stored, digest: read.digest };
  if ('unparsable' in parsing) return unparsable(ports, known, parsing.unparsable);
  const filed = await file(ports.store, known, parsing.mail, parsing.contents);
  const detail = parsedDetail(ports.store, known, filed);
  await announce(ports.publisher, { detailType: 'Message Parsed', detail });
  return { parsed: detail };
}

type Read =
  | { readonly storedMs: number; readonly pieces: readonly Uint8Array[]; readonly digest: Digest }
  | { readonly storedMs: number; readonly code: UnparsableCode; readonly digest: Digest | null };

/** Whole, and with the bytes that were announced, before any parser sees it. */
async function readMail(store: ObjectStore, { key, sha256, storedMs }: MailToParse): Promise<Read> {
  const object = await store.read(key);
  // Without any date it lies under the first one.
  const at = object?.storedMs ?? storedMs ?? 0;
  if (object === null) return { storedMs: at, code: 'E_PARSE_GONE', digest: null };
  const pieces: Uint8Array[] = [];
  const digester = new Digester();
  let octets = 0;
  for await (const piece of object.chunks) {
    octets += piece.length;
    if (octets > MAX_MAIL_BYTES || object.size > MAX_MAIL_BYTES)
      return { storedMs: at, code: 'E_PARSE_TOO_LARGE', digest: null };
    digester.update(piece);
    pieces.push(piece);
  }
  const digest = digester.digest();
  const other = sha256 !== null && sha256 !== digest.sha256;
  return other ? { storedMs: at, code: 'E_PARSE_OTHER_BYTES', digest } : { storedMs: at, pieces, digest };
}

function parsedDetail(store: ObjectStore, mail: StoredMail, { document, key, digest }: Filed): MessageParsed {
  return {
    v: 1,
    id: parsedId(mail.mailbox, mail.stem, mail.digest.sha256, digest.sha256),
    mailbox: mail.mailbox,
    ...store.place,
    key: mail.key,
    sha256: mail.digest.sha256,
    storedAt: document.storedAt,
    document: key,
    documentSize: digest.size,
    documentSha256: digest.sha256,
    kind: document.kind,
    attachments: document.parts.filter(({ role }) => role === 'attachment').length,
    warnings: [...new Set(document.warnings.map(({ code }) => code))],
  };
}

async function unparsable(
  { store, publisher }: ParsePorts,
  mail: Omit<StoredMail, 'digest'> & { readonly digest: Digest | null },
  code: UnparsableCode,
): Promise<Outcome> {
  const detail: MessageUnparsable = {
    v: 1,
    id: unparsableId(mail.mailbox, mail.stem, code),
    mailbox: mail.mailbox,
    ...store.place,
    key: mail.key,
    storedAt: new Date(mail.storedMs).toISOString(),
    code,
    reason: `The message was not parsed: ${UNPARSABLE[code]}. What is stored is untouched: read that.`,
  };
  await announce(publisher, { detailType: 'Message Unparsable', detail });
  return { unparsable: detail };
}

/** The event was not accepted. */
export class NotAnnouncedError extends Error {
  override readonly name = 'NotAnnouncedError';
  readonly code = 'E_PARSE_NOT_ANNOUNCED';
}

async function announce(publisher: Publisher, event: MailferryEvent): Promise<void> {
  const [answer]: readonly (Published | undefined)[] = await publisher.publish([event]);
  if (answer?.accepted !== true)
    throw new NotAnnouncedError(`${event.detailType}: ${answer?.reason ?? 'no answer'}`);
}
