/**
 * The object store on Amazon S3, and on stores that speak its protocol. Every write is conditional, every body
 * carries its SHA-256, which the store verifies, and nothing that a mail says goes into headers. What each
 * answer means is in s3Errors.ts.
 */
import { hash } from 'node:crypto';
import {
  DeleteObjectCommand,
  HeadObjectCommand,
  type HeadObjectCommandOutput,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { checkKey, checkPrefix } from './keys.ts';
import {
  type Digest,
  type ObjectStore,
  type StoredObject,
  StoreError,
  type Upload,
  type Version,
} from './port.ts';
import {
  type CallOptions,
  FOR_CREATE,
  FOR_REPLACE,
  HARMLESS,
  type Reply,
  S3Calls,
  type S3Options,
} from './s3Calls.ts';
import { answerError } from './s3Errors.ts';
import { listObjects } from './s3List.ts';
import { compareObject, getObject } from './s3Read.ts';
import { Swaps } from './s3Swap.ts';
import { S3Upload } from './s3Upload.ts';

type Condition = { readonly IfNoneMatch: string } | { readonly IfMatch: string };

/** Amazon S3, or another store that speaks its protocol. Nothing is sent before the first operation. */
export function s3Store(options: S3Options): ObjectStore {
  return new S3Store(new S3Calls(options));
}

class S3Store implements ObjectStore {
  readonly place: { readonly bucket: string };
  readonly #calls: S3Calls;
  readonly #bucket: string;
  readonly #swaps = new Swaps();

  constructor(calls: S3Calls) {
    this.#calls = calls;
    this.#bucket = calls.bucket;
    this.place = { bucket: calls.bucket };
  }

  async create(key: string, body: Uint8Array, digest: Digest): Promise<'created' | 'exists'> {
    checkKey(key);
    const checksum = Buffer.from(digest.sha256, 'hex').toString('base64');
    const put = this.#put(key, body, checksum, { IfNoneMatch: '*' });
    const reply = await this.#calls.run({ again: FOR_CREATE, sends: body.length }, put);
    if ('value' in reply) {
      if (reply.value) return 'created';
      throw withoutETag('create', key);
    }
    if (reply.answer.class === 'taken') return 'exists';
    throw answerError(reply.answer, { operation: 'create', key }, true);
  }

  async upload(key: string): Promise<Upload> {
    checkKey(key);
    return new S3Upload(key, this.#calls, (body, digest) => this.create(key, body, digest));
  }

  async replace(key: string, body: Uint8Array, expected: Version | null): Promise<Version | 'conflict'> {
    checkKey(key);
    if (expected !== null) {
      const put = (IfMatch: string) => this.#replace(key, body, { IfMatch });
      return this.#swaps.swap({ key, expected, put, etag: () => this.#etag(key) });
    }
    const answer = await this.#replace(key, body, { IfNoneMatch: '*' });
    return answer === 'taken' || answer === 'absent' ? 'conflict' : answer;
  }

  async read(key: string): Promise<StoredObject | null> {
    checkKey(key);
    const reply = await getObject(this.#calls, key);
    if ('value' in reply) return reply.value;
    if (reply.answer.class === 'absent') return null;
    throw answerError(reply.answer, { operation: 'read', key }, false);
  }

  async verify(key: string, digest: Digest): Promise<'same' | 'different' | 'absent'> {
    checkKey(key);
    const reply = await this.#head(key);
    if ('answer' in reply) {
      if (reply.answer.class === 'absent') return 'absent';
      throw answerError(reply.answer, { operation: 'verify', key }, false);
    }
    const { ContentLength: size, ChecksumSHA256: checksum, ChecksumType: type } = reply.value;
    // QUIRK: behind some proxies the answer to HEAD has no length, or that of its own empty body.
    if (size && size !== digest.size) return 'different';
    if (checksum === Buffer.from(digest.sha256, 'hex').toString('base64')) return 'same';
    // Only an equal composite tells: somebody else's parts may have been of another size.
    if (checksum !== undefined && checksum === digest.composite) return 'same';
    if (checksum !== undefined && type === 'FULL_OBJECT') return 'different';
    const compared = await compareObject(this.#calls, key, digest);
    if ('value' in compared) return compared.value;
    if (compared.answer.class === 'absent') return 'absent';
    throw answerError(compared.answer, { operation: 'verify', key }, false);
  }

  list(prefix: string): AsyncGenerator<{ readonly key: string; readonly size: number }> {
    checkPrefix(prefix);
    return listObjects(this.#calls, prefix);
  }

  async remove(key: string): Promise<void> {
    checkKey(key);
    const input = { Bucket: this.#bucket, Key: key };
    const reply = await this.#calls.run({ again: HARMLESS }, (options) =>
      this.#calls.client.send(new DeleteObjectCommand(input), options),
    );
    if ('value' in reply || reply.answer.class === 'absent') return;
    throw answerError(reply.answer, { operation: 'remove', key }, false);
  }

  async #replace(key: string, body: Uint8Array, condition: Condition): Promise<Version | 'taken' | 'absent'> {
    const put = this.#put(key, body, hash('sha256', body, 'base64'), condition);
    const reply = await this.#calls.run({ again: FOR_REPLACE, sends: body.length }, put);
    if ('value' in reply) {
      if (reply.value) return reply.value;
      throw withoutETag('replace', key);
    }
    // 404 under If-Match: the document is gone. RGW says 412 to that as well.
    if (reply.answer.class === 'taken' || reply.answer.class === 'absent') return reply.answer.class;
    throw answerError(reply.answer, { operation: 'replace', key }, true);
  }

  async #etag(key: string): Promise<string | undefined> {
    const reply = await this.#head(key);
    return 'value' in reply ? reply.value.ETag : undefined;
  }

  #head(key: string): Promise<Reply<HeadObjectCommandOutput>> {
    const input = { Bucket: this.#bucket, Key: key, ChecksumMode: 'ENABLED' as const };
    return this.#calls.run({ again: HARMLESS }, (options) =>
      this.#calls.client.send(new HeadObjectCommand(input), options),
    );
  }

  /** One conditional PutObject; its ETag, or undefined if the answer had none. */
  #put(
    key: string,
    body: Uint8Array,
    checksum: string,
    condition: Condition,
  ): (options: CallOptions) => Promise<string | undefined> {
    const command = () =>
      new PutObjectCommand({
        Bucket: this.#bucket,
        Key: key,
        Body: body,
        ContentLength: body.length,
        ChecksumSHA256: checksum,
        ...this.#calls.headersOf(key),
        ...condition,
      });
    return async (options) => (await this.#calls.client.send(command(), options)).ETag;
  }
}

/** Without it the next replace could not be conditional, and a create's answer is no proof. */
function withoutETag(operation: string, key: string): StoreError {
  return new StoreError(
    `${operation} ${key}: the store answered 200 without an ETag. Whether it was done is not known; the next run looks.`,
    { kind: 'unknown', code: 'E_STORE_NO_ETAG', operation, key },
  );
}
