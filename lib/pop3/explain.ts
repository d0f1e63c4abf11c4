import { certificateAlert } from './dialErrors.ts';
import { Pop3Error, type Pop3ErrorKind, type Pop3Phase } from './errors.ts';
import type { Refusal, Scope } from './refusals.ts';
import type { Mishap } from './wire.ts';

/** One command and the answer it is owed. */
export interface Exchange {
  readonly phase: Pop3Phase;
  /** Null: nothing is sent, the server speaks first. */
  readonly verb: string | null;
  readonly args: readonly string[];
  /** Why it cannot be sent, in words without a full stop. */
  readonly complaint?: string | null;
  readonly scope: Scope;
  /** From the command to its whole status line. */
  readonly statusMs: number;
  /** What it means if the line drops before the first byte of the answer, unless `refused` knows more; otherwise just 'lost'. */
  readonly dropped?: Refusal;
  /** The line behind each "+ " of the server (RFC 5034 section 4); absent: such a line is no answer. */
  readonly answer?: (challenge: string) => Promise<Answer>;
  /** What a -ERR or a dropped line means, where more is known than its scope and words. */
  readonly refused?: (meant: Refusal) => Refusal;
}

/** Behind a challenge: a line, or why there is none, in words without a full stop. */
export type Answer = { readonly line: string } | { readonly complaint: string };

/** Where a session stands when something goes wrong. */
export interface Situation {
  readonly exchange: Exchange;
  /** What is waited for, and how much of it came: octets, of a body unstuffed. */
  readonly part: 'answer' | 'body';
  readonly came: number;
  /** The server's line, escaped. */
  readonly reply: string | undefined;
  readonly bytesIn: number;
  readonly bytesOut: number;
}

export interface Told {
  readonly kind: Pop3ErrorKind;
  readonly code: string;
  /** What happened, without a full stop. */
  readonly words: string;
  /** What comes next or what a person should do. */
  readonly next: string;
  readonly unsent?: boolean;
  readonly waitSeconds?: number;
  readonly cause?: unknown;
}

export const RECONNECT = 'The connection was dropped without QUIT; a new one starts afresh.';

const MISHAPS: Readonly<Record<Mishap, { readonly code: string; readonly words: string }>> = {
  silence: { code: 'E_POP3_TIMEOUT', words: 'the server took too long' },
  deadline: { code: 'E_POP3_DEADLINE', words: 'the time for this session was over' },
  aborted: { code: 'E_POP3_ABORTED', words: 'the session was aborted' },
  ended: { code: 'E_POP3_EOF', words: 'the server ended the connection' },
  broke: { code: 'E_POP3_RESET', words: 'the connection broke' },
};

export function sessionError(situation: Situation, told: Told): Pop3Error {
  const { exchange, reply, bytesIn, bytesOut } = situation;
  const { phase, verb, args } = exchange;
  // What is written while signing in is secret by construction: only its verb is ever a fact.
  const command = verb === null ? undefined : phase === 'sign-in' ? verb : [verb, ...args].join(' ');
  const where = command === undefined ? phase : `${phase} (${command})`;
  const said = reply === undefined ? '' : ` The server said: "${reply}".`;
  const { kind, code, words, next, waitSeconds, unsent = false } = told;
  const facts = { kind, code, phase, words, next, command, reply, waitSeconds, bytesIn, bytesOut, unsent };
  const cause = told.cause === undefined ? undefined : { cause: told.cause };
  return new Pop3Error(`${where}: ${words}.${said} ${next}`, facts, cause);
}

/** Stands where something was written that only the server may read. */
export const LEFT_OUT = '***';

/** A command as it may be seen: of what signs in, the user name behind USER and the mechanism behind AUTH alone (quirk A-14). */
export function visible({ phase, verb, args }: Exchange): string {
  const open = phase !== 'sign-in' ? args.length : verb === 'USER' || verb === 'AUTH' ? 1 : 0;
  return [verb, ...args.slice(0, open), ...(args.length > open ? [LEFT_OUT] : [])].join(' ');
}

/** A line that ended, broke or ran out of time; it says how much had come. */
export function mishap(situation: Situation, what: Mishap, cause: unknown): Told {
  const { code, words } = MISHAPS[what];
  const { dropped } = situation.exchange;
  const alert = what === 'broke' ? certificateAlert(cause) : null;
  if (alert !== null) return { ...alert, cause };
  const unanswered = situation.part === 'answer' && situation.came === 0;
  if (dropped !== undefined && unanswered && (what === 'ended' || what === 'broke')) {
    const meant = situation.exchange.refused?.(dropped) ?? dropped;
    const before = meant.words === undefined ? '' : `${meant.words}; `;
    return { ...meant, words: `${before}${words} without an answer`, cause };
  }
  return { kind: 'lost', code, words: `${words}${soFar(situation)}`, next: RECONNECT, cause };
}

export function soFar({ came, part }: Situation): string {
  return ` after ${came} bytes of the ${part}`;
}
