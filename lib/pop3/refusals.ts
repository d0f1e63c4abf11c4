import type { Pop3ErrorKind } from './errors.ts';
import type { Status } from './replies.ts';
import { type Meaning, meaningOf, secondsAsked } from './wordings.ts';

/** What a -ERR would be about: getting in, the mailbox as a whole, or one message. */
export type Scope = 'greeting' | 'stls' | 'sign-in' | 'mailbox' | 'message';

export interface Refusal {
  readonly kind: Pop3ErrorKind;
  readonly code: string;
  readonly next: string;
  /** What happened, without a full stop, where it is more than that the server refused. */
  readonly words?: string;
  /** How long the server asks to stay away, where it says so. */
  readonly waitSeconds?: number;
}

const IN_USE: Refusal = {
  kind: 'later',
  code: 'E_POP3_IN_USE',
  next: 'Another session holds the mailbox, perhaps one that was cut off; it is tried again later.',
};

export const SYS_TEMP: Refusal = {
  kind: 'later',
  code: 'E_POP3_SYS_TEMP',
  next: 'The server has temporary trouble; it is tried again later.',
};

/** RFC 2449 section 8.1 and RFC 3206: trouble that passes. QUIRK: some have the codes of IMAP (RFC 5530) here, too. */
const PASSING: Readonly<Record<string, Refusal>> = {
  'IN-USE': IN_USE,
  'LOGIN-DELAY': {
    kind: 'later',
    code: 'E_POP3_LOGIN_DELAY',
    next: 'The server wants more time between sign-ins; poll this mailbox less often.',
  },
  'SYS/TEMP': SYS_TEMP,
  INUSE: IN_USE,
  UNAVAILABLE: SYS_TEMP,
  SERVERBUG: SYS_TEMP,
  OVERQUOTA: SYS_TEMP,
};

/** The same without a code, by the server's words. */
const BY_WORDS: Readonly<Record<Meaning, Refusal>> = {
  'in use': IN_USE,
  temporary: SYS_TEMP,
  throttled: {
    kind: 'later',
    code: 'E_POP3_THROTTLED',
    next: 'The server wants fewer sign-ins, connections or bytes; it is tried again later. If it goes on, poll less often, or lower connectionsPerHost.',
  },
  unclear: {
    kind: 'later',
    code: 'E_POP3_SIGNIN_UNCLEAR',
    next: 'This may pass by itself, and is tried again later, seldom. If it goes on: check the user name and the password, whether the account is locked, and whether POP3 is switched on for it.',
  },
  'switched off': {
    kind: 'person',
    code: 'E_POP3_SWITCHED_OFF',
    next: "Switch POP3 on in the account's settings at the provider, or ask its administrator to.",
  },
  'app password': {
    kind: 'person',
    code: 'E_POP3_APP_PASSWORD',
    next: 'Make an app password (an authorization code) at the provider, and put it in place of the account’s own.',
  },
  'password expired': {
    kind: 'person',
    code: 'E_POP3_PASSWORD_EXPIRED',
    next: 'Set a new password for the account at the provider, and put it in place of the old one.',
  },
  'token wanted': {
    kind: 'person',
    code: 'E_POP3_TOKEN_WANTED',
    next: 'The server takes no passwords, but access tokens (OAuth): set signIn.token in place of the password, or a preset.',
  },
  'web sign-in': {
    kind: 'person',
    code: 'E_POP3_WEB_SIGNIN',
    next: 'Sign in to the account with a web browser once, and confirm what the provider asks there.',
  },
  'TLS wanted': {
    kind: 'person',
    code: 'E_POP3_TLS_WANTED',
    next: 'The server takes passwords over TLS only: set tls to implicit with its TLS port, which is 995 nearly everywhere, or to stls.',
  },
  'no mechanism': {
    kind: 'person',
    code: 'E_POP3_MECHANISM',
    words: 'the server does not take this way of signing in',
    next: 'That says nothing of the password or token: ask whoever runs the server which way it takes, and set signIn.mechanism to that.',
  },
};

const AUTH: Refusal = {
  kind: 'person',
  code: 'E_POP3_AUTH',
  next: 'Check the user name and the password; the server says it is these.',
};

