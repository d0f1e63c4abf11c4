import { expect } from 'vitest';
import type { Mailbox } from '../../lib/mailbox/settings.ts';
import { Secret, SecretError } from '../../lib/secrets/port.ts';
import { EXCHANGE, inAnHour, jwt } from '../fetch/tokens.ts';
import type { World, WorldOptions } from '../fetch/world.ts';
import { type BearerOptions, bearerAuth, plainAuth } from '../servers/scriptedAuth.ts';
import { answers, commandsOf, type Group, hangsUp } from './quirk.ts';

const NONE = { stored: 0, retrieved: 0 } as const;
const REFUSED = '-ERR Logon failure: unknown user name or bad password.\r\n';

/** A mailbox at Exchange Online, and a token that it is refused with. */
function exchange(token: () => Promise<string>): WorldOptions {
  return {
    settings: {
      host: 'outlook.office365.com',
      password: undefined,
      signIn: { mechanism: 'xoauth2', initialResponse: false, token: { from: 'env:TOKEN' } },
    },
    faults: [answers('AUTH', REFUSED)],
    tokens: { read: async () => new Secret(await token()) },
  };
}

/** The one Mailbox Failing of all that was published. */
function diagnosisOf({ publisher }: World): object | undefined {
  const told = publisher.accepted.filter(({ detailType }) => detailType === 'Mailbox Failing');
  expect(told).toHaveLength(1);
  return told[0]?.detailType === 'Mailbox Failing' ? told[0].detail.diagnosis : undefined;
}

/** Longer than a line of a command may be (RFC 5034 section 4), as real ones are. */
const TOKEN = `ey${'J0'.repeat(800)}`;

/** A world whose mailbox shows TOKEN to a server that takes it, or does not. */
function bearer(options: Partial<BearerOptions>, signIn: Partial<Mailbox['signIn']> = {}) {
  const auth = bearerAuth({
    tokenOf: () => TOKEN,
    complains: '{"status":"401","schemes":"bearer","scope":"https://mail.google.com/"}',
    refusal: '-ERR [AUTH] Username and password not accepted.',
    ...options,
  });
  return {
    behaviour: { auth, capabilities: ['UIDL', 'TOP', 'SASL PLAIN XOAUTH2'] },
    tokens: { read: async () => new Secret(TOKEN) },
    settings: {
      password: undefined,
      signIn: { mechanism: 'xoauth2', initialResponse: false, token: { from: 'env:TOKEN' }, ...signIn },
    },
  } as const;
}

const authsOf = (world: World) => commandsOf(world).filter((line) => line.startsWith('AUTH'));

