/**
 * An object uploaded while its bytes arrive. Our own over the client, not @aws-sdk/lib-storage: the condition
 * goes on Complete, every part but the last has exactly PART_BYTES (so that the composite checksum is a function
 * of the bytes), each part's SHA-256 is verified by the store, parts in flight are few, and every retry is seen.
 *
 * Nothing is sent before a byte beyond the first part has come: an object that fits in one part is one
 * conditional PutObject, whoever began it as an upload.
 */
import { createHash } from 'node:crypto';
import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { type Digest, PART_BYTES, StoreError, UPLOAD_BYTES, type Upload } from './port.ts';
import { FOR_COMPLETE, HARMLESS, type Reply, type S3Calls } from './s3Calls.ts';
import { answerError } from './s3Errors.ts';

/** One part may be sent while another's answer is awaited, and one is being filled; more would only hold memory. */
const PARTS_IN_FLIGHT = UPLOAD_BYTES / PART_BYTES - 1;

/** S3's limit: 80 GB at this part size. */
const MAX_PARTS = 10_000;

type Create = (body: Uint8Array, digest: Digest) => Promise<'created' | 'exists'>;

export class S3Upload implements Upload {
  readonly #key: string;
  readonly #calls: S3Calls;
  readonly #create: Create;
  readonly #cancel = new AbortController();
  #uploadId: string | undefined;
  #part: Buffer = Buffer.allocUnsafeSlow(PART_BYTES);
  #filled = 0;
  #size = 0;
  /** Buffers whose part has been sent. */
  readonly #spare: Buffer[] = [];
  /** In the order of their numbers; a part is complete once its promise is. */
  readonly #parts: CompletedPart[] = [];
  readonly #checksums: Buffer[] = [];
  readonly #inFlight = new Set<Promise<void>>();
  #failure: unknown;
  #lastSent = false;
  #created = false;
  #aborted: Promise<void> | undefined;

  constructor(key: string, calls: S3Calls, create: Create) {
    this.#key = key;
    this.#calls = calls;
    this.#create = create;
  }

