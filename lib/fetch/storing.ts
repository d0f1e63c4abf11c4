/** From bytes that came whole and fenced to an object that is proved to hold them. */
import { hasTrace, identifies } from '../mail/headers.ts';
import { withContent, withUnstuffed } from '../mailbox/intents.ts';
import { messageKey, messageKeyByContent } from '../mailbox/names.ts';
import { refreshed } from '../mailbox/records.ts';
import { refKey, type StoredRecord } from '../mailbox/state.ts';
import type { Digest } from '../store/port.ts';
import { completeSettled, createSettled, type Settled } from '../store/settle.ts';
import type { RunContext } from './runContext.ts';
import type { Session } from './session.ts';
import { contentKeyOf, type Received, type Wanted } from './window.ts';

/** A message whose object holds exactly its bytes. */
export interface Stored {
  readonly wanted: Wanted;
  readonly record: StoredRecord;
  readonly header: Buffer;
  /** The committed state says already that these bytes under this UIDL are announced. */
  readonly announced: boolean;
}

/** On record, but the object is no longer there: the mail stays on the server. */
export type Missing = Pick<Stored, 'wanted' | 'record'>;

export type StoreOutcome =
  | { readonly stored: Stored }
  /** Its bytes are gone and content decides its key: retrieve it again. */
  | { readonly again: Wanted }
  | { readonly missing: Missing };

/** Rejects with StoreError: not stored, as far as anybody knows. */
export async function storeReceived(
  context: RunContext,
  session: Session,
  received: Received,
): Promise<StoreOutcome> {
  const { wanted, digest } = received;
  const records = [...session.known.records(wanted.ref), ...(wanted.record ? [wanted.record] : [])];
  const known =
    records.find(({ sha256 }) => sha256 === digest.sha256) ?? renamedFrom(context, session, received);
  const settled = known && (await settleKnown(context, session, { received, known }));
  if (settled) return settled;
  // Retrieved to prove what is stored, and it is something else: the UIDL was used again.
  if (wanted.record && wanted.ref.uidl !== '') return { again: { row: wanted.row, ref: wanted.ref } };
  context.begun.add(refKey(wanted.ref));
  const of = { run: context.run, sha256: digest.sha256 };
  if (wanted.ref.uidl === '' && hasBytes(received))
    await context.state.commit((head) => withContent(head, wanted.ref, of));
  if (received.unstuffed) await context.state.commit((head) => withUnstuffed(head, wanted.ref, of));
  const placed = await place(context, received);
  // Only of the content that was turned away is it known that the first key has other bytes.
  context.contentKeys.delete(contentKeyOf(wanted));
  if (placed === 'key by content') context.contentKeys.set(contentKeyOf(wanted), digest.sha256);
  if (typeof placed === 'string') return { again: wanted };
  if (placed.created) context.tally.bytesStored += digest.size;
  return {
    stored: {
      wanted,
      record: recordOf(context, received, {
        top: session.headerHashes.get(wanted.row.index),
        byContent: placed.byContent,
      }),
      header: received.header,
      announced: false,
    },
  };
}

/** One without UIDL that was too large for memory was only hashed. */
function hasBytes({ intake }: Received): boolean {
  return intake.upload !== null || intake.body !== null;
}

interface OnRecord {
  readonly received: Received;
  readonly known: StoredRecord;
}

/** Null where its object has other bytes than the record says. */
async function settleKnown(
  context: RunContext,
  { headerHashes }: Session,
  { received, known }: OnRecord,
): Promise<StoreOutcome | null> {
  const { wanted, digest, intake, unstuffed } = received;
  const seen = await context.ports.store.verify(keyOfRecord(context.mailbox.id, known), digest);
  if (seen === 'different' && known.under !== undefined) return null;
  await intake.discard();
  const { size } = wanted.ref;
  const listed = { ...known, size, ...topHashOf(headerHashes.get(wanted.row.index), known.headerHash) };
  const came = { ...known, octets: digest.size, ...(unstuffed ? { unstuffed } : {}) };
  const retrieved = known.uidl === '' ? { retrievedMs: context.ports.clock.now() } : {};
  const record = refreshed(came, { ...listed, ...retrieved });
  if (seen !== 'same') return { missing: { wanted, record } };
  return { stored: { wanted, record, header: received.header, announced: true } };
}

