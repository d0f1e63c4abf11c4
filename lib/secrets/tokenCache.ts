import { createHash } from 'node:crypto';
import type { Secret } from './port.ts';
import { TokenError } from './tokenErrors.ts';

/** An access token as a server gave it. */
export interface Issued {
  readonly token: Secret;
  /** How long it is good, from when it was asked for; null where the server does not say. */
  readonly lifeMs: number | null;
}

/** How a token is had. */
export interface Asking {
  /** The secrets that it takes, read from where they are kept; `fresh`: not from a cache. */
  secrets(fresh: boolean): Promise<readonly Secret[]>;
  /** Spends them on a token. Rejects with TokenError. */
  ask(secrets: readonly Secret[]): Promise<Issued>;
}

/** Not given out in the last of its life: a session that begins with it must get as far as its sign-in. */
export const MARGIN_MS = 5 * 60_000;

/** Of a short life. */
const MARGIN_PART = 0.1;

/** Of a token that does not say how long it is good: as long as a secret is kept. */
export const UNKNOWN_LIFE_MS = 5 * 60_000;

/** No provider of mail gives more; a mistaken number must not keep a token for ever. */
export const LONGEST_LIFE_MS = 24 * 60 * 60_000;

/** A token that replaced a refused one is not replaced again so soon: the next would be refused, too. */
export const RENEWED_MS = 30_000;

interface Kept {
  readonly token: Secret;
  readonly askedAt: number;
  readonly goodUntil: number;
  readonly renewed: boolean;
}

interface Refused {
  readonly error: TokenError;
  readonly at: number;
  readonly secrets: string;
}

/** Access tokens of this process, by what they are had with; as many entries as the settings have sources. */
export class TokenCache {
  readonly #now: () => number;
  readonly #kept = new Map<string, Kept>();
  readonly #refused = new Map<string, Refused>();
  readonly #inFlight = new Map<string, Promise<Secret>>();

  /** `now`: milliseconds since 1970. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /**
   * One request for all who ask at once; `fresh` joins it too, since what comes is newer than what anybody holds.
   * A failed request is not repeated while it is held against its secrets.
   */
  async read(key: string, fresh: boolean, asking: Asking): Promise<Secret> {
    const kept = this.#good(key);
    if (kept !== undefined && !(fresh && this.#mayRenew(kept))) return kept.token;
    const running = this.#inFlight.get(key);
    if (running) return running;
    const started = this.#ask(key, fresh, asking).finally(() => this.#inFlight.delete(key));
    this.#inFlight.set(key, started);
    return started;
  }

  async #ask(key: string, fresh: boolean, asking: Asking): Promise<Secret> {
    const secrets = await this.#unrefused(key, asking);
    const askedAt = this.#now();
    try {
      const { token, lifeMs } = await asking.ask(secrets);
      this.#refused.delete(key);
      this.#kept.set(key, { token, askedAt, goodUntil: askedAt + usableMs(lifeMs), renewed: fresh });
      return token;
    } catch (error) {
      if (error instanceof TokenError) {
        this.#refused.set(key, { error, at: this.#now(), secrets: digest(secrets) });
        // What was taken away must not live on; an endpoint that is down takes nothing away from the others.
        if (error.kind === 'person') this.#kept.delete(key);
      }
      throw error;
    }
  }

  /** A clock that was set back makes every age unknown. */
  #good(key: string): Kept | undefined {
    const kept = this.#kept.get(key);
    const now = this.#now();
    return kept !== undefined && now >= kept.askedAt && now < kept.goodUntil ? kept : undefined;
  }

  #mayRenew({ renewed, askedAt }: Kept): boolean {
    return !renewed || this.#now() - askedAt >= RENEWED_MS;
  }

  /** The secrets, unless they are those of a failure that is still held. Cached ones spare the source, fresh ones decide. */
  async #unrefused(key: string, asking: Asking): Promise<readonly Secret[]> {
    const held = this.#held(key);
    if (held?.error.kind === 'later') throw held.error;
    if (held !== undefined && digest(await asking.secrets(false)) === held.secrets) throw held.error;
    const secrets = await asking.secrets(true);
    if (held !== undefined && digest(secrets) === held.secrets) throw held.error;
    return secrets;
  }

  #held(key: string): Refused | undefined {
    const refused = this.#refused.get(key);
    if (refused === undefined) return undefined;
    const ageMs = this.#now() - refused.at;
    return ageMs >= 0 && ageMs < refused.error.holdMs ? refused : undefined;
  }
}

function usableMs(lifeMs: number | null): number {
  if (lifeMs === null) return UNKNOWN_LIFE_MS;
  const life = Math.min(lifeMs, LONGEST_LIFE_MS);
  return life - Math.min(MARGIN_MS, life * MARGIN_PART);
}

/** Tells secrets apart without keeping them. */
function digest(secrets: readonly Secret[]): string {
  const hash = createHash('sha256');
  for (const secret of secrets) {
    const text = secret.reveal();
    hash.update(`${text.length}:`).update(text);
  }
  return hash.digest('hex');
}
