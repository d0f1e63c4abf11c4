import { parseArgs } from 'node:util';
import { didYouMean, meantBy } from '../lib/mailbox/meant.ts';
import { notAPath } from '../lib/mailbox/placeSettings.ts';
import type { AdHoc } from './adHoc.ts';
import type { Chosen, Into } from './commands/command.ts';
import { UsageError } from './exitCodes.ts';
import { ABOUT_MESSAGES, COMMANDS, type CommandName, DEFAULT_TIME_LIMIT_SECONDS } from './help.ts';

const OF_STORED_MAIL = {
  mailbox: { type: 'string', multiple: true },
  id: { type: 'string' },
  since: { type: 'string' },
  mbox: { type: 'string' },
  maildir: { type: 'string' },
  'no-server': { type: 'boolean' },
} as const;

/** They name a file or a folder. */
const PATHS = ['config', 'folder', 'mbox', 'maildir', 'transcript', 'ca'] as const;

/** The commands that have them; the others go without. */
const TAKEN_BY: Readonly<Record<keyof typeof OF_STORED_MAIL, readonly CommandName[]>> = {
  mailbox: ['parse', 'announce', 'verify', 'export'],
  id: ['parse', 'announce', 'export'],
  since: ['parse', 'announce', 'export'],
  mbox: ['export'],
  maildir: ['export'],
  'no-server': ['verify'],
};

const OPTIONS = {
  config: { type: 'string', short: 'c' },
  folder: { type: 'string' },
  bucket: { type: 'string' },
  region: { type: 'string' },
  endpoint: { type: 'string' },
  'lock-days': { type: 'string' },
  bus: { type: 'string' },
  yes: { type: 'boolean', default: false },
  remove: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
  'time-limit': { type: 'string' },
  transcript: { type: 'string' },
  host: { type: 'string' },
  user: { type: 'string' },
  port: { type: 'string' },
  tls: { type: 'string' },
  'password-from': { type: 'string' },
  ca: { type: 'string' },
  ...OF_STORED_MAIL,
  help: { type: 'boolean', short: 'h', default: false },
  version: { type: 'boolean', short: 'V', default: false },
} as const;

/** A day: a run that needs longer is cut, and the next one goes on. Timers end at 24 days. */
const LONGEST_TIME_LIMIT_SECONDS = 86_400;

export interface Arguments {
  /** Undefined where help or the version is asked for without one. */
  readonly command: CommandName | undefined;
  readonly ids: readonly string[];
  /** Of messages; only of a command that is about some. */
  readonly uidls: readonly string[];
  /** Only of commands about stored mail; so are the next two. */
  readonly chosen: Chosen;
  readonly into: Into;
  readonly server: boolean;
  readonly config: string | undefined;
  readonly folder: string | undefined;
  readonly bucket: string | undefined;
  /** Of the bucket. */
  readonly region: string | undefined;
  /** Of the bucket, in an S3-compatible store. */
  readonly endpoint: string | undefined;
  /** Of mail that is stored in the bucket. */
  readonly lockDays: number | undefined;
  /** In place of the file's events. */
  readonly bus: string | undefined;
  /** Nothing is asked. */
  readonly yes: boolean;
  /** Mailboxes may be removed. */
  readonly remove: boolean;
  readonly json: boolean;
  readonly timeLimitMs: number;
  /** A file for what is said in the session. */
  readonly transcript: string | undefined;
  /** The mailbox to check, where no file has it. */
  readonly adHoc: AdHoc | undefined;
  readonly help: boolean;
  readonly version: boolean;
}

/** Throws UsageError. */
export function readArguments(argv: readonly string[]): Arguments {
  const { values, positionals } = parsed(argv);
  const [name, ...ids] = positionals;
  // `mailferry help fetch` is what people type first.
  if (name === 'help') return readArguments([...ids, '--help']);
  const command = COMMANDS.find((known) => known === name);
  const { help, version, json, config, folder, bucket, region, endpoint, bus, yes, remove } = values;
  if (command === undefined && name !== undefined) {
    const hint = didYouMean(name, COMMANDS);
    throw new UsageError(`There is no command "${name}"${hint || `; there are: ${COMMANDS.join(', ')}.`}`);
  }
  if (command === undefined && !help && !version) {
    throw new UsageError(`A command is missing: ${COMMANDS.join(', ')}.`);
  }
  const ofMessages = command !== undefined && ABOUT_MESSAGES.has(command);
  if (ofMessages && ids.length === 0 && !help) {
    throw new UsageError(
      `${command} is about the messages of one mailbox: mailferry ${command} ID [UIDL …].`,
    );
  }
  const adHoc = adHocOf(command, ids, values);
  const { transcript } = values;
  if (transcript !== undefined && command !== 'check' && command !== 'fetch')
    throw new UsageError('--transcript is for check and fetch.');
  if (bucket === undefined && (region ?? endpoint) !== undefined)
    throw new UsageError('--region and --endpoint are of a bucket: name it with --bucket.');
  const lockDays = lockDaysOf(values['lock-days'], bucket);
  if (command !== undefined && !help) refuseForeign(command, values);
  return {
    command,
    transcript,
    adHoc,
    ids: ofMessages ? ids.slice(0, 1) : [...ids, ...(values.mailbox ?? [])],
    chosen: { messageId: messageId(values.id), sinceMs: since(values.since) },
    into: { mbox: values.mbox, maildir: values.maildir },
    server: values['no-server'] !== true,
    uidls: ofMessages ? ids.slice(1) : [],
    config,
    folder,
    bucket,
    region,
    endpoint,
    lockDays,
    bus,
    yes,
    remove,
    json,
    help,
    version,
    timeLimitMs: timeLimit(values['time-limit']),
  };
}

