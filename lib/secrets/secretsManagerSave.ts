/**
 * Puts one account back into a secret that many share. The service has no compare-and-swap, but it refuses a second
 * version under one ClientRequestToken; so the token is made from the version that was read. Of two writers who read
 * the same version one is refused, reads again, and keeps what the other wrote.
 */
import { createHash } from 'node:crypto';
import type { Secret } from './port.ts';
import type { Failure } from './secretsManagerErrors.ts';

export interface Version {
  readonly whole: Secret;
  readonly versionId: string;
}

export interface Saving {
  read(): Promise<Version | Failure>;
  /** 'conflict': there is a version under that token already, and it holds something else. */
  put(whole: string, token: string): Promise<'put' | 'conflict' | Failure>;
  readonly sleep: (ms: number) => Promise<void>;
}

export interface Change {
  /** Null: the whole secret is the one value. */
  readonly key: string | null;
  readonly secret: Secret;
  /** Null: whatever stands there. */
  readonly instead: Secret | null;
}

const TRIES = 6;

/** A version that was just made is not always seen at once. */
const PAUSE_MS = 300;

/** After as many conflicts over one version its successor's token was used up earlier: a person went back to it. */
const CONFLICTS_OVER_ONE = 3;

const BUSY: Failure = {
  kind: 'later',
  code: 'E_SECRET_UNAVAILABLE',
  words: 'others changed the secret at the same time, again and again. The next run tries again.',
};

export const NO_OBJECT: Failure = {
  kind: 'person',
  code: 'E_SECRET_MALFORMED',
  words: 'the secret is not a JSON object. Store {"KEY": "secret", …} in it, or drop "#KEY".',
};

/** Whether it was put there; false: another stands there than the one that was to be replaced. */
export async function saveMember(saving: Saving, change: Change): Promise<boolean | Failure> {
  let conflicts = 0;
  let seen = '';
  for (let tries = 1; tries <= TRIES; tries += 1) {
    const version = await saving.read();
    if ('words' in version) return version;
    const accounts = change.key === null ? {} : accountsIn(version.whole);
    if (accounts === undefined) return NO_OBJECT;
    const standing = change.key === null ? version.whole.reveal() : memberOf(accounts, change.key);
    // So it is after an answer that was lost, too.
    if (standing === change.secret.reveal()) return true;
    if (change.instead !== null && standing !== change.instead.reveal()) return false;
    const next =
      change.key === null ? change.secret.reveal() : withMember(accounts, change.key, change.secret);
    conflicts = version.versionId === seen ? conflicts + 1 : 0;
    seen = version.versionId;
    const put = await saving.put(next, tokenAfter(seen, Math.floor(conflicts / CONFLICTS_OVER_ONE)));
    if (put === 'put') return true;
    if (put !== 'conflict') return put;
    await saving.sleep(PAUSE_MS * tries);
  }
  return BUSY;
}

function tokenAfter(versionId: string, salt: number): string {
  return createHash('sha256').update(`${versionId}\n${salt}`).digest('hex');
}

/** A parser's error quotes the text around the fault, so it goes no further. */
export function accountsIn(whole: Secret): Readonly<Record<string, unknown>> | undefined {
  try {
    const accounts: unknown = JSON.parse(whole.reveal());
    const isObject = typeof accounts === 'object' && accounts !== null && !Array.isArray(accounts);
    return isObject ? { ...accounts } : undefined;
  } catch {
    return undefined;
  }
}

function memberOf(accounts: Readonly<Record<string, unknown>>, key: string): unknown {
  return Object.hasOwn(accounts, key) ? accounts[key] : undefined;
}

function withMember(accounts: Readonly<Record<string, unknown>>, key: string, secret: Secret): string {
  return JSON.stringify({ ...accounts, [key]: secret.reveal() });
}