  async write(chunk: Uint8Array): Promise<void> {
    let rest = chunk;
    while (rest.length > 0) {
      if (this.#filled === PART_BYTES) await this.#sendPart();
      const piece = rest.subarray(0, PART_BYTES - this.#filled);
      this.#part.set(piece, this.#filled);
      this.#filled += piece.length;
      this.#size += piece.length;
      rest = rest.subarray(piece.length);
    }
  }

  async complete(digest: Digest): Promise<'created' | 'exists'> {
    if (this.#aborted !== undefined) throw this.#over('it was aborted');
    if (this.#uploadId === undefined) return this.#create(this.#part.subarray(0, this.#filled), digest);
    if (!this.#lastSent) {
      this.#lastSent = true;
      await this.#sendPart();
    }
    await Promise.all(this.#inFlight);
    if (this.#failure !== undefined) throw this.#failure;
    this.#refuseOtherParts(digest);
    const reply = await this.#complete();
    if ('value' in reply) {
      this.#created = true;
      return 'created';
    }
    if (reply.answer.class === 'taken') return 'exists';
    const at = { operation: 'complete', key: this.#key };
    // "No such upload" is also what a Complete that was done before is answered with.
    if (reply.answer.class === 'no upload') {
      throw answerError({ ...reply.answer, class: 'unclear' }, at, true);
    }
    throw answerError(reply.answer, at, true);
  }

  /** What cannot be removed is left to the bucket's lifecycle rule for unfinished uploads. */
  abort(): Promise<void> {
    this.#aborted ??= this.#abort();
    return this.#aborted;
  }

  async #abort(): Promise<void> {
    this.#cancel.abort();
    // A part that arrives after the abort would be kept, and paid for.
    await Promise.allSettled(this.#inFlight);
    this.#spare.length = 0;
    this.#part = Buffer.alloc(0);
    if (this.#uploadId === undefined || this.#created) return;
    const input = { Bucket: this.#calls.bucket, Key: this.#key, UploadId: this.#uploadId };
    await this.#calls.run({ again: HARMLESS }, (options) =>
      this.#calls.client.send(new AbortMultipartUploadCommand(input), options),
    );
  }

  /** Sends the filled buffer and takes another; waits while enough are on their way. */
  async #sendPart(): Promise<void> {
    if (this.#aborted !== undefined) throw this.#over('it was aborted');
    if (this.#parts.length === MAX_PARTS) throw this.#over(`it has more than ${MAX_PARTS} parts`);
    this.#uploadId ??= await this.#begin();
    while (this.#inFlight.size >= PARTS_IN_FLIGHT) await Promise.race(this.#inFlight);
    if (this.#failure !== undefined) throw this.#failure;
    const buffer = this.#part;
    const sending = this.#uploadPart(this.#uploadId, buffer.subarray(0, this.#filled))
      .then(() => void this.#spare.push(buffer))
      .catch((error: unknown) => {
        this.#failure ??= error;
      });
    this.#inFlight.add(sending);
    void sending.then(() => this.#inFlight.delete(sending));
    this.#part = this.#spare.pop() ?? Buffer.allocUnsafeSlow(PART_BYTES);
    this.#filled = 0;
  }

  async #begin(): Promise<string> {
    const input = {
      Bucket: this.#calls.bucket,
      Key: this.#key,
      ChecksumAlgorithm: 'SHA256' as const,
      ChecksumType: 'COMPOSITE' as const,
      ...this.#calls.headersOf(this.#key),
    };
    const reply = await this.#calls.run({ again: HARMLESS, cancel: this.#cancel.signal }, (options) =>
      this.#calls.client.send(new CreateMultipartUploadCommand(input), options),
    );
    const at = { operation: 'upload', key: this.#key };
    if ('answer' in reply) throw answerError(reply.answer, at, false);
    if (reply.value.UploadId !== undefined) return reply.value.UploadId;
    throw this.#over('the store began it without naming it');
  }

  async #uploadPart(uploadId: string, body: Buffer): Promise<void> {
    const hash = createHash('sha256').update(body).digest();
    const checksum = hash.toString('base64');
    const number = this.#checksums.push(hash);
    const input = {
      Bucket: this.#calls.bucket,
      Key: this.#key,
      UploadId: uploadId,
      PartNumber: number,
      Body: body,
      ContentLength: body.length,
      ChecksumSHA256: checksum,
    };
    const part: CompletedPart = { PartNumber: number, ChecksumSHA256: checksum, ETag: undefined };
    this.#parts.push(part);
    const call = { again: HARMLESS, sends: body.length * PARTS_IN_FLIGHT, cancel: this.#cancel.signal };
    const reply = await this.#calls.run(call, (options) =>
      this.#calls.client.send(new UploadPartCommand(input), options),
    );
    if ('answer' in reply) throw answerError(reply.answer, { operation: 'upload', key: this.#key }, false);
    if (reply.value.ETag === undefined) throw this.#over(`the store took part ${number} without an ETag`);
    part.ETag = reply.value.ETag;
  }

  #complete(): Promise<Reply<unknown>> {
    const input = {
      Bucket: this.#calls.bucket,
      Key: this.#key,
      UploadId: this.#uploadId,
      MultipartUpload: { Parts: this.#parts },
      MpuObjectSize: this.#size,
      IfNoneMatch: '*',
    };
    return this.#calls.run({ again: FOR_COMPLETE }, (options) =>
      this.#calls.client.send(new CompleteMultipartUploadCommand(input), options),
    );
  }

  /** The store has verified each part; that they are the parts of `digest` is for us to see. */
  #refuseOtherParts(digest: Digest): void {
    const hash = createHash('sha256');
    for (const checksum of this.#checksums) hash.update(checksum);
    const composite = `${hash.digest('base64')}-${this.#checksums.length}`;
    if (digest.size === this.#size && digest.composite === composite) return;
    throw new StoreError(
      `complete ${this.#key}: the bytes are not those of the checksum that came with them; nothing was stored. The next run tries again.`,
      { kind: 'later', code: 'E_STORE_DIGEST', operation: 'complete', key: this.#key },
    );
  }

  #over(reason: string): StoreError {
    return new StoreError(`upload ${this.#key}: ${reason}; nothing was stored. The next run tries again.`, {
      kind: 'later',
      code: 'E_STORE_UPLOAD',
      operation: 'upload',
      key: this.#key,
    });
  }
}
