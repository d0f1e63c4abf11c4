/** The mailboxes to fetch, as the bucket has them. */
import {
  type BrokenMailbox,
  MAX_MAILBOXES_BYTES,
  type MailboxesRead,
  readMailboxesDocument,
} from '../lib/mailbox/readMailboxes.ts';
import { MAILBOXES_KEY, SettingsError } from '../lib/mailbox/settings.ts';
import type { ObjectStore, Version } from '../lib/store/port.ts';
import { jsonOf, readBytes } from './readJson.ts';
import type { Telemetry } from './telemetry.ts';

/** A person mends them one after another. */
const BROKEN_TOLD = 20;

/** Of each: Lambda cuts a line of more than some hundred KB, which then is no JSON. */
const PROBLEMS_TOLD = 10;

/** What each store had last: ten thousand mailboxes take a processor 100 ms to understand, at each job, and hardly ever change. */
const understood = new WeakMap<
  ObjectStore,
  { readonly version: Version; readonly mailboxes: MailboxesRead }
>();

/** Rejects with StoreError; with SettingsError where a person must act before anything can be fetched. */
export async function readMailboxes(store: ObjectStore): Promise<MailboxesRead> {
  const read = await readBytes(store, MAILBOXES_KEY, MAX_MAILBOXES_BYTES);
  if (read === null)
    throw new SettingsError(MAILBOXES_KEY, ['the bucket has no such object: no mailbox is configured']);
  const known = understood.get(store);
  if (known?.version === read.version) return known.mailboxes;
  const { value, problem } = jsonOf(read);
  if (problem !== null) throw new SettingsError(MAILBOXES_KEY, [problem]);
  const mailboxes = readMailboxesDocument(value, MAILBOXES_KEY);
  understood.set(store, { version: read.version, mailboxes });
  return mailboxes;
}

const NEXT = 'correct them with: mailferry mailboxes apply FILE --bucket NAME';

/** Where nothing can be fetched at all: there is no document, or no good mailbox in it. */
export function tellUnusable({ log }: Telemetry, { code, problems }: SettingsError, facts = {}): void {
  const told = problems.slice(0, BROKEN_TOLD);
  log('error', 'no mailboxes', { ...facts, document: MAILBOXES_KEY, code, problems: told, next: NEXT });
}

/** One line and a figure, however many they are; the figure is 0 where all is well, so that an alarm ends. */
export function tellBroken({ log, count }: Telemetry, broken: readonly BrokenMailbox[]): void {
  count('MailboxesBroken', broken.length);
  if (broken.length === 0) return;
  log('error', 'mailboxes broken', {
    document: MAILBOXES_KEY,
    count: broken.length,
    mailboxes: broken
      .slice(0, BROKEN_TOLD)
      .map(({ id, problems }) => ({ id, problems: problems.slice(0, PROBLEMS_TOLD) })),
    next: NEXT,
  });
}
