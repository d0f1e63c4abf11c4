import { inspect } from 'node:util';

/** A secret that shows itself to nobody by accident: not in a string, JSON, console or debugger listing. */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  /** The one way out; call it where the value is written to the wire, and keep no copy. */
  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return '[secret]';
  }

  toJSON(): string {
    return '[secret]';
  }

  [inspect.custom](): string {
    return '[secret]';
  }
}

/** Where secrets are kept. A mailbox's settings hold references only; what a reference means is the adapter's. */
export interface Secrets {
  /**
   * The secret behind `reference`. `fresh`: read the source again instead of the cache (once, after a refused
   * sign-in: it may have been rotated). Rejects with SecretError, which never holds any part of a secret.
   */
  read(reference: string, fresh: boolean): Promise<Secret>;
}

/**
 * A secret that must be one line: as a file leaves it in Secrets Manager with the line end that its editor put there, each
 * try would count as a wrong one. Rejects with SecretError; `what` names it for a person.
 */
export async function readLine(
  secrets: Secrets,
  reference: string,
  { fresh, what }: { readonly fresh: boolean; readonly what: string },
): Promise<Secret> {
  const secret = await secrets.read(reference, fresh);
  if (faultOf(secret) === null) return secret;
  // It may have been mended since it was read.
  const again = fresh ? secret : await secrets.read(reference, true);
  const fault = faultOf(again);
  if (fault === null) return again;
  throw malformed(reference, what, fault);
}

/** Of what a new secret is about to take the place of. Throws SecretError. */
export function mustStandAlone(reference: string, standing: Secret, what: string): void {
  if (isObject(standing.reveal())) throw malformed(reference, what, AN_OBJECT);
}

function malformed(reference: string, what: string, { words, next: first }: Fault): SecretError {
  const next = `${first} Nothing was sent.`;
  const facts = { kind: 'person', code: 'E_SECRET_MALFORMED', reference, next } as const;
  return new SecretError(`${reference}: the ${what} ${words}. ${next}`, facts);
}

interface Fault {
  readonly words: string;
  readonly next: string;
}

const NOT_ONE_LINE: Fault = {
  words: 'has a line end, a NUL or half a character in it, at its end perhaps',
  next: 'Write it again without one, as printf %s does; echo adds one.',
};

/** Where a key is left out, the secrets of all accounts would be shown to the server of one. */
const AN_OBJECT: Fault = {
  words: 'is a whole JSON object, and not what stands in it',
  next: 'Name the key, as in secretsmanager:ID#KEY, or put the secret alone there.',
};

/** Half a character, which JSON can write, would go out as another one. */
function faultOf(secret: Secret): Fault | null {
  const text = secret.reveal();
  if (isObject(text)) return AN_OBJECT;
  return /[\r\n\0]/.test(text) || !text.isWellFormed() ? NOT_ONE_LINE : null;
}

function isObject(text: string): boolean {
  if (!text.trimStart().startsWith('{')) return false;
  try {
    return typeof JSON.parse(text) === 'object';
  } catch {
    return false;
  }
}

/** Where a secret that changes by being used is put back: a rotated refresh token. */
export interface SecretSaver {
  /** Rejects with SecretError where nothing can be saved behind `reference`; asked before the old secret is used up. */
  prove(reference: string): Promise<void>;
  /**
   * Puts `secret` there. `instead`: only if that one still stands there; false: it does not, and what stands there
   * is left. Null: whatever stands there, or nothing. Rejects with SecretError.
   */
  save(reference: string, secret: Secret, instead: Secret | null): Promise<boolean>;
}

/** Where an access token comes from (RFC 6749, 7523, 8628); the settings' `signIn.token`, resolved. */
export type TokenSource =
  | { readonly from: string }
  | { readonly command: readonly string[] }
  | {
      readonly grant: 'refresh-token';
      readonly tokenEndpoint: string;
      readonly deviceEndpoint?: string | undefined;
      readonly clientId: string;
      readonly clientSecret?: string | undefined;
      readonly scope?: string | undefined;
      readonly refreshToken: string;
    }
  | {
      readonly grant: 'client-credentials';
      readonly tokenEndpoint: string;
      readonly clientId: string;
      readonly clientSecret: string;
      readonly scope: string;
    }
  | {
      readonly grant: 'service-account';
      readonly key: string;
      readonly subject: string;
      readonly scope: string;
      readonly tokenEndpoint?: string | undefined;
    };

/** Access tokens for mailboxes. */
export interface Tokens {
  /**
   * The token to sign in with. `fresh`: the last one was refused; get another (once). Rejects with SecretError:
   * 'person' for invalid_grant and the like, 'later' where the endpoint cannot be reached.
   */
  read(source: TokenSource, fresh: boolean): Promise<Secret>;
}

export class SecretError extends Error {
  /** 'later': the source is unreachable. 'person': it is missing, empty, malformed or denied. */
  readonly kind: 'later' | 'person';
  /** Stable, for programs: E_SECRET_…, of an access token E_TOKEN_… */
  readonly code: string;
  readonly reference: string;
  /** What to do, as the message ends; empty where the message has it among its words. */
  readonly next: string;
  /** How long the source asks to be left alone, where it says so. */
  readonly waitMs: number | undefined;

  constructor(
    message: string,
    facts: {
      kind: 'later' | 'person';
      code: string;
      reference: string;
      next?: string;
      waitMs?: number | undefined;
    },
    options?: { cause?: unknown },
  ) {
    super(message, options);
    this.name = 'SecretError';
    this.kind = facts.kind;
    this.code = facts.code;
    this.reference = facts.reference;
    this.next = facts.next ?? '';
    this.waitMs = facts.waitMs;
  }
}
