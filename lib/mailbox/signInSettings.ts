/**
 * How a mailbox signs in, as a person writes it: shapes here, what must agree with what in `signInRules.ts`. A mailbox
 * that was read has all filled in that its preset and mechanism imply.
 */
import { z } from 'zod';
import { GOOGLE_SCOPE, PRESETS, type Preset, type PresetName } from './presets.ts';
import { inWords } from './settingsWords.ts';

export const REFERENCE = /^(env|file|secretsmanager):\S.*$/;

/** Of what is left out, and of what is no text. */
const NEEDED = {
  error: ({ input }: { readonly input?: unknown }) => (input === undefined ? 'is needed' : 'must be text'),
};

const A_REFERENCE =
  'must be a reference such as env:NAME, file:PATH or secretsmanager:ID#KEY, never the secret itself';

export const reference = z
  .string({ error: ({ input }) => (input === undefined ? 'is needed' : A_REFERENCE) })
  .regex(REFERENCE, A_REFERENCE);

export const PEM = /-----BEGIN CERTIFICATE-----/;

/** As the settings name them; each is what AUTH has, but for user-pass, which is USER and PASS. */
export const MECHANISMS = [
  ...(['user-pass', 'plain', 'login', 'cram-md5', 'scram-sha-1', 'scram-sha-1-plus'] as const),
  ...(['scram-sha-256', 'scram-sha-256-plus', 'xoauth2', 'oauthbearer', 'external'] as const),
] as const;
export type MechanismName = (typeof MECHANISMS)[number];

/** What each shows, and whether it has something to say before the server's first challenge. */
export const WHAT_EACH_SHOWS: Readonly<
  Record<
    MechanismName,
    { readonly shows: 'password' | 'token' | 'certificate'; readonly speaksFirst: boolean }
  >
> = {
  'user-pass': { shows: 'password', speaksFirst: false },
  plain: { shows: 'password', speaksFirst: true },
  login: { shows: 'password', speaksFirst: false },
  'cram-md5': { shows: 'password', speaksFirst: false },
  'scram-sha-1': { shows: 'password', speaksFirst: true },
  'scram-sha-1-plus': { shows: 'password', speaksFirst: true },
  'scram-sha-256': { shows: 'password', speaksFirst: true },
  'scram-sha-256-plus': { shows: 'password', speaksFirst: true },
  xoauth2: { shows: 'token', speaksFirst: true },
  oauthbearer: { shows: 'token', speaksFirst: true },
  external: { shows: 'certificate', speaksFirst: true },
};

const text = z
  .string(NEEDED)
  .min(1, 'must not be empty')
  .max(2048)
  .regex(/^[^\p{Cc}]*$/u, 'must not contain control characters');

/** In the clear, everybody on the way could read the token, or give another. */
const endpoint = text.refine(
  isEndpoint,
  'must be an https URL without a password in it; http is for this machine alone (127.0.0.1, [::1], localhost)',
);

function isEndpoint(given: string): boolean {
  if (!URL.canParse(given)) return false;
  const { protocol, hostname, username, password } = new URL(given);
  if (username !== '' || password !== '') return false;
  return (
    protocol === 'https:' || (protocol === 'http:' && /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname))
  );
}

const tenant = text.regex(/^[A-Za-z0-9.-]+$/, 'must be a directory (tenant) ID or a domain');

const FORMS = {
  from: z.strictObject({ from: reference }),
  command: z.strictObject({
    command: z.array(text, 'must be a list: the program and its arguments').min(1, 'must name a program'),
  }),
  'refresh-token': z.strictObject({
    grant: z.literal('refresh-token'),
    tokenEndpoint: endpoint.optional(),
    deviceEndpoint: endpoint.optional(),
    tenant: tenant.optional(),
    clientId: text,
    clientSecret: reference.optional(),
    scope: text.optional(),
    refreshToken: reference,
  }),
  'client-credentials': z.strictObject({
    grant: z.literal('client-credentials'),
    tokenEndpoint: endpoint.optional(),
    tenant: tenant.optional(),
    clientId: text,
    clientSecret: reference,
    scope: text.optional(),
  }),
  'service-account': z.strictObject({
    grant: z.literal('service-account'),
    key: reference,
    subject: text.optional(),
    scope: text.optional(),
    tokenEndpoint: endpoint.optional(),
  }),
} as const;

type Form = keyof typeof FORMS;
type GivenToken = z.infer<(typeof FORMS)[Form]>;

const ONE_OF =
  'must be one of { from: REFERENCE }, { command: [PROGRAM, …] } and { grant: refresh-token | client-credentials | service-account, … }';

/** The form is told by its keys, so that what is wrong is told of the form that was meant. */
const token = z.unknown().transform((value, context): GivenToken => {
  const form = formOf(value);
  const parsed = form === null ? null : FORMS[form].safeParse(value, { error: inWords });
  if (parsed?.success) return parsed.data;
  const issues = parsed?.error.issues ?? [{ code: 'custom' as const, path: [], message: ONE_OF }];
  for (const { path, message } of issues) context.addIssue({ code: 'custom', path: [...path], message });
  return z.NEVER;
});

