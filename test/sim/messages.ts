/** A message as the simulated server holds it, as it goes over the wire, and as a right client must see it. */
import { createHash, hash } from 'node:crypto';

/**
 * Where its bytes end the process that meets them; 'unsayable': the bus never takes an event about it; 'refused':
 * its RETR is always answered -ERR.
 */
export type Poison = 'none' | 'retr' | 'summary' | 'announce' | 'unsayable' | 'refused';

export interface Message {
  readonly number: number;
  uidl: string;
  readonly bytes: Buffer;
  /** The body of RETR and of TOP n 0, terminator included. */
  readonly wire: Buffer;
  readonly topWire: Buffer;
  /** The body of RETR without stuffing. */
  readonly bareWire: Buffer;
  /** The octets that a right client gets; null: a server that stuffs no dots makes it cut itself. */
  readonly truth: Buffer | null;
  /** By that it loses dots, and shows it: a line begins with one that is not stuffed. */
  readonly losesDots: boolean;
  readonly sha256: string;
  readonly headerHash: string;
  /** The same by TOP. */
  readonly topHash: string;
  /** Whether its header has what tells it from others. */
  readonly identified: boolean;
  /** LIST's word for its size, and what that is as a number. */
  readonly listed: string;
  readonly listSize: number | null;
  readonly poison: Poison;
  gone: 'no' | 'by us' | 'by others';
  hidden: boolean;
  /** The message whose header it bears: its own number, or an earlier one's. */
  readonly family: number;
}

export interface Making {
  readonly number: number;
  readonly uidl: string;
  readonly bytes: Buffer;
  readonly listed: string;
  readonly poison: Poison;
  readonly family: number;
}

export interface Manner {
  readonly stuffs: boolean;
  readonly top: 'headers' | 'refused' | 'whole' | 'other bytes';
}

/** Its key has this and its content in it, and nothing else. */
export const NAMELESS = 'nouidl';

const CRLF = Buffer.from('\r\n');

export function messageOf(making: Making, { stuffs, top }: Manner): Message {
  const { bytes } = making;
  const bareWire = onTheWire(bytes, false);
  const wire = stuffs ? onTheWire(bytes, true) : bareWire;
  const truth = stuffs ? bytes : asReceived(wire);
  const head = top === 'whole' ? bytes : headOf(bytes);
  const shown = top === 'other bytes' ? Buffer.concat([Buffer.from('X-Top: 1\r\n'), head]) : head;
  const topWire = onTheWire(shown, stuffs);
  const size = /^\d+$/.test(making.listed) ? Number(making.listed) : null;
  return {
    ...making,
    wire,
    bareWire,
    topWire,
    truth,
    losesDots: /(^|\r\n)\.(?!\.|\r\n)/.test(wire.toString('latin1')),
    sha256: hash('sha256', truth ?? bytes, 'hex'),
    headerHash: headerHash(truth ?? bytes),
    topHash: headerHash(asReceived(topWire) ?? shown),
    identified: /^(message-id|received):/im.test(head.toString('latin1')),
    listSize: size,
    gone: 'no',
    hidden: false,
  };
}

function onTheWire(bytes: Buffer, stuffs: boolean): Buffer {
  const text = bytes.toString('latin1');
  const lines = stuffs ? text.replaceAll('\r\n.', '\r\n..').replace(/^\./, '..') : text;
  return Buffer.from(`${lines}.\r\n`, 'latin1');
}

/** What RFC 1939 makes of it; null where the first terminator is not its end. */
function asReceived(wire: Buffer): Buffer | null {
  const text = wire.toString('latin1');
  const end = text.startsWith('.\r\n') ? 0 : text.indexOf('\r\n.\r\n') + 2;
  if (end + 3 !== text.length) return null;
  return Buffer.from(text.slice(0, end).replaceAll('\r\n.', '\r\n').replace(/^\./, ''), 'latin1');
}

/** Headers and the empty line behind them, as TOP n 0 gives them. */
function headOf(bytes: Buffer): Buffer {
  if (bytes.subarray(0, 2).equals(CRLF)) return bytes.subarray(0, 2);
  const end = bytes.indexOf('\r\n\r\n');
  return end < 0 ? bytes : bytes.subarray(0, end + 4);
}

function headerHash(bytes: Buffer): string {
  const text = bytes.toString('latin1');
  const empty = /(^|\n)\r*\n/.exec(text);
  const end = empty === null ? text.length : empty.index + (empty[1] ?? '').length;
  return hash('sha256', bytes.subarray(0, end), 'hex').slice(0, 32);
}

/** The stem of a message's keys, by the rule and not by the engine's code; of all that have no UIDL it is one. */
export function stemOf(mailbox: string, uidl: string): string {
  if (uidl === '') return `mail/${mailbox}/${NAMELESS}`;
  const digest = createHash('sha256');
  for (const part of [mailbox, uidl]) {
    const bytes = Buffer.from(part, 'latin1');
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    digest.update(length).update(bytes);
  }
  return `mail/${mailbox}/${digest.digest('hex').slice(0, 32)}`;
}
