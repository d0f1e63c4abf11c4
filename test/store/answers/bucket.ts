/**
 * A bucket in memory that keeps S3's promises as far as the object store needs them: conditions, checksums,
 * multipart uploads, pages. Switches take a promise away, as real stores do without saying so. Signatures are
 * not looked at.
 */
import { type S3Answer, type S3Request, s3Error } from '../../servers/scriptedS3.ts';
import { completedObject, type KeptObject, objectOf, type Part } from './objects.ts';

export const BUCKET = 'bucket';

/** What S3 takes at least for every part but the last. */
const LEAST_PART_BYTES = 5 * 1024 * 1024;
const PAGE_KEYS = 1000;

export interface Habits {
  /** Writes whose condition is taken and not looked at. */
  readonly ignores?: readonly ('create' | 'replace' | 'Complete')[];
  /** QUIRK: Ceph RGW 16 takes bytes that are not those of their checksum. */
  readonly comparesChecksums?: false;
  /** QUIRK: Ceph RGW 16 and moto keep no SHA-256 that HEAD could tell. */
  readonly tellsChecksums?: false;
  /**
   * QUIRK: Ceph RGW 16 knows its ETags without their quotes only, and with versions of objects not at all. S3 knows them
   * with and without.
   */
  readonly knowsETags?: 'bare' | 'never';
}

/** A write that took effect. */
export interface Applied {
  readonly key: string;
  readonly by: string;
  readonly object: KeptObject;
  /** What was under the key before. */
  readonly replaced: KeptObject | undefined;
}

/** Taken, looked through, and not yet done: doing it gives S3's true answer. */
export type Prepared = () => S3Answer;

interface OpenUpload {
  readonly key: string;
  readonly parts: Map<number, Part>;
}

export class Bucket {
  readonly objects = new Map<string, KeptObject>();
  readonly applied: Applied[] = [];
  readonly uploads = new Map<string, OpenUpload>();
  readonly #habits: Habits;
  #begun = 0;

  constructor(habits: Habits = {}) {
    this.#habits = habits;
  }

  /** What `request` will do and be answered; conditions are decided when it is done, parts now. */
  prepare(request: S3Request, by: string): Prepared {
    const [, bucket, ...rest] = decodeURIComponent(request.path).split('/');
    const key = rest.join('/');
    if (bucket !== BUCKET) return () => s3Error(404, 'NoSuchBucket');
    const sent = objectOf(request.body);
    const wrong = this.#wrongChecksum(request, sent);
    if (wrong) return () => wrong;
    switch (request.operation) {
      case 'PutObject':
        return () => this.#put(key, sent, { request, by });
      case 'CompleteMultipartUpload':
        return this.#complete(key, request, by);
      case 'CreateMultipartUpload':
        return () => this.#begin(key);
      case 'UploadPart':
        return () => this.#part(request, sent);
      case 'AbortMultipartUpload':
        return () =>
          this.uploads.delete(uploadId(request)) ? { status: 204 } : s3Error(404, 'NoSuchUpload');
      case 'DeleteObject':
        return () => {
          this.objects.delete(key);
          return { status: 204 };
        };
      case 'ListObjectsV2':
        return () => this.#page(request.query);
      case 'HeadObject':
      case 'GetObject':
        return () => this.#show(key, request);
    }
  }

  /** Puts `body` there as nobody may through S3: for what a broken store leaves. */
  keep(key: string, body: Buffer, by: string): void {
    this.#apply(key, objectOf(body), by);
  }

