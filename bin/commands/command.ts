import type { FetchPorts } from '../../lib/fetch/ports.ts';
import type { Mailbox } from '../../lib/mailbox/settings.ts';
import type { ExitCode } from '../exitCodes.ts';
import type { Settings } from '../settings.ts';
import type { Terminal } from '../terminal.ts';

/** What every command gets. */
export interface Call {
  readonly settings: Settings;
  readonly mailboxes: readonly Mailbox[];
  readonly ports: FetchPorts;
  readonly terminal: Terminal;
  /** Of messages, where the command is about some. */
  readonly uidls: readonly string[];
  readonly json: boolean;
  /** Of one run. */
  readonly timeLimitMs: number;
  readonly signal: AbortSignal;
  /** The mailbox is one of the command line: there is neither store nor events. */
  readonly isAdHoc?: boolean;
}

export type Command = (call: Call) => Promise<ExitCode>;