function refuseForeign(command: CommandName, values: ReturnType<typeof parsed>['values']): void {
  for (const [option, commands] of Object.entries(TAKEN_BY))
    if (option in values && !commands.includes(command))
      throw new UsageError(`--${option} is an option of ${commands.join(', ')} only.`);
}

const AD_HOC = ['host', 'user', 'port', 'tls', 'password-from', 'ca'] as const;

function adHocOf(
  command: CommandName | undefined,
  ids: readonly string[],
  values: ReturnType<typeof parsed>['values'],
): AdHoc | undefined {
  const given = AD_HOC.filter((name) => values[name] !== undefined);
  if (given.length === 0) return undefined;
  const { host, user, port, tls, ca, 'password-from': passwordFrom } = values;
  if (command !== 'check')
    throw new UsageError(
      `--${given[0]} is for check alone; other commands take mailboxes from the settings file.`,
    );
  if (ids.length > 0 || values.config !== undefined)
    throw new UsageError(
      `--${given[0]} describes a mailbox that is in no file: name neither an ID nor --config beside it.`,
    );
  if (host === undefined || user === undefined)
    throw new UsageError('A mailbox that is in no file wants both --host and --user.');
  return { host, user, port, tls, passwordFrom, ca };
}

const MOST_LOCK_DAYS = 36_500;

function lockDaysOf(given: string | undefined, bucket: string | undefined): number | undefined {
  if (given === undefined) return undefined;
  if (bucket === undefined) throw new UsageError('--lock-days is of a bucket: name it with --bucket.');
  const days = Number(given);
  if (/^\d+$/.test(given) && days >= 1 && days <= MOST_LOCK_DAYS) return days;
  throw new UsageError(
    `--lock-days must be a whole number of days from 1 to ${MOST_LOCK_DAYS}, not "${given}".`,
  );
}

function parsed(argv: readonly string[]) {
  const { values, positionals } = inOptions(argv);
  // As a script gives it whose variable is not set: `--folder ""` would be the folder it runs in.
  for (const [option, value] of Object.entries(values))
    if (value === '' || (Array.isArray(value) && value.includes('')))
      throw new UsageError(`--${option} is empty: give it a value, or leave it out.`);
  for (const option of PATHS) refuseOtherPath(option, values[option]);
  if (positionals.includes(''))
    throw new UsageError('An argument is empty: an ID of a mailbox, or a command.');
  return { values, positionals };
}

function refuseOtherPath(option: string, path: string | undefined): void {
  if (path === '-')
    throw new UsageError(
      `--${option} - would be of that very name: neither stdin nor stdout is meant by it. Say ./- where that is wanted.`,
    );
  const problem = path === undefined ? null : notAPath(path);
  if (problem !== null) throw new UsageError(`--${option} ${path} ${problem}.`);
}

function inOptions(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options: OPTIONS, allowPositionals: true, strict: true });
  } catch (error) {
    // Node's words name the option; its advice about "--" does not help here.
    const words = error instanceof Error ? (error.message.split('. ')[0] ?? error.message) : String(error);
    const [, unknown = ''] = /^Unknown option '--([^']*)'/.exec(words) ?? [];
    const meant = meantBy(unknown, Object.keys(OPTIONS));
    throw new UsageError(meant === null ? `${words}.` : `${words}; did you mean "--${meant}"?`, {
      cause: error,
    });
  }
}

function timeLimit(given: string | undefined): number {
  if (given === undefined) return DEFAULT_TIME_LIMIT_SECONDS * 1000;
  const seconds = Number(given);
  if (!/^\d+$/.test(given) || seconds < 1 || seconds > LONGEST_TIME_LIMIT_SECONDS) {
    throw new UsageError(
      `--time-limit must be whole seconds, 1 to ${LONGEST_TIME_LIMIT_SECONDS}, not "${given}".`,
    );
  }
  return seconds * 1000;
}

function messageId(given: string | undefined): string | null {
  if (given === undefined || /^[0-9a-f]{32}$/.test(given)) return given ?? null;
  throw new UsageError(
    `--id must be the first 32 digits of the message's name, as in mail/ID/<id>.eml, not "${given}".`,
  );
}

const INSTANT = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d+)?)?Z)?$/;

/** A day begins at midnight UTC, as all dates of ours. */
function since(given: string | undefined): number | null {
  if (given === undefined) return null;
  const ms = INSTANT.test(given) ? Date.parse(given) : Number.NaN;
  // 31 February would be a day in March.
  if (!Number.isNaN(ms) && new Date(ms).toISOString().startsWith(given.slice(0, 10))) return ms;
  throw new UsageError(
    `--since must be a day or a time in UTC, 2026-11-25 or 2026-11-25T13:00:00Z, not "${given}".`,
  );
}
