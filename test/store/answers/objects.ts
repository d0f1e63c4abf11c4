/** What a bucket keeps of an object: its bytes, its ETag and checksum as S3 makes them. */
import { hash } from 'node:crypto';

export interface KeptObject {
  readonly body: Buffer;
  /** In its quotes. Equal bytes have an equal ETag, as in S3: a writer that repeats them cannot tell. */
  readonly etag: string;
  /** SHA-256 in base64; of the parts' checksums, and "-" and their number, where there were parts. */
  readonly checksum: string;
  readonly checksumType: 'FULL_OBJECT' | 'COMPOSITE';
}

export type Part = Pick<KeptObject, 'body' | 'etag' | 'checksum'>;

const sha256Of = (bytes: Uint8Array): string => hash('sha256', bytes, 'base64');

const md5Of = (bytes: Uint8Array): string => hash('md5', bytes, 'hex');

export function objectOf(body: Buffer): KeptObject {
  return { body, etag: `"${md5Of(body)}"`, checksum: sha256Of(body), checksumType: 'FULL_OBJECT' };
}

export function completedObject(parts: readonly Part[]): KeptObject {
  const checksums = Buffer.concat(parts.map(({ checksum }) => Buffer.from(checksum, 'base64')));
  const etags = Buffer.concat(parts.map(({ etag }) => Buffer.from(etag.slice(1, -1), 'hex')));
  return {
    body: Buffer.concat(parts.map(({ body }) => body)),
    etag: `"${md5Of(etags)}-${parts.length}"`,
    checksum: `${sha256Of(checksums)}-${parts.length}`,
    checksumType: 'COMPOSITE',
  };
}
