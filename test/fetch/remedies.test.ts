/** Every row of the table of advice: what leads to it, and what it says to do. */
import { describe, expect, it } from 'vitest';
import { aadstsOf, OAUTH_REMEDIES } from '../../lib/fetch/oauthRemedies.ts';
import { REMEDIES, remedyFor, type SignInFacts } from '../../lib/fetch/remedies.ts';
import { tokenFacts } from '../../lib/fetch/tokenFacts.ts';
import { providerOf } from '../../lib/mailbox/providerOf.ts';
import { PLAINTEXT } from '../../lib/mailbox/settings.ts';
import type { Certificate } from '../../lib/pop3/observe.ts';
import { EXCHANGE, inAnHour, jwt } from './tokens.ts';

interface Given {
  readonly host?: string;
  readonly port?: number;
  readonly tls?: 'implicit' | 'stls' | typeof PLAINTEXT;
  readonly user?: string;
  readonly grant?: string;
  readonly code?: string;
  readonly step?: string;
  readonly told?: string;
  readonly claims?: object;
  readonly opaque?: true;
  readonly chain?: readonly Certificate[];
}

const M365 = 'outlook.office365.com';
const GMAIL = 'pop.gmail.com';

function factsOf(given: Given): SignInFacts {
  const { host = 'pop.example.org', port = 995, tls = 'implicit', user = 'ada@example.org' } = given;
  const token = given.claims
    ? tokenFacts(jwt({ exp: inAnHour(), ...given.claims }))
    : given.opaque
      ? tokenFacts('ya29.opaque')
      : null;
  return {
    mailbox: { host, port, tls, user },
    provider: providerOf(host),
    grant: given.grant ?? 'refresh-token',
    code: given.code ?? 'E_POP3_TOKEN_REFUSED',
    step: given.step ?? 'sign-in',
    told: given.told ?? '',
    token,
    chain: given.chain ?? [],
    nowMs: Date.now(),
  };
}

const certificate = (subject: string, issuer: string, issuerAt: string | null = null): Certificate => ({
  ...{ subject, issuer, issuerAt, names: [], keyHash: 'sha256:x' },
  ...{ validFromMs: 0, validToMs: Date.now() },
});

const POP = 'POP.AccessAsUser.All';
const revoked = (told: string, more: Given = {}): Given => ({
  ...{ code: 'E_TOKEN_REVOKED', step: 'secret', told: `invalid_grant: ${told}`, ...more },
});
const refused = (told: string, more: Given = {}): Given => ({
  ...{ code: 'E_TOKEN_REFUSED', step: 'secret', told, ...more },
});

