import { describe, expect, it } from 'vitest';
import { PRESET_NAMES, PRESETS } from '../../lib/mailbox/presets.ts';
import {
  type Mailbox,
  PLAINTEXT,
  parseMailboxesDocument,
  parseSettingsFile,
  SettingsError,
} from '../../lib/mailbox/settings.ts';
import { MECHANISMS, WHAT_EACH_SHOWS } from '../../lib/mailbox/signInSettings.ts';

const BASE = { id: 'support', host: 'pop.example.org', user: 'ada@example.org' };
const PASSWORD = { password: 'env:PASSWORD' };
const TOKEN = { from: 'env:TOKEN' };
const PAIR = { certificate: 'file:ada.crt', key: 'file:ada.key' };
const PIN = `sha256:${'A'.repeat(43)}=`;
const REFRESH = { grant: 'refresh-token', clientId: 'c', refreshToken: 'file:refresh' };
const APP = { grant: 'client-credentials', clientId: 'c', clientSecret: 'env:S' };
const ACCOUNT = { grant: 'service-account', key: 'file:key.json' };
const ENDPOINT = 'https://issuer.example.org/token';

/** `BASE` without its host, for presets. */
const PRESET = { id: 'support', user: 'ada@example.org' };

function parsed(mailbox: object): Mailbox {
  const [read] = parseSettingsFile({ store: { folder: 'm' }, mailboxes: [mailbox] }, 'test').mailboxes;
  if (read === undefined) throw new Error('no mailbox');
  return read;
}

function problemsOf(parse: () => unknown): readonly string[] {
  try {
    parse();
  } catch (error) {
    if (error instanceof SettingsError) return error.problems;
    throw error;
  }
  return [];
}

