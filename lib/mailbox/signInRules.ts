/**
 * What the settings of a mailbox must agree on to sign in, over what was given, whatever its shape: so that it is told
 * together with all else that is wrong.
 */
import {
  GOOGLE_SCOPE,
  type Grant,
  MICROSOFT_APP_SCOPE,
  MICROSOFT_SCOPE,
  PRESET_NAMES,
  PRESETS,
  type PresetName,
} from './presets.ts';
import { MECHANISMS, type MechanismName, mechanismOf, WHAT_EACH_SHOWS } from './signInSettings.ts';

export interface Problem {
  /** Below the mailbox. */
  readonly path: readonly string[];
  readonly message: string;
}

type Given = Readonly<Record<string, unknown>>;

export interface Circumstances {
  /** The value of `tls` without TLS. */
  readonly plaintext: string;
  /** Whether a program may be run for a token. */
  readonly programs: boolean;
}

export function signInProblems(given: unknown, { plaintext, programs }: Circumstances): readonly Problem[] {
  if (!isObject(given)) return [];
  const signIn = isObject(given['signIn']) ? given['signIn'] : {};
  const preset = oneOf(PRESET_NAMES, given['preset']);
  return [
    ...hostProblems(given),
    ...credentialProblems(given, signIn, preset),
    ...lineProblems(given, signIn, plaintext),
    ...(isObject(signIn['token']) ? tokenProblems(signIn['token'], preset, programs) : []),
  ];
}

function hostProblems({ host, preset }: Given): readonly Problem[] {
  if (host !== undefined || preset !== undefined) return [];
  const message = `is needed: the name of the POP3 server, or a preset (${PRESET_NAMES.join(', ')})`;
  return [{ path: ['host'], message }];
}

/** A password for those that show one, a token for those that show one, and nothing that is not used. */
function credentialProblems(
  { password, clientCertificate }: Given,
  signIn: Given,
  preset: PresetName | undefined,
): readonly Problem[] {
  const { mechanism, token, initialResponse } = signIn;
  const named = oneOf(MECHANISMS, mechanism);
  // What is no mechanism is told of by itself.
  if (mechanism !== undefined && named === undefined) return [];
  const meant = mechanismOf({ mechanism: named, token }, preset);
  const { shows, speaksFirst } = WHAT_EACH_SHOWS[meant];
  const problems: Problem[] = [];
  const say = (path: readonly string[], message: string) => void problems.push({ path, message });
  if (shows === 'password' && password === undefined)
    say(
      ['password'],
      `is needed by ${meant}: a reference such as env:NAME, file:PATH or secretsmanager:ID#KEY`,
    );
  if (shows !== 'password' && password !== undefined)
    say(
      ['password'],
      `is not used by ${meant}, which shows a ${shows}: leave it out${elsewhere(meant, token, preset)}`,
    );
  if (shows === 'token' && token === undefined)
    say(
      ['signIn', 'token'],
      `is needed by ${meant}: { from: REFERENCE }, { command: […] } or { grant: …, … }`,
    );
  if (shows !== 'token' && token !== undefined)
    say(
      ['signIn', 'token'],
      `is not used by ${meant}, which shows a ${shows}: leave it out, or set mechanism to xoauth2 or oauthbearer`,
    );
  if (shows === 'certificate' && clientCertificate === undefined)
    say(['clientCertificate'], `is needed by ${meant}: { certificate: file:PATH, key: file:PATH }`);
  if (initialResponse === true && !speaksFirst)
    say(['signIn', 'initialResponse'], `must be left out with ${meant}, in which the server speaks first`);
  return problems;
}

function elsewhere(meant: MechanismName, token: unknown, preset: PresetName | undefined): string {
  if (token !== undefined || meant === 'external') return '';
  const why = preset !== undefined && PRESETS[preset].mechanism !== undefined;
  return why ? `, for ${preset} takes no passwords over POP3` : '';
}

/** What only a line with TLS has. */
function lineProblems(given: Given, { mechanism }: Given, plaintext: string): readonly Problem[] {
  const problems: Problem[] = [];
  if (given['tls'] === plaintext) {
    const message = 'wants TLS: set tls to implicit or stls';
    for (const key of ['clientCertificate', 'serverKeys'])
      if (given[key] !== undefined) problems.push({ path: [key], message });
    if (typeof mechanism === 'string' && mechanism.endsWith('-plus'))
      problems.push({ path: ['signIn', 'mechanism'], message: `${mechanism} ${message}` });
  }
  if (given['serverKeys'] !== undefined && given['ca'] !== undefined)
    problems.push({
      path: ['serverKeys'],
      message: 'stands in place of ca: with serverKeys the key alone decides, so leave one of them out',
    });
  return problems;
}

