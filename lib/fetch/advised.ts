/** Troubles of getting in, as a diagnosis: the step, what was said there, what is known, and the next thing to do. */
import { providerOf } from '../mailbox/providerOf.ts';
import type { Provider } from '../mailbox/providers.ts';
import type { Mailbox } from '../mailbox/settings.ts';
import type { Diagnosis } from '../mailbox/state.ts';
import { Pop3Error } from '../pop3/errors.ts';
import type { Certificate } from '../pop3/observe.ts';
import { SecretError } from '../secrets/port.ts';
import { aadstsOf } from './oauthRemedies.ts';
import { type Remedy, remedyFor } from './remedies.ts';
import type { Trouble } from './report.ts';
import { type TokenFacts, tokenWords } from './tokenFacts.ts';
import { troubleOf } from './trouble.ts';

/** A provider that wants something else than the account's password says any of these. */
const REFUSED: ReadonlySet<string> = new Set([
  'E_POP3_AUTH',
  'E_POP3_SIGNIN_REFUSED',
  'E_POP3_SIGNIN_UNCLEAR',
  'E_POP3_SIGNIN_DROPPED',
  'E_POP3_SYS_PERM',
  'E_POP3_SWITCHED_OFF',
  'E_POP3_APP_PASSWORD',
  'E_POP3_WEB_SIGNIN',
  'E_POP3_TOKEN_WANTED',
]);

/** Where no POP3 server answers, it is one of these that fails. */
const BEFORE_SIGN_IN: ReadonlySet<string> = new Set(['dns', 'tcp', 'tls', 'greeting']);

/** Of a session that was got into: what fails then is no matter of getting in. */
const INSIDE: ReadonlySet<string> = new Set(['top', 'retr', 'dele', 'noop', 'quit']);

/** A head has room for one such text, and an event for it too. */
const FACT_CHARACTERS = 512;
const WORDS_CHARACTERS = 2_000;

/** What was seen on the way in. */
export interface Evidence {
  readonly nowMs: number;
  /** Of the token that was tried; null: there was none. */
  readonly token: TokenFacts | null;
  /** What the server presented; empty where that was not looked at. */
  readonly chain: readonly Certificate[];
}

/** The trouble of an error; with its diagnosis and advice, where it is one of getting in. */
export function advised(error: unknown, mailbox: Mailbox, evidence: Evidence): Trouble {
  const trouble = troubleOf(error, mailbox.id);
  if (!(error instanceof Pop3Error || error instanceof SecretError) || INSIDE.has(trouble.phase))
    return trouble;
  const provider = providerOf(mailbox.host);
  const { code, phase: step, message } = trouble;
  const told = toldBy(error);
  const { token } = mailbox.signIn;
  const grant = token && 'grant' in token ? token.grant : null;
  const facts = { mailbox, provider, grant, code, step, told, ...evidence };
  const remedy = remedyFor(facts);
  const general = error.next;
  const { next, source } = remedy
    ? { next: remedy.next(facts), source: remedy.source }
    : providersAdvice(general, trouble, evidence, provider);
  // What is known better takes the place of what is said to everybody.
  const bare = withoutEnd(message, general);
  const see = source === undefined ? '' : ` See ${source}`;
  return {
    ...trouble,
    message: `${bare} ${next}${see}`.trim(),
    diagnosis: {
      step,
      says: capped(said(error), WORDS_CHARACTERS),
      next: capped(next, WORDS_CHARACTERS),
      facts: factsOf({ error, mailbox, trouble, provider, evidence, remedy, source, told }),
    },
  };
}

/** What the provider is known to want of passwords; it says nothing of tokens. */
function providersAdvice(
  general: string,
  { code, phase }: Trouble,
  { token }: Evidence,
  provider: Provider | undefined,
): { readonly next: string; readonly source?: string | undefined } {
  const isNobody = provider?.noPop3 === true && BEFORE_SIGN_IN.has(phase);
  const isRefused = token === null && REFUSED.has(code);
  if (provider === undefined || !(isNobody || isRefused)) return { next: general };
  return { next: `${general} ${provider.signIn}`.trim(), source: provider.sources[0] };
}

function said(error: Pop3Error | SecretError): string {
  if (error instanceof SecretError) return withoutEnd(error.message, error.next);
  return error.reply ?? error.words;
}

/** Neither what a reference is called nor what we say ourselves decides what is advised. */
function toldBy(error: Pop3Error | SecretError): string {
  if (error instanceof Pop3Error) return error.reply ?? '';
  const begin = `${error.reference}: `;
  const words = said(error);
  return words.startsWith(begin) ? words.slice(begin.length) : words;
}

function withoutEnd(text: string, end: string): string {
  return text.endsWith(end) ? text.slice(0, text.length - end.length).trimEnd() : text;
}

interface Known {
  readonly error: Pop3Error | SecretError;
  readonly mailbox: Mailbox;
  readonly trouble: Trouble;
  readonly provider: Provider | undefined;
  readonly evidence: Evidence;
  readonly remedy: Remedy | undefined;
  readonly source: string | undefined;
  readonly told: string;
}

/** Texts alone, so that a program need not know which there are. */
function factsOf({
  error,
  mailbox,
  trouble,
  provider,
  evidence,
  remedy,
  source,
  told,
}: Known): Diagnosis['facts'] {
  const { host, port, tls } = mailbox;
  const aadsts = error instanceof SecretError ? aadstsOf(told) : null;
  const facts = {
    code: trouble.code,
    host,
    port: String(port),
    tls,
    provider: provider?.name,
    command: error instanceof Pop3Error ? error.command : undefined,
    words: error instanceof Pop3Error ? error.words : undefined,
    aadsts: aadsts === null ? undefined : String(aadsts),
    ...(evidence.token === null ? {} : tokenWords(evidence.token)),
    certificate: evidence.chain[0]?.subject,
    issuer: evidence.chain[0]?.issuer,
    advice: remedy?.id,
    source,
  };
  return Object.fromEntries(
    Object.entries(facts).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, capped(value, FACT_CHARACTERS)]],
    ),
  );
}

function capped(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most - 1).toWellFormed()}…`;
}
