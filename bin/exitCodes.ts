import type { RunReport, Trouble } from '../lib/fetch/report.ts';

/** What the command's exit code tells a script; `mailferry --help` has the same table. */
export const EXIT = {
  done: 0,
  /** A mistake of Mailferry's own. */
  unexpected: 1,
  /** The command line or the settings file is wrong. */
  usage: 2,
  /** Network, lock, throttle, or the time was up: the same command works later. */
  later: 3,
  /** Sign-in, certificate, secret or permission: a person must act. */
  person: 4,
  /** Some messages failed or were set aside; all others are stored. */
  messages: 5,
  /** By SIGINT or SIGTERM, in order. */
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Mildest first: of several mailboxes the worst one decides. */
const RANKS: readonly ExitCode[] = [
  EXIT.done,
  EXIT.messages,
  EXIT.later,
  EXIT.person,
  EXIT.usage,
  EXIT.interrupted,
  EXIT.unexpected,
];

export function worst(codes: readonly ExitCode[]): ExitCode {
  return codes.reduce((a, b) => (RANKS.indexOf(b) > RANKS.indexOf(a) ? b : a), EXIT.done);
}

export function exitCodeOfTrouble(trouble: Trouble | null): ExitCode {
  if (trouble === null) return EXIT.done;
  if (trouble.code === 'E_UNEXPECTED') return EXIT.unexpected;
  return trouble.kind === 'person' ? EXIT.person : EXIT.later;
}

export function exitCodeOfRun({ outcome, counts, error }: RunReport): ExitCode {
  if (error !== null) return exitCodeOfTrouble(error);
  if (outcome !== 'done') return EXIT.later;
  return counts.failed + counts.setAside > 0 ? EXIT.messages : EXIT.done;
}

/** The command line is wrong. The message says what to do. */
export class UsageError extends Error {
  readonly code = 'E_USAGE';
  override readonly name = 'UsageError';
}
