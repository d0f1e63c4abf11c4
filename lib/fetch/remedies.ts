/**
 * What to do where getting in failed, as data: the first row that applies is told. Sources are the providers' own pages.
 * Words for a person; nothing else is decided by them.
 *
 * Held against copies of the pages, and not against the services: scopes, application permissions, the PowerShell
 * commands, which OBJECT_ID is meant, and shared mailboxes against the source of Microsoft's
 * (github.com/MicrosoftDocs/office-developer-exchange-docs); Gmail's scope against Google's. How long a change takes is as
 * people tell of it.
 */
import type { Provider } from '../mailbox/providers.ts';
import type { Mailbox } from '../mailbox/settings.ts';
import type { Certificate } from '../pop3/observe.ts';
import { CONNECTING } from './connectingRemedies.ts';
import { OAUTH_REMEDIES } from './oauthRemedies.ts';
import type { TokenFacts } from './tokenFacts.ts';

export interface SignInFacts {
  readonly mailbox: Pick<Mailbox, 'host' | 'port' | 'tls' | 'user'>;
  readonly provider: Provider | undefined;
  /** By which its tokens are had; null: by none. */
  readonly grant: string | null;
  /** Of the trouble: E_…, and the phase. */
  readonly code: string;
  readonly step: string;
  /** In the words of the server or the token endpoint; empty where it said nothing. */
  readonly told: string;
  /** Of the token that was refused; null: none was used, or it could not be had. */
  readonly token: TokenFacts | null;
  /** What the server presented, where that was seen. */
  readonly chain: readonly Certificate[];
  readonly nowMs: number;
}

export interface Remedy {
  /** Stable, for tests and for searching. */
  readonly id: string;
  readonly applies: (facts: SignInFacts) => boolean;
  readonly next: (facts: SignInFacts) => string;
  readonly source: string;
}

const EXCHANGE_OAUTH =
  'https://learn.microsoft.com/en-us/exchange/client-developer/legacy-protocols/how-to-authenticate-an-imap-pop-smtp-application-by-using-oauth';
const EXCHANGE_POP = 'https://learn.microsoft.com/en-us/powershell/module/exchangepowershell/set-casmailbox';
const OUTLOOK_POP =
  'https://support.microsoft.com/en-us/office/pop-imap-and-smtp-settings-for-outlook-com-d088b986-291d-42b8-9564-9c414e2aa040';
const GMAIL_XOAUTH2 = 'https://developers.google.com/workspace/gmail/imap/xoauth2-protocol';
const GMAIL_POP = 'https://support.google.com/mail/answer/7104828';
const RFC_BEARER = 'https://www.rfc-editor.org/rfc/rfc7628#section-3.2.2';

/** Exchange Online, by its names and by the ids that its application has in every directory. */
const EXCHANGE_AUDIENCES: ReadonlySet<string> = new Set([
  'https://outlook.office365.com',
  'https://outlook.office.com',
  '00000002-0000-0ff1-ce00-000000000000',
]);

const POP_SCOPE = 'https://outlook.office.com/POP.AccessAsUser.All';

const refusedToken = ({ code, token }: SignInFacts) => code === 'E_POP3_TOKEN_REFUSED' && token !== null;
const readable = (facts: SignInFacts) => refusedToken(facts) && facts.token?.form === 'JWT';
const ofMicrosoft = (facts: SignInFacts) => readable(facts) && facts.provider?.signsInWith === 'microsoft';
/** Nobody signed in for it: an application did, by client credentials. */
const ofApplication = (facts: SignInFacts) => ofMicrosoft(facts) && facts.token?.scopes.length === 0;
const ofPerson = (facts: SignInFacts) => ofMicrosoft(facts) && facts.token?.scopes.length !== 0;
const hasScope = ({ token }: SignInFacts, name: string) =>
  token?.scopes.some((scope) => scope.toLowerCase().endsWith(name.toLowerCase())) === true;
