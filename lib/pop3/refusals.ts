import type { Pop3ErrorKind } from './errors.ts';

/** What a -ERR would be about: getting in, the mailbox as a whole, or one message. */
export type Scope = 'greeting' | 'sign-in' | 'mailbox' | 'message';

export interface Refusal {
  readonly kind: Pop3ErrorKind;
  readonly code: string;
  readonly next: string;
}

/** RFC 2449 section 8.1 and RFC 3206: trouble that passes. */
const PASSING: Readonly<Record<string, Refusal>> = {
  'IN-USE': {
    kind: 'later',
    code: 'E_POP3_IN_USE',
    next: 'Another session holds the mailbox, perhaps one that was cut off; it is tried again later.',
  },
  'LOGIN-DELAY': {
    kind: 'later',
    code: 'E_POP3_LOGIN_DELAY',
    next: 'The server wants more time between sign-ins; poll this mailbox less often.',
  },
  'SYS/TEMP': {
    kind: 'later',
    code: 'E_POP3_SYS_TEMP',
    next: 'The server has temporary trouble; it is tried again later.',
  },
};

const LASTING: Readonly<Record<string, Refusal>> = {
  'SYS/PERM': {
    kind: 'person',
    code: 'E_POP3_SYS_PERM',
    next: "The trouble is the server's and will last: ask whoever runs it.",
  },
  AUTH: {
    kind: 'person',
    code: 'E_POP3_AUTH',
    next: 'Check the user name and the password; the server says it is these.',
  },
};

const PLAIN: Readonly<Record<Scope, Refusal>> = {
  greeting: {
    kind: 'later',
    code: 'E_POP3_GREETING_REFUSED',
    next: 'The server takes no sessions now; it is tried again later.',
  },
  'sign-in': {
    kind: 'person',
    code: 'E_POP3_SIGNIN_REFUSED',
    next: 'Check the user name and the password, whether POP3 is switched on for the account, and whether it wants an app password.',
  },
  mailbox: {
    kind: 'refused',
    code: 'E_POP3_REFUSED',
    next: 'The connection is still good.',
  },
  message: {
    kind: 'refused',
    code: 'E_POP3_REFUSED',
    next: 'The connection is still good; only this message is concerned.',
  },
};

/**
 * What a -ERR means. For one message it is always 'refused', whatever response code it carries (the code
 * then names it): "try later" about message 7 must not read as "try later" about the mailbox.
 */
export function refusal(scope: Scope, responseCode: string | null): Refusal {
  const code = responseCode ?? '';
  const passing = PASSING[code];
  if (scope === 'message')
    return { ...PLAIN.message, code: passing?.code ?? LASTING[code]?.code ?? PLAIN.message.code };
  if (passing !== undefined) return passing;
  const atTheDoor = scope === 'greeting' || scope === 'sign-in';
  return (atTheDoor ? LASTING[code] : undefined) ?? PLAIN[scope];
}