/** Settings → what they come to. */
const GOOD: readonly (readonly [string, object, object])[] = [
  ['a password', { ...BASE, ...PASSWORD }, { signIn: { mechanism: 'user-pass', initialResponse: false } }],
  [
    'a password by a mechanism',
    { ...BASE, ...PASSWORD, signIn: { mechanism: 'plain' } },
    { signIn: { mechanism: 'plain', initialResponse: true } },
  ],
  [
    'two steps where one is usual',
    { ...BASE, ...PASSWORD, signIn: { mechanism: 'plain', initialResponse: false } },
    { signIn: { mechanism: 'plain', initialResponse: false } },
  ],
  [
    'a token, in two steps',
    { ...BASE, signIn: { token: TOKEN } },
    { signIn: { mechanism: 'xoauth2', initialResponse: false, token: TOKEN } },
  ],
  [
    'a token in one step',
    { ...BASE, signIn: { token: TOKEN, initialResponse: true } },
    { signIn: { mechanism: 'xoauth2', initialResponse: true } },
  ],
  [
    'a token by another mechanism',
    { ...BASE, signIn: { mechanism: 'oauthbearer', token: { command: ['pass', 'show', 'ada'] } } },
    {
      signIn: {
        mechanism: 'oauthbearer',
        initialResponse: true,
        token: { command: ['pass', 'show', 'ada'] },
      },
    },
  ],
  [
    'a certificate',
    { ...BASE, signIn: { mechanism: 'external' }, clientCertificate: PAIR },
    { signIn: { mechanism: 'external', initialResponse: true }, clientCertificate: PAIR },
  ],
  [
    'a certificate beside a password',
    { ...BASE, ...PASSWORD, clientCertificate: PAIR, serverKeys: [PIN] },
    { clientCertificate: PAIR, serverKeys: [PIN] },
  ],
  [
    'a refresh token anywhere',
    { ...BASE, signIn: { token: { ...REFRESH, tokenEndpoint: ENDPOINT } } },
    { signIn: { token: { ...REFRESH, tokenEndpoint: ENDPOINT } } },
  ],
  [
    'a token endpoint on this machine, in the clear',
    { ...BASE, signIn: { token: { ...REFRESH, tokenEndpoint: 'http://127.0.0.1:8080/token' } } },
    {},
  ],
  [
    'Microsoft 365 with nothing but what is one’s own',
    { ...PRESET, preset: 'microsoft-365', signIn: { token: REFRESH } },
    {
      host: 'outlook.office365.com',
      port: 995,
      sizes: 'estimated',
      signIn: {
        mechanism: 'xoauth2',
        initialResponse: false,
        token: {
          ...REFRESH,
          scope: 'https://outlook.office.com/POP.AccessAsUser.All offline_access',
          tokenEndpoint: 'https://login.microsoftonline.com/organizations/oauth2/v2.0/token',
          deviceEndpoint: 'https://login.microsoftonline.com/organizations/oauth2/v2.0/devicecode',
        },
      },
    },
  ],
  [
    'Microsoft 365 as an app',
    { ...PRESET, preset: 'microsoft-365', signIn: { token: { ...APP, tenant: 'contoso.example' } } },
    {
      signIn: {
        token: {
          ...APP,
          scope: 'https://outlook.office365.com/.default',
          tokenEndpoint: 'https://login.microsoftonline.com/contoso.example/oauth2/v2.0/token',
        },
      },
    },
  ],
  [
    'Outlook.com',
    { ...PRESET, preset: 'outlook.com', signIn: { token: REFRESH } },
    {
      host: 'outlook.office365.com',
      signIn: { token: { tokenEndpoint: 'https://login.microsoftonline.com/consumers/oauth2/v2.0/token' } },
    },
  ],
  [
    'Gmail with an app password',
    { ...PRESET, ...PASSWORD, preset: 'gmail' },
    { host: 'pop.gmail.com', signIn: { mechanism: 'user-pass' } },
  ],
  [
    'Gmail in Workspace',
    { ...PRESET, preset: 'gmail', signIn: { token: ACCOUNT } },
    {
      signIn: {
        mechanism: 'xoauth2',
        token: { ...ACCOUNT, subject: 'ada@example.org', scope: 'https://mail.google.com/' },
      },
    },
  ],
  [
    'Yahoo by token',
    { ...PRESET, preset: 'yahoo', signIn: { token: REFRESH } },
    {
      host: 'pop.mail.yahoo.com',
      signIn: { token: { ...REFRESH, tokenEndpoint: 'https://api.login.yahoo.com/oauth2/get_token' } },
    },
  ],
  [
    'what a mailbox says itself, over its preset',
    {
      ...BASE,
      port: 1995,
      sizes: 'exact',
      preset: 'microsoft-365',
      signIn: { token: { ...REFRESH, tokenEndpoint: ENDPOINT, scope: 's' } },
    },
    {
      host: 'pop.example.org',
      port: 1995,
      sizes: 'exact',
      signIn: { token: { tokenEndpoint: ENDPOINT, scope: 's' } },
    },
  ],
];

const token = (given: object, more: object = {}) => ({ ...BASE, ...more, signIn: { token: given } });