/** A name without its domain is as good as one with it. */
const isAnothers = ({ token, mailbox: { user } }: SignInFacts) => {
  const names = [token?.user ?? user, user].map((name) => name.toLowerCase());
  const whole = names.every((name) => name.includes('@'));
  return new Set(whole ? names : names.map((name) => name.split('@')[0])).size > 1;
};
/** A token that was given out, and that the mail server refused. */
const REFUSED_TOKENS: readonly Remedy[] = [
  {
    id: 'token-expired',
    applies: (facts) => refusedToken(facts) && (facts.token?.expiresMs ?? Infinity) <= facts.nowMs,
    next: ({ token, nowMs }) =>
      `The token was good until ${instant(token?.expiresMs)}, and this machine's clock says ${instant(nowMs)}. If the clock is right, whoever makes the token no longer renews it; else set the clock.`,
    source: EXCHANGE_OAUTH,
  },
  {
    id: 'token-for-imap',
    applies: (facts) =>
      readable(facts) &&
      [...(facts.token?.scopes ?? []), ...(facts.token?.roles ?? [])].some((word) =>
        /IMAP\.AccessAs/i.test(word),
      ) &&
      !hasScope(facts, 'POP.AccessAsUser.All') &&
      facts.token?.roles.includes('POP.AccessAsApp') !== true,
    next: ({ token }) =>
      token?.roles.includes('IMAP.AccessAsApp')
        ? 'The token is for IMAP. Give the application the permission POP.AccessAsApp, with an administrator’s consent.'
        : `The token is for IMAP. Set "scope" to ${POP_SCOPE} (with offline_access), and have a person consent to it: mailferry authorize.`,
    source: EXCHANGE_OAUTH,
  },
  {
    id: 'token-audience',
    applies: (facts) =>
      ofMicrosoft(facts) &&
      facts.token?.audience.some((one) => EXCHANGE_AUDIENCES.has(one.replace(/\/+$/, ''))) !== true,
    next: ({ token }) =>
      `The token is for ${token?.audience.join(', ') || 'nobody'}, not for the mail server. Set "scope" to ${POP_SCOPE}, or with client credentials to https://outlook.office365.com/.default; a scope of Microsoft Graph gives no POP.`,
    source: EXCHANGE_OAUTH,
  },
  {
    id: 'scope-lacks-pop',
    applies: (facts) => ofPerson(facts) && !hasScope(facts, 'POP.AccessAsUser.All'),
    next: ({ token }) =>
      `The token allows ${token?.scopes.join(', ')}, and not POP. Add the delegated permission POP.AccessAsUser.All to the application, set "scope" to ${POP_SCOPE}, and have a person consent: mailferry authorize.`,
    source: EXCHANGE_OAUTH,
  },
  {
    id: 'role-missing',
    applies: (facts) => ofApplication(facts) && facts.token?.roles.includes('POP.AccessAsApp') !== true,
    next: ({ token }) =>
      `The token of application ${token?.application ?? '(not named)'} lacks the role POP.AccessAsApp. In its API permissions add it: APIs my organization uses, Office 365 Exchange Online, application permissions; then an administrator grants consent.`,
    source: EXCHANGE_OAUTH,
  },
  {
    id: 'mailbox-permission',
    applies: ofApplication,
    next: ({ token, mailbox: { user } }) =>
      `The application may use POP, but perhaps not this mailbox. In Exchange Online PowerShell: New-ServicePrincipal -AppId ${quoted(token?.application ?? 'APP_ID')} -ObjectId OBJECT_ID; Add-MailboxPermission -Identity ${quoted(user)} -User OBJECT_ID -AccessRights FullAccess. OBJECT_ID is that of the enterprise application, not of the app registration; it may take an hour. POP must also be on: Get-CASMailbox ${quoted(user)} | Format-List PopEnabled.`,
    source: EXCHANGE_OAUTH,
  },
  {
    id: 'another-user',
    applies: (facts) => ofMicrosoft(facts) && isAnothers(facts),
    next: ({ token, mailbox: { user } }) =>
      `The token is ${token?.user}'s, and the mailbox is ${user}'s. Sign in as ${user} (mailferry authorize), or, for a shared mailbox, give ${token?.user} full access to it: Add-MailboxPermission -Identity ${quoted(user)} -User ${quoted(token?.user ?? '')} -AccessRights FullAccess.`,
    source: EXCHANGE_OAUTH,
  },
  {
    id: 'pop-off-exchange',
    applies: ofPerson,
    next: ({ mailbox: { user } }) =>
      `The token is right as far as can be seen. POP may be off for the mailbox: Get-CASMailbox ${quoted(user)} | Format-List PopEnabled; Set-CASMailbox ${quoted(user)} -PopEnabled $true, which may take an hour. Too many sign-ins read the same, and pass.`,
    source: EXCHANGE_POP,
  },
  {
    id: 'outlook-token',
    applies: (facts) => refusedToken(facts) && facts.provider?.signsInWith === 'microsoft',
    next: () =>
      `Nobody but Microsoft can read this token, as with personal accounts. It must be made with the scope ${POP_SCOPE}, and POP must be on in Outlook.com’s settings (Mail, Forwarding and IMAP).`,
    source: OUTLOOK_POP,
  },
  {
    id: 'gmail-token',
    applies: (facts) => refusedToken(facts) && facts.provider?.signsInWith === 'google',
    next: ({ mailbox: { user } }) =>
      `Only Google can read this token. It must be ${user}'s own, and made with the scope https://mail.google.com/ and no narrower one; in Workspace an administrator must not have blocked the application, nor POP.`,
    source: GMAIL_XOAUTH2,
  },
  {
    // QUIRK: Dovecot 2.3 names no reason, and always the scope "mail", whichever it wants: nothing follows from that.
    id: 'token-elsewhere',
    applies: (facts) => readable(facts) && facts.provider === undefined,
    next: (facts) => {
      const { audience = [], scopes = [] } = facts.token ?? {};
      const whose = isAnothers(facts) ? `, and is ${facts.token?.user}'s, not ${facts.mailbox.user}'s` : '';
      return `The token is for the audience ${audience.join(', ') || '(none)'}, with the scopes ${scopes.join(', ') || '(none)'}${whose}. Ask whoever runs the server which it takes, and see its log; "scope" is what to set where it is another.`;
    },
    source: RFC_BEARER,
  },
];

