/**
 * Signing in by the one mechanism of a mailbox. It is never another, and never a second one: who tries on with the same
 * secret gets the account locked, and a weaker mechanism is what somebody in between would want.
 */
import type { Mailbox } from '../mailbox/settings.ts';
import { MECHANISMS, type MechanismName } from '../mailbox/signInSettings.ts';
import type { Capabilities, Pop3Client } from '../pop3/client.ts';
import { Pop3Error } from '../pop3/errors.ts';
import { showWithout } from '../pop3/masking.ts';
import { type Refusal, SYS_TEMP } from '../pop3/refusals.ts';
import { type BearerMechanism, oauthBearer, type TokenRefusal, xoauth2 } from '../pop3/sasl/bearer.ts';
import { cramMd5 } from '../pop3/sasl/cramMd5.ts';
import { external } from '../pop3/sasl/external.ts';
import { login } from '../pop3/sasl/login.ts';
import type { Mechanism } from '../pop3/sasl/mechanism.ts';
import { plain } from '../pop3/sasl/plain.ts';
import { type Binding, SCRAM_SHA_1, SCRAM_SHA_256, Scram, type ScramHash } from '../pop3/sasl/scram.ts';
import { readLine, type Secret } from '../secrets/port.ts';
import type { FetchPorts } from './ports.ts';
import { saslPrepared } from './saslPrep.ts';

/** The password or token; null: the client certificate speaks for itself. */
export async function credentialOf(
  { password, signIn: { token } }: Mailbox,
  { secrets, tokens }: Pick<FetchPorts, 'secrets' | 'tokens'>,
  fresh: boolean,
): Promise<Secret | null> {
  if (token !== undefined) return tokens.read(token, fresh);
  if (password === undefined) return null;
  return readLine(secrets, password, { fresh, what: 'password' });
}

/** Where it is, for a person; never what it is. */
export function credentialPlace({ password, signIn: { token } }: Mailbox): string {
  if (token === undefined) return password ?? 'the client certificate';
  if ('from' in token) return token.from;
  return 'grant' in token ? `a token by ${token.grant}` : 'a token by a command';
}

export interface Attempt {
  /** As `credentialOf` gave it. */
  readonly credential: Secret | null;
  /** What CAPA said on this very line. */
  readonly capabilities: Capabilities;
  /** Fresh, hex. */
  readonly nonce: string;
}

/** Rejects with Pop3Error; where the mechanism is not to be had, nothing secret was sent (E_POP3_MECHANISM, E_POP3_BINDING). */
export async function signIn(client: Pop3Client, mailbox: Mailbox, attempt: Attempt): Promise<void> {
  const { mechanism: name, initialResponse: initial } = mailbox.signIn;
  const secret = attempt.credential?.reveal() ?? '';
  if (name === 'user-pass') return client.signIn(mailbox.user, secret);
  mustBeOffered(name, client, attempt.capabilities);
  const mechanism = await mechanismFor(name, client, { ...attempt, mailbox, secret });
  // What the server says in a challenge may repeat the secret as well as a reply may.
  const show = showWithout(secret);
  const refused = (meant: Refusal) => {
    const known = asRefused(meant, mechanism, (text) => show(Buffer.from(text)));
    // QUIRK: Exchange: "Protocol error. Connection is closed. 10".
    return initial && known.code === 'E_POP3_TOKEN_REFUSED'
      ? { ...known, next: known.next + IN_TWO_STEPS }
      : known;
  };
  await client.authenticate(mechanism, { secret, initial, refused });
}

const IN_TWO_STEPS = ' Or leave initialResponse out: some servers want the token behind AUTH, and not on it.';

/** Where CAPA says nothing of SASL, or was not asked, nothing follows from that. */
function mustBeOffered(name: MechanismName, client: Pop3Client, capabilities: Capabilities): void {
  const { mechanisms: offered } = capabilities;
  if (offered === null || offered.includes(name.toUpperCase())) return;
  const ours = MECHANISMS.filter((one) =>
    one === 'user-pass' ? capabilities.has('USER') : offered.includes(one.toUpperCase()),
  );
  const set =
    ours.length === 0 ? 'none of these is known here' : `set signIn.mechanism to ${ours.join(' or ')}`;
  const underTls =
    client.tls === undefined && capabilities.has('STLS')
      ? ', or tls to stls, under which there may be others'
      : '';
  const has = offered.length === 0 ? 'no mechanism at all' : offered.slice(0, SHOWN_MECHANISMS).join(', ');
  throw notBegun(client, 'E_POP3_MECHANISM', {
    words: `the server does not offer ${name.toUpperCase()}; it offers ${has}`,
    next: `Ask whoever runs the server for it; ${set}${underTls}.`,
  });
}

/** More than there are. */
const SHOWN_MECHANISMS = 30;

interface Wanted extends Attempt {
  readonly mailbox: Mailbox;
  readonly secret: string;
}

type Known = Mechanism | BearerMechanism | Scram;

