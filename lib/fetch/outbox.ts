/** What an attempt that did not end left in the store, and what a person must be told of. */

import { failureOf, nextRetryMs, withFailure } from '../mailbox/failures.ts';
import { contentMark } from '../mailbox/intents.ts';
import { messagePrefix, setAsideId } from '../mailbox/names.ts';
import { withRecords } from '../mailbox/records.ts';
import {
  type Failure,
  type Head,
  type MessageRef,
  refKey,
  type StoredRecord,
  sameRef,
} from '../mailbox/state.ts';
import { Digester } from '../store/checksum.ts';
import { topOf } from './deleting.ts';
import { HeaderBlock } from './headerBlock.ts';
import type { Row } from './listing.ts';
import { accepts } from './news.ts';
import type { RunContext } from './runContext.ts';
import type { Session } from './session.ts';
import { storedEvent } from './settling.ts';
import { digestOfRecord, keyOfRecord } from './storing.ts';
import { EventRefused, isUnvouchedServer, type Unvouched } from './trouble.ts';

/**
 * Announces every whole object of this UIDL that no record knows (objects are only ever whole), and puts it on
 * record. A twin's is left to that twin, and of what cannot be told whose it is they take turns, for announcing it may
 * be what ends the process. Returns whether there is any object. Rejects as the store, the bus or the
 * state does, or the server, of which that much is done all the same where nothing vouches for its answers.
 */
export async function leftBehind(context: RunContext, session: Session, suspect: Looked): Promise<boolean> {
  const { ref } = suspect;
  const own: StoredRecord[] = [];
  const others: StoredRecord[] = [];
  const { unknown, found, unvouched } = await objectsOf(context, session, suspect);
  const twins = twinsOf(context.state.head, ref);
  const attempts = failureOf(context.state.head, ref)?.attempts ?? 0;
  const sharing = [...new Set([ref, ...twins].map(refKey))].sort();
  const isTurn = sharing.indexOf(refKey(ref)) === attempts % sharing.length;
  for (const record of unknown) {
    const whose = ownerOf(record, ref, twins);
    if (whose === 'own') own.push(record);
    // Where the server is to blame no attempt counts, and no twin would get its turn.
    else if (unvouched || (whose === 'nobody' && isTurn)) others.push(record);
  }
  for (const record of turned([...own, ...others], Math.floor(attempts / sharing.length))) {
    const [answer] = await context.ports.publisher.publish([storedEvent(context, record, null)]);
    // Of one that may be a twin's the refusal is the twin's, which has it as its own when it is retrieved.
    if (answer?.accepted !== true && others.includes(record) && suspect.rows.length > 0) continue;
    if (answer?.accepted !== true) throw new EventRefused(answer?.reason ?? 'no answer came for it');
    await context.state.commit((head) => withRecords(head, [record]));
    if (record.size === ref.size) context.tally.stored.add(ref);
  }
  if (unvouched) throw unvouched;
  return found;
}

/** Each turn begins with another one, since any of them may end whoever announces it. */
function turned<T>(items: readonly T[], times: number): readonly T[] {
  const from = items.length === 0 ? 0 : times % items.length;
  return [...items.slice(from), ...items.slice(0, from)];
}

interface Looked {
  readonly ref: MessageRef;
  /** None: the server lists it no more. */
  readonly rows: readonly Row[];
}

async function objectsOf(
  context: RunContext,
  session: Session,
  { ref, rows }: Looked,
): Promise<{ unknown: readonly StoredRecord[]; found: boolean; unvouched: Unvouched | null }> {
  const { store } = context.ports;
  const known = new Map(
    session.known.records(ref).map((record) => [keyOfRecord(context.mailbox.id, record), record]),
  );
  const unknown: StoredRecord[] = [];
  let found = false;
  let unvouched: Unvouched | null = null;
  for await (const { key } of listed(context, ref)) {
    found = true;
    const onRecord = known.get(key);
    // Where a consumer removed the object, another message of the UIDL may have taken its key since.
    if (onRecord && (await store.verify(key, digestOfRecord(onRecord))) === 'same') continue;
    const look = (listed: readonly Row[]) => recordOfObject(context, session, { ref, rows: listed, key });
    // Of one that this session has deleted, an alike one's brother, the server tells nothing any more.
    const askable = unvouched ? [] : rows.filter(({ index }) => !session.deleted.has(index));
    const record = await look(askable).catch((error: unknown) => {
      // What is stored is whole, whether or not anything that this server says now can be believed.
      if (!isUnvouchedServer(error)) throw error;
      unvouched = error;
      return look([]);
    });
    if (record !== null) unknown.push(record);
  }
  return { unknown, found, unvouched };
}

/** What its attempts may have left in the store. */
async function* listed({ ports, mailbox, state }: RunContext, ref: MessageRef) {
  const prefix = messagePrefix(mailbox.id, ref.uidl);
  if (ref.uidl !== '') return yield* ports.store.list(prefix);
  // A mailbox without UIDLs has all its objects under one prefix; the intents tell which of them can be meant.
  const marks = state.head.intents
    .filter((intent) => sameRef(intent, ref))
    .flatMap(({ contents }) => contents ?? []);
  for (const mark of new Set(marks)) yield* ports.store.list(`${prefix}-${mark}`);
}

