/**
 * What to do where no token could be had: by Microsoft's numbers, and by what others say. Pages beside each.
 *
 * Held against copies of these pages, of 2024 to 2026, and not against the services: every number and what it means
 * against the source of Microsoft's table (github.com/MicrosoftDocs/entra-docs). That has no 1002012; its words are public,
 * and the scope is on learn.microsoft.com/entra/identity-platform/scenario-daemon-acquire-token. Where a person clicks, and
 * what Google says, are as pages and public issues have them, and change.
 */
import type { Remedy, SignInFacts } from './remedies.ts';

const ENTRA = 'https://learn.microsoft.com/en-us/entra/identity-platform/reference-error-codes';
const GOOGLE = 'https://developers.google.com/identity/protocols/oauth2';
const GOOGLE_DELEGATION = 'https://developers.google.com/identity/protocols/oauth2/service-account';
const RFC_6749 = 'https://www.rfc-editor.org/rfc/rfc6749#section-5.2';

const AUTHORIZE = 'A person must sign in again: mailferry authorize.';
const CONSENT =
  'Have a person consent (mailferry authorize), or an administrator for all: Enterprise applications, Permissions, Grant admin consent.';
const SECRET =
  'make a new one (App registrations, Certificates & secrets) and put its value where clientSecret points.';
const POLICY =
  'Have an administrator look at the sign-in log, and exempt this application or this machine’s address from the policy, or use client-credentials.';

const TENANTS = 'Have whoever runs the network or the directory look at its tenant restrictions.';

