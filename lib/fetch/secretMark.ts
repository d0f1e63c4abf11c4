/**
 * Tells whether the secrets of a mailbox are still those that were refused, from what may stand in the state: twelve bits.
 * Who reads the state learns that one password in 4,096 would fit, and nothing more from another mailbox with the same
 * one, another day, or an old version of the state, since the mark is the same everywhere: a salt would give that away.
 */
import { createHash } from 'node:crypto';
import type { Mailbox } from '../mailbox/settings.ts';
import { PEM } from '../mailbox/signInSettings.ts';
import { SecretError, type Secrets } from '../secrets/port.ts';

const HEX_DIGITS = 3;

/** Of a secret that a person must first put there; no mark of one that is. */
const NONE = 'none';

/** The mark of what the mailbox signs in with, as it stands there now; null: it cannot be told now, or there is nothing. */
export async function secretMark(mailbox: Mailbox, secrets: Secrets, fresh: boolean): Promise<string | null> {
  const references = referencesOf(mailbox);
  if (references.length === 0) return null;
  try {
    const hash = createHash('sha256');
    for (const reference of references) {
      const text = (await secrets.read(reference, fresh)).reveal();
      hash.update(`${text.length}:`).update(text);
    }
    return hash.digest('hex').slice(0, HEX_DIGITS);
  } catch (error) {
    return error instanceof SecretError && error.kind === 'person' ? NONE : null;
  }
}

/** Whether another secret stands there than the one with this mark. What a cache has is asked first, and does not decide. */
export async function isRenewed(mark: string, mailbox: Mailbox, secrets: Secrets): Promise<boolean> {
  const differs = async (fresh: boolean) => {
    const now = await secretMark(mailbox, secrets, fresh);
    return now !== null && now !== mark;
  };
  return (await differs(false)) && (await differs(true));
}

/** Not an access token that a grant or a program gives: each is another one, whatever it was given for. */
function referencesOf({ password, signIn: { token }, clientCertificate: own }: Mailbox): readonly string[] {
  return [
    ...(password === undefined ? [] : [password]),
    ...(token === undefined ? [] : tokenReferences(token)),
    ...(own === undefined ? [] : [own.certificate, own.key].filter((given) => !PEM.test(given))),
  ];
}

function tokenReferences(token: NonNullable<Mailbox['signIn']['token']>): readonly string[] {
  if ('from' in token) return [token.from];
  if ('command' in token) return [];
  switch (token.grant) {
    case 'refresh-token':
      return [token.refreshToken, ...(token.clientSecret === undefined ? [] : [token.clientSecret])];
    case 'client-credentials':
      return [token.clientSecret];
    case 'service-account':
      return [token.key];
  }
}
