/**
 * What S3's answers, and their absence, mean. Each answer is of one class; what a class means depends on the
 * operation. "again" is a bounded number of tries with back-off (s3Calls.ts), "→" what is said after the last.
 *
 * | answer | class | create | replace | part, begin | Complete | read, verify, list, remove |
 * |---|---|---|---|---|---|---|
 * | 412; 304 (older gateways) | taken | 'exists' | 'conflict' | – | 'exists' | – |
 * | 409: two conditional writes met | collided | again → later | again → later | again → later | later: the bytes are gone | again → later |
 * | 404 | absent | – | 'conflict' | – | – | null, 'absent', done |
 * | 404 NoSuchUpload | no upload | – | – | later | unknown: perhaps completed before | – |
 * | 408, 425, 429, throttling codes, 400 RequestTimeout or IncompleteBody; refused or unresolved connections | not done | again → later | again → later | again → later | again → later | again → later |
 * | 503 SlowDown | slow down | again → unknown | unknown | again → later | unknown | again → later |
 * | other 5xx, 200 with an error in it, 200 without an ETag, reset, silence, out of time | unclear | unknown | unknown | again → later | unknown | again → later |
 * | 400 about a checksum or a part | corrupt | later | later | later | later | later |
 * | every other answer | person | person | person | person | person | person |
 *
 * A create is repeated after 503 SlowDown because it is harmless even if the first one was done: the second is
 * then answered "exists", and that is settled by looking. A replace could take its own success for a conflict.
 * A 412 to a replace is looked into first (s3Swap.ts).
 * The SDK itself never retries (maxAttempts 1): it would hide exactly these cases.
 */
import { StoreError, type StoreErrorKind } from './port.ts';
import { type Advice, adviceFor } from './s3Advice.ts';

export type AnswerClass =
  | 'taken'
  | 'collided'
  | 'absent'
  | 'no upload'
  | 'not done'
  | 'slow down'
  | 'unclear'
  | 'corrupt'
  | 'person';

export interface Answer {
  readonly class: AnswerClass;
  /** S3's error code or Node's, for example "SlowDown" or "ECONNRESET"; "" where there was none. */
  readonly code: string;
  /** HTTP status; undefined where no answer came. */
  readonly status: number | undefined;
  /** The store's own words, or HTTP's for the status; made printable, cut, without a full stop; '' where there were none. */
  readonly words: string;
  readonly cause: Error;
}

/** Long enough for every sentence that S3 sends, short enough for a log line. */
const MAX_WORDS = 512;

const BY_CODE: Readonly<Record<string, AnswerClass>> = {
  PreconditionFailed: 'taken',
  ConditionalRequestConflict: 'collided',
  OperationAborted: 'collided',
  NoSuchKey: 'absent',
  NotFound: 'absent',
  NoSuchUpload: 'no upload',
  NoSuchBucket: 'person',
  SlowDown: 'slow down',
  Throttling: 'not done',
  ThrottlingException: 'not done',
  RequestLimitExceeded: 'not done',
  TooManyRequests: 'not done',
  RequestTimeout: 'not done',
  IncompleteBody: 'not done',
  BadDigest: 'corrupt',
  InvalidDigest: 'corrupt',
  XAmzContentSHA256Mismatch: 'corrupt',
  XAmzContentChecksumMismatch: 'corrupt',
  InvalidPart: 'corrupt',
  InvalidPartOrder: 'corrupt',
  // Also within a 200, which the SDK shows as a 503.
  AccessDenied: 'person',
  NotImplemented: 'person',
  XMinioStorageFull: 'person',
  XMinioAdminBucketQuotaExceeded: 'person',
  // Node's: no connection was made, so no request was sent.
  ECONNREFUSED: 'not done',
  ENOTFOUND: 'not done',
  EAI_AGAIN: 'not done',
  EHOSTUNREACH: 'not done',
  ENETUNREACH: 'not done',
};

const BY_STATUS: Readonly<Record<number, AnswerClass>> = {
  304: 'taken',
  404: 'absent',
  408: 'not done',
  409: 'collided',
  412: 'taken',
  425: 'not done',
  429: 'not done',
  501: 'person',
  507: 'person',
};

/** Errors before any request that the credentials, certificate or settings cause; they all need a person. */
const LOCAL =
  /^(CredentialsProviderError|TokenProviderError|CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|ERR_TLS_|ERR_SSL_|EPROTO|ERR_INVALID_URL|ERR_INVALID_CHAR)/;

/** As KMS's come through: ThrottlingException, with or without "KMS." before it. */
const THROTTLING = /Throttling/;

/** What an error thrown by the SDK says. */
export function readAnswer(error: unknown): Answer {
  const { code, status } = codeAndStatus(error);
  const words = printable(wordsOf(error, status));
  const known = BY_CODE[code] ?? (status === undefined ? undefined : BY_STATUS[status]);
  return { class: known ?? guess(code, status), code, status, words, cause: plain(error, words) };
}

