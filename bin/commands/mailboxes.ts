/** The mailboxes that functions fetch, as the store has them: looked at, and changed by compare-and-swap. */
import { basename, resolve } from 'node:path';
import { stringify } from 'yaml';
import { bundlesOf } from '../../lib/mailbox/bundles.ts';
import { readMailboxesDocument } from '../../lib/mailbox/readMailboxes.ts';
import {
  MAILBOXES_KEY,
  type Mailbox,
  parseMailboxesDocument,
  SettingsError,
} from '../../lib/mailbox/settings.ts';
import { EXIT, type ExitCode, UsageError } from '../exitCodes.ts';
import {
  difference,
  type Given,
  idOf,
  isGiven,
  isSame,
  type Kept,
  mailboxesIn,
  readKept,
  writeKept,
} from '../mailboxesDocument.ts';
import { differenceInWords } from '../mailboxesInWords.ts';
import { readYaml, unknownIds } from '../settings.ts';
import { countInWords, namesInWords, table } from '../words.ts';
import type { StoreCall } from './command.ts';

type Deed = (call: StoreCall, argument: string) => Promise<ExitCode>;

const DEEDS: Readonly<Record<string, { readonly deed: Deed; readonly wants: 'FILE' | 'ID' | null }>> = {
  apply: { deed: apply, wants: 'FILE' },
  list: { deed: list, wants: null },
  show: { deed: show, wants: 'ID' },
  pause: { deed: (call, id) => setEnabled(call, id, false), wants: 'ID' },
  resume: { deed: (call, id) => setEnabled(call, id, true), wants: 'ID' },
};

/** A person's pause meets another's now and then, never this often. */
const TRIES = 10;

/** Rejects with StoreError. */
export async function mailboxesCommand(call: StoreCall): Promise<ExitCode> {
  const [name = '', argument = '', ...more] = call.given.ids;
  const known = Object.hasOwn(DEEDS, name) ? DEEDS[name] : undefined;
  if (known === undefined || more.length > 0 || (known.wants === null) !== (argument === ''))
    throw new UsageError(
      'What to do with the mailboxes: mailferry mailboxes apply FILE | list | show ID | pause ID | resume ID.',
    );
  return known.deed(call, argument);
}

async function apply(call: StoreCall, file: string): Promise<ExitCode> {
  const { store, terminal, given, host } = call;
  const next = await documentIn(resolve(host.cwd, file));
  const kept = await readKept(store);
  const change = difference(kept, next);
  const same = isSame(change) && kept.problem === '' && kept.version !== null;
  if (given.json) terminal.json({ ...change, added: change.added.map(idOf) });
  else for (const line of same ? ['Nothing differs.'] : differenceInWords(change, kept)) terminal.out(line);
  if (same) return EXIT.done;
  const lost = change.removed.length > 0 || kept.problem !== '';
  if (lost && !given.remove) throw new UsageError(removalInWords(change.removed));
  if (!(await agreed(call))) {
    terminal.err('Nothing was changed.');
    return EXIT.usage;
  }
  if ((await writeKept(store, next, kept.version)) === 'conflict') {
    terminal.err(
      'Somebody else changed the mailboxes meanwhile, and nothing was written: look again, and repeat.',
    );
    return EXIT.later;
  }
  if (!given.json) terminal.out(`${countInWords(mailboxesIn(next).length, 'mailbox', 'mailboxes')} written.`);
  return EXIT.done;
}

const A_FILE = 'Name one that has "mailboxes:": mailferry mailboxes apply FILE';

/** Throws SettingsError with every problem. */
async function documentIn(path: string): Promise<Given> {
  const value = await readYaml(path, basename(path), A_FILE);
  if (!isGiven(value)) throw new SettingsError(basename(path), ['must be { mailboxes: [ … ] }']);
  const document = { v: 1, ...value };
  parseMailboxesDocument(document, basename(path));
  return document;
}

