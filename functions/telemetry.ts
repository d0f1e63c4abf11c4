/** What functions say of themselves: lines for a person, and figures for alarms. */

/** `debug` is written where somebody asks for it only. */
export type Level = 'debug' | 'info' | 'warn' | 'error';

/**
 * Figures and their units. None has a dimension that names a mailbox: each would be paid for, and ten thousand could not be
 * looked at. MailboxesFailing, MessagesSetAside and OldestSuccessAgeSeconds are of the mailboxes of one job: look at the
 * maximum. All others are sums.
 */
export const FIGURES = {
  JobsSent: 'Count',
  MailboxesBroken: 'Count',
  Runs: 'Count',
  RunsFailed: 'Count',
  MessagesStored: 'Count',
  BytesStored: 'Bytes',
  MessagesDeleted: 'Count',
  MessagesSetAside: 'Count',
  /** Those that a person was told of. */
  MailboxesFailing: 'Count',
  OldestSuccessAgeSeconds: 'Seconds',
  Throttles: 'Count',
} as const;

export type Figure = keyof typeof FIGURES;

export interface Telemetry {
  /** No subject, address or secret may be in it. */
  readonly log: (level: Level, message: string, fields: object) => void;
  readonly count: (figure: Figure, value: number) => void;
}
