/** What a scripted server keeps: messages, and how its mailbox behaves. */
import type { ScriptedAuth } from './scriptedAuth.ts';

export interface ScriptedMessage {
  /** Any latin1 text; '' is a row without id. Need not be unique. */
  readonly uidl: string;
  /** As delivered, unstuffed, the last CRLF included. */
  readonly octets: number;
  /** What LIST says instead of `octets`: another number, or garbage. */
  readonly announced?: string | number;
  /** The content, made anew on each call, in pieces that are never kept. */
  chunks(): Iterable<Buffer>;
}

/** A message of these bytes; a CRLF is added where they do not end in one, as servers do. */
export function mail(uidl: string, content: string | Buffer, announced?: string | number): ScriptedMessage {
  const given = typeof content === 'string' ? Buffer.from(content, 'latin1') : content;
  const ended = given.length === 0 || given.subarray(-2).equals(CRLF);
  const bytes = ended ? given : Buffer.concat([given, CRLF]);
  const message = { uidl, octets: bytes.length, chunks: () => [bytes] };
  return announced === undefined ? message : { ...message, announced };
}

/** A message of any size that is made while it is sent: some headers, then numbered lines. */
export function generatedMail(uidl: string, octets: number): ScriptedMessage {
  return { uidl, octets, chunks: () => generate(uidl, octets) };
}

/** The whole content; for messages of a size that a test may hold. */
export function bytesOf(message: ScriptedMessage): Buffer {
  return Buffer.concat([...message.chunks()]);
}

const CRLF = Buffer.from('\r\n');
/** Some lines begin with a dot, so that stuffing is exercised in every large body. */
const LINES = Buffer.from(
  Array.from({ length: 700 }, (_, at) => `${at % 97 === 0 ? '.' : ''}line ${at} `.padEnd(90, 'abcdefghij'))
    .join('\r\n')
    .concat('\r\n'),
  'latin1',
);

function* generate(uidl: string, octets: number): Iterable<Buffer> {
  const head = `From: sender@example.org\r\nSubject: ${uidl}\r\nMessage-ID: <${uidl}@example.org>\r\n\r\n`;
  let left = octets - 2;
  for (let block = 0; left > 0; block++) {
    // The number makes each block differ, so that one lost or repeated is noticed.
    const title = Buffer.from(block === 0 ? head : `block ${block}\r\n`, 'latin1');
    for (const part of [title, LINES]) {
      const piece = part.subarray(0, Math.max(left, 0));
      left -= piece.length;
      if (piece.length > 0) yield piece;
    }
  }
  if (octets >= 2) yield CRLF;
}

/** How a server treats a mailbox; every field that is absent is as RFC 1939 has it. */
export interface Behaviour {
  /** Lines of CAPA; null: -ERR. */
  readonly capabilities?: readonly string[] | null;
  /** 'ignored': DELE is answered +OK and nothing happens. 'at disconnect': QUIT is not needed. */
  readonly deletes?: 'at QUIT' | 'ignored' | 'at disconnect';
  /** When a message that was retrieved whole is no longer listed. */
  readonly hides?: 'never' | 'at RETR' | 'at QUIT';
  /** A second session is refused with [IN-USE]. */
  readonly exclusive?: boolean;
  /** TOP n 0 sends the whole message. */
  readonly topIsWhole?: boolean;
  /** UIDL is -ERR. */
  readonly withoutUidl?: boolean;
  /** TOP is -ERR. */
  readonly withoutTop?: boolean;
  /** How AUTH is answered; absent: -ERR. */
  readonly auth?: ScriptedAuth;
}

export interface Removal {
  readonly uidl: string;
  readonly message: ScriptedMessage;
  readonly by: 'QUIT' | 'disconnect';
  /** Which connection, from 1. */
  readonly session: number;
}

export interface ScriptedMailbox {
  readonly user: string;
  readonly password: string;
  /** What the server holds; a test may add and take away between sessions. */
  readonly messages: ScriptedMessage[];
  readonly hidden: Set<ScriptedMessage>;
  readonly removals: Removal[];
  openSessions: number;
}
