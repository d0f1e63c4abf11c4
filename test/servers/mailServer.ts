/** What every real POP3 server of the tests is to the suite that runs on all of them. */
import type { Sample } from '../corpus.ts';

export interface MailServer {
  /** Name and version, as the tables show it. */
  readonly title: string;
  /** POP3 without TLS, on 127.0.0.1. */
  readonly port: number;
  /** TLS of its own from the first byte, named localhost; null where it has none. */
  readonly tls: { readonly port: number; readonly ca: string } | null;
  readonly users: readonly User[];
  log(): Promise<string>;
  /** Frees what a session that was cut leaves locked, as whoever runs it has to. */
  afterLostLine?(): Promise<void>;
  /** Ends it with all its processes and removes its folder. */
  stop(): Promise<void>;
}

export interface User {
  readonly name: string;
  readonly password: string;
}

/** The mail of one mailbox, in order. */
export type Mail = readonly Uint8Array[];

/** One thing that a server does to a message on its way from the file to the wire. */
export interface Change {
  readonly words: string;
  /** On bytes as Latin-1. */
  readonly of: (message: string) => string;
}

/** One of them, before it is started. */
export interface MailServerKind {
  /** What it is known to do to mail, in the order in which it does it; the suite looks for no other change. */
  readonly changes: readonly Change[];
  /** A header field that it writes into each message. */
  readonly ownHeader?: RegExp;
  /** It changes mail when a session ends, so that the next one may give other UIDLs and bytes. */
  readonly rewrites?: true;
  /** Why a sample cannot be in a mailbox of the whole corpus; null where it can. */
  keptOut?(sample: Sample): string | null;
  /** `path` is what the suite's installer found. A mailbox for each of `mail`, of users u1, u2, … */
  start(path: string, mail: readonly Mail[]): Promise<MailServer>;
}
