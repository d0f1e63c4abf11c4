import type { Mailbox } from '../../lib/mailbox/settings.ts';
import type { ObjectStore } from '../../lib/store/port.ts';
import type { Arguments } from '../arguments.ts';
import type { ExitCode } from '../exitCodes.ts';
import type { Settings } from '../settings.ts';
import type { Host, Terminal } from '../terminal.ts';
import type { Wired } from '../wiring.ts';

/** All that are stored, where both are null. */
export interface Parsing {
  /** The first 32 digits of an object's name. */
  readonly messageId: string | null;
  /** Stored then or later, in ms since the epoch. */
  readonly sinceMs: number | null;
}

/** What every command gets. */
export interface Call {
  readonly settings: Settings;
  readonly mailboxes: readonly Mailbox[];
  readonly ports: Wired;
  readonly terminal: Terminal;
  /** Of messages, where the command is about some. */
  readonly uidls: readonly string[];
  /** Which messages `parse` is about. */
  readonly parsing: Parsing;
  readonly json: boolean;
  /** Of one run. */
  readonly timeLimitMs: number;
  readonly signal: AbortSignal;
  /** The mailbox is one of the command line: there is neither store nor events. */
  readonly isAdHoc?: boolean;
}

export type Command = (call: Call) => Promise<ExitCode>;

/** What a command about a store gets. */
export interface StoreCall {
  readonly given: Arguments;
  readonly host: Host;
  readonly store: ObjectStore;
  readonly terminal: Terminal;
}

export type StoreCommand = (call: StoreCall) => Promise<ExitCode>;
