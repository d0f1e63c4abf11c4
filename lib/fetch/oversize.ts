/** Messages over the mailbox's size limit: left on the server, and told of once. */
import type { MailferryEvent } from '../events/shapes.ts';
import { forgetFailures } from '../mailbox/failures.ts';
import { strikeIntents } from '../mailbox/intents.ts';
import { tooLargeId } from '../mailbox/names.ts';
import { type MessageRef, refKey, type TooLarge } from '../mailbox/state.ts';
import {
  hasRoomForLarge,
  tooLargeOf,
  untoldLarge,
  withLargeReported,
  withTooLarge,
} from '../mailbox/tooLarge.ts';
import { decisions } from './decisions.ts';
import { type RunContext, resolved } from './runContext.ts';
import type { Session } from './session.ts';

/** Events of one request to the publisher. */
const EVENTS_AT_ONCE = 100;

/**
 * It is not asked for again under this limit. False where the state has no room to remember that: then it is one of
 * those that fail, which are bounded, too. What its attempts left in the store was looked for before.
 */
export async function leaveTooLarge(
  context: RunContext,
  ref: MessageRef,
  runs: ReadonlySet<string>,
): Promise<boolean> {
  const { state, mailbox } = context;
  if (mailbox.sizeLimit === undefined || !hasRoomForLarge(state.head)) return false;
  const entry = entryOf(context, ref, mailbox.sizeLimit + 1);
  await state.commit((head) =>
    withTooLarge(forgetFailures(strikeIntents(head, [ref], runs), [ref]), [entry]),
  );
  resolved(context, ref);
  return true;
}

function entryOf({ ports }: RunContext, ref: MessageRef, atLeast: number): TooLarge {
  const { uidl, size, headerHash } = ref;
  return { uidl, size, headerHash, atLeast, sinceMs: ports.clock.now(), reported: false };
}

/** Rejects with PublisherError, StoreError or StateError: what was not accepted is said by the next run. */
export async function reportTooLarge(context: RunContext, session: Session): Promise<void> {
  const { state, mailbox, tally, ports } = context;
  const { sizeLimit } = mailbox;
  if (sizeLimit === undefined) return;
  const found = new Map<string, TooLarge>();
  for (const { action, row, ref } of decisions(context, session))
    if (action === 'too large') found.set(refKey(ref), entryOf(context, ref, row.octets ?? 0));
  await state.commit((head) => withTooLarge(head, [...found.values()]));
  const unsaid = found.size - tooLargeOf(state.head).filter((one) => found.has(refKey(one))).length;
  if (unsaid > 0)
    tally.note(
      `${unsaid} more messages are larger than the limit than are told of one by one: see mailferry plan.`,
    );
  const due = untoldLarge(state.head);
  for (let at = 0; at < due.length; at += EVENTS_AT_ONCE) {
    const some = due.slice(at, at + EVENTS_AT_ONCE);
    const answers = await ports.publisher.publish(some.map((one) => eventOf(mailbox.id, one, sizeLimit)));
    const accepted = some.filter((_, nth) => answers[nth]?.accepted === true);
    await state.commit((head) => withLargeReported(head, accepted));
  }
}

function eventOf(mailbox: string, one: TooLarge, limit: number): MailferryEvent {
  return {
    detailType: 'Message Too Large',
    detail: {
      v: 1,
      id: tooLargeId(mailbox, refKey(one)),
      mailbox,
      uidl: one.uidl,
      size: one.size,
      limit,
      since: new Date(one.sinceMs).toISOString(),
    },
  };
}
