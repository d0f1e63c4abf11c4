/**
 * What is odd about mail providers, as data: only what the page beside it says. Providers change their minds, so these
 * are words for a person; nothing is decided by them but what a setting decides that is left out.
 *
 * Held against copies of the pages, not against the services: of Gmail, Exchange Online, Outlook.com and Yahoo against
 * the providers' own (2024 to 2026). For GMX, WEB.DE, NetEase and QQ Mail there is none but other people's; the rest was taken
 * from the providers' help pages when their rows were written.
 */

export interface Provider {
  readonly name: string;
  /** A host is the provider's if it is one of these, or ends with a dot and one of these. */
  readonly hosts: readonly string[];
  /** What a refused sign-in may want. */
  readonly signIn: string;
  /** Worth knowing before the first run. */
  readonly notes: readonly string[];
  /** There is no POP3 at all, so that any failure to get in means that. */
  readonly noPop3?: true;
  /** Whose tokens its mail servers take, where they take any. */
  readonly signsInWith?: 'microsoft' | 'google';
  /** LIST gives estimates, unless whoever runs it wants exact sizes: what `sizes` is where it is left out. */
  readonly estimates?: true;
  /** Where all this is said, the provider's own pages first. */
  readonly sources: readonly string[];
}

export const PROVIDERS: readonly Provider[] = [
  {
    name: 'Gmail',
    hosts: ['gmail.com', 'googlemail.com'],
    signIn:
      'Gmail takes an app password in place of the account’s own, which wants 2-Step Verification, and POP must be enabled in its settings (Forwarding and POP/IMAP). Google Workspace takes no account’s own password since March 2025: "preset: gmail" with a token, or an app password.',
    signsInWith: 'google',
    notes: [
      'Gmail lists about 250 messages at a time, the oldest first: when nothing is left of these, a later run finds more.',
      'Gmail offers a message until a session that retrieved it has ended well, and not again, deleted or not. With "recent:" before the user name it offers all of the last 30 days each time; leave "delete: keep" then.',
      'What becomes of retrieved mail is decided by Gmail’s POP setting (keep, mark as read, archive or delete Gmail’s copy), not by "delete" here. Set it to keep the copy.',
      'Gmail lists what was sent from its web mail, too.',
    ],
    sources: [
      'https://support.google.com/a/answer/6089246',
      'https://support.google.com/accounts/answer/185833',
      'https://support.google.com/a/answer/14114704',
      'https://developers.google.com/workspace/gmail/api/guides/pop_imap_settings',
      'https://www.limilabs.com/blog/gmail-pop3-behavior',
    ],
  },
  {
    name: 'Exchange Online',
    hosts: ['office365.com'],
    signIn:
      'Exchange Online takes no password over POP3 any more, only OAuth: "preset: microsoft-365" with a token. Too many sign-ins read as a wrong password there.',
    signsInWith: 'microsoft',
    notes: [
      'Exchange Online takes no password over POP3 any more, only OAuth: "preset: microsoft-365" with a token.',
      'Exchange marks mail as read when it is retrieved.',
      'Exchange estimates the sizes that it lists, unless its administrator set it to exact ones: "sizes" is "estimated" here where it is left out.',
    ],
    estimates: true,
    sources: [
      'https://learn.microsoft.com/en-us/exchange/clients-and-mobile-in-exchange-online/deprecation-of-basic-authentication-exchange-online',
      'https://learn.microsoft.com/en-us/powershell/module/exchangepowershell/set-popsettings',
      'https://github.com/ditesh/node-poplib/issues/34',
      'https://github.com/jstedfast/MailKit/issues/952',
    ],
  },
  {
    name: 'Outlook.com',
    hosts: ['outlook.com', 'hotmail.com', 'live.com', 'msn.com'],
    signIn:
      'Outlook.com takes over POP3 only OAuth: "preset: outlook.com" with a token. POP is off there until it is enabled in its settings (Mail, Forwarding and IMAP).',
    signsInWith: 'microsoft',
    notes: [
      'Outlook.com takes over POP3 only OAuth: "preset: outlook.com" with a token. POP is off there until it is enabled in its settings (Mail, Forwarding and IMAP).',
    ],
    sources: [
      'https://support.microsoft.com/en-us/office/pop-imap-and-smtp-settings-for-outlook-com-d088b986-291d-42b8-9564-9c414e2aa040',
      'https://techissuestoday.com/how-to-update-outlook-email-settings-to-avoid-losing-access-after-september-16/',
      'https://patriotmail.ai/blog/microsoft-modern-authentication-outlook-app-passwords',
    ],
  },
  {
    name: 'GMX',
    hosts: ['gmx.net', 'gmx.de', 'gmx.com'],
    signIn:
      'At GMX POP3 must be switched on in the mail settings (POP3/IMAP), and is switched off again where it was not used for long.',
    notes: ['At GMX POP3 must be switched on in the mail settings (POP3/IMAP); it is off by default.'],
    // The first has GMX's own letter about it.
    sources: ['https://github.com/jens-maus/yam/issues/638'],
  },
  {
    name: 'WEB.DE',
    hosts: ['web.de'],
    signIn:
      'At WEB.DE POP3 must be switched on in the mail settings (POP3/IMAP), and is switched off again where it was not used for long.',
    notes: [
      'At WEB.DE POP3 must be switched on in the mail settings (POP3/IMAP); it is off by default.',
      'WEB.DE has refused sign-ins within 12 minutes of each other: "every: 15m" is safe.',
    ],
    sources: ['https://github.com/jens-maus/yam/issues/638', 'https://github.com/jens-maus/yam/issues/305'],
  },
  {
    name: 'Yahoo',
    hosts: ['yahoo.com'],
    signIn:
      'Yahoo takes an app password in place of the account’s own (Account security, External connections), or OAuth from clients that it has admitted: "preset: yahoo".',
    notes: ['Yahoo takes an app password in place of the account’s own.'],
    sources: ['https://help.yahoo.com/kb/generate-manage-rd-party-passwords-sln15241.html'],
  },
  {
    name: 'AOL',
    hosts: ['aol.com'],
    signIn: 'AOL takes an app password in place of the account’s own (Account security).',
    notes: ['AOL takes an app password in place of the account’s own.'],
    sources: ['https://help.aol.com/articles/Create-and-manage-app-password'],
  },
  {
    name: 'NetEase',
    hosts: ['163.com', '126.com', 'yeah.net'],
    signIn:
      'NetEase takes an authorization code in place of the password; it is shown once, where POP3 is switched on in the web mail’s settings (POP3/SMTP/IMAP).',
    notes: [
      'NetEase takes an authorization code in place of the password, and POP3 must be switched on in the web mail’s settings.',
      'NetEase has refused single messages, and more of them than it allows at a time; they are tried again later.',
    ],
    sources: [
      'https://github.com/chatmail/provider-db/blob/master/_providers/163.md',
      'https://github.com/zhangyunhao116/zmail/issues/22',
      'https://github.com/zhangyunhao116/zmail/issues/115',
    ],
  },
  {
    name: 'QQ Mail',
    // Not exmail.qq.com, Tencent's mail for companies, which has rules of its own.
    hosts: ['pop.qq.com'],
    signIn:
      'QQ Mail takes an authorization code of 16 characters in place of the password; it is made where the service is switched on in the web mail’s settings.',
    notes: [
      'QQ Mail takes an authorization code in place of the password, and POP3 must be switched on in the web mail’s settings. Changing the QQ password ends all codes.',
    ],
    sources: [
      'https://blog.zhheo.com/p/6124d6aa.html',
      'https://ashea.com.cn/guandian/2022/1011/707174.html',
    ],
  },
  {
    name: 'iCloud Mail',
    hosts: ['me.com', 'icloud.com', 'mac.com'],
    signIn: 'iCloud Mail has no POP3: its mail cannot be fetched by Mailferry.',
    notes: ['iCloud Mail has no POP3: its mail cannot be fetched by Mailferry.'],
    noPop3: true,
    sources: [
      'https://support.apple.com/en-us/102525',
      'https://clean.email/blog/email-settings/icloud-email-settings',
    ],
  },
  {
    name: 'Zoho Mail',
    hosts: ['zoho.com', 'zoho.eu', 'zoho.in', 'zoho.com.au'],
    signIn:
      'At Zoho Mail POP access must be enabled in the settings (Mail Accounts), which newer free accounts lack; with multi-factor sign-in it takes an app-specific password.',
    notes: [
      'At Zoho Mail POP access must be enabled in the settings, for all mail or for what arrives from then on; newer free accounts lack it.',
    ],
    sources: [
      'https://www.zoho.com/mail/help/pop-access.html',
      'https://help.zoho.com/portal/kb/articles/manage-application-specific-passwords',
      'https://pixelkicks.freshdesk.com/support/solutions/articles/241553-zoho-mail-pop-configuration',
    ],
  },
  {
    name: 'Fastmail',
    hosts: ['fastmail.com'],
    signIn: 'Fastmail takes an app password in place of the account’s own; its Basic plan has none.',
    notes: [
      'Fastmail takes an app password in place of the account’s own.',
      'Fastmail offers the Inbox alone over POP3; for another folder, the user name is user+folder@….',
    ],
    sources: [
      'https://www.fastmail.com/help/technical/servernamesandports.html',
      'https://www.fastmail.com/help/clients/apppassword.html',
    ],
  },
  {
    name: 'Yandex Mail',
    hosts: ['yandex.com', 'yandex.ru'],
    signIn:
      'Yandex takes an app password for mail in place of the account’s own, and POP3 must be enabled in the mail settings (Email clients). All app passwords end when the account’s password is changed.',
    notes: [
      'Yandex takes an app password in place of the account’s own, and POP3 must be enabled in the mail settings.',
    ],
    sources: [
      'https://yandex.com/support/passport/authorization/app-passwords.html',
      'https://github.com/Foundry376/Mailspring/issues/2111',
    ],
  },
  {
    name: 'Mail.ru',
    hosts: ['mail.ru'],
    signIn:
      'Mail.ru takes a password for external applications in place of the account’s own, made in its security settings.',
    notes: ['Mail.ru takes a password for external applications in place of the account’s own.'],
    sources: ['https://help.mail.ru/mail/security/protection/external'],
  },
  {
    name: 'T-Online',
    hosts: ['t-online.de'],
    signIn:
      'T-Online takes the password for e-mail programs (“Passwort für E-Mail-Programme”), not that of the account; it is set in the web mail’s settings.',
    notes: ['T-Online takes the password for e-mail programs, not that of the account.'],
    sources: [
      'https://www.telekom.de/hilfe/festnetz-internet-tv/e-mail/e-mail-adresse-passwoerter-und-sicherheit/passwort-fuer-e-mail-programme-einrichten',
      'https://github.com/chatmail/provider-db/blob/master/_providers/t-online.md',
    ],
  },
];
