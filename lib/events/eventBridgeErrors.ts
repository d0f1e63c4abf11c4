/**
 * What EventBridge's answers to a whole call mean. The SDK itself never retries (maxAttempts 1): retries here
 * have a bound that the run knows.
 *
 * | answer | class |
 * |---|---|
 * | 413; 400 ValidationException; 400 RequestEntityTooLarge | entries: something in the batch; halve it, and only the guilty entry is refused |
 * | 429, throttling codes, LimitExceeded, 5xx, reset, silence, out of time, an answer that cannot be read | later: try again |
 * | every other answer; credentials or certificate | person |
 */
import { PublisherError } from './port.ts';

export type CallClass = 'entries' | 'later' | 'person';

export interface CallFailure {
  readonly class: CallClass;
  readonly error: PublisherError;
}

/** Long enough for every sentence that AWS sends, short enough for a log line. */
const MAX_WORDS = 512;

const ENTRIES = /^(ValidationException|RequestEntityTooLarge\w*)$/;
const THROTTLED =
  /^(Throttl\w*|TooManyRequests\w*|RequestLimitExceeded|LimitExceededException|ServiceUnavailable\w*|Internal\w*)$/;
const DENIED = /^(AccessDenied\w*|NotAuthorized\w*)$/;
const CREDENTIALS =
  /^(CredentialsProviderError|TokenProviderError|ExpiredToken\w*|UnrecognizedClient\w*|InvalidClientTokenId|InvalidSignature\w*|SignatureDoesNotMatch|IncompleteSignature\w*|MissingAuthenticationToken\w*)$/;
/** Node's, of a server that is not who it should be. */
const CERTIFICATE = /^(CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|ERR_TLS_|ERR_SSL_|EPROTO)/;

/** What the SDK threw. `call`: the operation and the bus, for example "PutEvents on mail". */
export function callFailure(error: unknown, call: string): CallFailure {
  const { name, status } = nameAndStatus(error);
  // The SDK's further lines send the reader to a field that is not passed on.
  const [line = ''] = (error instanceof Error ? error.message : String(error)).split('\n', 1);
  const words = printable(line);
  const answerClass = classOf(name, status);
  const said = status === undefined ? 'no answer' : `answer ${status}`;
  const { code, next } = advice(answerClass, name, call);
  return {
    class: answerClass,
    error: new PublisherError(
      `${call}: ${said} ${name}: ${words}. ${next}`,
      { kind: answerClass === 'later' ? 'later' : 'person', code },
      { cause: bare(name, words) },
    ),
  };
}

/** EventBridge's or any server's words, made fit for a log line. */
export function printable(words: string): string {
  return words
    .replace(/[^\x20-\x7e]/g, '?')
    .slice(0, MAX_WORDS)
    .replace(/[ .]+$/, '');
}

function classOf(name: string, status: number | undefined): CallClass {
  if (status === 413 || (status === 400 && ENTRIES.test(name))) return 'entries';
  if (CREDENTIALS.test(name) || CERTIFICATE.test(name) || DENIED.test(name)) return 'person';
  if (THROTTLED.test(name)) return 'later';
  // A 200 that throws is an answer that cannot be read: a proxy's page, or one cut short.
  return status !== undefined && status >= 300 && status < 500 && status !== 429 ? 'person' : 'later';
}

function advice(answerClass: CallClass, name: string, call: string): { code: string; next: string } {
  if (answerClass === 'later') return { code: 'E_EVENTS_UNAVAILABLE', next: 'The next run tries again.' };
  if (name === 'ResourceNotFoundException') {
    return {
      code: 'E_EVENTS_NO_BUS',
      next: 'Create the event bus, or correct its name and region in the settings.',
    };
  }
  if (DENIED.test(name)) {
    const [operation] = call.split(' ');
    return {
      code: 'E_EVENTS_DENIED',
      next: `Allow events:${operation} on this bus to the role or user that runs Mailferry.`,
    };
  }
  if (CREDENTIALS.test(name)) {
    return {
      code: 'E_EVENTS_CREDENTIALS',
      next: 'Give valid AWS credentials (sign in again if they have expired) and check the clock.',
    };
  }
  if (CERTIFICATE.test(name)) {
    return {
      code: 'E_EVENTS_CERTIFICATE',
      next: 'Check the endpoint and that its certificate is trusted here.',
    };
  }
  return { code: 'E_EVENTS_REFUSED', next: 'Check the bus, its region and the endpoint in the settings.' };
}

function nameAndStatus(error: unknown): { name: string; status: number | undefined } {
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

/** The error alone: on the SDK's own hangs the response, and on that the request with its signature and token. */
function bare(name: string, words: string): Error {
  const cause = new Error(words);
  cause.name = name;
  return cause;
}