/** Settings → the problems, each by its path and a part of its words. */
const BAD: readonly (readonly [string, object, readonly (readonly [string, string])[]])[] = [
  ['no password', BASE, [['.password', 'is needed by user-pass: a reference such as env:NAME']]],
  [
    'no host',
    { ...PRESET, ...PASSWORD },
    [['.host', 'or a preset (microsoft-365, outlook.com, gmail, yahoo)']],
  ],
  [
    'no such preset',
    { ...PRESET, ...PASSWORD, preset: 'hotmail' },
    [['.preset', 'must be one of microsoft-365']],
  ],
  [
    'no such mechanism',
    { ...BASE, ...PASSWORD, signIn: { mechanism: 'ntlm', hurry: true } },
    [
      ['.signIn.mechanism', 'must be one of user-pass, plain'],
      ['.signIn', 'unknown key "hurry"'],
    ],
  ],
  [
    'no automatic choice',
    { ...BASE, ...PASSWORD, signIn: { mechanism: 'auto' } },
    [['.signIn.mechanism', 'must be one of']],
  ],
  [
    'a password and a token',
    { ...BASE, ...PASSWORD, signIn: { token: TOKEN } },
    [['.password', 'is not used by xoauth2, which shows a token: leave it out']],
  ],
  [
    'a token for a mechanism with a password',
    { ...BASE, ...PASSWORD, signIn: { mechanism: 'plain', token: TOKEN } },
    [
      [
        '.signIn.token',
        'is not used by plain, which shows a password: leave it out, or set mechanism to xoauth2',
      ],
    ],
  ],
  [
    'a bearer without a token',
    { ...BASE, signIn: { mechanism: 'oauthbearer' } },
    [['.signIn.token', 'is needed by oauthbearer']],
  ],
  [
    'a password for Microsoft 365',
    { ...PRESET, ...PASSWORD, preset: 'microsoft-365' },
    [
      ['.password', 'for microsoft-365 takes no passwords over POP3'],
      ['.signIn.token', 'is needed by xoauth2'],
    ],
  ],
  [
    'external with all but its certificate',
    { ...BASE, ...PASSWORD, signIn: { mechanism: 'external', token: TOKEN } },
    [
      ['.password', 'is not used by external'],
      ['.signIn.token', 'is not used by external'],
      ['.clientCertificate', 'is needed by external: { certificate: file:PATH, key: file:PATH }'],
    ],
  ],
  [
    'a first word where the server has it',
    { ...BASE, ...PASSWORD, signIn: { mechanism: 'login', initialResponse: true } },
    [['.signIn.initialResponse', 'must be left out with login']],
  ],
  [
    'what wants TLS, without it',
    {
      ...BASE,
      ...PASSWORD,
      tls: PLAINTEXT,
      clientCertificate: PAIR,
      serverKeys: [PIN],
      signIn: { mechanism: 'scram-sha-256-plus' },
    },
    [
      ['.clientCertificate', 'wants TLS'],
      ['.serverKeys', 'wants TLS'],
      ['.signIn.mechanism', 'scram-sha-256-plus wants TLS'],
    ],
  ],
  [
    'a key and an authority',
    { ...BASE, ...PASSWORD, ca: 'file:ca.pem', serverKeys: [PIN] },
    [['.serverKeys', 'stands in place of ca']],
  ],
  ['no key', { ...BASE, ...PASSWORD, serverKeys: [] }, [['.serverKeys', 'must have a key']]],
  [
    'keys of another kind',
    { ...BASE, ...PASSWORD, serverKeys: [PIN, 'sha1:AAAA'] },
    [['.serverKeys[1]', 'must be sha256: and the SHA-256 of the key']],
  ],
  [
    'secrets where references should be',
    {
      ...BASE,
      signIn: {
        token: { ...REFRESH, tokenEndpoint: ENDPOINT, refreshToken: 'hunter2', clientSecret: 'hunter2' },
      },
      clientCertificate: { certificate: 'hunter2', key: 'hunter2' },
    },
    [
      ['.signIn.token.clientSecret', 'never the secret itself'],
      ['.signIn.token.refreshToken', 'never the secret itself'],
      ['.clientCertificate.certificate', 'must be PEM text or a reference'],
      ['.clientCertificate.key', 'never the secret itself'],
    ],
  ],
  [
    'no form of a token',
    token({ password: 'hunter2' }),
    [['.signIn.token', 'must be one of { from: REFERENCE }']],
  ],
  [
    'a token that is none',
    { ...BASE, signIn: { token: 'hunter2' } },
    [['.signIn.token', 'must be one of { from: REFERENCE }']],
  ],
  [
    'no such grant',
    token({ grant: 'password', username: 'a' }),
    [['.signIn.token', 'grant: refresh-token | client-credentials']],
  ],
  [
    'a program that is a line for a shell',
    token({ command: 'pass show ada | head -1' }),
    [['.signIn.token.command', 'must be a list: the program and its arguments']],
  ],
  ['no program', token({ command: [] }), [['.signIn.token.command', 'must name a program']]],
  [
    'a grant without what it needs',
    token({ grant: 'client-credentials', clientID: 'c' }),
    [
      ['.signIn.token.clientId', 'is needed'],
      ['.signIn.token.clientSecret', 'is needed'],
      ['.signIn.token', 'unknown key "clientID"'],
      ['.signIn.token.tokenEndpoint', 'is needed: the https URL that gives access tokens, or a preset'],
      [
        '.signIn.token.scope',
        'is needed by client-credentials; at Microsoft it is https://outlook.office365.com/.default',
      ],
    ],
  ],
  ...(
    [
      'http://issuer.example.org/token',
      'http://127.0.0.1.example.org/token',
      'http://localhost.example.org/',
      'https://ada:hunter2@issuer.example.org/token',
      'ftp://issuer.example.org',
      'issuer.example.org',
    ] as const
  ).map(
    (tokenEndpoint) =>
      [
        `the endpoint ${tokenEndpoint}`,
        token({ ...REFRESH, tokenEndpoint }),
        [['.signIn.token.tokenEndpoint', 'must be an https URL']],
      ] as const,
  ),
  [
    'a device endpoint in the clear',
    token({ ...REFRESH, tokenEndpoint: ENDPOINT, deviceEndpoint: 'http://issuer.example.org/device' }),
    [['.signIn.token.deviceEndpoint', 'must be an https URL']],
  ],
  [
    'a tenant elsewhere',
    token({ ...REFRESH, tokenEndpoint: ENDPOINT, tenant: 'contoso' }),
    [['.signIn.token.tenant', 'is for the presets of Microsoft alone']],
  ],
  [
    'a tenant and an endpoint',
    token({ ...REFRESH, tokenEndpoint: ENDPOINT, tenant: 'contoso' }, { preset: 'microsoft-365' }),
    [['.signIn.token.tenant', 'stands in place of tokenEndpoint']],
  ],
  ...(['common', 'organizations', undefined] as const).map(
    (tenant) =>
      [
        `an app in the directory ${tenant}`,
        token({ ...APP, ...(tenant && { tenant }) }, { preset: 'microsoft-365' }),
        [['.signIn.token.tenant', 'the ID or domain of your own directory']],
      ] as const,
  ),
  [
    'an app at Outlook.com',
    token(APP, { preset: 'outlook.com' }),
    [['.signIn.token.grant', 'by refresh-token alone']],
  ],
  [
    'a Google key at Microsoft',
    token(ACCOUNT, { preset: 'microsoft-365' }),
    [['.signIn.token.grant', 'by refresh-token and client-credentials']],
  ],
  ['an app at Google', token(APP, { preset: 'gmail' }), [['.signIn.token.grant', 'service-account']]],
  //
  ...(
    [
      [
        'https://outlook.office.com/IMAP.AccessAsUser.All',
        'not for POP3',
        'https://outlook.office.com/POP.AccessAsUser.All',
      ],
      [
        'offline_access https://outlook.office365.com/IMAP.AccessAsUser.All',
        'not for POP3',
        'https://outlook.office.com/POP.AccessAsUser.All',
      ],
      ['IMAP.AccessAsUser.All', 'not for POP3', 'https://outlook.office.com/POP.AccessAsUser.All'],
      [
        'https://outlook.office.com/SMTP.Send',
        'not for POP3',
        'https://outlook.office.com/POP.AccessAsUser.All',
      ],
      [
        'https://graph.microsoft.com/POP.AccessAsUser.All',
        'not for the mail server',
        'https://outlook.office.com/POP.AccessAsUser.All',
      ],
      ['POP.AccessAsUser.All', 'not for the mail server', 'https://outlook.office.com/POP.AccessAsUser.All'],
      ['https://www.googleapis.com/auth/gmail.readonly', 'not for POP3', 'https://mail.google.com/'],
    ] as const
  ).map(
    ([scope, what, right]) =>
      [
        `the scope ${scope} (A-03)`,
        token({ ...REFRESH, tokenEndpoint: ENDPOINT, scope }),
        [['.signIn.token.scope', `${what}: write ${right}`]],
      ] as const,
  ),
  [
    'a scope for IMAP of an app (A-03)',
    token(
      { ...APP, tenant: 'contoso', scope: 'https://outlook.office365.com/IMAP.AccessAsApp' },
      { preset: 'microsoft-365' },
    ),
    [['.signIn.token.scope', 'not for POP3: write https://outlook.office365.com/.default']],
  ],
];

