import type { Observe } from './observe.ts';
import type { ChannelBinding } from './sasl/scram.ts';

/**
 * What lib/pop3 needs of a byte stream and of time, so that the protocol runs over TLS, over a test's memory
 * and under a simulated clock alike. Reading is pulled: nothing is read that nobody asked for, and that is
 * what carries back-pressure from the object store to the server's socket.
 */
export interface Transport {
  /**
   * The next bytes, at least one; null once the peer has ended its side. End of stream is only ever a fact
   * about the line: a TLS socket ends the same way with and without close_notify. Rejects when the line broke
   * or `destroy` was called. At most one read is pending.
   */
  read(): Promise<Uint8Array | null>;
  /** Bytes that have arrived and were not read yet. While no reply is owed, any is a protocol error. */
  readonly unread: number;
  /** Resolves when the bytes are handed to the operating system. */
  write(bytes: Uint8Array): Promise<void>;
  /** Drops the line at once; a pending read or write rejects. May be called again. */
  destroy(): void;
  /**
   * Only on a line in the clear that must not stay so: the TLS handshake, to be asked for once the server has
   * agreed (RFC 2595) and nothing it sent is unread. Resolves with the line that takes this one's place; rejects
   * as Dial does.
   */
  startTls?(): Promise<Transport>;
  /** Only under TLS. */
  readonly tls?: TlsFacts;
}

/** What a handshake came to. Whoever answered wrote the names, issuer and subject: they are escaped and capped. */
export interface TlsFacts {
  readonly protocol: 'TLSv1.2' | 'TLSv1.3';
  /** As IANA and OpenSSL name it. */
  readonly cipher: string;
  /** The certificate's alternative names, with their kind: "DNS:pop.example.org". */
  readonly names: readonly string[];
  readonly issuer: string;
  readonly subject: string;
  /** Epoch milliseconds. */
  readonly validFromMs: number;
  readonly validToMs: number;
  /** Of the server's key, as `serverKeys` wants it. */
  readonly keyHash: string;
  /** What a sign-in can be bound to; null where there is nothing that both sides would agree on. */
  binding(): ChannelBinding | null;
}

/** The part of a clock that deadlines need. */
export interface Timer {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Calls `fire` once after `delayMs`; the returned function cancels it. */
  after(delayMs: number, fire: () => void): () => void;
}

/** Where a mailbox's server is and how its identity is proved. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
  /** Certificate authorities to trust instead of the system's, PEM. */
  readonly ca?: string;
  /**
   * Keys, "sha256:" and the base64 of the SHA-256 of a SubjectPublicKeyInfo: the server must have one of them, and neither
   * its certificate's issuer, nor its name or dates are asked for.
   */
  readonly serverKeys?: readonly string[];
  /** Shown to a server that asks for one, PEM. */
  readonly clientCertificate?: { readonly certificate: string; readonly key: string };
  /**
   * implicit (default): from the first byte (RFC 8314). stls: behind the greeting (RFC 2595), and without it no
   * session. none: everybody on the way can read the password and the mail.
   */
  readonly tls?: 'implicit' | 'stls' | 'none';
}

/**
 * Opens a connection as the endpoint's `tls` has it: after the TLS handshake (1.2 or newer, name verified), or in the
 * clear, for 'stls' with `startTls`. Rejects with a Pop3Error that names the phase (dns, tcp, tls). `signal` drops the
 * attempt, and the handshake of `startTls` too. `observe` sees addresses, connection and handshakes.
 */
export type Dial = (endpoint: Endpoint, signal: AbortSignal, observe?: Observe) => Promise<Transport>;