const SYS_PERM: Refusal = {
  kind: 'person',
  code: 'E_POP3_SYS_PERM',
  next: "The trouble is the server's and will last: ask whoever runs it.",
};

const LASTING: Readonly<Record<string, Refusal>> = {
  'SYS/PERM': SYS_PERM,
  CONTACTADMIN: SYS_PERM,
  AUTH,
  AUTHENTICATIONFAILED: AUTH,
  AUTHORIZATIONFAILED: AUTH,
  EXPIRED: BY_WORDS['password expired'],
  PRIVACYREQUIRED: BY_WORDS['TLS wanted'],
};

/** QUIRK: Mailu refuses USER in the clear as an "invalid command", and announces STLS. */
export const TLS_WANTED: Refusal = BY_WORDS['TLS wanted'];

const PLAIN: Readonly<Record<Scope, Refusal>> = {
  greeting: {
    kind: 'later',
    code: 'E_POP3_GREETING_REFUSED',
    next: 'The server takes no sessions now; it is tried again later.',
  },
  // A server without STLS, or somebody in between who takes it away: both look the same from here.
  stls: {
    kind: 'person',
    code: 'E_POP3_TLS_REQUIRED',
    next: 'The mailbox wants STLS, so nothing secret was sent. Use tls: implicit with the port for it, usually 995; if the server is known to have STLS, somebody in between may be taking it away.',
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

/** Before anybody has signed in, it is the address that is not let in. */
const SHUT_OUT_HERE: Refusal = {
  ...BY_WORDS.unclear,
  next: 'The server does not let this address in, perhaps for a while: it is tried again later, seldom. If it goes on, ask whoever runs it.',
};

/** Neither a code nor words say more. */
export const SIGNIN_REFUSED: Refusal = PLAIN['sign-in'];

/**
 * What a -ERR means. For one message it is always 'refused', whatever response code or words it carries (a code
 * then names it): "try later" about message 7 must not read as "try later" about the mailbox.
 */
export function refusal(scope: Scope, { code, text }: Pick<Status, 'code' | 'text'>): Refusal {
  const passing = inTable(PASSING, code);
  if (scope === 'message')
    return { ...PLAIN.message, code: passing?.code ?? inTable(LASTING, code)?.code ?? PLAIN.message.code };
  const meant = passing ?? ofTheMailbox(scope, code, text);
  const waitSeconds = meant.kind === 'later' ? secondsAsked(text) : null;
  return waitSeconds === null ? meant : { ...meant, waitSeconds };
}

/** RFC 2449 section 8: what stands behind a "/" only says more. */
function inTable(table: Readonly<Record<string, Refusal>>, code: string | null): Refusal | undefined {
  for (let known = code ?? ''; known !== ''; known = known.slice(0, Math.max(known.lastIndexOf('/'), 0)))
    if (Object.hasOwn(table, known)) return table[known];
  return undefined;
}

function ofTheMailbox(scope: Exclude<Scope, 'message'>, code: string | null, text: Buffer): Refusal {
  const meaning = meaningOf(text);
  // QUIRK: Gmail refuses under [AUTH] what it throttles, and under [SYS/PERM] where POP is switched off. Only
  // words that name nothing of a password outweigh a code.
  const words = meaning === null || (code !== null && meaning === 'unclear') ? null : BY_WORDS[meaning];
  // Before the sign-in no word is about the account.
  if (scope === 'stls') return words?.kind === 'later' && meaning !== 'unclear' ? words : PLAIN.stls;
  // After a sign-in that was accepted, no word is about the sign-in.
  if (scope === 'mailbox')
    return words === null || meaning === 'unclear' || meaning === 'no mechanism' ? PLAIN.mailbox : words;
  if (scope === 'greeting' && meaning === 'unclear') return SHUT_OUT_HERE;
  const lasting = inTable(LASTING, code);
  if (lasting === SYS_PERM && words?.kind === 'later') return lasting;
  // QUIRK: Yandex: "[AUTH] login failure or POP3 disabled, try later".
  if (lasting === AUTH && meaning === 'unclear') return { ...AUTH, next: SIGNIN_REFUSED.next };
  return words ?? lasting ?? PLAIN[scope];
}
