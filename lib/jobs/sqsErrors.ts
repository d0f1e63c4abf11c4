/**
 * What SQS's answers mean (API reference, SendMessageBatch, ChangeMessageVisibility and "Common error types").
 *
 * | answer | kind |
 * |---|---|
 * | no such queue, denied, credentials, certificate, an attribute or content that SQS refuses | person |
 * | throttling, 429, any 5xx, reset, silence, out of time, an answer that cannot be read | later |
 * | an entry refused as the sender's fault | person, unless it was throttled |
 * | every other 4xx | person |
 */
import type { BatchResultErrorEntry } from '@aws-sdk/client-sqs';
import { JobsError } from './port.ts';

/** Long enough for every sentence that AWS sends, short enough for a log line. */
const MAX_WORDS = 512;

const NO_QUEUE = /(QueueDoesNotExist|NonExistentQueue|QueueDeletedRecently|InvalidAddress)$/;
const DENIED = /(AccessDenied\w*|KmsAccessDenied)$/;
const THROTTLED =
  /(Throttl\w*|TooManyRequests\w*|RequestThrottled|OverLimit|ServiceUnavailable\w*|Internal\w*|KmsThrottled)$/;
const CREDENTIALS =
  /^(CredentialsProviderError|TokenProviderError|ExpiredToken\w*|UnrecognizedClient\w*|InvalidClientTokenId|InvalidSignature\w*|SignatureDoesNotMatch|IncompleteSignature\w*|MissingAuthenticationToken\w*|InvalidSecurity)$/;
/** Node's, of a server that is not who it should be. */
const CERTIFICATE = /^(CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|ERR_TLS_|ERR_SSL_|EPROTO)/;

/** By what right. */
const ACTIONS = {
  SendMessageBatch: 'SendMessage',
  ChangeMessageVisibility: 'ChangeMessageVisibility',
} as const;

type Operation = keyof typeof ACTIONS;

/** What the SDK threw. */
export function callError(error: unknown, operation: Operation, queue: string): JobsError {
  const { name, status } = factsOf(error);
  const [line = ''] = (error instanceof Error ? error.message : String(error)).split('\n', 1);
  const words = printable(line);
  const said = status === undefined ? 'no answer' : `answer ${status}`;
  const { code, kind, next } = adviceOf(name, status, operation);
  return new JobsError(
    `${operation} on ${queue}: ${said} ${name}: ${words}. ${next}`,
    { kind, code },
    { cause: bare(name, words) },
  );
}

/** What SQS said of one entry; undefined: nothing. */
export function entryError(entry: BatchResultErrorEntry | undefined, queue: string): JobsError {
  if (entry === undefined)
    return new JobsError(`SendMessageBatch on ${queue}: SQS did not answer for this job.`, {
      kind: 'later',
      code: 'E_JOBS_UNAVAILABLE',
    });
  const name = printable(entry.Code ?? '');
  const { code, kind, next } = adviceOf(name, entry.SenderFault === true ? 400 : 500, 'SendMessageBatch');
  return new JobsError(`SendMessageBatch on ${queue}: ${name}: ${printable(entry.Message ?? '')}. ${next}`, {
    kind,
    code,
  });
}

interface Advice {
  readonly code: string;
  readonly kind: 'later' | 'person';
  readonly next: string;
}

function adviceOf(name: string, status: number | undefined, operation: Operation): Advice {
  const person = (code: string, next: string): Advice => ({ code, kind: 'person', next });
  if (NO_QUEUE.test(name))
    return person('E_JOBS_NO_QUEUE', 'Create the queue, or correct MAILFERRY_QUEUE_URL and the region.');
  if (DENIED.test(name))
    return person(
      'E_JOBS_DENIED',
      `Allow sqs:${ACTIONS[operation]} on this queue to the role, and the use of its key.`,
    );
  if (CREDENTIALS.test(name)) return person('E_JOBS_CREDENTIALS', 'Check the AWS credentials and the clock.');
  if (CERTIFICATE.test(name))
    return person('E_JOBS_CERTIFICATE', 'Check the endpoint and that its certificate is trusted here.');
  const refused = status !== undefined && status >= 300 && status < 500 && status !== 429;
  if (refused && !THROTTLED.test(name)) return person('E_JOBS_REFUSED', 'See what SQS says of the queue.');
  return { code: 'E_JOBS_UNAVAILABLE', kind: 'later', next: 'It is tried again.' };
}

function factsOf(error: unknown): { name: string; status: number | undefined } {
  if (!(error instanceof Error)) return { name: '', status: undefined };
  const status = '$metadata' in error ? statusIn(error.$metadata) : undefined;
  // The SDK puts the service's code into `name`; Node's system errors have theirs in `code`.
  const own = 'code' in error && typeof error.code === 'string' ? error.code : '';
  return { name: printable(status === undefined ? own || error.name : error.name), status };
}

function statusIn(metadata: unknown): number | undefined {
  if (typeof metadata !== 'object' || metadata === null || !('httpStatusCode' in metadata)) return undefined;
  return typeof metadata.httpStatusCode === 'number' ? metadata.httpStatusCode : undefined;
}

function printable(words: string): string {
  return words
    .replace(/[^\x20-\x7e]/g, '?')
    .slice(0, MAX_WORDS)
    .replace(/[ .]+$/, '');
}

/** The error alone: on the SDK's own hangs the response, and on that the request with its signature and token. */
function bare(name: string, words: string): Error {
  const cause = new Error(words);
  cause.name = name;
  return cause;
}
