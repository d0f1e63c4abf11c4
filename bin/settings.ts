import { readFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { LineCounter, parseDocument } from 'yaml';
import { didYouMean } from '../lib/mailbox/meant.ts';
import { REGION } from '../lib/mailbox/placeSettings.ts';
import {
  type EventsSettings,
  type Mailbox,
  parseSettingsFile,
  SettingsError,
  type SettingsFile,
  type StoreSettings,
} from '../lib/mailbox/settings.ts';
import { UsageError } from './exitCodes.ts';
import type { Host } from './terminal.ts';
import { namesInWords } from './words.ts';

/** From the settings file and the command line to what is meant: defaults filled in, paths resolved. */

export const DEFAULT_FILE = 'mailferry.yaml';

/** What is shown where there is no file. */
export const MINIMAL_FILE = `store: { folder: ./mail }
mailboxes:
  - id: support
    host: pop.example.org
    user: support@example.org
    password: env:SUPPORT_PASSWORD`;

/** A settings file is written by hand; a larger one is something else. */
const MAX_FILE_BYTES = 1024 * 1024;

/** YAML aliases could make a small file huge in memory. */
const MAX_ALIASES = 100;

export interface SettingsChoice {
  readonly config: string | undefined;
  /** In place of the file's store. */
  readonly folder: string | undefined;
  readonly bucket: string | undefined;
  readonly region?: string | undefined;
  readonly endpoint?: string | undefined;
  readonly lockDays?: number | undefined;
  readonly bus?: string | undefined;
  /** Mailboxes to use; none: all that are enabled. */
  readonly ids: readonly string[];
}

export interface Settings {
  /** With its region, if it is a bucket. */
  readonly store: StoreSettings;
  /** Null: the command announces nothing, and nobody named a place for it. */
  readonly events: EventsSettings | null;
  readonly mailboxes: readonly Mailbox[];
  /** Ids of those that are passed over, since they are not enabled and nobody named them. */
  readonly disabled: readonly string[];
  readonly connectionsPerHost: number;
  /** The folder of the file: paths in it are relative to that. */
  readonly base: string;
}

/** Throws UsageError or SettingsError; the latter with every problem. */
export async function loadSettings(
  choice: SettingsChoice,
  { cwd, env }: Pick<Host, 'cwd' | 'env'>,
): Promise<Settings> {
  if (choice.folder !== undefined && choice.bucket !== undefined) {
    throw new UsageError('--folder and --bucket exclude each other: mail is stored in one place.');
  }
  const path = resolve(cwd, choice.config ?? DEFAULT_FILE);
  const source = shortest(path, cwd);
  const file = parseSettingsFile(withStore(await readYaml(path, source), choice, cwd), source);
  const mailboxes = chooseMailboxes(file.mailboxes, choice.ids, source);
  const base = dirname(path);
  const store =
    'folder' in file.store ? { folder: resolve(base, file.store.folder) } : withRegion(file.store, env);
  const events = eventsOf(file, { store, base, env });
  const problems = [...missingRegions({ store, events }), ...unprovenDeletes(file.mailboxes, events)];
  if (events === undefined) {
    problems.push(
      'events: a bucket needs a choice: { bus: NAME } for EventBridge, { file: PATH } or { stdout: true }',
    );
  }
  if (events === undefined || problems.length > 0) throw new SettingsError(source, problems);
  const disabled =
    choice.ids.length > 0 ? [] : file.mailboxes.filter(({ enabled }) => !enabled).map(({ id }) => id);
  return { store, events, mailboxes, disabled, connectionsPerHost: file.connectionsPerHost, base };
}

/** Throws UsageError or SettingsError; neither quotes the file. */
export async function readYaml(path: string, source: string, hint = OWN_FILE): Promise<unknown> {
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') throw new UsageError(`There is no ${source}. ${hint}`, { cause: error });
    if (error.code === 'EISDIR')
      throw new UsageError(`${source} is a folder: name the file in it.`, { cause: error });
    throw new UsageError(`${source} cannot be read: ${error.message}`, { cause: error });
  });
  if (bytes.length > MAX_FILE_BYTES) throw new SettingsError(source, ['the file has more than 1 MB']);
  const text = textOf(bytes, source);
  const isEmpty = text.split('\n').every((line) => /^\s*(?:#|$)/.test(line));
  if (isEmpty) throw new UsageError(`${source} is empty. ${hint}`);
  const lineCounter = new LineCounter();
  // Without pretty errors: they quote lines of the file, and a secret may stand there by mistake.
  const document = parseDocument(text, {
    // Neither errors nor warnings may quote the file: a password may stand where it should not.
    prettyErrors: false,
    logLevel: 'error',
    stringKeys: true,
    lineCounter,
  });
  if (document.errors.length > 0) {
    const problems = document.errors.map(({ pos, message }) => {
      const { line, col } = lineCounter.linePos(pos[0]);
      return `line ${line}, column ${col}: ${message}`;
    });
    throw new SettingsError(source, problems);
  }
  try {
    return document.toJS({ maxAliasCount: MAX_ALIASES });
  } catch (error) {
    throw new SettingsError(source, [error instanceof Error ? error.message : String(error)]);
  }
}

/** In another encoding the name of a user or a folder would be another one. */
function textOf(bytes: Uint8Array, source: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new SettingsError(source, ['the file is not UTF-8 text: save it as UTF-8']);
  }
}