async function mechanismFor(
  name: Exclude<MechanismName, 'user-pass'>,
  client: Pop3Client,
  wanted: Wanted,
): Promise<Known> {
  const { mailbox, secret } = wanted;
  const { user } = mailbox;
  switch (name) {
    case 'plain':
      return plain(user, secret);
    case 'login':
      return login(user, secret);
    case 'cram-md5':
      return cramMd5(user, secret);
    case 'scram-sha-1':
    case 'scram-sha-1-plus':
      return scram(SCRAM_SHA_1, name.endsWith('-plus'), client, wanted);
    case 'scram-sha-256':
    case 'scram-sha-256-plus':
      return scram(SCRAM_SHA_256, name.endsWith('-plus'), client, wanted);
    case 'xoauth2':
      return xoauth2(user, secret);
    case 'oauthbearer':
      return oauthBearer(user, secret, mailbox);
    case 'external':
      // Without a name the server gives whatever mailbox the certificate is for, which would be stored as this one's.
      return external(user);
  }
}

async function scram(hash: ScramHash, plus: boolean, client: Pop3Client, wanted: Wanted): Promise<Scram> {
  const user = await saslPrepared(wanted.mailbox.user);
  const password = await saslPrepared(wanted.secret);
  if (user === null || password === null) {
    const whose = user === null ? 'user name' : 'password';
    throw notBegun(client, 'E_POP3_ARGUMENT', {
      words: `the ${whose} has characters that ${hash.name} cannot carry (RFC 4013)`,
      next: 'Change it, or set another signIn.mechanism.',
    });
  }
  const binding = plus ? bound(hash, client) : unbound(client, wanted.capabilities);
  return new Scram(hash, { user, password, nonce: wanted.nonce, binding });
}

function bound({ name }: ScramHash, client: Pop3Client): Binding {
  const binding = client.tls?.binding() ?? null;
  if (binding !== null) return binding;
  throw notBegun(client, 'E_POP3_BINDING', {
    words: `${name}-PLUS has nothing to bind to; over TLS 1.2 that is the server's certificate, if RFC 5929 knows the hash of its signature`,
    next: `Have the server speak TLS 1.3, or set signIn.mechanism to ${name.toLowerCase()}.`,
  });
}

/** 'not offered' tells a server that does offer it that somebody in between took that away (RFC 5802 section 6). */
function unbound({ tls }: Pop3Client, { mechanisms }: Capabilities): Binding {
  const isOffered = mechanisms?.some((one) => one.startsWith('SCRAM-') && one.endsWith('-PLUS')) ?? true;
  return isOffered || (tls?.binding() ?? null) === null ? null : 'not offered';
}

const REFUSED: ReadonlySet<string> = new Set(['E_POP3_AUTH', 'E_POP3_SIGNIN_REFUSED']);

const BEHIND_A_REFUSAL: ReadonlySet<string> = new Set(['E_POP3_SIGNIN_DROPPED', 'E_POP3_MECHANISM']);

/** What is said of passwords, where none was shown. */
const OF_PASSWORDS: ReadonlySet<string> = new Set(['E_POP3_TOKEN_WANTED', 'E_POP3_APP_PASSWORD']);

/** What a -ERR means where the mechanism has told more. Trouble that passes, and what has words of its own, stays that. */
function asRefused(meant: Refusal, mechanism: Known, show: (text: string) => string): Refusal {
  const why = 'refusal' in mechanism ? mechanism.refusal() : null;
  // QUIRK: behind a refusal some hang up in place of the -ERR that they owe, or take the acknowledgement for a command.
  const isRefused =
    REFUSED.has(meant.code) ||
    (why !== null && BEHIND_A_REFUSAL.has(meant.code)) ||
    (isBearer(mechanism) && OF_PASSWORDS.has(meant.code));
  if (!isRefused) return meant;
  if (typeof why === 'string') return { ...meant, words: `the server refused (${show(why)})` };
  if (mechanism.name === 'EXTERNAL') return { ...meant, next: CERTIFICATE_REFUSED };
  return isBearer(mechanism) ? tokenRefused(why, show) : meant;
}

function isBearer(mechanism: Known): mechanism is BearerMechanism {
  return 'refusal' in mechanism && !(mechanism instanceof Scram);
}

const CERTIFICATE_REFUSED =
  'Check that the server trusts the issuer of the client certificate, and takes it for this user.';

/** A status of HTTP, or a word of OAuth's, that blames the server. */
const OWN_TROUBLE = /^(?:5\d\d|server_error|temporarily_unavailable)$/;

function tokenRefused(refusal: TokenRefusal | null, show: (text: string) => string): Refusal {
  const scope = refusal?.scope ? `, for the scope ${show(refusal.scope)}` : '';
  const why = refusal === null ? '' : ` (status ${show(refusal.status)}${scope})`;
  if (refusal !== null && OWN_TROUBLE.test(refusal.status))
    return { ...SYS_TEMP, words: `the server could not judge the access token${why}` };
  return {
    kind: 'person',
    code: 'E_POP3_TOKEN_REFUSED',
    words: `the server refused the access token${why}`,
    next: 'Check that the token is for this user and for POP3 (its scope, and whose it is), and that POP3 is switched on for the mailbox.',
  };
}

function notBegun(
  { bytesIn, bytesOut }: Pop3Client,
  code: string,
  { words, next }: { readonly words: string; readonly next: string },
): Pop3Error {
  const facts = {
    kind: 'person',
    code,
    phase: 'sign-in',
    bytesIn,
    bytesOut,
    unsent: true,
    words,
    next,
  } as const;
  return new Pop3Error(`sign-in: ${words}. Nothing secret was sent. ${next}`, facts);
}
