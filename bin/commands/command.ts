import type { Mailbox } from '../../lib/mailbox/settings.ts';
import type { ObjectStore } from '../../lib/store/port.ts';
import type { Arguments } from '../arguments.ts';
import type { ExitCode } from '../exitCodes.ts';
import type { Settings } from '../settings.ts';
import type { Host, Terminal } from '../terminal.ts';
import type { Wired } from '../wiring.ts';

/** All that are stored, where both are null. */
export interface Chosen {
  /** The first 32 digits of an object's name. */
  readonly messageId: string | null;
  /** Stored then or later, in ms since the epoch. */
  readonly sinceMs: number | null;
}

/** Where `export` writes. */
export interface Into {
  readonly mbox: string | undefined;
  readonly maildir: string | undefined;
}

/** What every command gets. */
export interface Call {
  readonly settings: Settings;
  readonly mailboxes: readonly Mailbox[];
  readonly ports: Wired;
  readonly terminal: Terminal;
  /** Of messages, where the command is about some. */
  readonly uidls: readonly string[];
  /** Which messages a command about stored mail is about. */
  readonly chosen: Chosen;
  readonly into: Into;
  /** Whether `verify` asks the mail server, too. */
  readonly server: boolean;
  /** Whether mailboxes were named. */
  readonly named: boolean;
  readonly cwd: string;
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