const ROWS: readonly (readonly [id: string, given: Given, says: RegExp])[] = [
  [
    'clear-on-995',
    { code: 'E_POP3_NOT_TLS', step: 'tls' },
    /Port 995 answered in the clear: set "tls: stls" and "port: 110"/,
  ],
  [
    'implicit-on-110',
    { code: 'E_POP3_NOT_TLS', step: 'tls', port: 110 },
    /set "tls: stls" for it, or "port: 995"/,
  ],
  ['tls-on-995', { code: 'E_POP3_EOF', step: 'greeting', tls: 'stls' }, /set "tls: implicit"/],
  ['tls-on-995', { code: 'E_POP3_TIMEOUT', step: 'greeting', tls: PLAINTEXT }, /set "tls: implicit"/],
  [
    'silent-in-clear',
    { code: 'E_POP3_TIMEOUT', step: 'greeting', tls: 'stls', port: 1995 },
    /port 1995.*"tls: implicit"/,
  ],
  [
    'silent-in-clear',
    { code: 'E_POP3_DEADLINE', step: 'greeting', tls: 'stls', port: 1995 },
    /port 1995.*"tls: implicit"/,
  ],
  ...(
    [
      ['220 mx.example.org ESMTP Postfix', 'SMTP'],
      ['* OK [CAPABILITY IMAP4rev1] ready', 'IMAP'],
      ['SSH-2.0-OpenSSH_9.2', 'SSH'],
    ] as const
  ).map(
    ([told, protocol]) =>
      [
        'another-protocol',
        { code: 'E_POP3_OTHER_PROTOCOL', step: 'greeting', told, port: 1110 },
        new RegExp(`a server of ${protocol} greets, at port 1110: correct "port".*995.*110`),
      ] as const,
  ),
  ['port-of-another', { code: 'E_POP3_NOT_TLS', step: 'tls', port: 143 }, /Port 143 is that of IMAP/],
  ['port-of-another', { code: 'E_POP3_TIMEOUT', step: 'greeting', port: 443 }, /Port 443 is that of HTTP/],
  [
    'port-of-another',
    { code: 'E_POP3_EOF', step: 'greeting', port: 465, tls: 'stls' },
    /Port 465 is that of SMTP: correct "port"/,
  ],
  [
    'intermediate-missing',
    {
      code: 'E_POP3_TLS_UNKNOWN_CA',
      step: 'tls',
      chain: [certificate('CN=a', 'CN=R11', 'http://r11.example/')],
    },
    /CN=R11.*whole chain \(the missing one is at http:\/\/r11\.example\/\)/,
  ],
  [
    'authority-unknown',
    {
      code: 'E_POP3_TLS_UNKNOWN_CA',
      step: 'tls',
      chain: [certificate('CN=a', 'CN=b'), certificate('CN=b', 'CN=Own')],
    },
    /not trusted here \(CN=Own\).*"ca"/,
  ],
  [
    'token-expired',
    { claims: { aud: EXCHANGE, scp: POP, exp: 1 } },
    /good until 1970-01-01T00:00:01Z.*clock/,
  ],
  [
    'token-for-imap',
    { host: M365, claims: { aud: EXCHANGE, scp: 'IMAP.AccessAsUser.All' } },
    /https:\/\/outlook\.office\.com\/POP\.AccessAsUser\.All.*mailferry authorize/,
  ],
  [
    'token-for-imap',
    { host: M365, claims: { aud: EXCHANGE, roles: ['IMAP.AccessAsApp'] } },
    /POP\.AccessAsApp/,
  ],
  [
    'token-audience',
    { host: M365, claims: { aud: 'https://graph.microsoft.com', scp: 'Mail.Read' } },
    /for https:\/\/graph\.microsoft\.com, not for the mail server/,
  ],
  ['token-audience', { host: M365, claims: { scp: POP } }, /for nobody/],
  [
    'scope-lacks-pop',
    { host: M365, claims: { aud: EXCHANGE, scp: 'SMTP.Send' } },
    /allows SMTP\.Send, and not POP/,
  ],
  [
    'role-missing',
    { host: M365, claims: { aud: EXCHANGE, appid: 'app-7', roles: ['Mail.Read'] } },
    /application app-7 lacks the role POP\.AccessAsApp/,
  ],
  ['role-missing', { host: M365, claims: { aud: EXCHANGE } }, /\(not named\)/],
  [
    'mailbox-permission',
    {
      host: M365,
      user: "o'neil@example.org",
      claims: { aud: EXCHANGE, appid: 'app-7', roles: ['POP.AccessAsApp'] },
    },
    /New-ServicePrincipal -AppId 'app-7'.*Add-MailboxPermission -Identity 'o''neil@example\.org' -User OBJECT_ID -AccessRights FullAccess/,
  ],
  [
    'another-user',
    { host: M365, claims: { aud: EXCHANGE, scp: POP, upn: 'bob@example.org' } },
    /bob@example\.org's.*ada@example\.org's.*Add-MailboxPermission/,
  ],
  [
    'token-elsewhere',
    { claims: { aud: ['files', 'chat'], scope: 'imap smtp', email: 'ADA@example.org' } },
    /for the audience files, chat, with the scopes imap, smtp\. Ask/,
  ],
  ['token-elsewhere', { user: 'ada', claims: { email: 'ada@example.org' } }, /scopes \(none\)\. Ask/],
  [
    'token-elsewhere',
    { claims: { email: 'bob@example.org' } },
    /audience \(none\), with the scopes \(none\), and is bob@example\.org's, not ada@example\.org's/,
  ],
  [
    'pop-off-exchange',
    { host: M365, claims: { aud: `${EXCHANGE}/`, scp: POP, upn: 'ADA@example.org' } },
    /Set-CASMailbox 'ada@example\.org' -PopEnabled \$true/,
  ],
  ['outlook-token', { host: M365, opaque: true }, /Nobody but Microsoft can read this token/],
  ['gmail-token', { host: GMAIL, opaque: true }, /https:\/\/mail\.google\.com\//],
  ['pop-off-microsoft', { host: M365, code: 'E_POP3_SWITCHED_OFF' }, /preset: microsoft-365/],
  [
    'pop-off-gmail',
    { host: GMAIL, code: 'E_POP3_SWITCHED_OFF', step: 'list' },
    /POP must be enabled in Gmail/,
  ],
  ['locked', { code: 'E_POP3_SIGNIN_UNCLEAR', told: '-ERR account is locked' }, /shut out.*web browser/],
  ['locked', { code: 'E_POP3_AUTH', told: '-ERR [AUTH] Account temporarily locked' }, /shut out/],
  ['google-account', revoked('Account has been deleted', { host: GMAIL }), /ada@example\.org is disabled or/],
  ['google-reauth', revoked('reauth related error (invalid_rapt)', { host: GMAIL }), /session control/],
  ['google-clock', revoked('Invalid JWT: Token must be a short-lived token', { host: GMAIL }), /clock/],
  [
    'google-subject',
    revoked('Not a valid email or user ID.', { host: GMAIL }),
    /"subject", which is ada@example\.org/,
  ],
  [
    'google-delegation',
    refused('unauthorized_client: Client is unauthorized', { host: GMAIL }),
    /Domain-wide delegation/,
  ],
  ['google-delegation', refused('unauthorized_client'), /may not use this grant/],
  [
    'google-revoked',
    revoked('Token has been expired or revoked.', { host: GMAIL }),
    /seven days.*mailferry authorize/,
  ],
  ['google-policy', refused('admin_policy_enforced', { host: GMAIL }), /App access control/],
  ['client-unknown', refused('invalid_client: The OAuth client was not found.'), /"clientId"/],
  ['scope-refused', refused('invalid_scope'), /check "scope"/],
  ['grant-ended', revoked('it is over'), /mailferry authorize/],
  ...(
    [
      [50173, /password was changed/],
      [70008, /expired or was revoked/],
      [700082, /90 days/],
      [70043, /how often people sign in/],
      [65001, /Nobody has consented/],
      [7000215, /secret's id was taken for its value/],
      [7000222, /client secret has expired/],
      [50076, /second factor/],
      [50079, /enrol/],
      [53003, /Conditional Access/],
      [50057, /disabled/],
      [50053, /locked/],
    ] as const
  ).map(([number, says]) => {
    const words = `AADSTS${number}: Some words. Trace ID: 70008`;
    return [`AADSTS${number}`, revoked(words, { host: M365 }), says] as const;
  }),
  // Those that say no more than what the number means are enough to be found by it.
  ...OAUTH_REMEDIES.filter(({ id }) => id.startsWith('AADSTS')).map(
    ({ id }) => [id, refused(`invalid_request: ${id}: words`, { host: M365 }), /\.$/] as const,
  ),
];

describe('the advice', () => {
  it.each(ROWS)('%s', (id, given, says) => {
    const facts = factsOf(given);
    const remedy = remedyFor(facts);
    expect(remedy?.id).toBe(id);
    expect(remedy?.next(facts)).toMatch(says);
    expect(remedy?.next(facts)).toMatch(/^[^\p{Cc}]{20,}\.$/u);
  });

  it('has a case here for each of its rows, once each there, and a page that says so', () => {
    const ids = REMEDIES.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect([...new Set(ROWS.map(([id]) => id))].sort()).toEqual([...ids].sort());
    for (const { source } of REMEDIES) expect(new URL(source).protocol).toBe('https:');
  });

  it.each<Given>([
    { code: 'E_POP3_AUTH' },
    { host: M365, code: 'E_POP3_AUTH' },
    { code: 'E_POP3_IN_USE' },
    { code: 'E_POP3_THROTTLED', host: M365 },
    { code: 'E_POP3_TIMEOUT', step: 'greeting' },
    { code: 'E_POP3_TLS_UNKNOWN_CA', step: 'tls' },
    { code: 'E_TOKEN_UNREACHABLE', step: 'secret', told: 'ECONNREFUSED' },
    { code: 'E_SECRET_MISSING', step: 'secret', told: 'AADSTS50173' },
    { opaque: true },
    revoked('Bad Request', { grant: 'client-credentials' }),
    revoked('Invalid grant', { host: GMAIL, grant: 'service-account' }),
    { code: 'E_POP3_IN_USE', host: M365, claims: { aud: EXCHANGE, scp: 'SMTP.Send' } },
  ])('is not given where nothing more is known: %j', (given) => {
    expect(remedyFor(factsOf(given))).toBeUndefined();
  });

  it('reads Microsoft’s number where it is one', () => {
    expect(aadstsOf('invalid_grant: AADSTS70043: words')).toBe(70043);
    expect(aadstsOf('XAADSTS70043')).toBeNull();
    expect(aadstsOf('AADSTS1')).toBeNull();
  });
});
