import { importPKCS8, SignJWT } from 'jose';
import { exchange, type OAuthPorts } from './oauthGrants.ts';
import { Secret, type Secrets, type TokenSource } from './port.ts';
import type { Asking, Issued } from './tokenCache.ts';
import { person, TokenError } from './tokenErrors.ts';

export type ServiceAccount = Extract<TokenSource, { grant: 'service-account' }>;

/** RFC 7523; Google takes no longer than an hour (developers.google.com/identity/protocols/oauth2/service-account). */
const ASSERTION_SECONDS = 60 * 60;

const RENEWAL =
  "Check that the key still exists, that this machine's clock is right, that the subject is a mailbox of the domain, and that its administrator has delegated this scope to the account.";

/** A Google service account, which signs for a mailbox of its domain. */
export function byServiceAccount(
  source: ServiceAccount,
  ports: OAuthPorts & { readonly secrets: Secrets },
): Asking {
  return {
    secrets: async (fresh) => [await ports.secrets.read(source.key, fresh)],
    ask: ([key]) => ask(source, key, ports),
  };
}

async function ask(source: ServiceAccount, key: Secret | undefined, ports: OAuthPorts): Promise<Issued> {
  const account = accountIn(key?.reveal() ?? '', source.key);
  const tokenEndpoint = source.tokenEndpoint ?? account.tokenEndpoint;
  const assertion = await signed(source, account, { audience: tokenEndpoint, nowMs: ports.now() });
  return exchange(
    {
      reference: source.key,
      tokenEndpoint,
      grantType: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
      parameters: { assertion },
      clientId: null,
      secrets: [new Secret(account.privateKey), new Secret(assertion)],
      renewal: RENEWAL,
    },
    ports,
  );
}

interface Account {
  readonly email: string;
  readonly keyId: string | undefined;
  /** PKCS #8, PEM. */
  readonly privateKey: string;
  readonly tokenEndpoint: string;
}

/** A parser's error quotes the text around the fault, so none becomes a `cause`. */
function accountIn(json: string, reference: string): Account {
  const said = membersOf(json);
  const email = said('client_email');
  // QUIRK: what was passed through a shell or a YAML file has its line ends written out.
  const privateKey = said('private_key')?.replaceAll('\\n', '\n');
  if (said('type') !== 'service_account' || email === undefined || privateKey === undefined) {
    throw badKey(
      reference,
      'this is not the JSON key of a service account (type, client_email and private_key)',
    );
  }
  return {
    email,
    privateKey,
    keyId: said('private_key_id'),
    tokenEndpoint: said('token_uri') ?? 'https://oauth2.googleapis.com/token',
  };
}

function membersOf(json: string): (name: string) => string | undefined {
  let said: unknown;
  try {
    said = JSON.parse(json);
  } catch {
    said = null;
  }
  return (name) => {
    const value: unknown =
      typeof said === 'object' && said !== null && Object.hasOwn(said, name) ? Reflect.get(said, name) : null;
    return typeof value === 'string' && value !== '' ? value : undefined;
  };
}

async function signed(
  { key, subject, scope }: ServiceAccount,
  account: Account,
  { audience, nowMs }: { readonly audience: string; readonly nowMs: number },
): Promise<string> {
  const { email, keyId, privateKey } = account;
  const nowSeconds = Math.floor(nowMs / 1000);
  const signingKey = await importPKCS8(privateKey, 'RS256').catch(() => {
    throw badKey(key, 'private_key is not an RSA key in PEM (PKCS #8)');
  });
  return new SignJWT({ scope })
    .setProtectedHeader({ alg: 'RS256', typ: 'JWT', ...(keyId === undefined ? {} : { kid: keyId }) })
    .setIssuer(email)
    .setSubject(subject)
    .setAudience(audience)
    .setIssuedAt(nowSeconds)
    .setExpirationTime(nowSeconds + ASSERTION_SECONDS)
    .sign(signingKey);
}

function badKey(reference: string, words: string): TokenError {
  return new TokenError(
    reference,
    person('E_TOKEN_KEY', `${words}. Store the whole file that the provider gave for the key.`),
  );
}
