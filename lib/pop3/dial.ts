import { promises as dns } from 'node:dns';
import { connect as connectTcp, isIP, type LookupFunction, type Socket } from 'node:net';
import {
  type ConnectionOptions,
  checkServerIdentity,
  connect as connectTls,
  createSecureContext,
  type TLSSocket,
} from 'node:tls';
import { forbidden, type Reach, whatIs } from './addresses.ts';
import { certificatesIn, isCertificate } from './authorities.ts';
import {
  abortedError,
  authoritiesError,
  clientCertificateError,
  dnsError,
  forbiddenError,
  tcpError,
  timeoutError,
  tlsError,
  unprovenError,
  withoutNames,
  wrongKeyError,
} from './dialErrors.ts';
import type { Pop3Error } from './errors.ts';
import { DIAL_LIMITS, type DialLimits } from './limits.ts';
import type { Handshake, Observe } from './observe.ts';
import { presentedOn } from './presented.ts';
import { overSocket } from './socket.ts';
import { tlsFacts } from './tlsFacts.ts';
import type { Dial, Endpoint, Timer, TlsFacts, Transport } from './transport.ts';

export interface DialOptions {
  readonly timer: Timer;
  readonly limits?: Partial<DialLimits>;
  /** Which addresses are connected to, whatever name they stand behind; default: any. */
  readonly reach?: Reach;
  /** Default: the system's resolver. Asked once a connection; what it answered is what is looked at and connected to. */
  readonly resolve?: (host: string) => Promise<readonly Address[]>;
}

/** How often TCP asks whether an idle peer is still there: a NAT on the way forgets after some minutes. */
const KEEP_ALIVE_MS = 60_000;

export interface Address {
  readonly address: string;
  readonly family: number;
}

/**
 * TLS, 1.2 or newer, is always verified: against the endpoint's own authorities or else the system's, and against
 * the name in the mailbox's setting, whatever address it resolved to; or against the keys that the endpoint names, and
 * nothing else. There is no way to switch verification off, and no session is ever resumed (Node once skipped the name
 * check on resumption).
 */
export function dialTls(options: DialOptions): Dial {
  const { timer, reach = 'any', resolve = resolveHost } = options;
  const limits = { ...DIAL_LIMITS, ...options.limits };
  return async (endpoint, signal, observe) => {
    const { tls = 'implicit' } = endpoint;
    if (tls !== 'none') refuseUnusable(endpoint);
    const step = <T>(phase: 'dns' | 'tcp' | 'tls', limitMs: number, start: Start<T>) =>
      timed(timer, { phase, limitMs, endpoint, signal }, start);
    const found = await step<readonly Address[]>('dns', limits.dnsMs, (settle) => {
      resolve(endpoint.host).then(settle.done, (error) => settle.failed(dnsError(endpoint, error)));
      return () => {};
    });
    const addresses = permitted(endpoint, found, reach);
    observe?.({
      what: 'addresses',
      addresses: found.map(({ address }) => ({ address, what: whatIs(address) })),
    });
    const tcp = await step<Socket>('tcp', limits.tcpMs, (settle) =>
      openTcp(endpoint, addresses, limits.addressMs, settle),
    );
    observe?.({ what: 'connected', address: tcp.remoteAddress ?? 'unknown', port: endpoint.port });
    const secured = async () => {
      try {
        return await step<Transport>('tls', limits.tlsMs, (settle) =>
          openTls(endpoint, tcp, settle, observe),
        );
      } catch (error) {
        tcp.destroy();
        throw error;
      }
    };
    if (tls === 'implicit') return secured();
    return tls === 'stls' ? overSocket(tcp, { startTls: secured }) : overSocket(tcp);
  };
}

/** Those that may be connected to; where there are none, an error that says of each what it is. */
function permitted(endpoint: Endpoint, found: readonly Address[], reach: Reach): readonly Address[] {
  const judged = found.map(({ address }) => ({ address, what: forbidden(address, reach) }));
  const allowed = found.filter((_, index) => judged[index]?.what === null);
  if (allowed.length === 0 && found.length > 0) throw forbiddenError(endpoint, judged);
  return allowed;
}

interface Settle<T> {
  readonly done: (value: T) => void;
  readonly failed: (error: Pop3Error) => void;
}

/** Starts something; returns how to drop it. */
type Start<T> = (settle: Settle<T>) => () => void;

interface TimedStep {
  readonly phase: 'dns' | 'tcp' | 'tls';
  readonly limitMs: number;
  readonly endpoint: Endpoint;
  readonly signal: AbortSignal;
}

/** One phase under its time limit and the signal; whichever of the outcomes is first is the only one. */
function timed<T>(timer: Timer, step: TimedStep, start: Start<T>): Promise<T> {
  const { phase, limitMs, endpoint, signal } = step;
  return new Promise<T>((resolve, reject) => {
    if (signal.aborted) {
      reject(abortedError(phase, endpoint, signal.reason));
      return;
    }
    let drop = () => {};
    const abort = () => fail(abortedError(phase, endpoint, signal.reason));
    const cancel = timer.after(limitMs, () => fail(timeoutError(phase, endpoint, limitMs)));
    const finish = () => {
      cancel();
      signal.removeEventListener('abort', abort);
    };
    const fail = (error: Pop3Error) => {
      finish();
      drop();
      reject(error);
    };
    signal.addEventListener('abort', abort);
    drop = start({
      done: (value) => {
        finish();
        resolve(value);
      },
      failed: fail,
    });
  });
}

