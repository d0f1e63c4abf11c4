/**
 * What a token endpoint's refusals mean (RFC 6749 section 5.2, RFC 8628 section 3.5).
 *
 * | answer | kind |
 * |---|---|
 * | invalid_grant: consent withdrawn, expired, used up; an assertion that does not hold | person, E_TOKEN_REVOKED |
 * | server_error, temporarily_unavailable, Google's internal_failure, and being asked too often | later, E_TOKEN_UNREACHABLE |
 * | every other error | person, E_TOKEN_REFUSED |
 * | no answer of OAuth: HTML, no JSON, no access token, a token that is not for bearers | later, E_TOKEN_ANSWER |
 */
import {
  INVALID_SERVER_METADATA,
  OperationProcessingError,
  REQUEST_PROTOCOL_FORBIDDEN,
  ResponseBodyError,
  UnsupportedOperationError,
} from 'oauth4webapi';
import { showWithout, WITHHELD } from '../pop3/masking.ts';
import type { Secret } from './port.ts';
import { later, NOT_HTTPS, person, type TokenFailure } from './tokenErrors.ts';

/** Of an endpoint that is at fault itself, or asked too often, in the words of whoever made it. */
const PASSING =
  /^(?:server_error|internal_(?:failure|error)|.*(?:unavailable|timeout)|slow_down|.*(?:throttl|rate_?limit|too_?many|quota).*)$/i;

const ASK_A_PERSON =
  'A person must sign in and allow it again: mailferry authorize, or for an application its administrator.';

const NEXT: Readonly<Partial<Record<string, string>>> = {
  // OpenID Connect Core section 3.1.2.6; Microsoft and others say them of grants as well.
  interaction_required: ASK_A_PERSON,
  consent_required: ASK_A_PERSON,
  login_required: ASK_A_PERSON,
  account_selection_required: ASK_A_PERSON,
  invalid_resource: 'Correct the scope: what it names is not known there.',
  invalid_target: 'Correct the scope: what it names is not known there.',
  invalid_client: 'Check clientId and clientSecret: a secret that expired must be made anew at the provider.',
  unauthorized_client:
    'Allow the application this grant at the provider (device code: as a public client; app-only: with admin consent; service account: with domain-wide delegation for this scope).',
  invalid_scope: 'Correct the scope.',
  unsupported_grant_type: 'Check the token endpoint: this one does not know the grant.',
  access_denied: 'Whoever was asked said no, or the provider did.',
  authorization_declined: 'Whoever was asked said no.',
  expired_token: 'Nobody entered the code in time.',
};

/** The library's codes for an endpoint that nothing can be sent to. */
const NO_URL: ReadonlySet<string> = new Set([INVALID_SERVER_METADATA, REQUEST_PROTOCOL_FORBIDDEN]);

/** What the library threw at an answer. `renewal`: what to do about invalid_grant. */
export function oauthFailure(error: unknown, secrets: readonly Secret[], renewal: string): TokenFailure {
  if (error instanceof ResponseBodyError) return refusal(error, secrets, renewal);
  if (error instanceof OperationProcessingError && NO_URL.has(error.code ?? '')) return NOT_HTTPS;
  if (error instanceof OperationProcessingError || error instanceof UnsupportedOperationError) {
    return later('E_TOKEN_ANSWER', `the token endpoint gave no answer of OAuth (${answerIn(error)})`);
  }
  throw error;
}

/** The library's own words name what is wrong with an answer and quote nothing of it. */
function answerIn({ message, cause }: Error): string {
  return cause instanceof Response ? `status ${cause.status}, ${contentTypeOf(cause)}` : message;
}

function contentTypeOf({ headers }: Response): string {
  return (headers.get('content-type') ?? 'no content type').replace(/[^\x20-\x7e]/g, '?').slice(0, 80);
}

function refusal(error: ResponseBodyError, secrets: readonly Secret[], renewal: string): TokenFailure {
  const show = showing(secrets);
  const code = show(error.error);
  const description = error.error_description === undefined ? '' : show(error.error_description);
  const words = `the token endpoint refused: ${code}${quoted(description, numberIn(error.cause))}`;
  const next =
    (Object.hasOwn(NEXT, error.error) ? NEXT[error.error] : undefined) ?? 'See what the provider says.';
  const failure = PASSING.test(error.error)
    ? later('E_TOKEN_UNREACHABLE', words)
    : error.error === 'invalid_grant'
      ? { ...person('E_TOKEN_REVOKED', `${words}.`), next: renewal }
      : { ...person('E_TOKEN_REFUSED', `${words}.`), next };
  return { ...failure, oauthError: code };
}

function quoted(description: string, number: string | null): string {
  const told = description === '' ? '' : `: "${description}"`;
  return number === null || description.includes(number) ? told : ` (${number})${told}`;
}

/** Microsoft's number, which its pages are found by; a cut description may lack it. */
function numberIn(body: Readonly<Record<string, unknown>>): string | null {
  const codes: unknown = body['error_codes'];
  const [first] = Array.isArray(codes) ? codes : [];
  return typeof first === 'number' && Number.isSafeInteger(first) ? `AADSTS${first}` : null;
}

/** The server's words, printable and capped; withheld where they repeat a secret. */
export function showing(secrets: readonly Secret[]): (text: string) => string {
  return (text) => {
    const bytes = Buffer.from(text);
    const shown = secrets.map((secret) => showWithout(secret.reveal())(bytes));
    return shown.includes(WITHHELD) ? WITHHELD : (shown[0] ?? showWithout('')(bytes));
  };
}
