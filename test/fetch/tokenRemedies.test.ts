/** From what a token endpoint answers, through the errors that it becomes, to the row of advice that is told. */
import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { advised } from '../../lib/fetch/advised.ts';
import { mailboxFailure } from '../../lib/fetch/coming.ts';
import { OAUTH_REMEDIES } from '../../lib/fetch/oauthRemedies.ts';
import { Tally } from '../../lib/fetch/runContext.ts';
import type { Mailbox } from '../../lib/mailbox/settings.ts';
import type { TokenSource } from '../../lib/secrets/port.ts';
import { refusal } from '../secrets/hiding.ts';
import { scriptedWorld } from '../secrets/tokenWorld.ts';
import { json } from '../servers/tokenEndpoint.ts';
import { mailboxNamed } from './world.ts';

const M365 = 'outlook.office365.com';
const GMAIL = 'pop.gmail.com';
const OWN = 'pop.example.org';

type Grant = 'refresh-token' | 'client-credentials' | 'service-account';

interface Given {
  readonly host: string;
  readonly grant: Grant;
  readonly status: number;
  readonly body: object;
}

/** As Microsoft writes them: learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow. */
const entra = (number: number, error: string, words = 'Some words.') => ({
  error,
  error_description: `AADSTS${number}: ${words} Trace ID: 70008 Correlation ID: 1 Timestamp: 2026-11-29 10:00:00Z`,
  error_codes: [number],
  error_uri: `https://login.microsoftonline.com/error?code=${number}`,
});

const microsoft = (grant: Grant, body: object, status = 400): Given => ({ host: M365, grant, status, body });
const google = (grant: Grant, error: string, error_description?: string, status = 400): Given => ({
  ...{ host: GMAIL, grant, status },
  body: { error, error_description },
});
const elsewhere = (error: string, status = 400): Given => ({
  ...{ host: OWN, grant: 'client-credentials', status },
  body: { error },
});

/** What a file is called says nothing of what went wrong. */
const MISLEADING = 'AADSTS50057-invalid_client';

const NUMBERS = OAUTH_REMEDIES.flatMap(({ id }) => {
  const number = /^AADSTS(\d+)$/.exec(id)?.[1];
  return number === undefined ? [] : [Number(number)];
});

/** Words of Google's are those of developers.google.com/identity/protocols/oauth2/service-account. */
const ROWS: readonly (readonly [id: string, given: Given])[] = [
  // Whichever error stands before it, and however it comes.
  ...NUMBERS.map((number, nth) => {
    const error =
      ['invalid_grant', 'invalid_client', 'interaction_required', 'consent_required'][nth % 4] ?? '';
    return [`AADSTS${number}`, microsoft('refresh-token', entra(number, error))] as const;
  }),
  ['AADSTS70043', microsoft('refresh-token', { error: 'invalid_grant', error_codes: [70043] })],
  [
    'AADSTS700082',
    microsoft('refresh-token', entra(700082, 'invalid_grant', 'a refresh token of the test has expired.')),
  ],
  ['AADSTS7000215', microsoft('client-credentials', entra(7000215, 'invalid_client'), 401)],
  [
    'google-clock',
    google(
      'service-account',
      'invalid_grant',
      'Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat and exp values in the JWT claim.',
    ),
  ],
  ['google-subject', google('service-account', 'invalid_grant', 'Not a valid email or user ID.')],
  ['google-subject', google('service-account', 'invalid_grant', 'Not a valid email.')],
  ['google-subject', google('service-account', 'invalid_request', 'Invalid impersonation "sub" field.')],
  ['google-account', google('refresh-token', 'invalid_grant', 'Account has been deleted')],
  ['google-account', google('service-account', 'invalid_grant', 'Invalid grant: account not found')],
  ['google-account', google('service-account', 'invalid_grant', 'Robot is disabled.')],
  ['google-reauth', google('refresh-token', 'invalid_grant', 'reauth related error (invalid_rapt)')],
  [
    'google-delegation',
    google(
      'service-account',
      'unauthorized_client',
      'Client is unauthorized to retrieve access tokens using this method, or client not authorized for any of the scopes requested.',
      401,
    ),
  ],
  ['google-delegation', elsewhere('unauthorized_client')],
  ['google-revoked', google('refresh-token', 'invalid_grant', 'Token has been expired or revoked.')],
  ['google-policy', google('refresh-token', 'admin_policy_enforced')],
  ['google-policy', google('refresh-token', 'org_internal', undefined, 403)],
  ['client-unknown', google('refresh-token', 'invalid_client', 'The OAuth client was not found.', 401)],
  ['client-unknown', google('refresh-token', 'deleted_client', 'The OAuth client was deleted.', 401)],
  ['client-unknown', elsewhere('invalid_client', 401)],
  ['scope-refused', elsewhere('invalid_scope')],
  ['grant-ended', { ...elsewhere('invalid_grant'), grant: 'refresh-token' }],
];

