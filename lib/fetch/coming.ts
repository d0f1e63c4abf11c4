/** When to come back after a run that failed, by what it failed of. */
import { type MailboxFailure, type Pace, signInSettings } from '../mailbox/backOff.ts';
import type { Mailbox } from '../mailbox/settings.ts';
import type { Head } from '../mailbox/state.ts';
import { Pop3Error } from '../pop3/errors.ts';
import { SecretError } from '../secrets/port.ts';
import { UNHEARD } from './connectingRemedies.ts';
import type { Trouble } from './report.ts';
import type { Tally } from './runContext.ts';
import { WHATEVER_IS_SHOWN } from './session.ts';
import { isBeforeSecret } from './withoutCapa.ts';

const PACE_OF: Readonly<Record<string, Pace>> = {
  E_POP3_IN_USE: 'lock',
  E_POP3_LOGIN_DELAY: 'delay',
  E_POP3_THROTTLED: 'throttle',
  E_POP3_SIGNIN_UNCLEAR: 'refusal',
  E_POP3_SIGNIN_DROPPED: 'refusal',
  // QUIRK: Gmail accepts the sign-in first, and refuses the listing.
  E_POP3_SWITCHED_OFF: 'refusal',
  E_POP3_WEB_SIGNIN: 'refusal',
  E_POP3_APP_PASSWORD: 'refusal',
  E_POP3_PASSWORD_EXPIRED: 'refusal',
  E_POP3_TOKEN_WANTED: 'refusal',
  // Of a refused sign-in, too: the token of before is no better at the next one.
  E_TOKEN_REVOKED: 'refusal',
  E_TOKEN_REFUSED: 'refusal',
};

const UNCLEAR: ReadonlySet<string> = new Set(['E_POP3_SIGNIN_UNCLEAR', 'E_POP3_SIGNIN_DROPPED']);

/**
 * A person must act, and yet one time proves nothing. QUIRK: Exchange Online says "unknown user name or bad password" to
 * who signs in too often.
 */
const UNCERTAIN: ReadonlySet<string> = new Set([
  'E_POP3_AUTH',
  // Whatever stands before the server may say that it is down in its own protocol.
  'E_POP3_OTHER_PROTOCOL',
  'E_POP3_SIGNIN_REFUSED',
  'E_POP3_TOKEN_REFUSED',
  'E_RUN_UNVOUCHED',
  'E_UNEXPECTED',
]);

export interface Failing {
  readonly mailbox: Mailbox;
  readonly tally: Tally;
  /** Of what was refused. */
  readonly secretMark: string | undefined;
  readonly renewed: boolean;
}

/** Whether another secret may have made a difference. */
export function isOfSecret(error: unknown, { code, phase, kind }: Trouble): boolean {
  if (WHATEVER_IS_SHOWN.has(code)) return false;
  if (PACE_OF[code] === 'refusal' || mayHaveCounted(error)) return true;
  return kind === 'person' && (phase === 'sign-in' || phase === 'secret');
}

/**
 * Behind what signs in no answer of POP3 came, or none at all: for all that is known the server has counted a wrong
 * password. QUIRK: some say no in words of their own, or fall silent.
 */
function mayHaveCounted(error: unknown): boolean {
  if (!(error instanceof Pop3Error) || error.phase !== 'sign-in' || isBeforeSecret(error)) return false;
  return error.kind === 'lost' || error.kind === 'broken';
}

function paceOf(error: unknown, { code, phase, kind }: Trouble): Pace {
  const named = PACE_OF[code];
  if (named !== undefined) return named;
  // More often a server whose accounts cannot be reached than one that says no so: mail must not wait for a day then.
  if (mayHaveCounted(error)) return UNHEARD.has(code) ? 'throttle' : 'refusal';
  return phase === 'sign-in' && kind === 'person' ? 'refusal' : 'trouble';
}

/** How long the server, or who gives the token, asks to be left alone. */
function askedMsOf(error: unknown): number {
  if (error instanceof Pop3Error) return (error.waitSeconds ?? 0) * 1000;
  return error instanceof SecretError ? (error.waitMs ?? 0) : 0;
}

export function mailboxFailure(
  error: unknown,
  trouble: Trouble,
  { mailbox, tally, secretMark, renewed }: Failing,
): MailboxFailure {
  const { code, message, phase, kind } = trouble;
  return {
    code,
    message,
    phase,
    kind,
    unclear: UNCLEAR.has(code),
    pace: paceOf(error, trouble),
    certain: kind === 'person' && !UNCERTAIN.has(code),
    // Another sign-in, whatever became of the last one, must not come before LOGIN-DELAY is over.
    atLeastMs: Math.max(askedMsOf(error), tally.signIns > 0 ? tally.loginDelayMs : 0),
    settings: signInSettings(mailbox),
    secretMark,
    renewed,
    diagnosis: trouble.diagnosis,
  };
}

/** The trouble as it looks by now: what is unclear wants a person once it has lasted. */
export function asItLasts(trouble: Trouble, { backOff }: Head): Trouble {
  return backOff?.code === trouble.code && backOff.kind !== undefined
    ? { ...trouble, kind: backOff.kind }
    : trouble;
}