/**
 * By header and size; by the header alone where LIST does not tell the true size; by size alone where the server's TOP
 * shows other headers than its RETR.
 */
function ownerOf(
  { octets, headerHash }: StoredRecord,
  ref: MessageRef,
  twins: readonly MessageRef[],
): 'own' | 'twin' | 'nobody' {
  const bySize = (one: MessageRef) => one.size === octets;
  const byHeader = (one: MessageRef) => one.headerHash === headerHash;
  const exactly = (one: MessageRef) => bySize(one) && (one.headerHash === null || byHeader(one));
  for (const is of [exactly, byHeader, bySize]) {
    const [own, twin] = [is(ref), twins.some(is)];
    if (own !== twin) return own ? 'own' : 'twin';
    if (own && is === exactly) return 'own';
  }
  return 'nobody';
}

/**
 * Other messages that have an attempt of their own before them, which looks for the same objects: those of the UIDL, or
 * where there is none of the size, for one intent had been theirs.
 */
function twinsOf({ intents, failures }: Head, ref: MessageRef): readonly MessageRef[] {
  const isTwin = ({ uidl, size }: MessageRef) => uidl === ref.uidl && (uidl !== '' || size === ref.size);
  return [...intents, ...failures].filter((other) => isTwin(other) && !sameRef(other, ref));
}

async function recordOfObject(
  context: RunContext,
  session: Session,
  { ref, rows, key }: Looked & { readonly key: string },
): Promise<StoredRecord | null> {
  const object = await context.ports.store.read(key);
  if (object === null) return null;
  const digester = new Digester();
  const block = new HeaderBlock();
  for await (const chunk of object.chunks) {
    digester.update(chunk);
    block.update(chunk);
  }
  const { size: octets, sha256, composite } = digester.digest();
  const headerHash = block.hash();
  const [row] = rows;
  // Without UIDL its attempt led to it, and had the size of that attempt's message.
  const same = row === undefined || ref.uidl === '' || (await isListed(session, row, { headerHash, octets }));
  return {
    uidl: ref.uidl,
    // Of a message that the server no longer lists under this UIDL, only its own length is known.
    size: same ? ref.size : octets,
    headerHash,
    octets,
    sha256,
    ...(composite === undefined ? {} : { composite }),
    ...(isUnstuffed(context.state.head, ref, sha256) ? { unstuffed: true as const } : {}),
    ...(key.endsWith(`-${sha256}.eml`) ? { byContent: true as const } : {}),
    storedMs: context.ports.clock.now(),
  };
}

/** Whether whoever put it there saw that dots were missing. */
function isUnstuffed({ intents }: Head, { uidl }: MessageRef, sha256: string): boolean {
  const mark = contentMark(sha256);
  return intents.some((intent) => intent.uidl === uidl && intent.unstuffed?.includes(mark));
}

/** Whether the object is the message that is listed now, and not an earlier one under the same UIDL. */
async function isListed(
  session: Session,
  row: Row,
  object: { readonly headerHash: string; readonly octets: number },
): Promise<boolean> {
  const top = await topOf(session, row);
  return top === null ? object.octets === row.octets : top.hash === object.headerHash;
}

/**
 * Sets aside what used up its attempts (the last of them may have ended the process before it could be said), and
 * tells a person of each message set aside, once.
 */
export async function reportSetAside(context: RunContext): Promise<void> {
  const { state, ports, mailbox } = context;
  const nowMs = ports.clock.now();
  await state.commit((head) => exhausted(head, mailbox.attempts, nowMs).reduce(setAside(nowMs), head));
  for (const failure of state.head.failures) {
    if (failure.setAsideMs === null || failure.reported) continue;
    if (!(await accepts(ports.publisher, setAsideEvent(mailbox.id, failure, failure.setAsideMs)))) continue;
    await state.commit((head) => {
      const current = head.failures.find((other) => sameRef(other, failure));
      return current ? withFailure(head, { ...current, reported: true }) : head;
    });
  }
}

/** A last attempt that another run is still making is not over. */
function exhausted(head: Head, attempts: number, nowMs: number): readonly Failure[] {
  const living = new Set(head.intents.filter(({ untilMs }) => untilMs > nowMs).map(refKey));
  return head.failures.filter(
    (failure) => failure.setAsideMs === null && failure.attempts >= attempts && !living.has(refKey(failure)),
  );
}

function setAside(nowMs: number) {
  return (head: Head, failure: Failure): Head =>
    withFailure(head, { ...failure, setAsideMs: nowMs, retryMs: nextRetryMs(nowMs, nowMs) });
}

function setAsideEvent(mailbox: string, failure: Failure, setAsideMs: number) {
  return {
    detailType: 'Message Set Aside' as const,
    detail: {
      v: 1 as const,
      id: setAsideId(mailbox, refKey(failure), setAsideMs),
      mailbox,
      uidl: failure.uidl,
      size: failure.size,
      attempts: failure.attempts,
      code: failure.code,
      reason: failure.message,
      since: new Date(setAsideMs).toISOString(),
    },
  };
}
