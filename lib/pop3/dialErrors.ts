import { Pop3Error, type Pop3ErrorKind, type Pop3Phase } from './errors.ts';
import { escapeBytes } from './escape.ts';
import type { Endpoint } from './transport.ts';

/** What Node says of a failure; all of it optional. */
interface Trouble {
  readonly code?: string;
  readonly message?: string;
  readonly address?: string;
  /** Of an AggregateError: one per address. */
  readonly errors?: readonly unknown[];
  /** Of a name mismatch: the certificate. */
  readonly cert?: { readonly subjectaltname?: string; readonly subject?: { readonly CN?: unknown } };
}

interface Named {
  readonly kind: Pop3ErrorKind;
  readonly code: string;
  readonly words: string;
  readonly next: string;
}

const ASK_THEM = 'Ask whoever runs the server; mail is fetched again as soon as the certificate is right.';
const TRUST = 'If the server is yours, give its certificate authority in the mailbox setting.';
const AGAIN = 'It is tried again later; if it goes on, check the host and port.';

const OLD_TLS: Named = {
  kind: 'person',
  code: 'E_POP3_TLS_TOO_OLD',
  words: 'the server offers nothing as new as TLS 1.2',
  next: 'The server must be upgraded; older versions are not spoken.',
};
const NOT_TLS: Named = {
  kind: 'person',
  code: 'E_POP3_NOT_TLS',
  words: 'what answers at this port does not speak TLS',
  next: 'Use the port for implicit TLS, usually 995, or set tls to stls if this is the port for STLS, usually 110.',
};
/** Whatever came in place of the handshake is not looked at: somebody may be putting words in. */
const NOT_TLS_AFTER_STLS: Named = {
  kind: 'person',
  code: 'E_POP3_NOT_TLS',
  words: 'the server agreed to STLS, and what came then is not TLS',
  next: 'Nothing secret was sent. Use tls: implicit if the server has a port for it, usually 995; else ask whoever runs it.',
};
const UNKNOWN_CA: Named = {
  kind: 'person',
  code: 'E_POP3_TLS_UNKNOWN_CA',
  words: 'the certificate was issued by an authority that is not trusted, or the server leaves out the chain',
  next: TRUST,
};
const WEAK: Named = {
  kind: 'person',
  code: 'E_POP3_TLS_WEAK',
  words: "the server's keys or signatures are too weak",
  next: 'The server needs a new certificate or must be upgraded: ask whoever runs it.',
};
const UNSOUND: Named = {
  kind: 'person',
  code: 'E_POP3_TLS_UNSOUND',
  words: 'the certificate is not sound',
  next: ASK_THEM,
};
const NO_AUTHORITY: Named = {
  kind: 'person',
  code: 'E_POP3_TLS_NO_AUTHORITY',
  words: 'the certificate was issued by one that may not issue any',
  next: ASK_THEM,
};

/** OpenSSL's and Node's names for what is wrong with a server's certificate or its TLS. */
const TLS_TROUBLES: Readonly<Record<string, Named>> = {
  CERT_HAS_EXPIRED: {
    kind: 'person',
    code: 'E_POP3_TLS_EXPIRED',
    words: 'the certificate, or one of its issuers, has expired',
    next: ASK_THEM,
  },
  CERT_NOT_YET_VALID: {
    kind: 'person',
    code: 'E_POP3_TLS_NOT_YET_VALID',
    words: 'the certificate is not valid yet',
    next: `Check the clock of this machine. ${ASK_THEM}`,
  },
  DEPTH_ZERO_SELF_SIGNED_CERT: {
    kind: 'person',
    code: 'E_POP3_TLS_SELF_SIGNED',
    words: 'the certificate is signed by nobody but itself',
    next: TRUST,
  },
  SELF_SIGNED_CERT_IN_CHAIN: UNKNOWN_CA,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNKNOWN_CA,
  UNABLE_TO_GET_ISSUER_CERT: UNKNOWN_CA,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNKNOWN_CA,
  ERR_SSL_UNSUPPORTED_PROTOCOL: OLD_TLS,
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: OLD_TLS,
  ERR_SSL_WRONG_VERSION_NUMBER: NOT_TLS,
  ERR_SSL_PACKET_LENGTH_TOO_LONG: NOT_TLS,
  ERR_SSL_DH_KEY_TOO_SMALL: WEAK,
  ERR_SSL_EE_KEY_TOO_SMALL: WEAK,
  ERR_SSL_CA_KEY_TOO_SMALL: WEAK,
  ERR_SSL_CA_MD_TOO_WEAK: WEAK,
  INVALID_CA: NO_AUTHORITY,
  PATH_LENGTH_EXCEEDED: NO_AUTHORITY,
  CERT_UNTRUSTED: UNKNOWN_CA,
  CERT_REJECTED: UNKNOWN_CA,
  INVALID_PURPOSE: {
    kind: 'person',
    code: 'E_POP3_TLS_WRONG_PURPOSE',
    words: 'the certificate is not meant for a server',
    next: ASK_THEM,
  },
  CERT_SIGNATURE_FAILURE: {
    kind: 'person',
    code: 'E_POP3_TLS_FORGED',
    words: 'the signature of the certificate is wrong',
    next: ASK_THEM,
  },
};