describe('how a mailbox signs in', () => {
  it.each(GOOD)('takes %s', (_, given, expected) => {
    const mailbox = parsed(given);
    expect(mailbox).toMatchObject(expected);
    // What was read is read again as what it is: `config/mailboxes.json` is written by programs.
    expect(parsed(JSON.parse(JSON.stringify(mailbox)))).toEqual(mailbox);
    expect(mailbox).not.toHaveProperty('preset');
  });

  it.each(BAD)('refuses %s', (_, given, expected) => {
    const problems = problemsOf(() => parsed(given));
    const at = (path: string) => `mailboxes[0] ("support")${path}: `;
    const found = expected.map(([path, words]) =>
      problems.find((problem) => problem.startsWith(at(path)) && problem.includes(words)),
    );
    expect(found, problems.join('\n')).not.toContain(undefined);
    expect(problems).toHaveLength(expected.length);
    expect(problems.join()).not.toContain('hunter2');
  });

  it('tells them together with all else that is wrong', () => {
    const problems = problemsOf(() =>
      parsed({ id: 'Support', user: '', port: 0, signIn: { token: { grant: 'refresh-token' } } }),
    );
    for (const path of [
      '.id',
      '.user',
      '.port',
      '.host',
      '.signIn.token.clientId',
      '.signIn.token.tokenEndpoint',
    ])
      expect(problems.filter((problem) => problem.includes(`${path}: `))).toHaveLength(1);
  });

  it('runs no program for whoever may write the document of the functions', () => {
    const mailboxes = [
      { ...BASE, ...PASSWORD },
      { ...BASE, id: 'two', signIn: { token: { command: ['id'] } } },
    ];
    expect(problemsOf(() => parseMailboxesDocument({ v: 1, mailboxes }, 'test'))).toEqual([
      'mailboxes[1] ("two").signIn.token.command: a function runs no programs: use { from: REFERENCE } or a grant; command is for mailferry alone',
    ]);
    const wrong = [...mailboxes, { ...BASE, id: 'three', port: 0, ...PASSWORD }];
    expect(problemsOf(() => parseMailboxesDocument({ v: 1, mailboxes: wrong }, 'test'))).toHaveLength(2);
  });

  it.each(MECHANISMS)('knows what %s shows, and asks for it alone', (mechanism) => {
    const { shows } = WHAT_EACH_SHOWS[mechanism];
    const needs = {
      password: PASSWORD,
      token: {},
      certificate: { clientCertificate: PAIR },
    }[shows];
    const given = { ...BASE, ...needs, signIn: { mechanism, ...(shows === 'token' && { token: TOKEN }) } };
    expect(parsed(given).signIn.mechanism).toBe(mechanism);
    expect(problemsOf(() => parsed({ ...BASE, signIn: { mechanism } }))).toHaveLength(1);
  });

  it.each(PRESET_NAMES)('has the pages that say what the preset %s fills in', (name) => {
    const { sources, tokenEndpoint = '', host } = PRESETS[name];
    expect(sources.length).toBeGreaterThan(0);
    for (const url of [...sources, tokenEndpoint]) expect(URL.canParse(url), url).toBe(true);
    expect(host).toMatch(/^[a-z0-9.]+$/);
  });
});