/** What is told of a mailbox at `host` whose token endpoint answers so. */
async function told({ host, grant, status, body }: Given) {
  const { tokens, source, put } = await scriptedWorld(json(body, status));
  const { tokenEndpoint, clientId } = source;
  const sources: Readonly<Record<Grant, TokenSource>> = {
    'client-credentials': source,
    'refresh-token': { grant: 'refresh-token', tokenEndpoint, clientId, refreshToken: `file:${MISLEADING}` },
    'service-account': {
      grant: 'service-account',
      key: 'file:key',
      subject: 'ada',
      scope: 'x',
      tokenEndpoint,
    },
  };
  await put(MISLEADING, 'a refresh token of the test');
  await put('key', KEY);
  const error = await refusal(tokens.read(sources[grant], false));
  const signIn = { mechanism: 'xoauth2', token: sources[grant] } as Mailbox['signIn'];
  const mailbox = mailboxNamed('inbox', { host, user: 'ada@example.org', password: undefined, signIn });
  const evidence = { nowMs: Date.now(), token: null, chain: [] };
  const trouble = advised(error, mailbox, evidence);
  const failure = mailboxFailure(error, trouble, {
    ...{ mailbox, tally: new Tally() },
    ...{ secretMark: undefined, renewed: false },
  });
  return { error, trouble, failure };
}

const KEY = JSON.stringify({
  type: 'service_account',
  client_email: 'ferry@project.iam.example.com',
  private_key: generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({
    type: 'pkcs8',
    format: 'pem',
  }),
});

describe('a refusal of a token endpoint', () => {
  it.each(ROWS)('leads to %s: %j', async (id, given) => {
    const { error, trouble } = await told(given);
    const { diagnosis } = trouble;
    expect(diagnosis?.facts['advice']).toBe(id);
    expect(diagnosis?.facts['aadsts']).toBe(/^AADSTS(\d+)/.exec(id)?.[1]);
    expect(diagnosis?.step).toBe('secret');
    // What everybody is told gives way; it is neither in what was said nor beside the advice.
    expect(error.next).not.toBe('');
    expect(trouble.message).not.toContain(error.next);
    expect(diagnosis?.says).not.toContain(error.next);
    expect(trouble.message).toContain(diagnosis?.next);
  });

  it('has a case here for each row of that table', () => {
    expect([...new Set(ROWS.map(([id]) => id))].sort()).toEqual(OAUTH_REMEDIES.map(({ id }) => id).sort());
  });

  it.each([
    ['invalid_grant', 'refusal'],
    ['invalid_client', 'refusal'],
    ['whatever comes', 'refusal'],
    ['temporarily_unavailable', 'trouble'],
  ])('%s is waited for as %s, and what a person must mend is told at once', async (error, pace) => {
    const { failure } = await told(elsewhere(error));
    expect(failure).toMatchObject({ pace, certain: pace === 'refusal' });
  });

  it.each([
    elsewhere('access_denied'),
    elsewhere('invalid_grant'),
    google('service-account', 'invalid_grant', 'Invalid JWT Signature.'),
  ])('of which nothing more is known keeps the advice that everybody gets: %j', async (given) => {
    const { error, trouble } = await told(given);
    expect(trouble.diagnosis?.next).toBe(error.next);
    expect(trouble.message).toBe(`inbox: ${error.message}`);
  });

  it.each([
    ['busy', 503, { error: 'invalid_client' }],
    ['no answer of OAuth', 200, {}],
  ])('that is none leads to no advice: %s', async (_, status, body) => {
    const { trouble } = await told({ ...elsewhere('x'), status, body });
    expect(trouble.kind).toBe('later');
    expect(trouble.diagnosis?.facts['advice']).toBeUndefined();
  });
});

it('an endpoint that asks to be left alone is left alone by its mailbox', async () => {
  const { tokens, source } = await scriptedWorld(json({}, 429, { 'retry-after': '1800' }));
  const error = await refusal(tokens.read(source, false));
  const mailbox = mailboxNamed('inbox', { host: OWN });
  const trouble = advised(error, mailbox, { nowMs: Date.now(), token: null, chain: [] });
  const more = { mailbox, tally: new Tally(), secretMark: undefined, renewed: false };
  expect(mailboxFailure(error, trouble, more)).toMatchObject({ kind: 'later', atLeastMs: 1_800_000 });
});
