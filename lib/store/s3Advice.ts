/** What a person does about an answer that will not change by waiting: in plain words, by S3's error code. */
import type { Answer } from './s3Errors.ts';

export interface Advice {
  /** Stable, for programs. */
  readonly code: string;
  readonly next: string;
}

const CREDENTIALS: Advice = {
  code: 'E_STORE_CREDENTIALS',
  next: 'The credentials are missing, wrong or expired: check the role or keys that this process was given.',
};
const REGION: Advice = {
  code: 'E_STORE_REGION',
  next: 'The bucket is in another region or at another endpoint: correct the region or endpoint in the settings.',
};
const FULL: Advice = {
  code: 'E_STORE_FULL',
  next: 'The store is full or over its quota: make room, then run again.',
};
const UNSUPPORTED: Advice = {
  code: 'E_STORE_UNSUPPORTED',
  next: 'This store lacks something that Mailferry needs, such as conditional writes: use another store, or a newer version of it.',
};
const TLS: Advice = {
  code: 'E_STORE_TLS',
  next: "The store's certificate could not be verified: check the endpoint's name, and trust its authority through NODE_EXTRA_CA_CERTS.",
};
const NO_TLS: Advice = {
  code: 'E_STORE_TLS',
  next: 'What answers there does not speak TLS as it should: check the port; an endpoint without TLS begins with http:.',
};
const NO_BUCKET: Advice = {
  code: 'E_STORE_NO_BUCKET',
  next: 'There is no such bucket: create it, or correct its name in the settings.',
};
const CLOCK: Advice = {
  code: 'E_STORE_CLOCK',
  next: "This machine's clock is wrong by more than the store allows: set it.",
};
const NO_LOCK: Advice = {
  code: 'E_STORE_NO_LOCK',
  next: 'The bucket has no Object Lock, and mail is to be kept by it: enable it for the bucket, or leave the retention out.',
};
const TOO_LARGE: Advice = {
  code: 'E_STORE_TOO_LARGE',
  next: 'Requests have up to 8 MB: let the store, and any proxy in front of it, take so much (nginx: client_max_body_size).',
};
const ARCHIVED: Advice = {
  code: 'E_STORE_ARCHIVED',
  next: 'A rule of the bucket has moved the object to an archive, where nobody can read it: restore it, and let no rule archive state/.',
};
const KEY: Advice = {
  code: 'E_STORE_KMS',
  next: "The bucket's KMS key cannot be used: enable it, or let the bucket use another.",
};
const SILENT: Advice = {
  code: 'E_STORE_REFUSED',
  next: 'Nothing more was said: is the endpoint that of the store, and what stands in front of it? "mailferry probe" asks in more ways.',
};
const REFUSED: Advice = {
  code: 'E_STORE_REFUSED',
  next: 'The store refuses the request; its words are above.',
};

const BY_CODE: Readonly<Record<string, Advice>> = {
  NoSuchBucket: NO_BUCKET,
  InvalidBucketName: NO_BUCKET,
  InvalidAccessKeyId: CREDENTIALS,
  SignatureDoesNotMatch: CREDENTIALS,
  InvalidToken: CREDENTIALS,
  ExpiredToken: CREDENTIALS,
  ExpiredTokenException: CREDENTIALS,
  TokenRefreshRequired: CREDENTIALS,
  CredentialsProviderError: CREDENTIALS,
  TokenProviderError: CREDENTIALS,
  RequestTimeTooSkewed: CLOCK,
  PermanentRedirect: REGION,
  TemporaryRedirect: REGION,
  AuthorizationHeaderMalformed: REGION,
  IllegalLocationConstraintException: REGION,
  NotImplemented: UNSUPPORTED,
  QuotaExceeded: FULL,
  XMinioStorageFull: FULL,
  XMinioAdminBucketQuotaExceeded: FULL,
  EntityTooLarge: TOO_LARGE,
  InvalidObjectState: ARCHIVED,
  // Node's: a key or token with a line break in it.
  ERR_INVALID_CHAR: CREDENTIALS,
  EPROTO: NO_TLS,
};

const BY_STATUS: Readonly<Record<number, Advice>> = {
  301: REGION,
  302: REGION,
  303: REGION,
  307: REGION,
  308: REGION,
  401: CREDENTIALS,
  413: TOO_LARGE,
  501: UNSUPPORTED,
  507: FULL,
};

const CERTIFICATE = /^(CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|ERR_TLS_|ERR_SSL_)/;

/** The permissions that each operation needs, as IAM names them. */
const PERMISSION: Readonly<Record<string, string>> = {
  create: 's3:PutObject',
  replace: 's3:PutObject',
  upload: 's3:PutObject',
  complete: 's3:PutObject',
  read: 's3:GetObject',
  verify: 's3:GetObject',
  list: 's3:ListBucket',
  remove: 's3:DeleteObject',
};

/** S3: "Bucket is missing Object Lock Configuration", with the code of every other 400. */
const LOCK_IS_MISSING = /missing object ?lock/i;

/** Backblaze B2: "Unsupported header 'x-amz-checksum-sha256' received for this API call", with the code of every other 400. */
const UNSUPPORTED_HEADER = /unsupported header/i;

export function adviceFor(answer: Pick<Answer, 'code' | 'status' | 'words'>, operation: string): Advice {
  if (LOCK_IS_MISSING.test(answer.words)) return NO_LOCK;
  if (UNSUPPORTED_HEADER.test(answer.words)) return UNSUPPORTED;
  const known = BY_CODE[answer.code] ?? BY_STATUS[answer.status ?? 0];
  if (known) return known;
  if (CERTIFICATE.test(answer.code)) return TLS;
  if (answer.code.startsWith('KMS.')) return KEY;
  if (answer.status === 403 || answer.code === 'AccessDenied') return denied(operation);
  return answer.code === '' ? SILENT : REFUSED;
}

function denied(operation: string): Advice {
  const permission = PERMISSION[operation] ?? 's3:*';
  const retention = permission === 's3:PutObject' ? ' (with a retention, s3:PutObjectRetention too)' : '';
  // S3 does not tell somebody who may not list whether a key exists.
  const list =
    permission === 's3:GetObject'
      ? ' Allow s3:ListBucket on the bucket too: without it S3 answers 403 for an object that is not there.'
      : '';
  return {
    code: 'E_STORE_DENIED',
    next: `Access was denied: allow ${permission}${retention} to this process, and look for a bucket policy or key policy that forbids it.${list}`,
  };
}
