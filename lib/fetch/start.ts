/**
 * Where a mailbox starts: which of the messages that its first run finds are left alone. Decided by one listing and put
 * on record before anything is retrieved; a run that dies before that has decided nothing, and whatever the listing does
 * not have is new. UIDLs and sizes are remembered, since dates and numbers say nothing that can be relied on.
 */
import { mailPrefix, stemOfKey } from '../mailbox/names.ts';
import type { Mailbox } from '../mailbox/settings.ts';
import { isStartDecided, type Seed, seedCount } from '../mailbox/state.ts';
import { StateError } from '../mailbox/stateError.ts';
import type { Listing } from './listing.ts';
import type { RunContext } from './runContext.ts';
import type { Session } from './session.ts';

type Choice = Mailbox['start'];

/** Fewer than these may well all be gone, and others of their sizes have come. */
const RENUMBERED_AT_LEAST = 10;

/**
 * Rejects with StateError where the state is lost, since what came after the real start would be taken for old; and where
 * the listing is not whole.
 */
export async function decideStart(
  { mailbox, state, ports }: RunContext,
  { listing }: Session,
): Promise<void> {
  const { start, id } = mailbox;
  if (start === 'all' || isStartDecided(state.head)) return;
  // QUIRK: in trouble, some list nothing, or half, in one of their two answers: what is not named now would be new later.
  if (listing.hasNameless || listing.left > 0) throw unnamed(id);
  const nowMs = ports.clock.now();
  if (await hasMail(ports.store, id)) {
    // Another run may have decided and stored some since the state was read: a write finds out.
    await state.commit((head) => (isStartDecided(head) ? head : { ...head, lastAttemptMs: nowMs }));
    if (!isStartDecided(state.head)) throw stateLost(id, inWords(start));
    return;
  }
  await state.decideStart(inWords(start), seedsOf(listing, start), nowMs);
}

async function hasMail(store: RunContext['ports']['store'], mailbox: string): Promise<boolean> {
  // What others put there, such as Thumbs.db, is no mail that was fetched.
  for await (const { key } of store.list(mailPrefix(mailbox)))
    if (stemOfKey(mailbox, key) !== null) return true;
  return false;
}

/** What a first run would leave alone, for who only looks. */
export function seedsToCome({ mailbox, state }: RunContext, { listing }: Session): Iterable<Seed> {
  return mailbox.start === 'all' || isStartDecided(state.head) ? [] : seedsOf(listing, mailbox.start);
}

function* seedsOf(listing: Listing, start: Choice): Generator<Seed> {
  const isWanted = newestOf(listing, start);
  const twins = new Map<string, Seed & { readonly rows: number }>();
  for (const { uidl, octets: size, number, repeated } of listing.rows()) {
    if (uidl === '' || isWanted(number)) continue;
    if (!repeated) yield { uidl, size };
    else {
      const key = `${size ?? '-'} ${uidl}`;
      twins.set(key, { uidl, size, rows: (twins.get(key)?.rows ?? 0) + 1 });
    }
  }
  yield* twins.values();
}

/** By message number: on all servers known the newest has the highest. Rows of an answer come in any order. */
function newestOf(listing: Listing, start: Choice): (number: number) => boolean {
  if (typeof start !== 'object') return () => start === 'all';
  const numbers = Float64Array.from(named(listing)).sort();
  const first = numbers.at(-Math.min(start.newest, numbers.length)) ?? 0;
  return (number) => number >= first;
}

function* named(listing: Listing): Generator<number> {
  for (const { number, uidl } of listing.rows()) if (uidl !== '') yield number;
}

/**
 * QUIRK: a server that was moved gives all its mail new UIDLs. What was left alone would be fetched then, and deleted by
 * a mailbox that deletes: so where none of it is listed any more, and messages of its sizes are, a person decides.
 * Rejects with StateError.
 */
export async function refuseRenumbered({ mailbox, state }: RunContext, session: Session): Promise<void> {
  const { known, listing } = session;
  const seeds = seedCount(state.head);
  if (mailbox.start === 'all' || seeds < RENUMBERED_AT_LEAST || known.seedsListed > 0) return;
  if (listing.length < seeds / 2) return;
  const sizes = new Map<number | null, number>();
  await state.eachSeeds((some) => {
    for (const { size } of some) sizes.set(size, (sizes.get(size) ?? 0) + 1);
    return undefined;
  });
  let alike = 0;
  for (const row of listing.rows()) {
    const left = sizes.get(row.octets) ?? 0;
    if (
      left === 0 ||
      known.noted(row.index) !== null ||
      known.records({ uidl: row.uidl, size: row.octets }).length > 0
    )
      continue;
    sizes.set(row.octets, left - 1);
    alike += 1;
  }
  if (alike >= seeds / 2) throw renumbered(mailbox.id, seeds);
}

export function inWords(start: Choice): string {
  if (typeof start === 'object') return `the newest ${start.newest}`;
  return start === 'all' ? 'all mail' : 'new mail only';
}

function unnamed(id: string): StateError {
  return new StateError(
    `state of ${id}: the server's answers to UIDL and LIST do not agree, so nothing tells which mail was there at the start. Nothing was retrieved, and the next run asks again. If it lasts, set "start: all".`,
    { kind: 'later', code: 'E_START_UNNAMED' },
  );
}

function stateLost(id: string, start: string): StateError {
  return new StateError(
    `state of ${id}: it is gone, though mail of this mailbox is in the store. Starting with ${start} would now pass over what has come since it was lost, so nothing was retrieved. Set "start: all": everything on the server is retrieved, nothing is stored twice, and events repeat with their ids.`,
    { kind: 'person', code: 'E_START_STATE_LOST' },
  );
}

function renumbered(id: string, seeds: number): StateError {
  return new StateError(
    `state of ${id}: none of the ${seeds} messages that were left alone at the start is listed any more, but as many of their sizes are: the server has given its mail new UIDLs. Nothing was retrieved. Set "start: all" to fetch all that is listed now, or give the mailbox a new id to start anew.`,
    { kind: 'person', code: 'E_START_RENUMBERED' },
  );
}