/** Which the words explain. */
const UNDER_A_CODE: ReadonlySet<string> = new Set(['E_POP3_AUTH', 'E_POP3_SYS_PERM']);

/** What the server's words say, where the provider has a way to mend it. */
const REFUSALS: readonly Remedy[] = [
  {
    id: 'pop-off-microsoft',
    applies: ({ code, provider }) => code === 'E_POP3_SWITCHED_OFF' && provider?.name === 'Exchange Online',
    next: ({ mailbox: { user } }) =>
      `Where a password was given: Exchange Online takes none, set "preset: microsoft-365" with a token. Else switch POP on: Set-CASMailbox ${quoted(user)} -PopEnabled $true.`,
    source: EXCHANGE_POP,
  },
  {
    id: 'pop-off-gmail',
    applies: ({ code, provider }) => code === 'E_POP3_SWITCHED_OFF' && provider?.name === 'Gmail',
    next: () =>
      'POP must be enabled in Gmail’s settings (Forwarding and POP/IMAP); in Workspace an administrator must allow it first.',
    source: GMAIL_POP,
  },
  {
    id: 'locked',
    applies: ({ code, step, told }) =>
      (code === 'E_POP3_SIGNIN_UNCLEAR' &&
        step !== 'greeting' &&
        /\b(?:locked|suspended|blocked|frozen|disabled)\b/i.test(told)) ||
      (UNDER_A_CODE.has(code) &&
        /\b(?:account|user|mailbox|ip|address)\b.{0,40}\b(?:locked|suspended|blocked|frozen|disabled)\b/i.test(
          told,
        )),
    next: ({ provider }) =>
      `The account seems to be shut out: by an administrator, or for a while after too many attempts. Do not try on by hand; sign in to it with a web browser${provider ? ` at ${provider.name}` : ''} and see what it says there.`,
    source: 'https://www.rfc-editor.org/rfc/rfc3206',
  },
];

export const REMEDIES: readonly Remedy[] = [...CONNECTING, ...OAUTH_REMEDIES, ...REFUSED_TOKENS, ...REFUSALS];

export function remedyFor(facts: SignInFacts): Remedy | undefined {
  return REMEDIES.find(({ applies }) => applies(facts));
}

/** For PowerShell. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

function instant(ms: number | null | undefined): string {
  return ms === null || ms === undefined ? 'unknown' : `${new Date(ms).toISOString().slice(0, 19)}Z`;
}
