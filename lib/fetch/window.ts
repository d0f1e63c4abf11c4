/**
 * A window: at most 16 messages or 8 MB, retrieved one after the other and ended by a fence. Until the fence is
 * answered exactly, nothing of it counts: where a server does not stuff dots, mail can cut itself and pass its own
 * rest off as replies, but no sender can guess the UIDL that comes next.
 */
import { messageKey, messageKeyByContent } from '../mailbox/names.ts';
import { type MessageRef, refKey, type StoredRecord } from '../mailbox/state.ts';
import type { Body } from '../pop3/client.ts';
import { Pop3Error } from '../pop3/errors.ts';
import type { Digest } from '../store/port.ts';
import { fence } from './fence.ts';
import { Intake } from './intake.ts';
import type { Row } from './listing.ts';
import type { RunContext } from './runContext.ts';
import type { Session } from './session.ts';
import { isOverLimit, RunEnded, Unvouched } from './trouble.ts';

/** Bounds what a failed fence makes us retrieve again, and the memory that waits for one. */
export const WINDOW_MESSAGES = 16;
export const WINDOW_BYTES = 8 * 1024 * 1024;

const BEGINS_WITH_REPLY = /^(?:(?:[-+.][^\r\n]*)?\r\n)*[^\r\n:]*\+OK/;

/** A message that a run means to retrieve. */
export interface Wanted {
  readonly row: Row;
  readonly ref: MessageRef;
  /** What is stored of it, where it is only retrieved to prove that. */
  readonly record?: StoredRecord | undefined;
}

/** What is retrieved before one fence. */
export interface Window {
  readonly wanted: readonly Wanted[];
  /** Indexes of rows that nothing else of this session brought in doubt. */
  readonly fresh: ReadonlySet<number>;
  /** Its commands are written already. */
  readonly ahead: boolean;
}

/** A message that came whole, and whose fence was answered. */
export interface Received {
  readonly wanted: Wanted;
  readonly intake: Intake;
  readonly digest: Digest;
  readonly headerHash: string;
  /** The first 64 KB of the header block. */
  readonly header: Buffer;
  /** The server did not stuff its dots: it is not whole, whatever its size. */
  readonly unstuffed: boolean;
}

interface Taken {
  readonly wanted: Wanted;
  readonly intake: Intake;
  readonly unstuffed: boolean;
}

export interface WindowResult {
  readonly received: readonly Received[];
  /** To be retrieved once more, by themselves. */
  readonly again: readonly Wanted[];
  /** Refused with the connection still good. */
  readonly refused: readonly { readonly wanted: Wanted; readonly error: Pop3Error }[];
}

/**
 * Why a window was lost; the connection is closed. `culprit` is the message to blame, where that is certain; null
 * where the replies may have been shifted by any of them.
 */
export class WindowLost extends Error {
  readonly culprit: Wanted | null;

  constructor(cause: unknown, culprit: Wanted | null) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.name = 'WindowLost';
    this.culprit = culprit;
  }
}

/** From the first byte on some servers hide a message, so the doubt begins before the command. Returns the new ones. */
export function doubtAll({ inDoubt }: Session, wanted: readonly Wanted[]): ReadonlySet<number> {
  const fresh = new Set(wanted.map(({ row }) => row.index).filter((index) => !inDoubt.has(index)));
  for (const index of fresh) inDoubt.add(index);
  return fresh;
}

/** Rejects with WindowLost, everything of the window discarded. */
export async function retrieveWindow(
  context: RunContext,
  session: Session,
  window: Window,
): Promise<WindowResult> {
  const { wanted } = window;
  const disarm = context.deadline.whenCutOff(() => session.client.destroy(context.deadline.reason));
  const taken: Taken[] = [];
  const refused: { wanted: Wanted; error: Pop3Error }[] = [];
  try {
    for (const message of wanted) {
      const intake = intakeFor(context, message);
      const outcome = await retrieveOne(context, session, { message, intake }).catch(
        async (cause: unknown) => {
          await discard([...taken, { intake }]);
          throw new WindowLost(cause, blameIn(cause, { message, before: taken.length, context, window }));
        },
      );
      if (outcome instanceof Pop3Error) refused.push({ wanted: message, error: outcome });
      else taken.push({ wanted: message, intake, unstuffed: outcome.unstuffed });
    }
    await fence(
      session,
      wanted.map(({ row }) => row),
    ).catch(async (cause: unknown) => {
      await discard(taken);
      throw new WindowLost(cause, onlyOne(context, window));
    });
  } finally {
    disarm();
  }
  const all = taken.map(receivedOf);
  if (all.some(beginsWithReply)) {
    await discard(taken);
    const error = shiftedIn(session);
    throw new WindowLost(error, onlyOne(context, window));
  }
  for (const { wanted: one } of refused)
    if (window.fresh.has(one.row.index)) session.inDoubt.delete(one.row.index);
  if (window.ahead) context.pipelineHeld = true;
  const { received, again } = await withoutShort(context, session, { window, all });
  for (const { wanted: one } of received) if (context.whole.size < 2) context.whole.add(refKey(one.ref));
  return { received, again, refused };
}

