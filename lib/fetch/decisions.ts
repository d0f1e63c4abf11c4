/** What there is to do for each row of a listing, and what must be asked before that can be said. */
import { identifies } from '../mail/headers.ts';
import { SET_ASIDE_RETRY_MS, toldApart } from '../mailbox/failures.ts';
import { withIntents } from '../mailbox/intents.ts';
import { roomForIntents } from '../mailbox/room.ts';
import { type Head, type Intent, type MessageRef, refKey } from '../mailbox/state.ts';
import { topOf } from './deleting.ts';
import type { Row } from './listing.ts';
import { type Decision, decide, type Knowledge, knowledgeOf, refOf } from './plan.ts';
import { postpone, type RunContext } from './runContext.ts';
import type { Session } from './session.ts';
import { intentOf } from './settling.ts';
import { isOfTheLine } from './trouble.ts';

export interface Decided extends Decision {
  readonly row: Row;
  readonly ref: MessageRef;
}

/**
 * A line breaks by accident, too: headers are asked for again half a day after the last attempt, so before what was
 * set aside is tried anew. Until then a message is one with its twin, and set aside with it.
 */
const BLIND_MS = SET_ASIDE_RETRY_MS / 2;

/**
 * Rows whose UIDL is repeated are told apart by TOP, before anything is decided about them. One whose headers broke
 * the line is not asked again for a while, and taken as where TOP is refused. Returns whether there were any.
 * `ask`: who only looks passes one that writes nothing down.
 */
export async function peek(
  context: RunContext,
  session: Session,
  ask = (row: Row) => leavingAside(context, session, refOf(row, null), () => topOf(session, row)),
): Promise<boolean> {
  const blind = blindRefs(context.state.head, context.ports.clock.now());
  const rows = [...untold(context, session)];
  await session.known.watch(rows.map(({ uidl }) => uidl));
  for (const row of rows) {
    if (!context.deadline.allowsMore) break;
    const top = blind.has(refKey(refOf(row, null))) ? null : await ask(row);
    const tells = top !== null && (row.uidl !== '' || identifies(top.kept));
    session.headerHashes.set(row.index, tells ? top.hash : null);
  }
  return rows.length > 0;
}

/** Rows whose headers are to be asked for. */
export function* untold(context: RunContext, session: Session): Generator<Row> {
  // Then there are none, and a listing may have a million rows.
  if (session.policy.keptMs === null && !session.listing.repeats) return;
  for (const { action, row } of decisions(context, session))
    if (action === 'peek' && !session.deleted.has(row.index)) yield row;
}

/** Those whose headers are not asked for. */
export function blindRefs({ intents }: Head, nowMs: number): ReadonlySet<string> {
  return new Set(intents.filter(({ blind, untilMs }) => blind && nowMs < untilMs + BLIND_MS).map(refKey));
}

/** Those that were one attempt because their headers were not asked for have one each once they could be. */
export async function tellApart({ state, ports }: RunContext, session: Session): Promise<void> {
  const once = new Set(state.head.intents.filter(isOfSeveral).map(refKey));
  if (once.size === 0) return;
  const told = new Map<string, { ref: MessageRef; refs: Map<string, MessageRef> }>();
  for (const [index, headerHash] of session.headerHashes) {
    const row = session.listing.row(index);
    const ref = refOf(row, null);
    if (!once.has(refKey(ref))) continue;
    const own = refOf(row, headerHash);
    const { refs } = told.get(refKey(ref)) ?? { refs: new Map() };
    told.set(refKey(ref), { ref, refs: refs.set(refKey(own), own) });
  }
  for (const [key, { ref, refs }] of told) {
    // Some could not be asked for, or the listing does not repeat the UIDL.
    if (refs.has(key)) continue;
    const nowMs = ports.clock.now();
    await state.commit((head) => {
      const apart = toldApart(head, ref, [...refs.values()], nowMs);
      const room = roomForIntents(apart);
      return room.messages > 0 && room.bytes > 0 ? apart : head;
    });
  }
}

/** Without UIDL nothing is asked before the first try: it has only its size. */
function isOfSeveral({ blind, uidl, headerHash }: Intent): boolean {
  return blind === true || (uidl === '' && headerHash === null);
}

/** What there is to do for each row, by the head as it is now. */
export function* decisions(context: RunContext, session: Session): Generator<Decided> {
  const known = knowledgeFor(context, session);
  const alike = countAlike(session);
  const nowMs = context.ports.clock.now();
  for (const row of session.listing.rows()) {
    const headerHash = told(session, row.index);
    const ref = refOf(row, headerHash ?? null);
    const asked = { row, headerHash, alike: row.repeated ? (alike.get(refKey(ref)) ?? 1) : 1, nowMs };
    yield { ...decide(asked, known, session.policy), row, ref };
  }
}

/** A row without UIDL that is on record needs no telling any more, and keeps the ref that it was tried by. */
function told({ headerHashes, settled }: Session, index: number): string | null | undefined {
  return headerHashes.has(index) || !settled.has(index) ? headerHashes.get(index) : null;
}

/** This run's own intents are open too, but only of what it has put off or left in the store is it any news. */
function knowledgeFor({ state, run, postponed, begun }: RunContext, { known }: Session): Knowledge {
  const isNews = (ref: string) => postponed.has(ref) || begun.has(ref);
  const foreign = new Set(
    state.head.intents.filter((intent) => intent.run !== run || isNews(refKey(intent))).map(refKey),
  );
  const untold = new Set(
    [...state.head.intents.filter((intent) => foreign.has(refKey(intent))), ...state.head.failures]
      .filter(({ uidl }) => uidl === '')
      .map(({ size }) => size),
  );
  return {
    records: (shelf) => known.records(shelf),
    untold: (size) => untold.has(size),
    noted: (index) => known.noted(index),
    young: (index) => known.young(index),
    seeded: (row) => known.seeded(row),
    open: (ref) => foreign.size > 0 && foreign.has(refKey(ref)),
    failure: knowledgeOf(state.head).failure,
    atLeast: knowledgeOf(state.head).atLeast,
  };
}

function countAlike(session: Session): Map<string, number> {
  const alike = new Map<string, number>();
  for (const [index, headerHash] of session.headerHashes) {
    const key = refKey(refOf(session.listing.row(index), headerHash));
    alike.set(key, (alike.get(key) ?? 0) + 1);
  }
  return alike;
}

/** A message whose headers break the line is tried alone from then on, so that it stops nobody else. */
export function leavingAside<T>(
  context: RunContext,
  session: Session,
  ref: MessageRef,
  ask: () => Promise<T>,
): Promise<T> {
  return ifBroken(context, session, ask, async (error) => {
    postpone(context, ref, error);
    const intent = { ...intentOf(context, ref), blind: true as const };
    await context.state.commit((head) => withIntents(head, [intent]));
  });
}

/** Notes what broke the line, unless that was the end of the run's time. Rejects as `ask` does. */
export async function ifBroken<T>(
  { deadline }: RunContext,
  { client }: Session,
  ask: () => Promise<T>,
  note: (error: Error) => Promise<void>,
): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    const broke = error instanceof Error && isOfTheLine(error) && client.closedBy !== null;
    if (broke && !deadline.aborted && deadline.allowsMore) await note(error);
    throw error;
  }
}