/** What to do where there is none, or nothing in it. */
const OWN_FILE = `Name a settings file with --config, or write one. This is all it needs:

${MINIMAL_FILE.replace(/^/gm, '    ')}

Then: SUPPORT_PASSWORD=… mailferry check`;

function withStore(given: unknown, choice: SettingsChoice, cwd: string): unknown {
  if (typeof given !== 'object' || given === null) return given;
  const value = choice.bus === undefined ? given : { ...given, events: { bus: choice.bus } };
  if (choice.folder !== undefined) return { ...value, store: { folder: resolve(cwd, choice.folder) } };
  if (choice.bucket === undefined) return value;
  const own = 'store' in value && typeof value.store === 'object' ? value.store : null;
  // Region and endpoint stay those of the file, if it names a bucket too.
  const rest = own !== null && 'bucket' in own ? own : {};
  return { ...value, store: { ...rest, ...bucketOf(choice) } };
}

/** As the command line names it. Hardly any store but AWS has a host name for each bucket. */
export function bucketOf({ bucket = '', region, endpoint, lockDays: days }: SettingsChoice): StoreSettings {
  return {
    bucket,
    ...(region === undefined ? {} : { region }),
    ...(endpoint === undefined ? {} : { endpoint, pathStyle: true }),
    ...(days === undefined ? {} : { objectLock: { mode: 'compliance', days } }),
  };
}

function eventsOf(
  file: SettingsFile,
  { store, base, env }: { store: StoreSettings; base: string; env: Host['env'] },
): EventsSettings | undefined {
  const { events } = file;
  if (events === undefined) {
    return 'folder' in store ? { file: join(store.folder, 'events.ndjson') } : undefined;
  }
  if ('file' in events) return { file: resolve(base, events.file) };
  if (!('bus' in events)) return events;
  // A bus beside its bucket, as nearly always.
  const near = 'bucket' in store && store.endpoint === undefined ? store.region : undefined;
  return withRegion({ ...events, region: events.region ?? near }, env);
}

interface Regional {
  readonly region?: string | undefined;
  readonly endpoint?: string | undefined;
}

/** A stand-in for AWS has no regions, but a signature wants one. */
const ANY_REGION = 'us-east-1';

export function withRegion<T extends Regional>(part: T, env: Host['env']): T {
  const region = part.region ?? regionIn(env, 'AWS_REGION') ?? regionIn(env, 'AWS_DEFAULT_REGION');
  if (region !== undefined) return { ...part, region };
  return part.endpoint === undefined ? part : { ...part, region: ANY_REGION };
}

function regionIn(env: Host['env'], variable: string): string | undefined {
  const region = env[variable];
  // Empty, as a script or a container gives it whose own variable is not set.
  if (region === undefined || region === '') return undefined;
  if (REGION.test(region)) return region;
  throw new UsageError(`${variable} is ${JSON.stringify(region)}, which is no name of a region.`);
}

function missingRegions(parts: { store: StoreSettings; events: EventsSettings | undefined }): string[] {
  return Object.entries(parts)
    .filter(
      ([, part]: [string, StoreSettings | EventsSettings | undefined]) =>
        part !== undefined && ('bucket' in part || 'bus' in part) && part.region === undefined,
    )
    .map(([name]) => `${name}.region: is needed, here or in the environment as AWS_REGION`);
}

function unprovenDeletes(mailboxes: readonly Mailbox[], events: EventsSettings | undefined): string[] {
  if (events === undefined || !('stdout' in events)) return [];
  return mailboxes
    .filter((mailbox) => mailbox.delete !== 'keep')
    .map(
      ({ id }) =>
        `mailbox "${id}" deletes mail, and events on stdout prove nothing: use { file } or { bus }, or "delete: keep"`,
    );
}

export function chooseMailboxes(
  all: readonly Mailbox[],
  ids: readonly string[],
  source: string,
): readonly Mailbox[] {
  const known = all.map(({ id }) => id);
  const unknown = ids.filter((id) => !known.includes(id));
  if (unknown.length > 0) throw new UsageError(`${source} has no ${unknownIds(unknown, known)}`);
  const chosen = all.filter(({ id, enabled }) => (ids.length === 0 ? enabled : ids.includes(id)));
  if (chosen.length === 0) {
    throw new UsageError(`${source}: every mailbox has "enabled: false". Name one to use it all the same.`);
  }
  return chosen;
}

export function unknownIds(unknown: readonly string[], known: readonly string[]): string {
  const [first = '', ...others] = unknown;
  const hint = others.length === 0 ? didYouMean(first, known) : '';
  const names = namesInWords(unknown.map((id) => JSON.stringify(id)));
  return `mailbox ${names}${hint || `; it has: ${namesInWords(known)}`}`;
}

function shortest(path: string, cwd: string): string {
  const near = relative(cwd, path);
  return near.startsWith('..') || near === '' ? path : near;
}