/** The record of the same mail, where the server gave it a new UIDL: it is neither stored nor announced again. */
function renamedFrom(context: RunContext, session: Session, received: Received): StoredRecord | null {
  const { digest, header, wanted } = received;
  const place = wanted.ref.uidl === '' ? null : session.known.vanished(digest.sha256);
  if (place === null || !isSameMail(context, session, header)) return null;
  context.tally.note(
    'The server gave mail that is stored new UIDLs. It is known by its content, and neither stored nor announced again.',
  );
  const { uidl: under, byContent = false } = place;
  const top = session.headerHashes.get(wanted.row.index);
  return { ...recordOf(context, received, { top, byContent }), under };
}

/** What we delete vanishes, too, and where mail has moved the first may be there still: the same bytes may be sent once more. */
function isSameMail({ mailbox }: RunContext, { known }: Session, header: Buffer): boolean {
  return mailbox.delete === 'keep' && !known.isDoubted ? identifies(header) : hasTrace(header);
}

interface Placed {
  readonly created: boolean;
  readonly byContent: boolean;
}

/**
 * Its bytes are gone, and it must be retrieved again: its content decides its key, since the first holds other bytes or
 * there is no UIDL to make one of; or its content is another.
 */
type Unplaced = 'key by content' | 'another content';

/** Under the first key; under the one that content decides, once the first holds other bytes. */
async function place(context: RunContext, { wanted, digest, intake }: Received): Promise<Placed | Unplaced> {
  const { store } = context.ports;
  const first = messageKey(context.mailbox.id, wanted.ref.uidl);
  const second = messageKeyByContent(context.mailbox.id, wanted.ref.uidl, digest.sha256);
  const { body, upload } = intake;
  if (upload !== null) {
    // Begun under the key that a content decided which turned out to be another's.
    if (intake.key !== first && intake.key !== second) {
      await upload.abort();
      return 'another content';
    }
    const settled = await completeSettled(upload, store, intake.key, digest);
    return settled === 'different' ? 'key by content' : placedBy(settled, intake.key === second);
  }
  if (body === null) return wanted.ref.uidl === '' ? 'key by content' : 'another content';
  if (wanted.ref.uidl !== '') {
    const settled = await createSettled(store, first, body, digest);
    if (settled !== 'different') return placedBy(settled, false);
  }
  const beside = await createSettled(store, second, body, digest);
  return beside === 'different' ? 'another content' : placedBy(beside, true);
}

function placedBy(settled: Settled, byContent: boolean): Placed {
  return { created: settled === 'created', byContent };
}

export function keyOfRecord(
  mailbox: string,
  { uidl, under = uidl, sha256, byContent }: Pick<StoredRecord, 'uidl' | 'under' | 'sha256' | 'byContent'>,
): string {
  return byContent ? messageKeyByContent(mailbox, under, sha256) : messageKey(mailbox, under);
}

export function digestOfRecord({ octets, sha256, composite }: StoredRecord): Digest {
  return composite === undefined ? { size: octets, sha256 } : { size: octets, sha256, composite };
}

function recordOf(
  context: RunContext,
  { wanted, digest, headerHash, unstuffed }: Received,
  { top, byContent }: { readonly top: string | null | undefined; readonly byContent: boolean },
): StoredRecord {
  return {
    uidl: wanted.ref.uidl,
    size: wanted.ref.size,
    headerHash,
    ...topHashOf(top, headerHash),
    octets: digest.size,
    ...(unstuffed ? { unstuffed } : {}),
    sha256: digest.sha256,
    ...(digest.composite === undefined ? {} : { composite: digest.composite }),
    ...(byContent ? { byContent: true as const } : {}),
    storedMs: context.ports.clock.now(),
  };
}

/** QUIRK: some servers add lines to the header that TOP shows (Status, X-UIDL), or leave some out. */
function topHashOf(top: string | null | undefined, headerHash: string): { topHashes?: readonly string[] } {
  return !top || top === headerHash ? {} : { topHashes: [top] };
}