/** QUIRK: some stuff dots only where one command comes at a time, and a mail then loses dots, or its end. */
async function withoutShort(
  context: RunContext,
  { policy }: Session,
  { window, all }: { readonly window: Window; readonly all: readonly Received[] },
) {
  const isShort = ({ digest, unstuffed, wanted: { row } }: Received) =>
    window.ahead && (unstuffed || (!policy.estimated && digest.size < (row.octets ?? 0)));
  const short = all.filter(isShort);
  await discard(short);
  for (const { wanted } of short) context.cameShort.add(refKey(wanted.ref));
  return { received: all.filter((one) => !isShort(one)), again: short.map(({ wanted }) => wanted) };
}

/**
 * A line "+OK …" that the server sent unasked is taken for the status of RETR, and the status becomes the first
 * line of the message, behind whatever else nobody asked for; the fence cannot see it, for the reply ends where it
 * should. No header begins so.
 */
function beginsWithReply({ intake, digest, wanted: { row } }: Received): boolean {
  return BEGINS_WITH_REPLY.test(intake.start.toString('latin1')) && digest.size !== row.octets;
}

function shiftedIn({ client }: Session): Unvouched {
  const error = new Unvouched(
    'a message began with a status line, and had not the size that was listed: the server sent a line that no command asked for. Nothing was stored of it.',
    'message',
  );
  client.destroy(error);
  return error;
}

/** Its name in `contentKeys`: without UIDL a ref may be that of many. */
export function contentKeyOf({ row, ref }: Wanted): string {
  return ref.uidl === '' ? `${row.index} ${refKey(ref)}` : refKey(ref);
}

function intakeFor({ mailbox, ports, contentKeys }: RunContext, wanted: Wanted): Intake {
  const { row, ref, record } = wanted;
  const keyOf = () => {
    if (record !== undefined && ref.uidl !== '') return null;
    const content = contentKeys.get(contentKeyOf(wanted));
    if (content !== undefined) return messageKeyByContent(mailbox.id, ref.uidl, content);
    return ref.uidl === '' ? 'by content' : messageKey(mailbox.id, ref.uidl);
  };
  return new Intake(ports.store, keyOf(), row.octets);
}

/** The error where the server refused and the connection is still good. */
async function retrieveOne(
  { progress }: RunContext,
  { client, policy }: Session,
  { message: { row, ref, record }, intake }: { readonly message: Wanted; readonly intake: Intake },
): Promise<Body | Pop3Error> {
  // What is stored already is only held against that, and no limit is for it; without UIDL it may be other mail.
  const mayBeNew = record === undefined || ref.uidl === '';
  const maxOctets = mayBeNew ? policy.sizeLimit : Number.POSITIVE_INFINITY;
  const take = (chunk: Uint8Array) => {
    progress.received(chunk.length);
    return intake.take(chunk);
  };
  try {
    return await client.retr(row.number, take, { maxOctets });
  } catch (error) {
    if (!(error instanceof Pop3Error) || error.kind !== 'refused' || client.closedBy !== null) throw error;
    await intake.discard();
    return error;
  }
}

interface Loss {
  readonly message: Wanted;
  /** How many of the window had come before it. */
  readonly before: number;
  readonly context: RunContext;
  readonly window: Window;
}

/**
 * A line that breaks names the message it broke on, unless the server may not bear several commands at once. Anything
 * else that is wrong may be the tail of an earlier message of the window that cut itself.
 */
function blameIn(cause: unknown, { message, before, context, window }: Loss): Wanted | null {
  // What was cut off at the limit is tried alone, where its answer is certain to be its own.
  if (cause instanceof RunEnded || isOverLimit(context.mailbox, cause)) return message;
  if (isUntried(context, window)) return null;
  if (before === 0) return message;
  return cause instanceof Pop3Error && cause.kind === 'lost' ? message : null;
}

function onlyOne(context: RunContext, window: Window): Wanted | null {
  const [only = null] = window.wanted;
  return window.wanted.length === 1 && !isUntried(context, window) ? only : null;
}

/** QUIRK: some servers hang, drop or mix up commands that are sent together, whatever they announce. */
function isUntried({ pipelineHeld }: RunContext, { ahead }: Window): boolean {
  return ahead && !pipelineHeld;
}

async function discard(taken: readonly { intake: Intake }[]): Promise<void> {
  // An upload that cannot be aborted now is the bucket's lifecycle rule's; the reason of the loss goes first.
  await Promise.allSettled(taken.map(({ intake }) => intake.discard()));
}

function receivedOf({ wanted, intake, unstuffed }: Taken): Received {
  return {
    wanted,
    intake,
    digest: intake.digest(),
    headerHash: intake.header.hash(),
    header: intake.header.kept(),
    unstuffed,
  };
}
