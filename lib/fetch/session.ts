/** One POP3 session: from the secret to the listing, and what must be known of it to end it rightly. */
import { type Policy, policyAt } from '../mailbox/policy.ts';
import { type Mailbox, PLAINTEXT } from '../mailbox/settings.ts';
import { PEM } from '../mailbox/signInSettings.ts';
import type { StateFile } from '../mailbox/stateFile.ts';
import { heldAgainst, type Unheeded } from '../mailbox/unheeded.ts';
import { Pop3Client } from '../pop3/client.ts';
import { Pop3Error } from '../pop3/errors.ts';
import type { Endpoint, Transport } from '../pop3/transport.ts';
import { type Secret, SecretError } from '../secrets/port.ts';
import { noteShown } from './evidence.ts';
import type { FenceForm } from './fence.ts';
import { heeded, unheededNotes } from './heeding.ts';
import { Known } from './known.ts';
import type { Listing } from './listing.ts';
import { mustBeNamed, mustBeServed } from './nameless.ts';
import type { FetchPorts } from './ports.ts';
import { readListing } from './readListing.ts';
import { credentialOf, signIn } from './signIn.ts';
import { isSingly } from './singly.ts';
import { announced, isBeforeSecret, isLostAtCapa, isWithoutCapa } from './withoutCapa.ts';

export interface Session {
  readonly client: Pop3Client;
  readonly listing: Listing;
  /** What is on record of the listing, once it has been read. */
  readonly known: Known;
  readonly openedMs: number;
  /** Shortest time until the next sign-in (RFC 2449 LOGIN-DELAY), or 0. */
  readonly loginDelayMs: number;
  /** Rows whose RETR was answered and that are not yet on record as announced: while there are any, no QUIT. */
  readonly inDoubt: Set<number>;
  /** Rows that DELE was accepted for. */
  readonly deleted: Set<number>;
  /** Header hashes by TOP, of rows whose UIDL is repeated; null where TOP was refused. */
  readonly headerHashes: Map<number, string | null>;
  /** Rows without UIDL that this session put on record; nothing more is asked about them. */
  readonly settled: Set<number>;
  /** Rows whose UIDL is repeated, by it and the content that they turned out to have. */
  readonly alike: Map<string, Set<number>>;
  /** What ends a window; null until `learnFence` was answered, and where the server has neither form. */
  fence: FenceForm | null;
  /** One message at a time, since this mailbox's server was caught out of step. */
  readonly singly: boolean;
  /** Commands may be sent before the answers of those before them came. */
  readonly pipelining: boolean;
  /** As it was when the listing was read: what is due then is due in this session. */
  readonly policy: Policy;
  /** Deletes that had no effect, as this listing shows. */
  readonly unheeded: Unheeded | undefined;
  readonly notes: readonly string[];
}

export interface SignInOptions {
  /** Nothing of the session waits beyond it. */
  readonly deadlineMs: number;
  readonly signal: AbortSignal;
  /** Called before each sign-in, with what the server wants between two of them. */
  readonly onSignIn: (loginDelayMs: number) => void;
}

export interface SessionOptions extends SignInOptions {
  readonly state: StateFile;
  /** Called where the line is lost as the first commands that were sent together are answered. */
  readonly onOutOfStep: (error: Pop3Error) => Promise<void>;
  /** Called where it is lost as CAPA is asked. */
  readonly onCapaLost: (error: Pop3Error) => Promise<void>;
}

/**
 * Rejects with Pop3Error or SecretError; the connection is closed then. QUIRK: some servers fall silent or hang up on
 * CAPA, or answer it out of order; where that cost no sign-in, it is tried once more without.
 */
export async function openSession(
  mailbox: Mailbox,
  ports: FetchPorts,
  options: SessionOptions,
): Promise<Session> {
  const asksCapa = !isWithoutCapa(options.state.head, ports.clock.now());
  let signedIn = false;
  let isRefused = false;
  const onSignIn = (loginDelayMs: number, announced: boolean) => {
    signedIn = true;
    isRefused = !announced;
    options.onSignIn(loginDelayMs);
  };
  try {
    return await beginSession(mailbox, ports, { ...options, onSignIn, asksCapa });
  } catch (error) {
    if (!asksCapa || !isLostAtCapa(error, isRefused)) throw error;
    await options.onCapaLost(error);
    if (signedIn && !isBeforeSecret(error)) throw error;
    return beginSession(mailbox, ports, { ...options, asksCapa: false });
  }
}

interface Begin extends Omit<SessionOptions, 'onSignIn'> {
  readonly asksCapa: boolean;
  /** `announced`: CAPA was answered with a list. */
  readonly onSignIn: (loginDelayMs: number, announced: boolean) => void;
}

