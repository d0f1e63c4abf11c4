/** Getting an object's bytes from S3: each body is read to its end or destroyed, and none for ever. */
import { createHash } from 'node:crypto';
import { addAbortSignal, Readable } from 'node:stream';
import { GetObjectCommand, type GetObjectCommandOutput } from '@aws-sdk/client-s3';
import type { Digest, StoredObject } from './port.ts';
import { type CallOptions, HARMLESS, type Reply, type S3Calls } from './s3Calls.ts';
import { answerError, NOT_A_STORE, readAnswer } from './s3Errors.ts';

/** Objects up to this size are read whole: a line lost midway is then a try that failed. State heads are smaller. */
const WHOLE_BYTES = 1024 * 1024;

/** The object with its bytes; those of a large one come as they are asked for. */
export function getObject(calls: S3Calls, key: string): Promise<Reply<StoredObject>> {
  return calls.run({ again: HARMLESS, receives: WHOLE_BYTES }, async (options) => {
    const { body, ...facts } = await begin(calls, key, options);
    const { size } = facts;
    if (size > WHOLE_BYTES) return { ...facts, chunks: pieces(within(calls, size, body), key) };
    const whole = await collect(addAbortSignal(options.abortSignal, body), size);
    return { ...facts, chunks: once(whole) };
  });
}

/** Reads the object and hashes it: the answer where the store has no checksum to compare. */
export function compareObject(
  calls: S3Calls,
  key: string,
  digest: Digest,
): Promise<Reply<'same' | 'different'>> {
  return calls.run({ again: HARMLESS, receives: digest.size }, async (options) => {
    const { size, body } = await begin(calls, key, options);
    if (size !== digest.size) {
      body.destroy();
      return 'different';
    }
    const hash = createHash('sha256');
    for await (const chunk of addAbortSignal(options.abortSignal, body)) hash.update(chunk);
    return hash.digest('hex') === digest.sha256 ? 'same' : 'different';
  });
}

async function begin(
  calls: S3Calls,
  key: string,
  options: CallOptions,
): Promise<Omit<StoredObject, 'chunks'> & { readonly body: Readable }> {
  const command = new GetObjectCommand({ Bucket: calls.bucket, Key: key });
  // Only until the head: given to the SDK, the operation's signal would also end a long body in mid-stream.
  const { requestTimeout } = options;
  const answer = await calls.client.send(command, { requestTimeout });
  const { Body: body, ETag: version, ContentLength: size, LastModified: stored } = answer;
  const wrong = wrongWith(answer);
  if (body instanceof Readable && version !== undefined && size !== undefined && wrong === null)
    return { version, size, storedMs: stored?.getTime() ?? null, body };
  if (body instanceof Readable) body.destroy();
  throw Object.assign(new Error(wrong ?? NO_OBJECT), { $metadata: answer.$metadata });
}

/** As a page of a proxy, or of the store's console on the port beside. */
const NO_OBJECT = `it has no ETag or no Content-Length: ${NOT_A_STORE}`;

/** QUIRK: some stores keep "aws-chunked", which is how an object once came, for its encoding. */
const AS_STORED = /^(?:identity|aws-chunked)?$/;

function wrongWith({ ETag: version = '', ContentEncoding: encoding = '' }: GetObjectCommandOutput) {
  if (!AS_STORED.test(encoding))
    return `it comes as ${encoding}, and was not stored so: a proxy changes it on its way`;
  // Under an empty ETag the next replace would have no condition.
  return /[^"]/.test(version) ? null : NO_OBJECT;
}

/** Ends a body that trickles; silence is the socket's timeout. */
function within(calls: S3Calls, size: number, body: Readable): Readable {
  return addAbortSignal(AbortSignal.timeout(calls.bytesMs(size)), body);
}

async function collect(body: Readable, size: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks, size);
}

async function* once(body: Uint8Array): AsyncGenerator<Uint8Array> {
  if (body.length > 0) yield body;
}

/** A reader that never begins holds a connection until its silence ends it. */
async function* pieces(body: Readable, key: string): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of body) yield chunk;
  } catch (error) {
    throw answerError(readAnswer(error), { operation: 'read', key }, false);
  }
}
