/** Where a command's mailboxes and store come from: a settings file, or the store itself. */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { readJson } from '../functions/readJson.ts';
import { MAX_MAILBOXES_BYTES, readMailboxesDocument } from '../lib/mailbox/readMailboxes.ts';
import {
  type EventsSettings,
  MAILBOXES_KEY,
  parsePlaces,
  SettingsError,
  type StoreSettings,
} from '../lib/mailbox/settings.ts';
import { StoreError } from '../lib/store/port.ts';
import { UsageError } from './exitCodes.ts';
import {
  bucketOf,
  chooseMailboxes,
  DEFAULT_FILE,
  loadSettings,
  type Settings,
  type SettingsChoice,
  withRegion,
} from './settings.ts';
import type { Host } from './terminal.ts';
import { storeOf } from './wiring.ts';

const COMMAND_LINE = 'the command line';

type Around = Pick<Host, 'cwd' | 'env'>;

export interface Chosen {
  readonly settings: Settings;
  /** A line each, of mailboxes that are passed over since they are wrong. */
  readonly broken: readonly string[];
}

/** Throws UsageError, SettingsError or StoreError. `announces`: the command needs a place for its events. */
export async function settingsFor(
  choice: SettingsChoice,
  around: Around,
  announces: boolean,
): Promise<Chosen> {
  const store = ownStore(choice, around);
  if (store === null) return { settings: await loadSettings(choice, around), broken: [] };
  const source = sourceOf(store);
  const events = eventsOf(store, choice, around);
  if (events === null && announces)
    throw new UsageError('Mail that is stored in a bucket is announced on a bus: name it with --bus.');
  const read = await readDocument(store, source);
  const { document, broken } = readMailboxesDocument(read, source);
  const lines = broken.flatMap(({ problems }) => problems.map((problem) => `${source}: ${problem}`));
  const wanted = broken.filter(({ id }) => id !== null && choice.ids.includes(id));
  if (wanted.length > 0)
    throw new SettingsError(
      source,
      wanted.flatMap(({ problems }) => problems),
    );
  const { connectionsPerHost, mailboxes: all } = document;
  const mailboxes = chooseMailboxes(all, choice.ids, source);
  const disabled = choice.ids.length > 0 ? [] : all.filter(({ enabled }) => !enabled).map(({ id }) => id);
  const settings = { store, events, mailboxes, disabled, connectionsPerHost, base: around.cwd };
  return { settings, broken: lines };
}

/** Of commands that are about the store alone. */
export async function storeFor(choice: SettingsChoice, around: Around): Promise<StoreSettings> {
  if (choice.folder !== undefined && choice.bucket !== undefined)
    throw new UsageError('--folder and --bucket exclude each other: mail is stored in one place.');
  if (choice.folder !== undefined) return { folder: resolve(around.cwd, choice.folder) };
  if (choice.bucket !== undefined) return inRegion(bucketOf(choice), around);
  return (await loadSettings({ ...choice, ids: [] }, around)).store;
}

/** The store that says itself which mailboxes it is for; null: a settings file does. */
function ownStore(choice: SettingsChoice, around: Around): StoreSettings | null {
  const { config, folder, bucket } = choice;
  if (config !== undefined || (folder !== undefined && bucket !== undefined)) return null;
  if (bucket !== undefined) return inRegion(bucketOf(choice), around);
  // With a file beside it, --folder has long meant: the file's mailboxes, into another folder.
  if (folder === undefined || existsSync(resolve(around.cwd, DEFAULT_FILE))) return null;
  return { folder: resolve(around.cwd, folder) };
}

function eventsOf(store: StoreSettings, { bus }: SettingsChoice, { env }: Around): EventsSettings | null {
  if (bus === undefined) return 'folder' in store ? { file: join(store.folder, 'events.ndjson') } : null;
  const region = 'bucket' in store ? store.region : undefined;
  parsePlaces({ store, events: { bus } }, COMMAND_LINE);
  const events = withRegion({ bus, region }, env);
  if (events.region === undefined)
    throw new UsageError('A bus has a region: name it in the environment as AWS_REGION.');
  return events;
}

/** Throws SettingsError where the command line names no bucket, endpoint or bus that could be one. */
function inRegion(store: StoreSettings, { env }: Around): StoreSettings {
  parsePlaces({ store }, COMMAND_LINE);
  const found = 'bucket' in store ? withRegion(store, env) : store;
  if ('bucket' in found && found.region === undefined)
    throw new UsageError(
      'A bucket has a region: name it with --region, or in the environment as AWS_REGION.',
    );
  return found;
}

async function readDocument(store: StoreSettings, source: string): Promise<unknown> {
  const read = await readJson(storeOf(store), MAILBOXES_KEY, MAX_MAILBOXES_BYTES);
  if (read === null)
    throw new UsageError(
      `There is no ${source}: no mailbox is configured. Write it: mailferry mailboxes apply FILE`,
    );
  if (read.problem !== null) throw new SettingsError(source, [read.problem]);
  return read.value;
}

/** Throws StoreError where there is no such folder; of a bucket its answers tell. */
export function refuseMissing(store: StoreSettings): void {
  if (!('folder' in store) || existsSync(store.folder)) return;
  throw new StoreError(
    `There is no folder ${store.folder}: nothing was stored there yet, its name is another, or its disk is not mounted.`,
    { kind: 'person', code: 'E_STORE_NO_FOLDER', operation: 'list', key: '' },
  );
}

export function sourceOf(store: StoreSettings): string {
  return 'bucket' in store ? `s3://${store.bucket}/${MAILBOXES_KEY}` : join(store.folder, MAILBOXES_KEY);
}
