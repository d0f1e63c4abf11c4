/**
 * Refresh tokens (RFC 6749 section 6), which many servers exchange for another at each use. One that is not put back is
 * lost with this process, and the mailbox with it: it is saved before the access token is given out.
 */
import { exchange, type Granted, type OAuthPorts } from './oauthGrants.ts';
import { type Secret, SecretError, type SecretSaver, type Secrets, type TokenSource } from './port.ts';
import type { Asking, Issued } from './tokenCache.ts';
import { later, person, TokenError } from './tokenErrors.ts';

export type RefreshToken = Extract<TokenSource, { grant: 'refresh-token' }>;

export interface RefreshPorts extends OAuthPorts {
  readonly secrets: Secrets;
  readonly saver: SecretSaver;
  readonly sleep: (ms: number) => Promise<void>;
}

/** In this another process, which was quicker, has long saved what it got. */
const OTHERS_SAVE_MS = 2_000;

/**
 * Their old refresh tokens stay good (learn.microsoft.com/entra/identity-platform/refresh-tokens), and Secrets Manager
 * wants no version more often than each ten minutes (docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html):
 * six mailboxes of one secret that are saved each hour.
 */
const LEAVES_OLD_ALIVE: ReadonlySet<string> = new Set([
  'login.microsoftonline.com',
  'login.microsoftonline.us',
  'login.partner.microsoftonline.cn',
]);
const SAVED_AGAIN_MS = 24 * 60 * 60_000;

export const REFRESH_RENEWAL =
  'The consent is expired, withdrawn or used up: "mailferry authorize" asks for it anew.';

/** A refresh token in place of the used one; where it cannot be saved it lives here until it can. */
interface Rotation {
  readonly used: Secret;
  readonly rotated: Secret;
}

/** The refresh tokens of a process, each used by one exchange at a time, whichever sources share it. */
export class RefreshTokens {
  readonly #ports: RefreshPorts;
  readonly #last = new Map<string, Promise<unknown>>();
  readonly #unsaved = new Map<string, Rotation>();
  readonly #savedAt = new Map<string, number>();

  constructor(ports: RefreshPorts) {
    this.#ports = ports;
  }

  of(source: RefreshToken): Asking {
    const { secrets } = this.#ports;
    const { refreshToken, clientSecret } = source;
    return {
      secrets: async (fresh) => {
        const stored = await secrets
          .read(refreshToken, fresh)
          .catch((error: unknown) => rejectedUntilAllowed(source, error));
        return clientSecret === undefined ? [stored] : [stored, await secrets.read(clientSecret, fresh)];
      },
      ask: ([, secret]) => this.#inTurn(refreshToken, () => this.#ask(source, secret)),
    };
  }

  #inTurn<T>(reference: string, task: () => Promise<T>): Promise<T> {
    const before = this.#last.get(reference) ?? Promise.resolve();
    const turn = before.then(task, task);
    this.#last.set(reference, turn);
    return turn;
  }

  async #ask(source: RefreshToken, clientSecret: Secret | undefined): Promise<Issued> {
    const { secrets, saver } = this.#ports;
    const reference = source.refreshToken;
    const left = this.#unsaved.get(reference);
    if (left !== undefined) await this.#save(source, left);
    await saver.prove(reference);
    // Read when its turn has come: another source, or another process, may have rotated it meanwhile.
    const stored = await secrets.read(reference, true);
    const { used, granted } = await this.#exchange(source, stored, clientSecret).catch((error: unknown) =>
      this.#savedAllTheSame(source, stored, error),
    );
    const rotated = granted.refreshToken;
    if (rotated !== undefined && rotated.reveal() !== used.reveal()) {
      await this.#save(source, { used, rotated });
    }
    return granted;
  }

  /** An answer that is of no use may have used the token up, and have another beside. Rejects with `error`. */
  async #savedAllTheSame(source: RefreshToken, used: Secret, error: unknown): Promise<never> {
    const rotated = error instanceof TokenError ? error.refreshToken : undefined;
    if (rotated !== undefined) await this.#save(source, { used, rotated });
    throw error;
  }

  /** Whoever lost a race with another process holds a token that is used up; the one that counts is being saved. */
  async #exchange(source: RefreshToken, stored: Secret, clientSecret: Secret | undefined) {
    try {
      return { used: stored, granted: await this.#once(source, stored, clientSecret) };
    } catch (error) {
      if (!(error instanceof SecretError && error.code === 'E_TOKEN_REVOKED')) throw error;
      await this.#ports.sleep(OTHERS_SAVE_MS);
      const again = await this.#ports.secrets.read(source.refreshToken, true);
      if (again.reveal() === stored.reveal()) throw error;
      return { used: again, granted: await this.#once(source, again, clientSecret) };
    }
  }

  #once(source: RefreshToken, refreshToken: Secret, clientSecret: Secret | undefined): Promise<Granted> {
    const { tokenEndpoint, clientId, scope } = source;
    return exchange(
      {
        reference: source.refreshToken,
        tokenEndpoint,
        grantType: 'refresh_token',
        parameters: { refresh_token: refreshToken.reveal(), ...(scope === undefined ? {} : { scope }) },
        clientId,
        clientSecret,
        secrets: clientSecret === undefined ? [refreshToken] : [refreshToken, clientSecret],
        renewal: REFRESH_RENEWAL,
      },
      this.#ports,
    );
  }

  async #save({ refreshToken: reference, tokenEndpoint }: RefreshToken, rotation: Rotation): Promise<void> {
    const now = this.#ports.now();
    if (LEAVES_OLD_ALIVE.has(hostOf(tokenEndpoint)) && this.#savedLately(reference, now)) return;
    try {
      // Where another stands by now, whoever saved it got it later, or a person put it there: it is left.
      await this.#ports.saver.save(reference, rotation.rotated, rotation.used);
    } catch (error) {
      this.#unsaved.set(reference, rotation);
      throw notSaved(reference, error);
    }
    this.#unsaved.delete(reference);
    this.#savedAt.set(reference, now);
  }

  #savedLately(reference: string, now: number): boolean {
    const ageMs = now - (this.#savedAt.get(reference) ?? Number.NEGATIVE_INFINITY);
    return ageMs >= 0 && ageMs < SAVED_AGAIN_MS;
  }
}

/** Before a person has allowed it there is nothing to read, which is no mistake in the settings. */
function rejectedUntilAllowed({ deviceEndpoint }: RefreshToken, error: unknown): never {
  const isToCome = error instanceof SecretError && STILL_TO_COME.has(error.code);
  if (!isToCome || deviceEndpoint === undefined) throw error;
  const { kind, code, reference } = error;
  const next = 'If nobody has allowed it yet: mailferry authorize.';
  throw new SecretError(`${error.message} ${next}`, { kind, code, reference, next }, { cause: error });
}

/** Of a refresh token that nobody has asked for yet. */
export const STILL_TO_COME: ReadonlySet<string> = new Set(['E_SECRET_MISSING', 'E_SECRET_EMPTY']);

function hostOf(url: string): string {
  return URL.parse(url)?.hostname ?? '';
}

/** Not held against anybody: the next attempt saves it before it asks the server for anything. */
function notSaved(reference: string, error: unknown): TokenError {
  if (!(error instanceof SecretError)) throw error;
  const words = `the refresh token was exchanged, and the new one cannot be saved, so that it is lost when this process ends: ${error.message}`;
  const failure =
    error.kind === 'person' ? person('E_TOKEN_UNSAVED', words, 0) : later('E_TOKEN_UNSAVED', words, 0);
  return new TokenError(reference, failure);
}