export const SIGNING_IN: Group = {
  name: 'authentication',
  ids: 'A-01 A-02 A-03 A-04 A-05 A-06 A-07 A-08 A-09 A-10 A-11 A-12 A-13 A-14',
  tried: [
    {
      ids: ['A-03'],
      when: 'the token is for IMAP, and the refusal reads as a wrong password',
      world: exchange(async () => jwt({ aud: EXCHANGE, scp: 'IMAP.AccessAsUser.All', exp: inAnHour() })),
      runs: 3,
      outcome: {
        ...NONE,
        last: { error: { code: 'E_POP3_TOKEN_REFUSED', kind: 'person' } },
        says: /The token is for IMAP\..*POP\.AccessAsUser\.All/,
        check: (world) =>
          expect(diagnosisOf(world)).toMatchObject({
            ...{ step: 'sign-in', says: REFUSED.trim() },
            facts: {
              advice: 'token-for-imap',
              tokenScopes: 'IMAP.AccessAsUser.All',
              provider: 'Exchange Online',
            },
          }),
      },
    },
    {
      ids: ['A-04', 'A-10'],
      when: 'the refresh token has died: a person is told at once what to do, and the server is not signed in to',
      world: exchange(() => {
        const words =
          'invalid_grant: AADSTS70043: The refresh token has expired due to sign-in frequency checks.';
        throw new SecretError(words, { kind: 'person', code: 'E_TOKEN_REVOKED', reference: 'grant' });
      }),
      runs: 1,
      outcome: {
        ...NONE,
        last: { error: { code: 'E_TOKEN_REVOKED', kind: 'person', phase: 'secret' } },
        says: /AADSTS70043.*mailferry authorize/,
        never: /^AUTH/,
        check: (world) =>
          expect(diagnosisOf(world)).toMatchObject({
            step: 'secret',
            facts: { aadsts: '70043', advice: 'AADSTS70043' },
          }),
      },
    },
    {
      ids: ['A-10'],
      when: 'the provider has switched password sign-in off',
      world: {
        settings: { host: 'pop-mail.outlook.com' },
        faults: [answers('PASS', '-ERR Logon failure: BasicAuthBlocked\r\n')],
      },
      outcome: { ...NONE, says: /only OAuth: "preset: outlook\.com".*See https:/ },
    },
    {
      ids: ['A-08', 'A-10'],
      when: 'one text of Tencent’s has every reason in it',
      world: {
        settings: { host: 'pop.qq.com' },
        faults: [
          answers(
            'PASS',
            '-ERR Login fail. Account is abnormal, service is not open, password is incorrect, login frequency limited, or system is busy.\r\n',
          ),
        ],
      },
      runs: 3,
      outcome: {
        ...NONE,
        says: /Account is abnormal.*authorization code of 16 characters.*See https:/,
        check: (world) =>
          expect(diagnosisOf(world)).toMatchObject({
            says: expect.stringContaining('login frequency limited'),
            facts: { code: 'E_POP3_SIGNIN_UNCLEAR', provider: 'QQ Mail' },
          }),
      },
    },
    {
      ids: ['A-01'],
      when: 'XOAUTH2 is taken in two steps alone',
      world: bearer({ onlyInTwoSteps: true }),
      outcome: {
        last: { outcome: 'done' },
        never: /^(USER|PASS)/,
        check: (world) => expect(authsOf(world)).toEqual(['AUTH XOAUTH2', 'AUTH XOAUTH2']),
      },
    },
    {
      ids: ['A-02'],
      when: 'a refused token is told in a challenge, and -ERR waits for its acknowledgement',
      world: bearer({ tokenOf: () => 'another' }),
      outcome: {
        ...NONE,
        never: /^(USER|PASS)/,
        last: { error: { code: 'E_POP3_TOKEN_REFUSED', kind: 'person', phase: 'sign-in' } },
        says: /refused the access token \(status 401, for the scope https:\/\/mail\.google\.com\/\)/,
        check: (world) => expect(authsOf(world)).toEqual(['AUTH XOAUTH2', 'AUTH XOAUTH2']),
      },
    },
    {
      ids: ['A-06'],
      when: 'the one mechanism is not offered: nothing secret is sent, and no other is tried',
      world: {
        behaviour: { auth: plainAuth, capabilities: ['UIDL', 'USER', 'SASL PLAIN LOGIN'] },
        settings: { signIn: { mechanism: 'cram-md5', initialResponse: false } },
      },
      outcome: {
        ...NONE,
        never: /^(AUTH|USER|PASS)/,
        last: { error: { code: 'E_POP3_MECHANISM', kind: 'person', phase: 'sign-in' } },
        says: /does not offer CRAM-MD5; it offers PLAIN, LOGIN\. .*set signIn\.mechanism to user-pass or plain or login\./,
      },
    },
    {
      ids: ['A-05', 'P-12'],
      when: 'PASS is answered by hanging up',
      world: { faults: [hangsUp('PASS')] },
      outcome: { ...NONE, last: { error: { code: 'E_POP3_SIGNIN_DROPPED', kind: 'later' } } },
    },
    {
      ids: ['A-06'],
      when: 'the password is refused: one attempt a run, and no other mechanism',
      world: { faults: [answers('PASS', '-ERR [AUTH] no\r\n')] },
      runs: 3,
      outcome: {
        ...NONE,
        never: /^(AUTH|APOP)/,
        check: (world) => {
          expect(commandsOf(world).filter((line) => line.startsWith('PASS'))).toHaveLength(3);
        },
      },
    },
    {
      ids: ['A-07'],
      when: 'a throttle says that the password is wrong, twice',
      world: { faults: [answers('PASS', REFUSED, { times: 2 })] },
      runs: 3,
      outcome: { first: { outcome: 'failed' }, last: { outcome: 'done' } },
    },
    {
      ids: ['A-08', 'X-03'],
      when: 'a refusal has words of its own, 8-bit ones among them',
      world: { faults: [answers('PASS', '-ERR \xb5\xc7\xc2\xbc login fail, see help.example.org/49\r\n')] },
      outcome: { ...NONE, says: /\\xB5.*login fail, see help\.example\.org\/49/ },
    },
    {
      ids: ['A-12'],
      when: 'a refusal takes ninety seconds',
      world: { faults: [answers('PASS', '-ERR [AUTH] at last\r\n', { delayMs: 150 })] },
      hurried: true,
      outcome: { ...NONE, says: /at last/ },
    },
  ],
  shown: [
    {
      ids: ['A-05'],
      by: [{ file: 'test/fetch/lockOut.test.ts', title: 'each %s: sign-ins that are dropped' }],
    },
    {
      ids: ['A-09'],
      by: [
        {
          file: 'test/pop3/replies.test.ts',
          title: 'keeps a password as it is: blanks, percent, colon, 8-bit',
        },
      ],
    },
    {
      ids: ['A-03'],
      by: [{ file: 'test/mailbox/signInSettings.test.ts', title: 'a scope for IMAP of an app (A-03)' }],
    },
    { ids: ['A-10'], by: [{ file: 'test/pop3/refusals.test.ts', title: 'wants a person: $code' }] },
    {
      ids: ['A-13'],
      by: [
        {
          file: 'test/bin/fetch.test.ts',
          title: 'says which mailbox failed, in the server’s words, and fetches the others',
        },
      ],
    },
    {
      ids: ['A-11'],
      by: [
        {
          file: 'test/pop3/stls.test.ts',
          title: 'is told to use TLS where USER is refused and STLS announced (A-11, Mailu)',
        },
      ],
    },
    {
      ids: ['A-14'],
      by: [{ file: 'test/pop3/secrets.test.ts', title: 'is in no error long after signing in' }],
    },
  ],
  left: [],
};
