/**
 * What Secrets Manager's refusals mean (API reference, GetSecretValue and "Common errors").
 *
 * | answer | kind |
 * |---|---|
 * | ResourceNotFound, AccessDenied, DecryptionFailure, InvalidRequest (marked for deletion), InvalidParameter | person |
 * | credentials or signature missing, wrong or expired; no region; certificate not trusted | person |
 * | throttling, InternalServiceError, 429, any 5xx, reset, silence, out of time, an answer that cannot be read | later |
 * | every other 4xx | person |
 */
import { SecretsManagerServiceException } from '@aws-sdk/client-secrets-manager';

export interface Failure {
  readonly kind: 'later' | 'person';
  /** Stable: E_SECRET_… */
  readonly code: string;
  /** What is wrong, and the next step. */
  readonly words: string;
  readonly cause?: Error;
}

export const BINARY: Failure = {
  kind: 'person',
  code: 'E_SECRET_MALFORMED',
  words: 'the secret is binary (SecretBinary). Store it as text (SecretString).',
};

export const EMPTY: Failure = {
  kind: 'person',
  code: 'E_SECRET_EMPTY',
  words: 'the secret has no value yet. Store one in it.',
};

/** Long enough for every sentence that AWS sends, short enough for a log line. */
const MAX_WORDS = 512;

const CREDENTIALS = 'Check the AWS credentials and region that Mailferry runs with.';
const KEY = 'Allow kms:Decrypt on the key of the secret, and see that the key is enabled.';

const BY_NAME: Readonly<Record<string, readonly [code: string, next: string]>> = {
  ResourceNotFoundException: [
    'E_SECRET_MISSING',
    'Create the secret, or correct its name, account or region in the reference.',
  ],
  DecryptionFailure: ['E_SECRET_DENIED', KEY],
  InvalidRequestException: ['E_SECRET_MISSING', 'If the secret is marked for deletion, restore it.'],
  InvalidParameterException: ['E_SECRET_REFERENCE', 'Correct the reference.'],
  ValidationException: ['E_SECRET_REFERENCE', 'Correct the reference.'],
};

const CREDENTIAL_NAMES =
  /^(CredentialsProviderError|TokenProviderError|UnrecognizedClientException|InvalidClientTokenId|InvalidSignatureException|SignatureDoesNotMatch|IncompleteSignature|MissingAuthenticationToken(Exception)?|ExpiredToken(Exception)?|OptInRequired)$/;
const CERTIFICATE_CODES =
  /^(CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|ERR_TLS_|ERR_SSL_|EPROTO|ERR_INVALID_URL)/;
const THROTTLED =
  /^(Throttl|TooManyRequests|RequestLimitExceeded|LimitExceeded|ServiceUnavailable|InternalServiceError|RequestTimeout)/;

/** What an error thrown by the SDK says. */
export function readFailure(
  error: unknown,
  action: 'GetSecretValue' | 'PutSecretValue' = 'GetSecretValue',
): Failure {
  const { name, code, status, said } = factsOf(error);
  const what = `${status === undefined ? 'no usable answer' : `answer ${status}`} ${said}`;
  const cause = bare(name, said);
  const person = (stable: string, next: string): Failure => {
    return { kind: 'person', code: stable, words: `${what}. ${next}`, cause };
  };
  if (name === 'AccessDeniedException') {
    const next = `Allow secretsmanager:${action} on this secret to the role or user that runs Mailferry.`;
    return person('E_SECRET_DENIED', next);
  }
  const known = BY_NAME[name];
  if (known) return person(...known);
  if (CREDENTIAL_NAMES.test(name)) return person('E_SECRET_CREDENTIALS', CREDENTIALS);
  if (code === 'NO_REGION') return person('E_SECRET_CREDENTIALS', 'Set the AWS region.');
  if (CERTIFICATE_CODES.test(code)) {
    return person('E_SECRET_CERTIFICATE', 'Check the endpoint, and the certificates that Node trusts.');
  }
  const refused = status !== undefined && status >= 400 && status < 500 && status !== 429;
  if (refused && !THROTTLED.test(name)) return person('E_SECRET_REFUSED', 'See what the service says.');
  return { kind: 'later', code: 'E_SECRET_UNAVAILABLE', words: `${what}. The next run tries again.`, cause };
}

interface Facts {
  readonly name: string;
  /** Node's, for example "ECONNRESET"; "" where there is none. */
  readonly code: string;
  readonly status: number | undefined;
  readonly said: string;
}

/**
 * Only the service's own error messages are repeated. An answer that cannot be parsed is quoted, secret and
 * all, in the SDK's error: of that one only its name goes further.
 */
function factsOf(error: unknown): Facts {
  if (!(error instanceof Error))
    return { name: '', code: '', status: undefined, said: 'for no known reason' };
  const { name } = error;
  if (error instanceof SecretsManagerServiceException) {
    const { httpStatusCode: status } = error.$metadata;
    return { name, code: '', status, said: printable(`${name}: ${error.message}`) };
  }
  if (error.message === 'Region is missing')
    return { name, code: 'NO_REGION', status: undefined, said: 'no region' };
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  return { name, code, status: undefined, said: printable(code || name) };
}

function printable(words: string): string {
  return words
    .replace(/[^\x20-\x7e]/g, '?')
    .slice(0, MAX_WORDS)
    .replace(/[ .]+$/, '');
}

/** The error without what hangs on it: the SDK's own carries the response and the signed request. */
function bare(name: string, said: string): Error {
  const error = new Error(said);
  error.name = name;
  return error;
}
