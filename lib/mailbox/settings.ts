import { z } from 'zod';
import { minutesOf } from './due.ts';
import { hostProblem } from './hostName.ts';
import { MAILBOX_ID } from './names.ts';
import { events, store } from './placeSettings.ts';
import { PRESET_NAMES, PRESETS } from './presets.ts';
import { inWords, isRecord, pathOf, problemsOf } from './settingsWords.ts';
import { signInProblems } from './signInRules.ts';
import {
  clientCertificate,
  givenSignIn,
  PEM,
  REFERENCE,
  reference,
  resolvedSignIn,
  serverKeys,
} from './signInSettings.ts';

/**
 * What a person may set, in one schema: it refuses unknown keys, reports all problems at once, and holds
 * references to secrets only.
 */

/** C0 and DEL would end a command or forge a second one (RFC 1939 section 3). */
const WITHOUT_CONTROLS = /^[^\p{Cc}]*$/u;

const PORT = 'must be a port number, 1 to 65535';
const CONNECTIONS = 'must be a whole number, 1 to 100';
const ATTEMPTS = 'must be a whole number, 1 to 20';
const EVERY = 'must be a time from 1m to 1d, such as 5m, 2h or 1d';
const DAY_MINUTES = 1440;

/** Ten years; who means longer means keep. */
const DAYS = 3650;
const WHOLE_DAYS = `must be a whole number of days, 1 to ${DAYS}`;

/** As many rows as are read of a listing. */
const NEWEST = 1_000_000;
const MESSAGES = `must be a whole number of messages, 1 to ${NEWEST}`;

/** What a client takes at all, less one, so that who is cut off there is told from who is cut off by a setting. */
const LARGEST = 2 ** 31 - 1;
const OCTETS = `must be a whole number of octets, 1 to ${LARGEST}`;

/** The one value of `tls` without TLS: whoever writes it has read what it means. */
export const PLAINTEXT = 'none-password-and-mail-are-readable';

const TLS = `must be implicit, stls or, where everybody on the way may read the password and the mail, ${PLAINTEXT}`;

/** RFC 8314 section 7.1 and RFC 1939 section 3. */
const IMPLICIT_TLS_PORT = 995;
const CLEAR_PORT = 110;

/**
 * keep: leave mail on the server. when-stored: delete each message once its copy is proved. daysAfterStored: so many
 * times 24 hours later.
 */
const deletion = z.union(
  [
    z.enum(['keep', 'when-stored']),
    z.strictObject({ daysAfterStored: z.int(WHOLE_DAYS).min(1, WHOLE_DAYS).max(DAYS, WHOLE_DAYS) }),
  ],
  { error: `must be keep, when-stored or { daysAfterStored: 1 to ${DAYS} }` },
);

const beginning = z.union(
  [
    z.enum(['all', 'new-mail-only']),
    z.strictObject({ newest: z.int(MESSAGES).min(1, MESSAGES).max(NEWEST, MESSAGES) }),
  ],
  { error: `must be all, new-mail-only or { newest: 1 to ${NEWEST} }` },
);

const mailboxSettings = z.strictObject({
  /** Part of every key and event id; never changed afterwards. */
  id: z
    .string()
    .regex(MAILBOX_ID, 'must be 1 to 63 of a-z, 0-9, ".", "_" and "-", beginning with a letter or digit')
    // state/a.json is the head of mailbox "a", and would be the folder of a mailbox "a.json".
    .refine((id) => !id.endsWith('.json'), 'must not end in ".json"'),
  /** A provider whose host, mechanism, endpoints and scopes stand in for what is left out. */
  preset: z.enum(PRESET_NAMES, `must be one of ${PRESET_NAMES.join(', ')}`).optional(),
  host: z
    .string()
    .superRefine((text, context) => {
      const message = hostProblem(text);
      if (message !== null) context.addIssue({ code: 'custom', message });
    })
    .optional(),
  /** TLS from the first byte (RFC 8314), by STLS or no session at all (RFC 2595), or none. */
  tls: z.enum(['implicit', 'stls', PLAINTEXT], TLS).default('implicit'),
  port: z.int(PORT).min(1, PORT).max(65535, PORT).optional(),
  user: z.string().min(1).max(1024).regex(WITHOUT_CONTROLS, 'must not contain control characters'),
  /** Of mechanisms that show one. */
  password: reference.optional(),
  signIn: givenSignIn.optional(),
  /** Certificate authorities to trust for this server instead of the system's: PEM text or a reference to it. */
  ca: z
    .string()
    .refine((text) => PEM.test(text) || REFERENCE.test(text), {
      message: 'must be PEM text or a reference such as file:PATH',
    })
    .optional(),
  serverKeys: serverKeys.optional(),
  clientCertificate: clientCertificate.optional(),
  delete: deletion.default('keep'),
  /** Whether LIST tells the octets of a message, or only about how many; default: as the host's provider is known to. */
  sizes: z.enum(['exact', 'estimated'], 'must be exact or estimated').optional(),
  /**
   * Which mail of those that the first run lists is fetched. Decided then, once; what comes later is always fetched.
   */
  start: beginning.default('all'),
  /** Octets; a message with more is left on the server, and told of once. */
  sizeLimit: z.int(OCTETS).min(1, OCTETS).max(LARGEST, OCTETS).optional(),
  /** Whether events carry the header summary (addresses and subject are personal data). */
  headerSummary: z.boolean().default(true),
  /** How often a message is tried alone before it is set aside. */
  attempts: z.int(ATTEMPTS).min(1, ATTEMPTS).max(20, ATTEMPTS).default(3),
  /** false: never more than one command at a time, whatever the server announces. */
  pipelining: z.boolean().default(true),
  /** How often it is fetched on a schedule: providers count sign-ins, and many bear one in five minutes. */
  every: z
    .string(EVERY)
    .refine((text) => minutesOf(text) >= 1 && minutesOf(text) <= DAY_MINUTES, EVERY)
    .default('5m'),
  enabled: z.boolean().default(true),
});