/** What a class without a meaning of its own for `operation` becomes. `write`: it may have had an effect. */
export function answerError(
  answer: Answer,
  at: { operation: string; key: string },
  write: boolean,
): StoreError {
  const kind = kindOf(answer.class, write);
  const { code, next } =
    kind === 'person' ? adviceFor(answer, at.operation) : adviceOf(answer, kind, at.operation);
  const said = answer.status === undefined ? 'no answer' : `answer ${answer.status}`;
  return new StoreError(
    `${at.operation} ${at.key}: ${said}${answer.code && ` ${answer.code}`}${answer.words && `: ${answer.words}`}. ${next}`,
    { kind, code, ...at },
    { cause: answer.cause },
  );
}

const ADVICE = {
  unknown: { code: 'E_STORE_UNKNOWN', next: 'Whether it was done is not known; the next run looks.' },
  later: { code: 'E_STORE_UNAVAILABLE', next: 'The next run tries again.' },
  unreached: {
    code: 'E_STORE_UNAVAILABLE',
    next: 'The next run tries again; where it lasts, correct the region or endpoint in the settings.',
  },
  corrupt: {
    code: 'E_STORE_DIGEST',
    next: 'The bytes did not arrive as sent; nothing was stored. The next run tries again.',
  },
} as const;

/** Where nobody listens, or nobody has heard of the host; S3 has no bucket whose listing is not found. */
const UNREACHED = /^(ECONNREFUSED|ENOTFOUND|EHOSTUNREACH|ENETUNREACH)$/;

function adviceOf(answer: Answer, kind: 'unknown' | 'later', operation: string): Advice {
  if (answer.class === 'corrupt') return ADVICE.corrupt;
  const unreached = UNREACHED.test(answer.code) || (answer.class === 'absent' && operation === 'list');
  return unreached ? ADVICE.unreached : ADVICE[kind];
}

function kindOf(answer: AnswerClass, write: boolean): StoreErrorKind {
  if (answer === 'person') return 'person';
  return write && (answer === 'unclear' || answer === 'slow down') ? 'unknown' : 'later';
}

function guess(code: string, status: number | undefined): AnswerClass {
  if (LOCAL.test(code)) return 'person';
  if (THROTTLING.test(code)) return 'not done';
  if (status === undefined || status < 300 || status >= 500) return 'unclear';
  return 'person';
}

function codeAndStatus(error: unknown): { code: string; status: number | undefined } {
  if (!(error instanceof Error)) return { code: '', status: undefined };
  const status = '$metadata' in error ? statusIn(error.$metadata) : undefined;
  const own = 'code' in error && typeof error.code === 'string' ? error.code : '';
  // The SDK puts S3's code into `name`; Node's system errors have theirs in `code`. HEAD has no code at all.
  if (status === undefined) return { code: own || error.name, status };
  return { code: /^(Unknown|UnknownError|\d+|Error)$/.test(error.name) ? '' : error.name, status };
}

/** Of a 200 that no store gave. */
export const NOT_A_STORE = "a proxy answers, or the endpoint is the store's console and not its S3";

/** The SDK's own, where an answer had none, or was a page of something in front of the store. */
const NO_WORDS = /^(UnknownError$|@aws-sdk XML parse error)/;

/** Such a page is not quoted: some repeat the request's headers. HTTP's words for its status say as much. */
function wordsOf(error: unknown, status: number | undefined): string {
  if (!(error instanceof Error)) return String(error);
  // The SDK's further lines send the reader to a field that is not passed on.
  const [line = ''] = error.message.split('\n', 1);
  if (status === undefined || !NO_WORDS.test(line)) return line;
  if (status < 300) return NOT_A_STORE;
  return '$response' in error ? reasonIn(error.$response) : '';
}

function reasonIn(response: unknown): string {
  if (typeof response !== 'object' || response === null || !('reason' in response)) return '';
  return typeof response.reason === 'string' ? response.reason : '';
}

function statusIn(metadata: unknown): number | undefined {
  if (typeof metadata !== 'object' || metadata === null || !('httpStatusCode' in metadata)) return undefined;
  return typeof metadata.httpStatusCode === 'number' ? metadata.httpStatusCode : undefined;
}

export function printable(words: string): string {
  return words
    .replace(/[^\x20-\x7e]/g, '?')
    .slice(0, MAX_WORDS)
    .replace(/[ .]+$/, '');
}

/**
 * The error without what hangs on it. The SDK's own carries the response, through it the request with its
 * session token and signature, and every field of S3's answer: an expired token is sent back whole.
 */
function plain(error: unknown, words: string): Error {
  const bare = new Error(words);
  if (error instanceof Error) bare.name = error.name;
  return bare;
}
