/** Which messages are tried alone, when, and in which order. */
import { SWEEP_MS } from '../mailbox/bounds.ts';
import { failureOf, isAside } from '../mailbox/failures.ts';
import { openIntents } from '../mailbox/intents.ts';
import { hasRoomToFail } from '../mailbox/room.ts';
import { type Head, type MessageRef, refKey } from '../mailbox/state.ts';
import { untoldLarge } from '../mailbox/tooLarge.ts';
import { type Suspect, tryAlone } from './alone.ts';
import { hasToSweep } from './books.ts';
import { decisions } from './decisions.ts';
import type { Row } from './listing.ts';
import { reportSetAside } from './outbox.ts';
import { reportTooLarge } from './oversize.ts';
import { knowledgeOf } from './plan.ts';
import { mayReopen, type Verdict } from './reopening.ts';
import type { RunOptions } from './run.ts';
import type { RunContext } from './runContext.ts';
import type { Session } from './session.ts';
import { isUnvouchedServer, type Unvouched } from './trouble.ts';

/** One at a time, each alone; once in a run. Those that the server no longer lists are looked for in the store. */
export async function trySuspects(
  context: RunContext,
  session: Session,
  options: RunOptions,
): Promise<Verdict> {
  if (options.suspects === 'never') return 'finished';
  const suspects = suspectsOf(context, session);
  await session.known.watch(suspects.map(({ ref }) => ref.uidl));
  let unvouched: Unvouched | null = null;
  for (const suspect of suspects) {
    if (!context.deadline.allowsMore) break;
    // What has vanished is only looked for in the store, and waits for no server.
    if (session.client.closedBy !== null && suspect.rows.length > 0) continue;
    // What ends the process takes with it deletes that no QUIT has committed.
    if (session.deleted.size > 0 && mayReopen(context, session)) return 'again';
    if (!hasRoomToFail(context.state.head, suspect.ref)) {
      context.tally.note(
        'So many messages of this mailbox are set aside that no more are tried alone: see mailferry status, and ask whoever runs the server.',
      );
      continue;
    }
    await tryAlone(context, session, suspect).catch((error: unknown) => {
      if (!isUnvouchedServer(error)) throw error;
      unvouched = error;
    });
  }
  await reportSetAside(context);
  await reportTooLarge(context, session);
  if (unvouched) throw unvouched;
  return 'finished';
}

/** Those tried least come first: what ends each process that tries it must not keep the others waiting behind it. */
function suspectsOf(context: RunContext, session: Session): Suspect[] {
  const suspects = new Map<string, { ref: MessageRef; rows: Row[] }>();
  const { intents, failures } = context.state.head;
  if (intents.length + failures.length === 0) return [];
  const gone = dueIntents(context.state.head, context.ports.clock.now());
  for (const { action, row, ref } of decisions(context, session)) {
    gone.delete(refKey(ref));
    if (action !== 'alone' || session.deleted.has(row.index)) continue;
    const alike = suspects.get(refKey(ref));
    if (alike) alike.rows.push(row);
    else suspects.set(refKey(ref), { ref, rows: [row] });
  }
  for (const [key, ref] of gone) suspects.set(key, { ref, rows: [] });
  const { failure } = knowledgeOf(context.state.head);
  const attempts = ({ ref }: Suspect) => failure(ref)?.attempts ?? 0;
  return [...suspects.values()]
    .filter(({ ref }) => !context.triedAlone.has(refKey(ref)))
    .sort((one, other) => attempts(one) - attempts(other));
}

const LOOK_EVERY_MS = 3_600_000;

/** Left-behind intents that may be looked at again, by ref. */
export function dueIntents(head: Head, nowMs: number): Map<string, MessageRef> {
  const refs = new Map<string, MessageRef>();
  for (const intent of head.intents) {
    const { uidl, size, headerHash, untilMs, lookedMs } = intent;
    if (isAside(failureOf(head, intent), nowMs)) continue;
    const due = untilMs <= nowMs && (lookedMs === undefined || nowMs - lookedMs >= LOOK_EVERY_MS);
    if (due) refs.set(refKey(intent), { uidl, size, headerHash });
  }
  return refs;
}

/** When an open intent, a message set aside, a delete or a sweep wants attention, though the listing has not changed; null: never. */
export function nextDueMs(head: Head, listed: number): number | null {
  const aside = head.failures.flatMap(({ setAsideMs, retryMs, reported }) =>
    setAsideMs === null ? [] : [reported ? retryMs : 0],
  );
  const open = openIntents(head).map(({ untilMs }) => untilMs);
  const watched = head.intents.flatMap(({ lookedMs }) =>
    lookedMs === undefined ? [] : [lookedMs + LOOK_EVERY_MS],
  );
  const sweeps = listed > 0 && hasToSweep(head) && head.sweptMs !== null;
  const sweep = sweeps ? [(head.sweptMs ?? 0) + SWEEP_MS] : [];
  const deletes = head.quiet?.dueMs === undefined ? [] : [head.quiet.dueMs];
  const large = untoldLarge(head).length > 0 ? [0] : [];
  const times = [...aside, ...open, ...watched, ...sweep, ...deletes, ...large];
  return times.length === 0 ? null : Math.min(...times);
}
