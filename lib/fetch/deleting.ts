/**
 * DELE, by the two branches of its rule, and by nothing else. Both rest on facts that can never become false
 * again: the exact bytes are stored under a key that is never overwritten, the event was accepted, and the
 * committed state says so. Whoever believes himself alive and is not can therefore do no harm here.
 */
import { identifies } from '../mail/headers.ts';
import { isDue, isShort } from '../mailbox/policy.ts';
import type { MessageRef, StoredRecord } from '../mailbox/state.ts';
import { Pop3Error } from '../pop3/errors.ts';
import { fence } from './fence.ts';
import { HeaderBlock } from './headerBlock.ts';
import type { Row } from './listing.ts';
import type { StoreTrust } from './ports.ts';
import { keepMissing, type RunContext } from './runContext.ts';
import type { Session } from './session.ts';
import { digestOfRecord, keyOfRecord } from './storing.ts';

/** Asked for before the first is answered. */
const DELES_AHEAD = 128;

/** On record as announced, in the state that is committed. */
export interface Deletable {
  readonly wanted: { readonly row: Row; readonly ref: MessageRef };
  readonly record: StoredRecord;
}

/**
 * Branch A: this session retrieved it whole, its fence was answered, the store confirmed exactly its bytes, the
 * event was accepted, and the commit that says so has returned. Called with nothing less.
 */
export async function deleteRetrieved(
  context: RunContext,
  session: Session,
  settled: readonly Deletable[],
): Promise<void> {
  const { client, policy } = session;
  if (policy.keptMs === null || client.closedBy !== null) return;
  const due: Deletable['wanted'][] = [];
  for (const { wanted, record } of settled) {
    if (isShort(policy, record)) {
      context.tally.note(shortNote(record));
      context.kept.add(wanted.ref);
    } else if (!isDue(policy, record)) continue;
    else if (await mayDelete(context)) due.push(wanted);
    else context.kept.add(wanted.ref);
  }
  await deleteAll(context, session, due);
}

/** Around each DELE: where one breaks the line, its message can be told. */
export type Around = (ref: MessageRef, ask: () => Promise<void>) => Promise<void>;

const asItIs: Around = (_, ask) => ask();

/** Each is due by one of the two branches. */
async function deleteAll(
  context: RunContext,
  session: Session,
  due: readonly Deletable['wanted'][],
  around = asItIs,
): Promise<void> {
  const wanted = due.filter(({ ref }) => !context.kept.has(ref));
  for (let at = 0; at < wanted.length; at += DELES_AHEAD) {
    const some = wanted.slice(at, at + DELES_AHEAD);
    if (session.pipelining)
      await session.client.ahead(some.map(({ row }) => ({ verb: 'DELE', number: row.number })));
    for (const one of some) await around(one.ref, () => dele(context, session, one));
  }
}

/**
 * The end of branch B: the committed state says stored and announced, with octets not short; the UIDL is unique in this
 * listing and the LIST size agrees (both by the plan); TOP n 0 gave the same header hash. Called with nothing less, it
 * asks whether the store still has the objects with those checksums.
 */
export async function deleteStored(
  context: RunContext,
  session: Session,
  agreed: readonly Deletable[],
  around = asItIs,
): Promise<void> {
  const { mailbox, ports } = context;
  const seen = await Promise.all(
    agreed.map(({ record }) => ports.store.verify(keyOfRecord(mailbox.id, record), digestOfRecord(record))),
  );
  const due = agreed.filter((_, index) => seen[index] === 'same');
  for (const one of agreed) if (!due.includes(one)) keepMissing(context, one.wanted.ref);
  const wanted = due.map((one) => one.wanted);
  await deleteAll(context, session, wanted, around);
}

/** Refused, different, or with nothing in it that tells one mail from another: then TOP proves nothing. */
export async function topAgrees(session: Session, row: Row, record: StoredRecord): Promise<boolean> {
  const header = await topOf(session, row);
  return header !== null && header.hash === record.headerHash && identifies(header.kept);
}

/** The header block by TOP n 0 and its fence, or null where the server refuses TOP. */
export async function topOf(session: Session, row: Row): Promise<{ hash: string; kept: Buffer } | null> {
  const block = new HeaderBlock();
  const { client } = session;
  const isRefused = await client
    .top(row.number, 0, (chunk) => block.update(chunk))
    .then(() => false)
    .catch((error: unknown) => {
      if (error instanceof Pop3Error && error.kind === 'refused' && client.closedBy === null) return true;
      throw error;
    });
  // Headers are a sender's, too, and some servers send the whole message here.
  await fence(session, [row]);
  return isRefused ? null : { hash: block.hash(), kept: block.kept() };
}

/** Whether the bus and the store prove enough for it. */
export async function mayDelete(context: RunContext): Promise<boolean> {
  const { publisher } = context.ports;
  if (!publisher.durable) {
    context.tally.note(
      'Nothing is deleted: events go to a stream, which proves nothing. Use a file or a bus.',
    );
    return false;
  }
  await publisher.prove();
  const trust = await context.ports.trust();
  if (trust.deletes) return true;
  context.tally.note(untrustedNote(trust));
  return false;
}

function untrustedNote({ reason }: StoreTrust): string {
  return `Messages are stored, but not deleted from the server: ${reason}`;
}

function shortNote({ size, octets, unstuffed }: StoredRecord): string {
  if (size === null) return 'Messages whose size the server does not give are stored and kept on the server.';
  if (unstuffed)
    return 'The server does not stuff dots (RFC 1939 section 3): messages that lost some are stored and kept on the server.';
  return `The server delivered fewer octets than it announced (for example ${octets} of ${size}); such messages are stored, marked short and kept on the server. If this server only estimates sizes, say "sizes: estimated".`;
}

async function dele(context: RunContext, session: Session, { row, ref }: Deletable['wanted']): Promise<void> {
  try {
    await session.client.dele(row.number);
    session.deleted.add(row.index);
    context.tally.requested += 1;
  } catch (error) {
    // It is stored and on record; the server may keep what it will not delete, and is asked again next time.
    if (!(error instanceof Pop3Error) || error.kind !== 'refused' || session.client.closedBy !== null)
      throw error;
    context.kept.add(ref);
    context.tally.note(`The server refused to delete a message that is stored: ${error.reply ?? error.code}`);
  }
}
