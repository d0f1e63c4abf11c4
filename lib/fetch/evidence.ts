/** What can be told of a failed sign-in afterwards: the error says nothing of what was shown, and must not. */
import type { Mailbox } from '../mailbox/settings.ts';
import { Pop3Error } from '../pop3/errors.ts';
import type { Secret } from '../secrets/port.ts';
import type { Evidence } from './advised.ts';
import type { Clock } from './ports.ts';
import { type TokenFacts, tokenFacts } from './tokenFacts.ts';

/** By the error that came of it. */
const shown = new WeakMap<Error, TokenFacts>();

/** Of a token, what may be seen; nothing of anything else. */
export function noteShown(error: unknown, { signIn: { token } }: Mailbox, credential: Secret | null): void {
  if (token === undefined || credential === null || !(error instanceof Pop3Error)) return;
  if (error.phase === 'sign-in') shown.set(error, tokenFacts(credential.reveal()));
}

export function evidenceOf(error: unknown, { now }: Pick<Clock, 'now'>): Evidence {
  const token = error instanceof Error ? (shown.get(error) ?? null) : null;
  return { nowMs: now(), token, chain: [] };
}
