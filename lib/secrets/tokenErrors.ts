import { type Secret, SecretError } from './port.ts';

/** An access token that could not be had. */
export interface TokenFailure {
  readonly kind: 'later' | 'person';
  /** Stable: E_TOKEN_… */
  readonly code: string;
  /** What is wrong and, where `next` is absent, the next step. */
  readonly words: string;
  readonly next?: string;
  /** How long nobody asks again; where a person must act, only as long as the secrets stay the same. */
  readonly holdMs: number;
  /** How long the endpoint asks to be left alone, where it says so. */
  readonly waitMs?: number | undefined;
  /** RFC 6749 section 5.2, where the server sent one; shown as its other words are. */
  readonly oauthError?: string;
  /** Given beside what cannot be used: the one before it may be used up. */
  readonly refreshToken?: Secret | undefined;
}

export class TokenError extends SecretError {
  readonly holdMs: number;
  readonly oauthError: string | undefined;
  readonly refreshToken: Secret | undefined;

  constructor(reference: string, failure: TokenFailure) {
    const { kind, code, words, next = '', holdMs, waitMs } = failure;
    super(`${reference}: ${words} ${next}`.trimEnd(), { kind, code, reference, next, waitMs });
    this.holdMs = holdMs;
    this.oauthError = failure.oauthError;
    this.refreshToken = failure.refreshToken;
  }
}

/** An endpoint that is down answers the next mailbox no better, and each would wait for it. */
export const HOLD_LATER_MS = 30_000;

/** What a person must mend may also be mended at the server, where we do not see it. */
export const HOLD_PERSON_MS = 60 * 60_000;

/** An endpoint that asks for more is asked again after this all the same: its clock may be wrong. */
export const LONGEST_HOLD_MS = 60 * 60_000;

export function later(code: string, words: string, holdMs = HOLD_LATER_MS): TokenFailure {
  return { kind: 'later', code, words: `${words}. The next run tries again.`, holdMs };
}

export function person(code: string, words: string, holdMs = HOLD_PERSON_MS): TokenFailure {
  return { kind: 'person', code, words, holdMs };
}

/** Cannot work with these settings: nothing was asked, so there is nobody to spare. */
export function unusable(reference: string, words: string): TokenError {
  return new TokenError(reference, person('E_TOKEN_SOURCE', words, 0));
}

export const NOT_HTTPS: TokenFailure = person(
  'E_TOKEN_SOURCE',
  'the token endpoint is not an https URL. Correct it.',
  HOLD_LATER_MS,
);