/** What a name that does not fit has for a code in Node; a certificate without any has the same here. */
const WRONG_NAME = 'ERR_TLS_CERT_ALTNAME_INVALID';

/** For `checkServerIdentity`: the error of a certificate without alternative names. */
export function withoutNames(cert: NonNullable<Trouble['cert']>): Error {
  return Object.assign(new Error('The certificate has no alternative names.'), { code: WRONG_NAME, cert });
}

/** Alerts by which a server says what it thinks of a client's certificate; in TLS 1.3 they come when the handshake is over. */
const CERTIFICATE_ALERT =
  /ALERT_(CERTIFICATE_REQUIRED|NO_CERTIFICATE|BAD_CERTIFICATE|UNSUPPORTED_CERTIFICATE|CERTIFICATE_(EXPIRED|REVOKED|UNKNOWN)|UNKNOWN_CA|ACCESS_DENIED)$/;

/** What such an alert means; null: it is none. */
export function certificateAlert(cause: unknown): Named | null {
  const { code = '' } = asTrouble(cause);
  const alert = CERTIFICATE_ALERT.exec(code)?.[1];
  if (alert === undefined) return null;
  const wanted = /REQUIRED|NO_CERT/.test(alert);
  return {
    kind: 'person',
    code: 'E_POP3_CLIENT_CERTIFICATE',
    words: wanted
      ? `the server wants a client certificate (${alert})`
      : `the server does not take the client certificate (${alert})`,
    next: 'Set clientCertificate to one that the server’s authority has issued, that is in its dates, and is for clients.',
  };
}

export function dnsError(endpoint: Endpoint, cause: unknown): Pop3Error {
  const code = asTrouble(cause).code ?? 'no code';
  // EAI_AGAIN is the resolver that does not answer; ENOTFOUND is its answer that there is no such name.
  const absent = code === 'ENOTFOUND';
  return dialError('dns', endpoint, cause, {
    kind: absent ? 'person' : 'later',
    code: absent ? 'E_POP3_DNS_NOT_FOUND' : 'E_POP3_DNS_FAILED',
    words: absent ? 'there is no such host name (ENOTFOUND)' : `the name could not be resolved (${code})`,
    next: absent ? 'Check the host in the mailbox setting.' : AGAIN,
  });
}

/** @param judged each address that the name has, and what it is */
export function forbiddenError(
  endpoint: Endpoint,
  judged: readonly { readonly address: string; readonly what: string | null }[],
): Pop3Error {
  const each = judged.map(({ address, what }) => `${shown(address)} is ${what}`).join('; ');
  return dialError('dns', endpoint, undefined, {
    kind: 'person',
    code: 'E_POP3_ADDRESS_FORBIDDEN',
    words: `the host is at no address that may be connected to (${each})`,
    next: 'Nothing was connected to. Check the host in the mailbox setting; a function reaches private networks and its own machine with MAILFERRY_PRIVATE_ADDRESSES=true alone.',
  });
}

/** Every address that was tried, with its errno. */
export function tcpError(endpoint: Endpoint, addresses: readonly string[], cause: unknown): Pop3Error {
  const { errors } = asTrouble(cause);
  const tried = (errors ?? [cause]).map((error) => {
    const { address, code, message } = asTrouble(error);
    return `${address ?? addresses.join(', ')}: ${code ?? message ?? 'unknown'}`;
  });
  const words = `no address could be reached (${tried.join('; ')})`;
  return dialError('tcp', endpoint, cause, { kind: 'later', code: 'E_POP3_TCP_FAILED', words, next: AGAIN });
}

export function tlsError(endpoint: Endpoint, cause: unknown): Pop3Error {
  const trouble = asTrouble(cause);
  if (trouble.code === WRONG_NAME) return dialError('tls', endpoint, cause, wrongName(trouble));
  const alert = certificateAlert(cause);
  if (alert !== null) return dialError('tls', endpoint, cause, alert);
  const known = trouble.code === 'UNSPECIFIED' ? byWords(trouble) : TLS_TROUBLES[trouble.code ?? ''];
  const named = known === NOT_TLS && endpoint.tls === 'stls' ? NOT_TLS_AFTER_STLS : known;
  if (named !== undefined) {
    const words = `${named.words} (${trouble.code === 'UNSPECIFIED' ? trouble.message : trouble.code})`;
    return dialError('tls', endpoint, cause, { ...named, words });
  }
  return dialError('tls', endpoint, cause, {
    kind: 'later',
    code: 'E_POP3_TLS_FAILED',
    words: `the TLS handshake failed (${trouble.code ?? shown(trouble.message ?? 'no reason given')})`,
    next: AGAIN,
  });
}

