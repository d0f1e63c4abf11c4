/**
 * One error class, whose `kind` answers the caller's question: may I go on, come back later, or must a person
 * act? Everything in it may be shown: the command is its verb and message number only, what was written while
 * signing in never gets here, and the server's words are escaped and capped.
 */
export type Pop3ErrorKind =
  /** The server said -ERR; the connection is still good. */
  | 'refused'
  /** What came is not POP3, or not the reply that was owed: drop, no QUIT. */
  | 'broken'
  /** The line ended, stalled or ran out of time: drop, no QUIT. */
  | 'lost'
  /** In use, login delay, temporary trouble: the same will work later. */
  | 'later'
  /** Sign-in refused, certificate, wrong name: a person must act. */
  | 'person';

export type Pop3Phase =
  | 'dns'
  | 'tcp'
  | 'tls'
  | 'greeting'
  | 'stls'
  | 'capa'
  | 'sign-in'
  | 'uidl'
  | 'list'
  | 'top'
  | 'retr'
  | 'dele'
  | 'noop'
  | 'quit';

export interface Pop3Facts {
  readonly kind: Pop3ErrorKind;
  /** Stable, for programs: E_POP3_… */
  readonly code: string;
  readonly phase: Pop3Phase;
  /** What happened, and what comes next or a person should do; the message has both. */
  readonly words?: string;
  readonly next?: string;
  /** The verb and message number, for example "RETR 7"; never an argument of signing in. */
  readonly command?: string | undefined;
  /** The server's own first line, escaped, at most 512 characters. */
  readonly reply?: string | undefined;
  /** How long the server asks to stay away, where it says so. */
  readonly waitSeconds?: number | undefined;
  /** Bytes received and sent on the connection so far. */
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** Nothing of the command was sent: what is wrong was there before it. */
  readonly unsent?: boolean;
}

export class Pop3Error extends Error {
  readonly kind: Pop3ErrorKind;
  readonly code: string;
  readonly phase: Pop3Phase;
  readonly words: string;
  readonly next: string;
  readonly command: string | undefined;
  readonly reply: string | undefined;
  readonly waitSeconds: number | undefined;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly unsent: boolean;

  constructor(message: string, facts: Pop3Facts, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'Pop3Error';
    this.kind = facts.kind;
    this.code = facts.code;
    this.phase = facts.phase;
    this.words = facts.words ?? message;
    this.next = facts.next ?? '';
    this.command = facts.command;
    this.reply = facts.reply;
    this.waitSeconds = facts.waitSeconds;
    this.bytesIn = facts.bytesIn;
    this.bytesOut = facts.bytesOut;
    this.unsent = facts.unsent ?? false;
  }
}
