/** What an access token says of itself, as far as a person may see it. Nothing is verified: that is the server's part. */
import { escapeBytes } from '../pop3/escape.ts';

export interface TokenFacts {
  /** opaque: only whoever issued it can read it, as with Google's, and nothing else here is known. */
  readonly form: 'JWT' | 'opaque';
  readonly audience: readonly string[];
  /** Of a person's consent (scp, scope), and of an application's own (roles). */
  readonly scopes: readonly string[];
  readonly roles: readonly string[];
  readonly expiresMs: number | null;
  readonly tenant: string | null;
  /** Who signed in: upn, else email; null where nobody did, or it is not said. */
  readonly user: string | null;
  readonly application: string | null;
  readonly subject: string | null;
}

const OPAQUE: TokenFacts = {
  form: 'opaque',
  audience: [],
  scopes: [],
  roles: [],
  expiresMs: null,
  tenant: null,
  user: null,
  application: null,
  subject: null,
};

/** No token is longer; who made one that is may have made it to be costly. */
const MOST_CHARACTERS = 64 * 1024;
const MOST_WORDS = 20;
const WORD_CHARACTERS = 200;

/** RFC 7519, of claims that name nothing secret; every other claim is passed over. Never throws. */
export function tokenFacts(token: string): TokenFacts {
  const claims = token.length > MOST_CHARACTERS ? null : claimsOf(token);
  if (claims === null) return OPAQUE;
  return {
    form: 'JWT',
    audience: wordsOf(claims['aud'], false),
    scopes: [...wordsOf(claims['scp'], true), ...wordsOf(claims['scope'], true)].slice(0, MOST_WORDS),
    roles: wordsOf(claims['roles'], false),
    expiresMs: instantOf(claims['exp']),
    tenant: wordOf(claims['tid']),
    user: wordOf(claims['upn']) ?? wordOf(claims['email']),
    application: wordOf(claims['appid']),
    subject: wordOf(claims['sub']),
  };
}

/** Three parts (RFC 7515 section 3.1), of which the first says that it is signed. */
function claimsOf(token: string): Record<string, unknown> | null {
  const parts = token.split('.');
  const [header, payload] = parts;
  if (parts.length !== 3 || header === undefined || payload === undefined) return null;
  return objectIn(header)?.['alg'] === undefined ? null : objectIn(payload);
}

function objectIn(part: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
    return isRecord(value) ? value : null;
  } catch {
    return null;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A list, or one text; of scopes, with blanks between them. */
function wordsOf(value: unknown, apart: boolean): readonly string[] {
  const given: readonly unknown[] = Array.isArray(value) ? value : [value];
  const words = given.flatMap((one) => (typeof one === 'string' && apart ? one.split(' ') : [one]));
  return words.slice(0, MOST_WORDS).flatMap((word) => wordOf(word) ?? []);
}

function wordOf(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? escapeBytes(Buffer.from(value), WORD_CHARACTERS) : null;
}

/** Seconds in the token; null for what no date can hold. */
function instantOf(value: unknown): number | null {
  if (typeof value !== 'number') return null;
  const date = new Date(value * 1000);
  return Number.isNaN(date.getTime()) ? null : date.getTime();
}

/** The same for people, by name; what is not known is left out. */
export function tokenWords(facts: TokenFacts): Readonly<Record<string, string>> {
  const { form, audience, scopes, roles, expiresMs, tenant, user, application, subject } = facts;
  const known = {
    token: form,
    tokenAudience: audience.join(' '),
    tokenScopes: scopes.join(' '),
    tokenRoles: roles.join(' '),
    tokenExpires: expiresMs === null ? '' : new Date(expiresMs).toISOString(),
    tokenTenant: tenant ?? '',
    tokenUser: user ?? '',
    tokenApplication: application ?? '',
    tokenSubject: subject ?? '',
  };
  return Object.fromEntries(Object.entries(known).filter(([, text]) => text !== ''));
}