  #put(key: string, object: KeptObject, { request, by }: { request: S3Request; by: string }): S3Answer {
    const refused = this.#unmet(key, request);
    if (refused) return refused;
    this.#apply(key, object, by);
    return { status: 200, headers: { etag: object.etag } };
  }

  #apply(key: string, object: KeptObject, by: string): void {
    this.applied.push({ key, by, object, replaced: this.objects.get(key) });
    this.objects.set(key, object);
  }

  /** Why the request's condition does not hold. */
  #unmet(key: string, { operation, headers }: S3Request): S3Answer | undefined {
    const there = this.objects.get(key);
    const expected = headers['if-match'];
    const write =
      operation === 'CompleteMultipartUpload' ? 'Complete' : expected === undefined ? 'create' : 'replace';
    if (this.#habits.ignores?.includes(write)) return undefined;
    if (headers['if-none-match'] === '*' && there) return s3Error(412, 'PreconditionFailed');
    if (expected === undefined || (there && this.#isETagOf(there, String(expected)))) return undefined;
    return there ? s3Error(412, 'PreconditionFailed') : s3Error(404, 'NoSuchKey');
  }

  #isETagOf({ etag }: KeptObject, expected: string): boolean {
    const bare = etag.replaceAll('"', '');
    if (this.#habits.knowsETags === undefined) return expected === etag || expected === bare;
    return this.#habits.knowsETags === 'bare' && expected === bare;
  }

  #wrongChecksum({ headers }: S3Request, { checksum }: KeptObject): S3Answer | undefined {
    if (this.#habits.comparesChecksums === false) return undefined;
    const claimed = headers['x-amz-checksum-sha256'];
    if (claimed !== undefined && claimed !== checksum) return s3Error(400, 'BadDigest');
    const signed = headers['x-amz-content-sha256'];
    if (typeof signed !== 'string' || !/^[0-9a-f]{64}$/.test(signed)) return undefined;
    const same = Buffer.from(signed, 'hex').toString('base64') === checksum;
    return same ? undefined : s3Error(400, 'XAmzContentSHA256Mismatch');
  }

  #begin(key: string): S3Answer {
    this.#begun += 1;
    const id = `upload-${this.#begun}`;
    this.uploads.set(id, { key, parts: new Map() });
    return xml('InitiateMultipartUploadResult', `<UploadId>${id}</UploadId>`);
  }

  #part(request: S3Request, part: Part): S3Answer {
    const upload = this.uploads.get(uploadId(request));
    if (upload === undefined) return s3Error(404, 'NoSuchUpload');
    upload.parts.set(Number(request.query.get('partNumber')), part);
    return { status: 200, headers: { etag: part.etag, 'x-amz-checksum-sha256': part.checksum } };
  }

  #complete(key: string, request: S3Request, by: string): Prepared {
    const id = uploadId(request);
    const upload = this.uploads.get(id);
    if (upload?.key !== key) return () => s3Error(404, 'NoSuchUpload');
    const parts = namedParts(String(request.body), upload.parts);
    if (parts === undefined) return () => s3Error(400, 'InvalidPart');
    if (parts.slice(0, -1).some(({ body }) => body.length < LEAST_PART_BYTES)) {
      return () => s3Error(400, 'EntityTooSmall');
    }
    const object = completedObject(parts);
    if (request.headers['x-amz-mp-object-size'] !== String(object.body.length)) {
      return () => s3Error(400, 'InvalidRequest');
    }
    return () => {
      const answer = this.#put(key, object, { request, by });
      if (typeof answer === 'object' && answer.status !== 200) return answer;
      this.uploads.delete(id);
      return xml('CompleteMultipartUploadResult', `<ETag>${object.etag}</ETag>`);
    };
  }

  #show(key: string, { operation, headers }: S3Request): S3Answer {
    const object = this.objects.get(key);
    if (object === undefined) return s3Error(404, 'NoSuchKey');
    const checksums: Record<string, string> =
      this.#habits.tellsChecksums === false || headers['x-amz-checksum-mode'] !== 'ENABLED'
        ? {}
        : { 'x-amz-checksum-sha256': object.checksum, 'x-amz-checksum-type': object.checksumType };
    const size = String(object.body.length);
    return {
      status: 200,
      headers: { etag: object.etag, 'content-length': size, ...checksums },
      body: operation === 'HeadObject' ? '' : object.body,
    };
  }

  #page(query: URLSearchParams): S3Answer {
    const prefix = query.get('prefix') ?? '';
    const after = query.get('continuation-token') ?? '';
    const keys = [...this.objects.keys()].filter((key) => key.startsWith(prefix) && key > after).sort();
    const page = keys.slice(0, PAGE_KEYS);
    const last = page.at(-1);
    const more = keys.length > page.length && last !== undefined;
    const rows = page.map(
      (key) => `<Contents><Key>${key}</Key><Size>${this.objects.get(key)?.body.length}</Size></Contents>`,
    );
    const token = more ? `<NextContinuationToken>${last}</NextContinuationToken>` : '';
    return xml('ListBucketResult', `<IsTruncated>${more}</IsTruncated>${token}${rows.join('')}`);
  }
}

const uploadId = ({ query }: S3Request): string => query.get('uploadId') ?? '';

const xml = (root: string, content: string): S3Answer => ({
  status: 200,
  headers: { 'content-type': 'application/xml' },
  body: `<?xml version="1.0" encoding="UTF-8"?>\n<${root}>${content}</${root}>`,
});

/** The parts that a Complete names, in ascending order, each with its ETag and checksum; else undefined. */
function namedParts(document: string, there: ReadonlyMap<number, Part>): Part[] | undefined {
  const named = [...document.matchAll(/<Part>(.*?)<\/Part>/gs)].map(([, fields = '']) => fields);
  const field = (fields: string, name: string) =>
    new RegExp(`<${name}>(.*?)</${name}>`).exec(fields)?.[1]?.replaceAll('&quot;', '"');
  let before = 0;
  const parts = named.flatMap((fields) => {
    const number = Number(field(fields, 'PartNumber'));
    const part = there.get(number);
    const checksum = field(fields, 'ChecksumSHA256');
    const inOrder = number > before;
    before = number;
    return part && inOrder && field(fields, 'ETag') === part.etag && checksum === part.checksum ? [part] : [];
  });
  return parts.length > 0 && parts.length === named.length ? parts : undefined;
}
