/**
 * The leaves of a message as mailparser finds them, one after another, each with its content as a stream. Nothing is
 * converted: no text from HTML, no HTML from text, no links, no embedded message taken apart.
 */
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type AttachmentStream, MailParser, type MailParserOptions } from 'mailparser';
import { MAX_PARTS, UnparsableError } from './parseLimits.ts';
import type { Structure } from './structure.ts';

export interface Leaf {
  /** As in IMAP; that of a message without parts is "1". */
  readonly part: string;
  /** The message has no parts. */
  readonly isRoot: boolean;
  /** In lower case. */
  readonly type: string;
  /** Of the Content-Type field, names in lower case, values decoded. */
  readonly params: Readonly<Record<string, string>>;
  readonly disposition: string | null;
  /** Decoded; anything at all may stand in it. */
  readonly name: string | null;
  readonly contentId: string | null;
  readonly related: boolean;
  /** The transfer encoding undone; to be read to its end. */
  readonly content: AsyncIterable<Buffer>;
}

const OPTIONS: MailParserOptions = {
  // QUIRK: its text of an embedded message has the time of parsing in it where that one's Date is none.
  ignoreEmbedded: true,
  keepDeliveryStatus: true,
  skipHtmlToText: true,
  skipTextToHtml: true,
  skipTextLinks: true,
  skipImageLinks: true,
  checksumAlgo: false,
  maxChildNodes: MAX_PARTS,
};

/** With no text types every leaf comes as a stream: text is bounded as it comes, and HTML stays as it was. */
class LeafParser extends MailParser {
  readonly textTypes: readonly string[] = [];
}

/**
 * `take` is called for one leaf after another. Resolves to the Content-Type of the whole message. Rejects with
 * UnparsableError, or with what `take` or the mail's source rejected with.
 */
export async function eachLeaf(
  mail: AsyncIterable<Buffer>,
  structure: Structure,
  take: (leaf: Leaf) => Promise<void>,
): Promise<ContentType> {
  const parser = new LeafParser(OPTIONS);
  let root: ContentType = NONE;
  parser.on('headers', (headers) => {
    root = contentTypeOf(headers);
  });
  try {
    const source = Readable.from(checked(mail, structure), { objectMode: false });
    await Promise.all([pipeline(source, parser), takeAll(parser, take)]);
  } catch (error) {
    throw isOverBound(error) ? new UnparsableError(boundOf(error), { cause: error }) : error;
  }
  return root;
}

/** No byte reaches the parser before its place in the message is known to be within bounds. */
async function* checked(mail: AsyncIterable<Buffer>, structure: Structure): AsyncGenerator<Buffer> {
  for await (const chunk of mail) {
    const passed = structure.update(chunk);
    if (passed.length > 0) yield passed;
  }
  const rest = structure.end();
  if (rest.length > 0) yield rest;
}

async function takeAll(parser: AsyncIterable<unknown>, take: (leaf: Leaf) => Promise<void>): Promise<void> {
  for await (const item of parser) if (isLeaf(item)) await taken(item, take);
}

async function taken(found: AttachmentStream, take: (leaf: Leaf) => Promise<void>): Promise<void> {
  const { value, params } = contentTypeOf(found.headers);
  await take({
    part: found.partId ?? '1',
    isRoot: found.partId === null,
    // QUIRK: in place of this one mailparser gives a type by the name.
    type: value === UNTYPED ? value : found.contentType.toLowerCase(),
    params,
    disposition: found.contentDisposition ?? null,
    name: found.filename ?? null,
    contentId: found.cid ?? null,
    related: found.related ?? false,
    content: found.content,
  });
  // QUIRK: without it the parser waits for ever.
  found.release?.();
}

const UNTYPED = 'application/octet-stream';

function isLeaf(item: unknown): item is AttachmentStream {
  return typeof item === 'object' && item !== null && 'type' in item && item.type === 'attachment';
}

export interface ContentType {
  /** In lower case; empty where there is none. */
  readonly value: string;
  readonly params: Readonly<Record<string, string>>;
}

const NONE: ContentType = { value: '', params: {} };

function contentTypeOf(headers: ReadonlyMap<string, unknown>): ContentType {
  const found = headers.get('content-type');
  if (typeof found !== 'object' || found === null || !('value' in found) || !('params' in found)) return NONE;
  const params = Object.entries(found.params ?? {}).filter(([, value]) => typeof value === 'string');
  return { value: String(found.value).toLowerCase().trim(), params: Object.fromEntries(params) };
}

function isOverBound(error: unknown): error is Error & { readonly code: string } {
  return error instanceof Error && 'code' in error && error.code === 'EMAXLEN';
}

function boundOf({ message }: Error): 'E_PARSE_HEADERS' | 'E_PARSE_PARTS' {
  return message.includes('header') ? 'E_PARSE_HEADERS' : 'E_PARSE_PARTS';
}
