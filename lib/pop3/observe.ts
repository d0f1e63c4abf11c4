/**
 * What can be seen of a line from outside, as it happens. Nothing secret is in it, by construction: what is written while
 * signing in is left out where it is written, by its place, and server text has passed `Show`.
 */
export type Seen =
  | { readonly what: 'addresses'; readonly addresses: readonly KnownAddress[] }
  | { readonly what: 'connected'; readonly address: string; readonly port: number }
  /** After the handshake. Not trusted: an error follows, and nothing was sent. */
  | ({ readonly what: 'handshake'; readonly trusted: boolean } & Handshake)
  /** One command, or what takes its place, without CRLF. */
  | { readonly what: 'said'; readonly line: string }
  /** A status line or a line of CAPA, escaped and capped, or withheld. */
  | { readonly what: 'heard'; readonly line: string }
  /** A body whole: octets, unstuffed. */
  | { readonly what: 'body'; readonly octets: number }
  /** Why the line is of no use any more, in words without a full stop. */
  | { readonly what: 'dropped'; readonly code: string; readonly words: string };

/** Called in the middle of the conversation: it must return at once and not throw. */
export type Observe = (seen: Seen) => void;

export interface KnownAddress {
  readonly address: string;
  /** "public", or what it is that the public cannot reach. */
  readonly what: string;
}

export interface Handshake {
  /** As OpenSSL names it: TLSv1.3. */
  readonly protocol: string;
  /** IANA's name. */
  readonly cipher: string;
  /** What the server presented, its own first; where an issuer is trusted and was not sent, that too. At most ten. */
  readonly chain: readonly Certificate[];
}

/** All text is escaped and capped: a certificate is written by whoever answers. */
export interface Certificate {
  readonly subject: string;
  readonly issuer: string;
  /** Alternative names, as "DNS:…" and "IP Address:…". */
  readonly names: readonly string[];
  /** Epoch milliseconds. */
  readonly validFromMs: number;
  readonly validToMs: number;
  /** "sha256:" and the base64 of the SHA-256 of its SubjectPublicKeyInfo. */
  readonly keyHash: string;
  /** Where its issuer's certificate can be had, as it says itself; null: it does not. */
  readonly issuerAt: string | null;
}