/** Numbers change meaning seldom, and Microsoft says that they may: they choose words, and nothing else. */
const AADSTS: Readonly<Record<number, string>> = {
  50001: 'The directory does not know what the scope names: check "scope" and "tenant".',
  50002: `The directory lets no one in from here. ${TENANTS}`,
  50014: 'The account is not in this directory: check "user" and "tenant".',
  50020: 'The account is not in this directory: check "tenant", which is "consumers" for personal accounts.',
  50034: 'There is no such account in this directory: check "user" and "tenant".',
  50053:
    'The account is locked after too many attempts, or this address is blocked: wait, and look at its sign-in log.',
  50055: `The account's password has expired: change it. ${AUTHORIZE}`,
  50057: 'The account is disabled: an administrator must enable it.',
  50059: 'The request names no directory: set "tenant".',
  50072: `The account must enrol for multi-factor sign-in, with a web browser. ${AUTHORIZE}`,
  50074: `The account wants a second factor. ${AUTHORIZE}`,
  50076: `The account wants a second factor, by a policy or from this place. ${AUTHORIZE}`,
  50078: `The second factor is too long ago for a policy. ${AUTHORIZE}`,
  50079: `The account must enrol for multi-factor sign-in, with a web browser. ${AUTHORIZE}`,
  50085: `The account must be signed in to again, at its own provider. ${AUTHORIZE}`,
  50089: `The sign-in or the grant has expired. ${AUTHORIZE}`,
  50097: `The policy wants a device that it knows. ${POLICY}`,
  50105: 'The application wants users assigned: assign this one (Enterprise applications, Users and groups).',
  50126: 'User name or password is wrong.',
  50128: 'The request names no directory that there is: check "tenant".',
  50131: `Conditional Access forbids it, by the device or by what looks suspicious. ${POLICY}`,
  50132: `The password expired or was changed. ${AUTHORIZE}`,
  50133: `The password expired or was changed. ${AUTHORIZE}`,
  50135: `The password must be changed, since the account is at risk. ${AUTHORIZE}`,
  50144: `The account's password has expired: change it. ${AUTHORIZE}`,
  50158: `Another sign-in service must be passed first. ${AUTHORIZE}`,
  50173: `The grant ended: an administrator or the user revoked it, or the password was changed. ${AUTHORIZE}`,
  50194: 'The application is for one directory alone: set "tenant" to that directory’s id.',
  50196:
    'The application has asked for the same token too often: wait, and see that nothing else uses it in a loop.',
  51004: 'The account is not in this directory: check "user" and "tenant".',
  53000: `The policy wants a managed device. ${POLICY}`,
  53001: `The policy wants a device that has joined the domain. ${POLICY}`,
  53002: `The policy wants an application that it has approved. ${POLICY}`,
  53003: `Conditional Access forbids it. ${POLICY}`,
  53004: `The account must enrol for multi-factor sign-in, with a web browser. ${AUTHORIZE}`,
  53011: 'The account is blocked as a risk: an administrator must look at it.',
  65001: `Nobody has consented to this application and scope. ${CONSENT}`,
  65004: `The person declined to consent. ${CONSENT}`,
  65005: `The permission for mail is missing from the application: add it (API permissions). ${CONSENT}`,
  70000: `The refresh token is not valid. ${AUTHORIZE}`,
  70001: 'The application is disabled, or not known in this directory: check "clientId" and "tenant".',
  70002: 'The client secret is not that of the application: check what clientSecret points to.',
  70008: `The refresh token expired or was revoked. ${AUTHORIZE}`,
  70011:
    'The scope is not one: it is https://outlook.office.com/POP.AccessAsUser.All offline_access, or with client credentials https://outlook.office365.com/.default.',
  70043: `The refresh token ended by a policy for how often people sign in. ${AUTHORIZE} To end that for good: ${POLICY}`,
  90002: 'There is no such directory: check "tenant".',
  90019: 'The request names no directory: set "tenant".',
  90038: 'The directory is in another of Microsoft’s clouds: write its tokenEndpoint.',
  90072: 'The account is not in this directory: check "user" and "tenant".',
  90094: 'Only an administrator may consent: Enterprise applications, Permissions, Grant admin consent.',
  90095: 'Only an administrator may consent: Enterprise applications, Permissions, Grant admin consent.',
  500011: 'The directory does not know what the scope names: check "scope" and "tenant".',
  500021: `The directory is not among those that may be reached from here. ${TENANTS}`,
  500022: `The directory is not among those that may be reached from here. ${TENANTS}`,
  530032: `A security policy of the directory forbids it. ${POLICY}`,
  530035: `Security defaults forbid it. ${POLICY}`,
  650052:
    'The organization has no Exchange Online, or not for this: an administrator must look at its subscriptions.',
  650056: `The permission for mail is missing from the application: add it (API permissions). ${CONSENT}`,
  650057: `The application does not list what the scope names: add it (API permissions). ${CONSENT}`,
  700011:
    'The directory does not know the application: check "clientId" and "tenant", and have its administrator consent.',
  700016:
    'The directory does not know the application: check "clientId" and "tenant", and have its administrator consent.',
  700022: 'The scope names more than one service: leave it out with a preset.',
  700025:
    'The application is a public client: leave "clientSecret" out, or register it as one that has a secret.',
  700082: `The refresh token was not used for too long (90 days). ${AUTHORIZE}`,
  700084: `The refresh token is one of a web page, which end after 24 hours. Register the application for mobile and desktop. ${AUTHORIZE}`,
  900144: 'A parameter is missing, "scope" as a rule: set it.',
  1002012: 'With client credentials the scope is https://outlook.office365.com/.default.',
  7000112: 'The application is disabled: an administrator must enable it.',
  7000215: `The client secret is wrong; often the secret's id was taken for its value. If the value is lost, ${SECRET}`,
  7000218:
    'The application wants a client secret: set "clientSecret", or allow public client flows for it (Authentication).',
  7000222: `The client secret has expired: ${SECRET}`,
  9001023: 'Shared directories do not give this grant: set "tenant" to the directory’s own id.',
  9002332:
    'The application is for accounts of organizations alone: register it for personal accounts as well, or check "tenant".',
};

/** The number that Microsoft begins its description with; null: there is none. */
export function aadstsOf(told: string): number | null {
  const found = /\bAADSTS(\d{4,9})\b/.exec(told);
  return found ? Number(found[1]) : null;
}

const noToken = ({ code }: SignInFacts) => code.startsWith('E_TOKEN_');
/** Of other grants it says that an assertion or a client does not hold, which no person's consent mends. */
const endedGrant = ({ code, grant }: SignInFacts) => code === 'E_TOKEN_REVOKED' && grant === 'refresh-token';
const saying =
  (words: RegExp) =>
  (facts: SignInFacts): boolean =>
    noToken(facts) && words.test(facts.told);

