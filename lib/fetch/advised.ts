/** Troubles of getting in, with what the provider is known to want as the next step. */
import { providerOf } from '../mailbox/providerOf.ts';
import type { Mailbox } from '../mailbox/settings.ts';
import type { Trouble } from './report.ts';

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
]);

/** Where no POP3 server answers, it is one of these that fails. */
const BEFORE_SIGN_IN: ReadonlySet<string> = new Set(['dns', 'tcp', 'tls', 'greeting']);

export function advised(trouble: Trouble, { host }: Pick<Mailbox, 'host'>): Trouble {
  const provider = providerOf(host);
  if (provider === undefined) return trouble;
  const isNobody = provider.noPop3 === true && BEFORE_SIGN_IN.has(trouble.phase);
  if (!isNobody && !REFUSED.has(trouble.code)) return trouble;
  return { ...trouble, message: `${trouble.message} ${provider.signIn} See ${provider.sources[0]}` };
}
