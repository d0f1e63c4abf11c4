/**
 * A parsed message to objects: each content under its hash, then the document that names them all. The same message
 * gives the same objects, whoever does it and however often, so that a repeat finds what it would write.
 */
import type { MailDocument, ParsedMail } from '../mail/documentShape.ts';
import { parsedPrefix } from '../mailbox/names.ts';
import { digestOf } from '../store/checksum.ts';
import { type Digest, type ObjectStore, PART_BYTES, StoreError } from '../store/port.ts';
import { completeSettled, createSettled, type Settled } from '../store/settle.ts';

/** Small ones mostly, whose round trips add up; large ones hold three parts each on their way. */
const WRITES_AT_ONCE = 4;

export interface StoredMail {
  readonly mailbox: string;
  readonly key: string;
  readonly stem: string;
  readonly storedMs: number;
  /** Of the message. */
  readonly digest: Digest;
}

export interface Filed {
  readonly document: MailDocument;
  readonly key: string;
  readonly digest: Digest;
}

/** `contents`: of the parts that have an object, in their order. Rejects with StoreError. */
export async function file(
  store: ObjectStore,
  stored: StoredMail,
  mail: ParsedMail,
  contents: readonly Buffer[],
): Promise<Filed> {
  const prefix = parsedPrefix(stored.mailbox, stored.stem, stored.storedMs);
  const digests = contents.map((content) => digestOf(content));
  const wanted = new Map(contents.map((content, at) => [digests[at]?.sha256 ?? '', content]));
  await storeAll(store, prefix, [...wanted.values()]);
  const document = documentOf(stored, mail, { prefix, digests });
  const body = Buffer.from(`${JSON.stringify(document, null, 1)}\n`);
  const digest = digestOf(body);
  const first = `${prefix}document.json`;
  if ((await put(store, first, body, digest)) !== 'different') return { document, key: first, digest };
  // Another version of Mailferry made another document of it. What it announced stays as it is.
  const own = `${prefix}document-${digest.sha256}.json`;
  if ((await put(store, own, body, digest)) === 'different') throw damaged(own);
  return { document, key: own, digest };
}

async function storeAll(store: ObjectStore, prefix: string, contents: readonly Buffer[]): Promise<void> {
  const left = contents.values();
  // All take from one iterator; one that fails ends its own loop, and the others end with theirs.
  const writers = Array.from({ length: WRITES_AT_ONCE }, async () => {
    for (const content of left) {
      const digest = digestOf(content);
      const key = prefix + digest.sha256;
      if ((await put(store, key, content, digest)) === 'different') throw damaged(key);
    }
  });
  await Promise.all(writers);
}

async function put(store: ObjectStore, key: string, body: Buffer, digest: Digest): Promise<Settled> {
  if (body.length <= PART_BYTES) return createSettled(store, key, body, digest);
  const upload = await store.upload(key);
  try {
    for (let at = 0; at < body.length; at += PART_BYTES)
      await upload.write(body.subarray(at, at + PART_BYTES));
  } catch (error) {
    await upload.abort();
    throw error;
  }
  return completeSettled(upload, store, key, digest);
}

function documentOf(
  { mailbox, key, storedMs, digest: { size, sha256 } }: StoredMail,
  mail: ParsedMail,
  { prefix, digests }: { readonly prefix: string; readonly digests: readonly Digest[] },
): MailDocument {
  const { parts, ...content } = mail;
  const ofObjects = digests.values();
  return {
    v: 1,
    mailbox,
    key,
    size,
    sha256,
    storedAt: new Date(storedMs).toISOString(),
    ...content,
    parts: parts.map(({ hasObject, ...part }) => {
      const own = hasObject ? ofObjects.next().value : undefined;
      const object =
        own === undefined ? NO_OBJECT : { size: own.size, sha256: own.sha256, key: prefix + own.sha256 };
      return { ...part, ...object };
    }),
  };
}

const NO_OBJECT = { size: null, sha256: null, key: null };

/** A name that is made of a hash holds bytes of another one. */
function damaged(key: string): StoreError {
  return new StoreError(
    `create ${key}: the object is there with bytes that are not those of its name. Remove it, and have the message parsed again.`,
    { kind: 'person', code: 'E_STORE_DAMAGED', operation: 'create', key },
  );
}