const BY_NUMBER: readonly Remedy[] = Object.entries(AADSTS).map(([number, next]) => ({
  id: `AADSTS${number}`,
  applies: (facts) => noToken(facts) && aadstsOf(facts.told) === Number(number),
  next: () => next,
  source: ENTRA,
}));

const ofGoogle = ({ provider }: SignInFacts) => provider?.signsInWith === 'google';

export const OAUTH_REMEDIES: readonly Remedy[] = [
  ...BY_NUMBER,
  {
    id: 'google-account',
    // As people met it: "Account has been deleted", "Invalid grant: account not found", "Robot is disabled."
    applies: (facts) =>
      ofGoogle(facts) &&
      saying(
        /\baccount (?:has been |is |was )?(?:deleted|disabled|suspended|not found)|\brobot is disabled/i,
      )(facts),
    next: ({ grant, mailbox: { user } }) =>
      grant === 'service-account'
        ? `The service account or ${user} is disabled or deleted: look at both (Google Cloud, IAM & Admin, Service accounts; Admin console, Users). A new service account needs a new key and its delegation.`
        : `The account of ${user} is disabled or deleted: have an administrator restore it. A grant from before does not come back: ${AUTHORIZE}`,
    source: GOOGLE,
  },
  {
    id: 'google-reauth',
    applies: (facts) => ofGoogle(facts) && saying(/\binvalid_rapt\b|\breauth related\b/i)(facts),
    next: () =>
      'The Workspace has people sign in again every so often, and no program can: an administrator must trust the application in Google Cloud session control, or use a service account.',
    source: 'https://support.google.com/a/answer/9368756',
  },
  {
    id: 'google-clock',
    // "Invalid JWT Signature" is about the key.
    applies: saying(/short-lived token|\biat\b.*\bexp\b/i),
    next: () => 'Google does not accept the time of what the key signed: set this machine’s clock.',
    source: GOOGLE_DELEGATION,
  },
  {
    id: 'google-subject',
    applies: saying(/(?:not a valid|invalid) email\b|\binvalid impersonation\b/i),
    next: ({ mailbox: { user } }) =>
      `Google knows no such user: check "subject", which is ${user} where it is left out.`,
    source: GOOGLE_DELEGATION,
  },
  {
    id: 'google-delegation',
    applies: saying(/unauthorized_client/),
    next: ({ provider }) =>
      provider?.signsInWith === 'google'
        ? 'A Workspace administrator must allow the service account: Security, API controls, Domain-wide delegation, with its client id and the scope https://mail.google.com/.'
        : 'The application may not use this grant: allow it where the application is registered.',
    source: GOOGLE_DELEGATION,
  },
  {
    id: 'google-revoked',
    applies: (facts) => endedGrant(facts) && facts.provider?.signsInWith === 'google',
    next: () =>
      `The grant ended: Google ends it after seven days where the application's publishing status is Testing, after six months without use, and when the person revokes it or changes the password. ${AUTHORIZE}`,
    source: GOOGLE,
  },
  {
    id: 'google-policy',
    applies: saying(/admin_policy_enforced|org_internal/),
    next: () =>
      'A Workspace administrator must allow the application: Security, API controls, App access control.',
    source: GOOGLE,
  },
  {
    id: 'client-unknown',
    applies: saying(/invalid_client|deleted_client|disabled_client/),
    next: () =>
      'The token endpoint does not take the application: check "clientId" and what clientSecret points to.',
    source: RFC_6749,
  },
  {
    id: 'scope-refused',
    applies: saying(/invalid_scope/),
    next: () => 'The token endpoint does not know the scope: check "scope", or leave it out with a preset.',
    source: RFC_6749,
  },
  {
    id: 'grant-ended',
    applies: endedGrant,
    next: () => `The grant ended or was revoked, and nothing but a new one helps. ${AUTHORIZE}`,
    source: RFC_6749,
  },
];
