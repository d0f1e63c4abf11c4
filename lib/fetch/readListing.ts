/** What a mailbox has: UIDL and LIST, joined on the message number. */
import type { Pop3Client } from '../pop3/client.ts';
import { Pop3Error } from '../pop3/errors.ts';
import { Listing } from './listing.ts';
import { Unvouched } from './trouble.ts';

export interface Listed {
  readonly listing: Listing;
  readonly notes: readonly string[];
  /** The refusal of UIDL, where the server has none: then no row has one. */
  readonly withoutUidl: Pop3Error | null;
  /** UIDL was answered, and named none of the messages that LIST has. */
  readonly isUnnamed: boolean;
}

/** Rejects with Pop3Error, or with Unvouched where none of its rows can be read. */
export async function readListing(
  client: Pop3Client,
  { seed, pipelining }: { readonly seed: number; readonly pipelining: boolean },
): Promise<Listed> {
  const listing = new Listing(seed);
  if (pipelining) await client.ahead([{ verb: 'UIDL' }, { verb: 'LIST' }]);
  const uidls = await client.uidl((number, uidl) => listing.addUidl(number, uidl)).catch(unlessRefused);
  const refused = uidls instanceof Pop3Error ? uidls : null;
  const named = uidls instanceof Pop3Error ? NO_ROWS : uidls;
  const nameless: number[] = [];
  const addSize = (number: number, octets: number | null) => {
    // Beyond what is kept of UIDL's answer, a number that is not there may well have one.
    if (listing.addOctets(number, octets) || named.truncated) return;
    listing.addNameless(number, octets);
    if (refused === null) nameless.push(number);
  };
  const sizes = await client.list(addSize).catch((error: unknown) => unlessEmpty(client, error));
  if (nameless.length > 0) await leaveArrived(client, listing, new Set(nameless));
  const listed = Math.max(named.rows, sizes.rows);
  const notes: string[] = [];
  if (named.truncated || sizes.truncated)
    notes.push(`The server listed ${listed} messages; this run looked at the first ${listing.length}.`);
  const odd = named.odd + sizes.odd;
  if (odd > 0 && listed === 0) throw unreadable(odd);
  if (odd > 0) notes.push(`${odd} rows of the server's listings could not be read and were passed over.`);
  const { left } = listing;
  if (left > 0 && !(named.truncated || sizes.truncated))
    notes.push(
      `${left} messages were not in both of the server's answers to UIDL and LIST, and are left to another run.`,
    );
  // What is not there needs none.
  const withoutUidl = listing.length === 0 ? null : refused;
  const isUnnamed = refused === null && named.rows === 0 && nameless.length > 0;
  return { listing, notes, withoutUidl, isUnnamed };
}

/** Passed over, they would make a mailbox look empty for ever. */
function unreadable(rows: number): Unvouched {
  return new Unvouched(
    `the server listed ${rows} rows, and none of them begins with the number of a message, so nothing was retrieved. Look at them with "mailferry check --transcript", and ask whoever runs the server.`,
    'server',
  );
}

const NO_ROWS = { rows: 0, truncated: false, odd: 0 };

/** For `catch`. QUIRK: some refuse UIDL and LIST where there is no message; STAT tells. */
async function unlessEmpty(client: Pop3Client, error: unknown): Promise<typeof NO_ROWS> {
  const refusal = unlessRefused(error);
  if ((await client.stat().catch(unlessRefused)) === 0) return NO_ROWS;
  throw refusal;
}

/** For `catch`: a refusal as what came. */
export function unlessRefused(error: unknown): Pop3Error {
  if (error instanceof Pop3Error && error.kind === 'refused') return error;
  throw error;
}

/**
 * Mail may have arrived between the two commands, and some servers leave rows out of UIDL: asked once more, UIDL tells
 * which it is. What has a UIDL by now is left to the next session, lest it be stored under its content and then again.
 */
async function leaveArrived(
  client: Pop3Client,
  listing: Listing,
  nameless: ReadonlySet<number>,
): Promise<void> {
  await client.uidl((number, uidl) => {
    if (uidl !== '' && nameless.has(number)) listing.leave(number);
  });
}