const mailbox = mailboxSettings.transform(({ preset, signIn, host, port, sizes, ...given }) => {
  const implied = preset === undefined ? undefined : PRESETS[preset];
  const known = sizes ?? implied?.sizes;
  return {
    ...given,
    host: host ?? implied?.host ?? '',
    port: port ?? (given.tls === 'implicit' ? (implied?.port ?? IMPLICIT_TLS_PORT) : CLEAR_PORT),
    signIn: resolvedSignIn(signIn, { preset, user: given.user }),
    ...(known === undefined ? {} : { sizes: known }),
  };
});

const mailboxes = z
  .array(mailbox, 'must be a list of mailboxes, each of which begins with "- id:"')
  .min(1, 'must name at least one mailbox');

/** Mailboxes on one host are fetched so many at a time: providers refuse who connects more often, some from ten on. */
const connectionsPerHost = z.int(CONNECTIONS).min(1, CONNECTIONS).max(100, CONNECTIONS).default(4);

/** The command's YAML file. */
const settingsFile = z.strictObject({ store, events: events.optional(), connectionsPerHost, mailboxes });

const places = z.strictObject({ store, events: events.optional() });

/** `config/mailboxes.json` in the bucket. */
const mailboxesDocument = z.strictObject({ v: z.literal(1, 'must be 1'), connectionsPerHost, mailboxes });

export { isRecord } from './settingsWords.ts';

export type Mailbox = z.infer<typeof mailbox>;
export type StoreSettings = z.infer<typeof store>;
export type EventsSettings = z.infer<typeof events>;
export type SettingsFile = z.infer<typeof settingsFile>;
export type MailboxesDocument = z.infer<typeof mailboxesDocument>;

/** Where the mailboxes are kept in a bucket. */
export const MAILBOXES_KEY = 'config/mailboxes.json';

export class SettingsError extends Error {
  readonly code = 'E_SETTINGS';
  /** One line per problem, each with the path of the setting. */
  readonly problems: readonly string[];

  constructor(source: string, problems: readonly string[]) {
    super(
      `${source}: ${problems.length === 1 ? '1 problem' : `${problems.length} problems`}\n  ${problems.join('\n  ')}`,
    );
    this.name = 'SettingsError';
    this.problems = problems;
  }
}

/** `source` names the file for the reader. Throws SettingsError with every problem. */
export function parseSettingsFile(value: unknown, source: string): SettingsFile {
  return parseWith(settingsFile, value, { source, programs: true });
}

/** As parseSettingsFile, for `config/mailboxes.json`. */
export function parseMailboxesDocument(value: unknown, source: string): MailboxesDocument {
  return parseWith(mailboxesDocument, value, { source, programs: false });
}

/** As parseSettingsFile, of what a command line names by itself. */
export function parsePlaces(value: z.input<typeof places>, source: string): z.infer<typeof places> {
  return parseWith(places, value, { source, programs: false });
}

interface Reading {
  readonly source: string;
  /** Whether a mailbox may name a program to run. */
  readonly programs: boolean;
}

function parseWith<T>(schema: z.ZodType<T>, value: unknown, { source, programs }: Reading): T {
  const parsed = schema.safeParse(value, { error: inWords });
  const wrong = parsed.success ? [] : parsed.error.issues.flatMap((issue) => problemsOf(issue, value));
  const issues = wrong.map(({ path, message }) => `${pathOf(path, value)}: ${message}`);
  const problems = [...issues, ...disagreements(value, programs), ...repeatedIds(value)];
  if (parsed.success && problems.length === 0) return parsed.data;
  throw new SettingsError(source, problems);
}

/** Looked for in what was given, as the repeated ids are, so that they are told together with all else that is wrong. */
function disagreements(value: unknown, programs: boolean): string[] {
  return mailboxesIn(value).flatMap((mailbox, index) =>
    signInProblems(mailbox, { plaintext: PLAINTEXT, programs }).map(
      ({ path, message }) => `${pathOf(['mailboxes', index, ...path], value)}: ${message}`,
    ),
  );
}

/** What stands where the mailboxes should, whatever it is. */
export function mailboxesIn(value: unknown): readonly unknown[] {
  const mailboxes = isRecord(value) ? value['mailboxes'] : undefined;
  return Array.isArray(mailboxes) ? mailboxes : [];
}

function repeatedIds(value: unknown): string[] {
  const seen = new Set<unknown>();
  return mailboxesIn(value).flatMap((one: unknown, index) => {
    const id = isRecord(one) ? one['id'] : undefined;
    if (typeof id !== 'string' || !seen.has(id)) {
      seen.add(id);
      return [];
    }
    return [`mailboxes[${index}].id: ${JSON.stringify(id)} is used twice; ids are unique`];
  });
}
