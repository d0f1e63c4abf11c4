/** `config/mailboxes.json` as a person changes it: what was given, not what its defaults make of it, is what is kept. */
import { isDeepStrictEqual } from 'node:util';
import { readJson } from '../functions/readJson.ts';
import { MAX_MAILBOXES_BYTES, readMailboxesDocument } from '../lib/mailbox/readMailboxes.ts';
import { mailboxesIn as allMailboxesIn, MAILBOXES_KEY, SettingsError } from '../lib/mailbox/settings.ts';
import { type ObjectStore, StoreError, type Version } from '../lib/store/port.ts';

/** A mailbox, or a whole document, as it was written down. */
export type Given = Readonly<Record<string, unknown>>;

export interface Kept {
  /** Null: there is no document yet. */
  readonly version: Version | null;
  /** Undefined: none, or one that cannot be read. */
  readonly value: Given | undefined;
  /** Why not; '' where it can be read, or there is none. */
  readonly problem: string;
  /** Ids of mailboxes that are wrong: their values may be anything, a secret by mistake among it, and are never shown. */
  readonly broken: ReadonlySet<string>;
}

/** Rejects with StoreError. */
export async function readKept(store: ObjectStore): Promise<Kept> {
  const read = await readJson(store, MAILBOXES_KEY, MAX_MAILBOXES_BYTES);
  if (read === null) return { version: null, value: undefined, problem: '', broken: new Set() };
  const { version, value, problem } = read;
  if (problem !== null || !isGiven(value))
    return { version, value: undefined, problem: problem ?? 'is no document', broken: new Set() };
  return { version, value, problem: '', broken: brokenIn(value) };
}

function brokenIn(value: Given): ReadonlySet<string> {
  const good = goodIdsOf(value);
  return new Set(mailboxesIn(value).flatMap((one) => (good.has(idOf(one)) ? [] : [idOf(one)])));
}

function goodIdsOf(value: Given): ReadonlySet<string> {
  try {
    return new Set(readMailboxesDocument(value, MAILBOXES_KEY).document.mailboxes.map(({ id }) => id));
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    return new Set();
  }
}

/** Those that are objects; a document that is being mended may hold anything. */
export function mailboxesIn(value: Given | undefined): readonly Given[] {
  return allMailboxesIn(value).filter(isGiven);
}

export function idOf(mailbox: Given): string {
  const id = mailbox['id'];
  return typeof id === 'string' ? id : '';
}

export function isGiven(value: unknown): value is Given {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** By compare-and-swap. 'conflict': somebody else changed it meanwhile, and nothing was written. Rejects with StoreError. */
export async function writeKept(
  store: ObjectStore,
  value: Given,
  expected: Version | null,
): Promise<'written' | 'conflict'> {
  const body = Buffer.from(`${JSON.stringify(value, null, 2)}\n`);
  try {
    return (await store.replace(MAILBOXES_KEY, body, expected)) === 'conflict' ? 'conflict' : 'written';
  } catch (error) {
    // An answer that was lost: what lies there tells.
    if (!(error instanceof StoreError) || error.kind !== 'unknown') throw error;
    const { value: now } = await readKept(store);
    if (isDeepStrictEqual(now, value)) return 'written';
    throw error;
  }
}

export interface Difference {
  readonly added: readonly Given[];
  /** Ids. */
  readonly removed: readonly string[];
  readonly changed: readonly Changed[];
  /** Of the document itself. */
  readonly settings: readonly Setting[];
}

export interface Changed {
  readonly id: string;
  /** Null: it was wrong before, and its values are not shown. */
  readonly settings: readonly Setting[] | null;
}

export interface Setting {
  readonly name: string;
  /** Undefined: left out. */
  readonly before: unknown;
  readonly after: unknown;
}

/** What `next`, which is valid, makes of what is kept. Pure. */
export function difference({ value, broken }: Kept, next: Given): Difference {
  const before = new Map(mailboxesIn(value).map((one) => [idOf(one), one]));
  const after = new Map(mailboxesIn(next).map((one) => [idOf(one), one]));
  const changed: Changed[] = [];
  for (const [id, one] of after) {
    const old = before.get(id);
    if (old === undefined || isDeepStrictEqual(old, one)) continue;
    changed.push({ id, settings: broken.has(id) ? null : settingsThatDiffer(old, one) });
  }
  const { mailboxes: _, ...own } = value ?? { v: 1 };
  const { mailboxes: __, ...nextOwn } = next;
  return {
    added: [...after].flatMap(([id, one]) => (before.has(id) ? [] : [one])),
    removed: [...before.keys()].filter((id) => !after.has(id)),
    changed,
    settings: settingsThatDiffer(own, nextOwn),
  };
}

function settingsThatDiffer(before: Given, after: Given): readonly Setting[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return names
    .filter((name) => !isDeepStrictEqual(before[name], after[name]))
    .map((name) => ({ name, before: before[name], after: after[name] }));
}

export function isSame({ added, removed, changed, settings }: Difference): boolean {
  return added.length + removed.length + changed.length + settings.length === 0;
}