async function resolveHost(host: string): Promise<readonly Address[]> {
  const family = isIP(host);
  return family === 0 ? dns.lookup(host, { all: true }) : [{ address: host, family }];
}

/** All addresses in turn, each with its own time, as the resolver ordered them. */
function openTcp(
  endpoint: Endpoint,
  addresses: readonly Address[],
  addressMs: number,
  settle: Settle<Socket>,
): () => void {
  const known: LookupFunction = (_host, { all }, callback) => {
    const first = addresses[0];
    if (all || first === undefined) callback(null, [...addresses]);
    else callback(null, first.address, first.family);
  };
  const socket = connectTcp({
    host: endpoint.host,
    port: endpoint.port,
    lookup: known,
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: addressMs,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: KEEP_ALIVE_MS,
  });
  const names = addresses.map(({ address }) => address);
  socket.on('error', (error) => settle.failed(tcpError(endpoint, names, error)));
  socket.once('connect', () => settle.done(socket));
  return () => socket.destroy();
}

function openTls(
  endpoint: Endpoint,
  tcp: Socket,
  settle: Settle<Transport>,
  observe: Observe | undefined,
): () => void {
  const socket = connectTls({
    socket: tcp,
    // SNI is for names only (RFC 6066); an address is proved by the certificate's IP entries.
    ...(isIP(endpoint.host) === 0 ? { servername: endpoint.host } : {}),
    ...identities(endpoint),
    minVersion: 'TLSv1.2',
    // With keys, the handshake proves that the server has the one of its certificate; which one that is, is asked below.
    rejectUnauthorized: endpoint.serverKeys === undefined,
    // Node compares with "localhost" where it is given a socket and no name; the setting is what counts. A common
    // name is no name (RFC 9525 section 6.3): Node takes it where there is no other.
    checkServerIdentity: (_name, certificate) =>
      certificate.subjectaltname === undefined
        ? withoutNames(certificate)
        : checkServerIdentity(endpoint.host, certificate),
  });
  let presented: Handshake | undefined;
  const judged = (trusted: boolean) => {
    if (presented !== undefined) observe?.({ what: 'handshake', trusted, ...presented });
    presented = undefined;
  };
  if (observe !== undefined) {
    // Before Node's own listener, which destroys a socket whose certificate is not right.
    socket.prependOnceListener('secure', () => {
      presented = presentedOn(socket);
    });
  }
  socket.on('error', (error) => {
    judged(false);
    settle.failed(tlsError(endpoint, error));
  });
  // Where the socket below is destroyed there is no error.
  socket.once('close', () => settle.failed(tlsError(endpoint, undefined)));
  socket.once('secureConnect', () => {
    const line = proven(socket, endpoint);
    judged('read' in line);
    if ('read' in line) settle.done(line);
    else settle.failed(line);
  });
  return () => socket.destroy();
}

function identities({
  ca,
  clientCertificate,
}: Pick<Endpoint, 'ca' | 'clientCertificate'>): ConnectionOptions {
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(clientCertificate && { cert: clientCertificate.certificate, key: clientCertificate.key }),
  };
}

/**
 * Before anything is connected to: the server would be blamed for authorities that cannot be read, and a certificate or key
 * of our own throws in the middle of the handshake.
 */
function refuseUnusable(endpoint: Endpoint): void {
  const { ca, clientCertificate } = endpoint;
  const authorities = ca === undefined ? [] : certificatesIn(ca);
  const broken = authorities.findIndex((pem) => !isCertificate(pem));
  if (ca !== undefined && (authorities.length === 0 || broken >= 0))
    throw authoritiesError(endpoint, { nth: broken + 1, of: authorities.length });
  if (clientCertificate === undefined) return;
  try {
    createSecureContext(identities({ clientCertificate }));
  } catch (error) {
    throw clientCertificateError(endpoint, error);
  }
}

/** The line, or why the server did not prove who it is. */
function proven(socket: TLSSocket, endpoint: Endpoint): Transport | Pop3Error {
  const facts = factsOf(socket);
  const { serverKeys } = endpoint;
  if (facts === null || (serverKeys === undefined && !socket.authorized)) return unprovenError(endpoint);
  if (serverKeys !== undefined && !serverKeys.includes(facts.keyHash))
    return wrongKeyError(endpoint, facts.keyHash);
  return overSocket(socket, { tls: facts });
}

/** Null as well for a certificate that cannot be read: a stranger's, where keys are what counts. */
function factsOf(socket: TLSSocket): TlsFacts | null {
  try {
    return tlsFacts(socket);
  } catch {
    return null;
  }
}
