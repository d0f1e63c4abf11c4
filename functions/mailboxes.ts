/** The mailboxes to fetch, as the bucket has them. */
import {
  type BrokenMailbox,
  type MailboxesRead,
  readMailboxesDocument,
} from '../lib/mailbox/readMailboxes.ts';
import { MAILBOXES_KEY, SettingsError } from '../lib/mailbox/settings.ts';
import type { ObjectStore } from '../lib/store/port.ts';
import { readJson } from './readJson.ts';
import type { Telemetry } from './telemetry.ts';

/** Ten thousand mailboxes of 1.5 KB; more would not be read within a minute's job either. */
const MAX_MAILBOXES_BYTES = 16 * 1024 * 1024;

/** A person mends them one after another. */
const BROKEN_TOLD = 20;

/** Rejects with StoreError; with SettingsError where a person must act before anything can be fetched. */
export async function readMailboxes(store: ObjectStore): Promise<MailboxesRead> {
  const read = await readJson(store, MAILBOXES_KEY, MAX_MAILBOXES_BYTES);
  const problem = read === null ? 'the bucket has no such object: no mailbox is configured' : read.problem;
  if (problem !== null) throw new SettingsError(MAILBOXES_KEY, [problem]);
  return readMailboxesDocument(read?.value, MAILBOXES_KEY);
}

/** One line and a figure, however many they are; the figure is 0 where all is well, so that an alarm ends. */
export function tellBroken({ log, count }: Telemetry, broken: readonly BrokenMailbox[]): void {
  count('MailboxesBroken', broken.length);
  if (broken.length === 0) return;
  log('error', 'mailboxes broken', {
    document: MAILBOXES_KEY,
    count: broken.length,
    mailboxes: broken.slice(0, BROKEN_TOLD),
    next: 'correct them with: mailferry mailboxes apply FILE --bucket NAME',
  });
}