async function beginSession(mailbox: Mailbox, ports: FetchPorts, options: Begin): Promise<Session> {
  const client = await signedIn(mailbox, ports, options);
  try {
    const openedMs = ports.clock.now();
    const capabilities = await announced(client, options.asksCapa);
    const singly = isSingly(options.state.head, openedMs);
    const pipelining = capabilities.pipelining && mailbox.pipelining && !singly;
    const seed = Math.floor(ports.clock.random() * 2 ** 32);
    const { listing, notes, withoutUidl, isUnnamed } = await readListing(client, { seed, pipelining }).catch(
      async (error: unknown) => {
        if (pipelining && error instanceof Pop3Error && error.kind !== 'refused')
          await options.onOutOfStep(error);
        throw error;
      },
    );
    const unheeded = heldAgainst(options.state.head, (one) => listing.rowsOf(one));
    const policy = heeded(policyAt(mailbox, openedMs), unheeded);
    const asked = { client, capabilities, state: options.state };
    if (withoutUidl !== null) await mustBeServed(policy, { ...asked, withoutUidl });
    if (isUnnamed && policy.nameless) await mustBeNamed(asked);
    return {
      client,
      listing,
      known: new Known(listing, options.state, policy),
      openedMs,
      loginDelayMs: (capabilities.loginDelaySeconds ?? 0) * 1000,
      inDoubt: new Set(),
      deleted: new Set(),
      headerHashes: new Map(),
      settled: new Set(),
      alike: new Map(),
      fence: null,
      singly,
      pipelining,
      policy,
      unheeded,
      notes: [...notes, ...unheededNotes(unheeded, openedMs)],
    };
  } catch (error) {
    client.destroy(error instanceof Error ? error : new Error(String(error)));
    throw error;
  }
}

/**
 * A refused sign-in may mean that the password or token was changed: it is read afresh once, and tried if it differs. A
 * client certificate is what it was: it was shown in the handshake.
 */
async function signedIn(mailbox: Mailbox, ports: FetchPorts, options: Begin): Promise<Pop3Client> {
  const credential = await credentialOf(mailbox, ports, false);
  try {
    return await signInWith(credential, mailbox, ports, options);
  } catch (error) {
    if (credential === null || !isRefusedSignIn(error)) throw error;
    const fresh = await credentialOf(mailbox, ports, true).catch((cause: unknown) => {
      // Whoever cannot be asked now must not hide the refusal, which is waited for much longer.
      throw cause instanceof SecretError && cause.kind === 'later' ? error : cause;
    });
    if (fresh === null || fresh.reveal() === credential.reveal()) throw error;
    return signInWith(fresh, mailbox, ports, options);
  }
}

/** Whether the server has looked at what it was shown, or could not be shown it for what it is. */
function isRefusedSignIn(error: unknown): boolean {
  if (!(error instanceof Pop3Error) || error.phase !== 'sign-in' || error.kind !== 'person') return false;
  return !WHATEVER_IS_SHOWN.has(error.code);
}

/** Another password or token changes nothing about these. */
export const WHATEVER_IS_SHOWN: ReadonlySet<string> = new Set([
  'E_POP3_MECHANISM',
  'E_POP3_BINDING',
  'E_POP3_UNPROVED',
]);

async function signInWith(
  credential: Secret | null,
  mailbox: Mailbox,
  ports: FetchPorts,
  options: Begin,
): Promise<Pop3Client> {
  const client = await greeted(mailbox, ports, options);
  try {
    // Asked before and after, for what a server announces may change with the sign-in (RFC 2449 section 3).
    const capabilities = await announced(client, options.asksCapa);
    options.onSignIn((capabilities.loginDelaySeconds ?? 0) * 1000, capabilities.announced);
    await signIn(client, mailbox, { credential, capabilities, nonce: ports.clock.nonce() });
    return client;
  } catch (error) {
    noteShown(error, mailbox, credential);
    client.destroy(error instanceof Error ? error : new Error(String(error)));
    throw error;
  }
}

/** Connected, greeted and, but for a mailbox that does without, under TLS; rejects with Pop3Error or, where certificates or keys are references, SecretError. */
export async function greeted(
  mailbox: Mailbox,
  ports: FetchPorts,
  options: Pick<SignInOptions, 'deadlineMs' | 'signal'>,
): Promise<Pop3Client> {
  const endpoint = await endpointOf(mailbox, ports);
  const transport: Transport = await ports.dial(endpoint, options.signal, ports.observe);
  return Pop3Client.open(transport, {
    timer: ports.clock,
    deadlineMs: options.deadlineMs,
    signal: options.signal,
    observe: ports.observe,
  });
}

/** Said in every report and check of a mailbox without TLS. */
export function warningsOf({ tls }: Mailbox): readonly string[] {
  if (tls !== PLAINTEXT) return [];
  return [
    `The line to the server is not encrypted (tls: ${PLAINTEXT}): everybody on the way can read the password and the mail, and change both. Set tls to implicit or stls as soon as the server has it.`,
  ];
}

async function endpointOf(mailbox: Mailbox, ports: FetchPorts): Promise<Endpoint> {
  const { host, port, tls, ca, serverKeys, clientCertificate: own } = mailbox;
  const pem = async (given: string) =>
    PEM.test(given) ? given : (await ports.secrets.read(given, false)).reveal();
  return {
    ...{ host, port, tls: tls === PLAINTEXT ? 'none' : tls },
    ...(ca === undefined ? {} : { ca: await pem(ca) }),
    ...(serverKeys === undefined ? {} : { serverKeys }),
    ...(own && { clientCertificate: { certificate: await pem(own.certificate), key: await pem(own.key) } }),
  };
}