function removalInWords(removed: readonly string[]): string {
  const what =
    removed.length === 0
      ? 'what is in the store and cannot be read'
      : `${countInWords(removed.length, 'mailbox', 'mailboxes')} (${namesInWords(removed)})`;
  return `That would take away ${what}; nothing was changed. Say --remove if it is meant. "mailferry mailboxes pause ID" keeps one without fetching it.`;
}

async function agreed({ given, host }: StoreCall): Promise<boolean> {
  if (given.yes) return true;
  if (host.confirm === undefined)
    throw new UsageError('There is nobody to ask here; nothing was changed. Say --yes to write it.');
  return host.confirm('Write this?');
}

async function list({ store, terminal, given }: StoreCall): Promise<ExitCode> {
  const { document, broken } = readMailboxesDocument(givenIn(await readKept(store)), MAILBOXES_KEY);
  if (given.json) for (const one of document.mailboxes) terminal.json(one);
  else
    terminal.out(
      table(
        ['id', 'enabled', 'every', 'delete', 'host', 'user'],
        document.mailboxes.map(({ id, enabled, every, delete: when, host, user }) => [
          ...[id, enabled ? 'yes' : 'no', every],
          ...[typeof when === 'string' ? when : `${when.daysAfterStored} days after`, host, user],
        ]),
      ),
    );
  for (const problem of broken.flatMap(({ problems }) => problems)) terminal.err(problem);
  return broken.length === 0 ? EXIT.done : EXIT.usage;
}

/** With all that is left out filled in, and the bundle that it is fetched in. */
async function show({ store, terminal, given }: StoreCall, id: string): Promise<ExitCode> {
  const { document, broken } = readMailboxesDocument(givenIn(await readKept(store)), MAILBOXES_KEY);
  const wrong = broken.filter((one) => one.id === id);
  if (wrong.length > 0)
    throw new SettingsError(
      MAILBOXES_KEY,
      wrong.flatMap(({ problems }) => problems),
    );
  const mailbox = document.mailboxes.find((one) => one.id === id);
  if (mailbox === undefined) throw noSuch(id, document.mailboxes);
  const ids = [...document.mailboxes, ...broken].flatMap((one) => one.id ?? []);
  const bundle = bundlesOf(ids).find(({ mailboxes }) => mailboxes.includes(id))?.name;
  if (given.json) terminal.json({ ...mailbox, bundle });
  else terminal.out(stringify({ ...mailbox, bundle }).trimEnd());
  return EXIT.done;
}

/** Whatever else is in the document, and whoever else changes it. */
async function setEnabled(
  { store, terminal, given }: StoreCall,
  id: string,
  enabled: boolean,
): Promise<ExitCode> {
  for (let tries = 1; tries <= TRIES; tries += 1) {
    const kept = await readKept(store);
    const value = givenIn(kept);
    const all = mailboxesIn(value);
    if (!all.some((one) => idOf(one) === id))
      throw noSuch(
        id,
        all.map((one) => ({ id: idOf(one) })),
      );
    const list = Array.isArray(value['mailboxes']) ? (value['mailboxes'] as readonly unknown[]) : [];
    const mailboxes = list.map((one) => (isGiven(one) && idOf(one) === id ? { ...one, enabled } : one));
    if ((await writeKept(store, { ...value, mailboxes }, kept.version)) === 'conflict') continue;
    if (given.json) terminal.json({ mailbox: id, enabled });
    else
      terminal.out(
        `${id}: ${enabled ? 'is fetched again' : 'is not fetched any more; a run that is under way ends as it would'}.`,
      );
    return EXIT.done;
  }
  terminal.err('Others change the mailboxes all the time, and nothing was written: try again.');
  return EXIT.later;
}

function givenIn({ value, problem }: Kept): Given {
  if (value !== undefined) return value;
  throw new SettingsError(MAILBOXES_KEY, [
    problem === '' ? 'no mailbox is configured yet. Write it: mailferry mailboxes apply FILE' : problem,
  ]);
}

function noSuch(id: string, all: readonly Pick<Mailbox, 'id'>[]): UsageError {
  const known = all.map((one) => one.id);
  return new UsageError(`${MAILBOXES_KEY} has no ${unknownIds([id], known)}`);
}
