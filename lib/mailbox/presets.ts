/**
 * What a mailbox with `preset` may leave out, as data: only what the pages beside it say. Whatever the mailbox says itself
 * counts more. Nothing but `signInSettings.ts` knows presets: a mailbox that was read has all filled in.
 *
 * Held against copies of these pages, of 2024 to 2026, and not against the services: hosts, ports, scopes, device flow and
 * two steps for Microsoft; scope and device flow for Google; host and app password for Yahoo. Yahoo's token endpoint is
 * as its guide was read when the preset was written.
 */

export type Grant = 'refresh-token' | 'client-credentials' | 'service-account';

export interface Preset {
  readonly host: string;
  /** For TLS from the first byte. */
  readonly port: number;
  /** Where none is set and no token is given either; default: user-pass, with an app password. */
  readonly mechanism?: 'xoauth2';
  /** {tenant} stands for the organization's directory. */
  readonly tokenEndpoint?: string;
  /** Absent: none, or none that gives tokens for mail. */
  readonly deviceEndpoint?: string;
  /** Fills {tenant} where it is not set. */
  readonly tenant?: string;
  /** The grants that tokens for POP3 can be had by, each with its scope; null: it wants none. */
  readonly scopes: Readonly<Partial<Record<Grant, string | null>>>;
  /** What is told of any other grant. */
  readonly otherGrants: string;
  readonly sizes?: 'exact' | 'estimated';
  readonly sources: readonly string[];
}

export const PRESET_NAMES = ['microsoft-365', 'outlook.com', 'gmail', 'yahoo'] as const;
export type PresetName = (typeof PRESET_NAMES)[number];

/** Delegated access to one mailbox over POP3; offline_access is what gives a refresh token. */
export const MICROSOFT_SCOPE = 'https://outlook.office.com/POP.AccessAsUser.All';

/** All application permissions granted to the app, POP.AccessAsApp among them. */
export const MICROSOFT_APP_SCOPE = 'https://outlook.office365.com/.default';

/** The one scope that Gmail's IMAP, POP and SMTP take. */
export const GOOGLE_SCOPE = 'https://mail.google.com/';

const MICROSOFT = {
  host: 'outlook.office365.com',
  port: 995,
  mechanism: 'xoauth2',
  tokenEndpoint: 'https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token',
  deviceEndpoint: 'https://login.microsoftonline.com/{tenant}/oauth2/v2.0/devicecode',
  sizes: 'estimated',
} as const satisfies Partial<Preset>;

const MICROSOFT_OAUTH =
  'https://learn.microsoft.com/en-us/exchange/client-developer/legacy-protocols/how-to-authenticate-an-imap-pop-smtp-application-by-using-oauth';
const MICROSOFT_DEVICE = 'https://learn.microsoft.com/en-us/entra/identity-platform/v2-oauth2-device-code';

export const PRESETS: Readonly<Record<PresetName, Preset>> = {
  'microsoft-365': {
    ...MICROSOFT,
    tenant: 'organizations',
    scopes: {
      // Without scope a refresh is refused with AADSTS900144.
      'refresh-token': `${MICROSOFT_SCOPE} offline_access`,
      'client-credentials': MICROSOFT_APP_SCOPE,
    },
    otherGrants: 'Microsoft 365 gives tokens for mail by refresh-token and client-credentials',
    sources: [
      MICROSOFT_OAUTH,
      MICROSOFT_DEVICE,
      'https://learn.microsoft.com/en-us/powershell/module/exchangepowershell/set-popsettings',
    ],
  },
  'outlook.com': {
    ...MICROSOFT,
    tenant: 'consumers',
    scopes: { 'refresh-token': `${MICROSOFT_SCOPE} offline_access` },
    otherGrants: 'personal accounts at Outlook.com give tokens for mail by refresh-token alone',
    sources: [
      'https://support.microsoft.com/en-us/office/pop-imap-and-smtp-settings-8361e398-8af4-4e97-b147-6c6c4ac95353',
      MICROSOFT_OAUTH,
      MICROSOFT_DEVICE,
    ],
  },
  gmail: {
    host: 'pop.gmail.com',
    port: 995,
    tokenEndpoint: 'https://oauth2.googleapis.com/token',
    // Its device flow gives few scopes, and none for mail (developers.google.com/identity/protocols/oauth2/limited-input-device).
    scopes: { 'refresh-token': GOOGLE_SCOPE, 'service-account': GOOGLE_SCOPE },
    otherGrants: 'Google gives tokens for mail by refresh-token and, in Workspace, service-account',
    sources: [
      'https://developers.google.com/workspace/gmail/imap/imap-smtp',
      'https://developers.google.com/workspace/gmail/imap/xoauth2-protocol',
      'https://developers.google.com/identity/protocols/oauth2/limited-input-device',
      'https://developers.google.com/identity/protocols/oauth2/service-account',
    ],
  },
  yahoo: {
    host: 'pop.mail.yahoo.com',
    port: 995,
    // For clients that Yahoo has admitted; everybody else takes an app password.
    tokenEndpoint: 'https://api.login.yahoo.com/oauth2/get_token',
    scopes: { 'refresh-token': null },
    otherGrants: 'Yahoo gives tokens for mail by refresh-token alone',
    sources: [
      'https://help.yahoo.com/kb/pop-access-settings-instructions-yahoo-mail-sln4724.html',
      'https://developer.yahoo.com/oauth2/guide/flows_authcode/',
      'https://help.yahoo.com/kb/generate-manage-rd-party-passwords-sln15241.html',
    ],
  },
};
