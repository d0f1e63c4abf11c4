/**
 * Every bound of a session, each with its reason. All are about what a server may make us hold or wait for;
 * the caller's `deadlineMs` cuts every one of the times short.
 */
export interface Pop3Limits {
  /** Octets of a status line, without CRLF. */
  readonly statusLineBytes: number;
  /** Octets of a command line, without CRLF. */
  readonly commandLineBytes: number;
  /** Octets of the whole CAPA answer. */
  readonly capabilityBytes: number;
  /** Octets of one row of UIDL or LIST, without CRLF. */
  readonly listingLineBytes: number;
  /** Rows of UIDL or LIST that are visited; the rest is read, counted and left. */
  readonly listingRows: number;
  /** Octets of a whole UIDL or LIST answer. */
  readonly listingBytes: number;
  /** Octets of a message, unstuffed, where the caller sets no smaller limit. */
  readonly bodyBytes: number;
  /** From the open connection to a whole greeting. */
  readonly greetingMs: number;
  /** From a command to its whole status line. */
  readonly commandMs: number;
  /** The same for USER and PASS. */
  readonly signInMs: number;
  /** The same for UIDL and LIST, and the longest silence between their rows. */
  readonly listingMs: number;
  /** The same for QUIT. */
  readonly quitMs: number;
  /** The longest silence within a body. */
  readonly idleMs: number;
  /** Slowest average a body or listing may have, over `rateWindowMs` (or the allowed silence, if longer). */
  readonly bytesPerSecond: number;
  readonly rateWindowMs: number;
}

const KiB = 1024;
const MiB = 1024 * KiB;
const GiB = 1024 * MiB;

/** A UIDL of RFC 1939 has 70 octets; servers that use file names reached 500. A longer one is known by its hash. */
export const UIDL_MAX_BYTES = 1 * KiB;

export const POP3_LIMITS: Pop3Limits = {
  // RFC 2449 allows 512; error texts that quote a web page are longer.
  statusLineBytes: 8 * KiB,
  // RFC 2449 allows 255, passwords of 200 and more exist. Dovecot cuts off above 2,048; Mailutils answers
  // lines beyond about 512 by echoing them, which is why no secret may ever be shown from a reply.
  commandLineBytes: 2 * KiB,
  // The longest CAPA answers seen have a few hundred octets.
  capabilityBytes: 64 * KiB,
  // As of a status line, which has the UIDL of one message.
  listingLineBytes: 8 * KiB,
  // 150 bytes of memory per row make 150 MB of a million.
  listingRows: 1_000_000,
  // A mailbox of 14.6 million messages is on record (about 440 MB of UIDL), and must still be drained.
  listingBytes: 1 * GiB,
  // Far above what any provider accepts (150 MB), so that only an endless body meets it.
  bodyBytes: 2 * GiB,
  // Servers that look up the client's name in DNS first take 20 to 30 s.
  greetingMs: 60_000,
  commandMs: 60_000,
  // Refusals are delayed on purpose: 60 to 90 s were seen.
  signInMs: 120_000,
  // The first UIDL or LIST of a large mailbox may open every message file: minutes.
  listingMs: 300_000,
  // Committing 5,000 deletes took 90 s; sessions here delete at most 500.
  quitMs: 60_000,
  idleMs: 60_000,
  // A byte a second resets every idle timer for ever; 1 KB/s is slower than any modem.
  bytesPerSecond: 1_000,
  rateWindowMs: 60_000,
};

/** Of the server's words in an error; a line of a log should stay readable. */
export const SHOWN_CHARACTERS = 512;

/** Times of opening a connection. */
export interface DialLimits {
  /** The system's resolver tries each of its servers for 5 s, twice. */
  readonly dnsMs: number;
  /** All addresses together. */
  readonly tcpMs: number;
  /** One address. Node's own 250 ms gives up on servers that answer well, only not that fast. */
  readonly addressMs: number;
  readonly tlsMs: number;
}

export const DIAL_LIMITS: DialLimits = { dnsMs: 20_000, tcpMs: 40_000, addressMs: 10_000, tlsMs: 30_000 };