function formOf(value: unknown): Form | null {
  if (typeof value !== 'object' || value === null) return null;
  const grant = 'grant' in value ? value.grant : undefined;
  if (grant === 'refresh-token' || grant === 'client-credentials' || grant === 'service-account')
    return grant;
  if ('grant' in value) return null;
  if ('from' in value) return 'from';
  return 'command' in value ? 'command' : null;
}

export const givenSignIn = z.strictObject({
  mechanism: z.enum(MECHANISMS, `must be one of ${MECHANISMS.join(', ')}`).optional(),
  initialResponse: z.boolean().optional(),
  token: token.optional(),
});

export const clientCertificate = z.strictObject({
  certificate: z
    .string()
    .refine(
      (given) => PEM.test(given) || REFERENCE.test(given),
      'must be PEM text or a reference such as file:PATH',
    ),
  key: reference,
});

/** Keys of a server, in place of a certificate authority; several, while one is being replaced by another. */
export const serverKeys = z
  .array(
    z
      .string()
      .regex(
        /^sha256:[A-Za-z0-9+/]{43}=$/,
        'must be sha256: and the SHA-256 of the key (its SubjectPublicKeyInfo) in base64',
      ),
  )
  .min(1, 'must have a key')
  .max(10, 'must have at most 10 keys');

/** Where an access token comes from, with nothing left to fill in. */
export type Token =
  | Extract<GivenToken, { from: string } | { command: string[] }>
  | (Omit<z.infer<(typeof FORMS)['refresh-token']>, 'tenant' | 'tokenEndpoint'> & { tokenEndpoint: string })
  | (Omit<z.infer<(typeof FORMS)['client-credentials']>, 'tenant' | 'tokenEndpoint' | 'scope'> & {
      tokenEndpoint: string;
      scope: string;
    })
  | (Omit<z.infer<(typeof FORMS)['service-account']>, 'subject' | 'scope'> & {
      subject: string;
      scope: string;
    });

export interface SignIn {
  readonly mechanism: MechanismName;
  /** What is said first rides on AUTH. */
  readonly initialResponse: boolean;
  /** Of bearer mechanisms alone. */
  readonly token?: Token | undefined;
}

/** The one mechanism of a mailbox; nothing is ever tried beside it. */
export function mechanismOf(
  given: { readonly mechanism?: MechanismName | undefined; readonly token?: unknown } | undefined,
  preset: PresetName | undefined,
): MechanismName {
  const implied = preset === undefined ? undefined : PRESETS[preset].mechanism;
  return given?.mechanism ?? (given?.token === undefined ? (implied ?? 'user-pass') : 'xoauth2');
}

/** For what `signInRules.ts` has no objection to. */
export function resolvedSignIn(
  given: z.infer<typeof givenSignIn> | undefined,
  { preset, user }: { readonly preset?: PresetName | undefined; readonly user: string },
): SignIn {
  const mechanism = mechanismOf(given, preset);
  // QUIRK: Exchange hangs up on XOAUTH2 that rides on AUTH; every server takes it in two steps (RFC 5034 section 4).
  const usual = mechanism !== 'xoauth2' && WHAT_EACH_SHOWS[mechanism].speaksFirst;
  const token =
    given?.token && resolvedToken(given.token, preset === undefined ? null : PRESETS[preset], user);
  return { mechanism, initialResponse: given?.initialResponse ?? usual, ...(token && { token }) };
}

function resolvedToken(given: GivenToken, preset: Preset | null, user: string): Token {
  if (!('grant' in given)) return given;
  const scope = given.scope ?? preset?.scopes[given.grant] ?? undefined;
  switch (given.grant) {
    case 'refresh-token': {
      const { tenant: own, tokenEndpoint, deviceEndpoint, ...rest } = given;
      const at = (url: string | undefined) => url?.replace('{tenant}', own ?? preset?.tenant ?? '');
      const device = deviceEndpoint ?? (tokenEndpoint === undefined ? at(preset?.deviceEndpoint) : undefined);
      return {
        ...rest,
        tokenEndpoint: tokenEndpoint ?? at(preset?.tokenEndpoint) ?? '',
        ...(device === undefined ? {} : { deviceEndpoint: device }),
        ...(scope === undefined ? {} : { scope }),
      };
    }
    case 'client-credentials': {
      const { tenant: own = '', tokenEndpoint, ...rest } = given;
      const found = tokenEndpoint ?? preset?.tokenEndpoint?.replace('{tenant}', own) ?? '';
      return { ...rest, tokenEndpoint: found, scope: scope ?? '' };
    }
    case 'service-account':
      return { ...given, subject: given.subject ?? user, scope: scope ?? GOOGLE_SCOPE };
  }
}