function tokenProblems(token: Given, preset: PresetName | undefined, programs: boolean): readonly Problem[] {
  if ('command' in token && !programs) {
    const message =
      'a function runs no programs: use { from: REFERENCE } or a grant; command is for mailferry alone';
    return [{ path: ['signIn', 'token', 'command'], message }];
  }
  const grant = oneOf(['refresh-token', 'client-credentials', 'service-account'] as const, token['grant']);
  if (grant === undefined) return [];
  return [...endpointProblems(token, grant, preset), ...scopeProblems(token, grant, preset)].map(
    ({ path, message }) => ({ path: ['signIn', 'token', ...path], message }),
  );
}

/** Directories that stand for many organizations, none of which an app can sign in to as itself. */
const SHARED_TENANTS: readonly unknown[] = ['common', 'organizations', 'consumers'];

function endpointProblems(
  { tokenEndpoint, tenant }: Given,
  grant: Grant,
  preset: PresetName | undefined,
): readonly Problem[] {
  const { tokenEndpoint: known, tenant: usual, scopes, otherGrants } = preset ? PRESETS[preset] : NO_PRESET;
  if (preset !== undefined && !(grant in scopes)) return [{ path: ['grant'], message: `${otherGrants}` }];
  const problems: Problem[] = [];
  if (tenant !== undefined && usual === undefined)
    problems.push({
      path: ['tenant'],
      message: 'is for the presets of Microsoft alone: write tokenEndpoint',
    });
  if (tenant !== undefined && usual !== undefined && tokenEndpoint !== undefined)
    problems.push({ path: ['tenant'], message: 'stands in place of tokenEndpoint: leave one of them out' });
  if (grant === 'service-account') return problems;
  if (tokenEndpoint === undefined && known === undefined) {
    const message = `is needed: the https URL that gives access tokens, or a preset (${PRESET_NAMES.join(', ')})`;
    problems.push({ path: ['tokenEndpoint'], message });
  }
  const wantsOwn = grant === 'client-credentials' && usual !== undefined && tokenEndpoint === undefined;
  if (wantsOwn && (tenant === undefined || SHARED_TENANTS.includes(tenant))) {
    const message =
      'is needed by client-credentials: the ID or domain of your own directory, not a shared one';
    problems.push({ path: ['tenant'], message });
  }
  return problems;
}

const NO_PRESET = { tokenEndpoint: undefined, tenant: undefined, scopes: {}, otherGrants: '' };

/** a token for IMAP, or for another of the provider's services, reads to the server as a wrong password. */
function scopeProblems({ scope }: Given, grant: Grant, preset: PresetName | undefined): readonly Problem[] {
  if (scope === undefined && grant === 'client-credentials' && preset === undefined)
    return [
      {
        path: ['scope'],
        message: `is needed by client-credentials; at Microsoft it is ${MICROSOFT_APP_SCOPE}`,
      },
    ];
  if (typeof scope !== 'string') return [];
  const right = grant === 'client-credentials' ? MICROSOFT_APP_SCOPE : MICROSOFT_SCOPE;
  return WRONG_SCOPES.filter(({ says }) => scope.split(' ').some((word) => says.test(word))).map(
    ({ what, google }) => ({ path: ['scope'], message: `${what}: write ${google ? GOOGLE_SCOPE : right}` }),
  );
}

/** By a word of the scope; what a person wrote there is not shown, for it may be anything. */
const WRONG_SCOPES = [
  {
    says: /(^|\/)(IMAP\.AccessAs|SMTP\.Send)/i,
    what: 'IMAP and SMTP have scopes of their own, not for POP3',
    google: false,
  },
  {
    says: /^(https:\/\/graph\.microsoft\.com\/)?POP\.AccessAs/i,
    what: 'a scope of Microsoft Graph is not for the mail server',
    google: false,
  },
  { says: /googleapis\.com\/auth\/gmail/i, what: 'a scope of Gmail’s API is not for POP3', google: true },
] as const;

function oneOf<const T extends string>(all: readonly T[], value: unknown): T | undefined {
  return all.find((one) => one === value);
}

function isObject(value: unknown): value is Given {
  return typeof value === 'object' && value !== null;
}