/** QUIRK: Node has no name for what OpenSSL checks of a certificate since 1.1; the words are OpenSSL's own. */
function byWords({ message = '' }: Trouble): Named {
  if (message.includes('too weak')) return WEAK;
  return message.includes('certificate signing') ? NO_AUTHORITY : UNSOUND;
}

export function timeoutError(phase: 'dns' | 'tcp' | 'tls', endpoint: Endpoint, limitMs: number): Pop3Error {
  const words = `no answer within ${limitMs / 1000} s`;
  const code = `E_POP3_${phase.toUpperCase()}_TIMEOUT`;
  return dialError(phase, endpoint, undefined, { kind: 'later', code, words, next: AGAIN });
}

export function abortedError(phase: Pop3Phase, endpoint: Endpoint, cause: unknown): Pop3Error {
  const words = 'the attempt was aborted';
  return dialError(phase, endpoint, cause, {
    kind: 'lost',
    code: 'E_POP3_ABORTED',
    words,
    next: 'Nothing was sent.',
  });
}

/** Never seen, and never to be trusted to stay so: a handshake that ended well, without proof of who it was. */
export function unprovenError(endpoint: Endpoint): Pop3Error {
  const words = 'the handshake ended without a verified certificate';
  return dialError('tls', endpoint, undefined, {
    kind: 'person',
    code: 'E_POP3_TLS_UNPROVEN',
    words,
    next: ASK_THEM,
  });
}

export function wrongKeyError(endpoint: Endpoint, keyHash: string): Pop3Error {
  return dialError('tls', endpoint, undefined, {
    kind: 'person',
    code: 'E_POP3_TLS_WRONG_KEY',
    words: `the server has another key than serverKeys names (it has: ${keyHash})`,
    next: 'Nothing secret was sent. If whoever runs the server has changed its key and tells you this one, add it to serverKeys; else somebody may be in between.',
  });
}

/** What OpenSSL says of a key is told by its code alone. */
/** `nth`: which of them cannot be read, from 1; `of`: how many there are, which may be none. */
export function authoritiesError(endpoint: Endpoint, { nth, of }: { nth: number; of: number }): Pop3Error {
  return dialError('tls', endpoint, undefined, {
    kind: 'person',
    code: 'E_POP3_CA',
    words:
      of === 0
        ? 'there is no certificate in "ca"'
        : `certificate ${nth} of the ${of} in "ca" cannot be read: it may be cut short`,
    next: 'Nothing was connected to. "ca" must be PEM text, from -----BEGIN CERTIFICATE----- to -----END CERTIFICATE-----, of each authority.',
  });
}

export function clientCertificateError(endpoint: Endpoint, cause: unknown): Pop3Error {
  const { code = 'no code' } = asTrouble(cause);
  return dialError('tls', endpoint, undefined, {
    kind: 'person',
    code: 'E_POP3_CLIENT_CERTIFICATE',
    words: `the client certificate and its key cannot be used (${code})`,
    next: 'Nothing was connected to. Both must be PEM text, the key without a passphrase, and belong together.',
  });
}

function wrongName({ cert }: Trouble): Named {
  const names = cert?.subjectaltname;
  if (names === undefined) {
    const common = String(cert?.subject?.CN ?? 'absent');
    return {
      kind: 'person',
      code: 'E_POP3_TLS_NO_NAME',
      words: `the certificate has no alternative names; its common name (${shown(common)}) does not count (RFC 9525)`,
      next: 'The server needs a certificate with its host among the alternative names: ask whoever runs it.',
    };
  }
  return {
    kind: 'person',
    code: 'E_POP3_TLS_WRONG_NAME',
    words: `the certificate is for another name (it has: ${shown(names)})`,
    next: 'Set the host to a name that the certificate has, or ask whoever runs the server.',
  };
}

function dialError(phase: Pop3Phase, endpoint: Endpoint, cause: unknown, named: Named): Pop3Error {
  const { kind, code, words, next } = named;
  const message = `${phase}: ${endpoint.host}:${endpoint.port}: ${words}. ${next}`;
  const facts = { kind, code, phase, words, next, bytesIn: 0, bytesOut: 0 };
  return new Pop3Error(message, facts, cause === undefined ? undefined : { cause });
}

/** A certificate is written by whoever answers. */
function shown(text: string): string {
  return escapeBytes(Buffer.from(text, 'utf8'));
}

function asTrouble(error: unknown): Trouble {
  return typeof error === 'object' && error !== null ? error : {};
}
