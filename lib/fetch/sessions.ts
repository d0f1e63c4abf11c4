/** The sessions of a run: what each does, in which order, and how it may end. */
import { type Head, type MessageRef, openIntents, refKey } from '../mailbox/state.ts';
import { type Suspect, tryAlone } from './alone.ts';
import { type Deletable, deleteByRecord, topOf } from './deleting.ts';
import type { Row } from './listing.ts';
import { reportSetAside } from './outbox.ts';
import { type Decision, decide, type Knowledge, knowledgeOf, refOf } from './plan.ts';
import type { RunOptions } from './run.ts';
import type { RunContext } from './runContext.ts';
import type { Session } from './session.ts';
import { OPEN_INTENTS, transferAll } from './transfer.ts';
import type { Wanted } from './window.ts';

/** QUIT commits deletes, and a session that breaks before it loses them: servers took 90 s for 5,000. */
const SESSION_DELETES = 500;
const SESSION_DELETES_MS = 30_000;

/** Sign-ins of one run: providers count them, and lock out who signs in too often. */
export const SIGN_INS = 3;

/** 'again': there is more to do that needs another session. */
export type Verdict = 'finished' | 'again';

export interface Decided extends Decision {
  readonly row: Row;
  readonly ref: MessageRef;
}

/** Works through one session: deletes by record, new mail, then suspects. */
export async function work(context: RunContext, session: Session, options: RunOptions): Promise<Verdict> {
  await reportSetAside(context);
  await peek(context, session);
  const planned = [...decisions(context, session)];
  const mustResolve = openIntents(context.state.head).length >= OPEN_INTENTS;
  if (mustResolve || options.suspects === 'only') await trySuspects(context, session, options);
  if (options.suspects !== 'only') {
    const proofs = await deleteRecorded(context, session, planned);
    if (isFull(context, session)) return 'again';
    await fetchNew(context, session, [...proofs, ...wantedOf(context, planned)]);
    if (isFull(context, session)) return 'again';
    if (!mustResolve) await trySuspects(context, session, options);
  }
  return session.client.closedBy === null ? 'finished' : 'again';
}

async function fetchNew(context: RunContext, session: Session, wanted: readonly Wanted[]): Promise<void> {
  if (wanted.length === 0 || session.client.closedBy !== null) return;
  // Mail that cannot be announced is better left on the server than stored unsaid.
  await context.ports.publisher.prove();
  context.progress.plan(wanted);
  await transferAll(context, session, wanted, () => isFull(context, session));
}

/** Whether the session's deletes should be committed now, and another session is to be had. */
function isFull(context: RunContext, session: Session): boolean {
  const { deleted, openedMs } = session;
  const old = deleted.size > 0 && context.ports.clock.now() - openedMs >= SESSION_DELETES_MS;
  return (deleted.size >= SESSION_DELETES || old) && mayReopen(context, session);
}

export function mayReopen(
  { tally, deadline, ports }: RunContext,
  { openedMs, loginDelayMs }: Session,
): boolean {
  return tally.signIns < SIGN_INS && deadline.allowsMore && ports.clock.now() - openedMs >= loginDelayMs;
}

/** Rows whose UIDL is repeated are told apart by TOP, before anything is decided. */
export async function peek(context: RunContext, session: Session): Promise<void> {
  for (const row of session.listing.rows()) {
    if (!row.repeated || row.uidl === '' || !context.deadline.allowsMore) continue;
    const top = await topOf(session, row);
    session.headerHashes.set(row.index, top?.hash ?? null);
  }
}

/** What there is to do for each row, by the head as it is now. */
export function* decisions(context: RunContext, session: Session): Generator<Decided> {
  const known = knowledgeFor(context);
  const alike = countAlike(session);
  const policy = { deletes: context.mailbox.delete !== 'keep' };
  const nowMs = context.ports.clock.now();
  for (const row of session.listing.rows()) {
    const headerHash = session.headerHashes.get(row.index);
    const ref = refOf(row, headerHash ?? null);
    const asked = { row, headerHash, alike: row.repeated ? (alike.get(refKey(ref)) ?? 1) : 1, nowMs };
    yield { ...decide(asked, known, policy), row, ref };
  }
}

/** This run's own intents are open too, but only of what it has put off is it any news. */
function knowledgeFor({ state, run, postponed }: RunContext): Knowledge {
  const foreign = new Set(
    state.head.intents.filter((intent) => intent.run !== run || postponed.has(refKey(intent))).map(refKey),
  );
  return { ...knowledgeOf(state.head), open: (ref) => foreign.has(refKey(ref)) };
}

function countAlike(session: Session): Map<string, number> {
  const alike = new Map<string, number>();
  for (const [index, headerHash] of session.headerHashes) {
    const key = refKey(refOf(session.listing.row(index), headerHash));
    alike.set(key, (alike.get(key) ?? 0) + 1);
  }
  return alike;
}

function wantedOf({ postponed }: RunContext, planned: readonly Decided[]): Wanted[] {
  return planned.flatMap(({ action, row, ref, record }) => {
    if (postponed.has(refKey(ref))) return [];
    if (action === 'fetch') return [{ row, ref }];
    if (action === 'prove') return [{ row, ref, record }];
    return [];
  });
}

/** Deletes by branch B, before any RETR of the session. Returns what can only be deleted by branch A. */
async function deleteRecorded(
  context: RunContext,
  session: Session,
  planned: readonly Decided[],
): Promise<readonly Wanted[]> {
  const proofs: Wanted[] = [];
  for (const { action, row, ref, record } of planned) {
    if (action !== 'delete' || !record || context.kept.has(refKey(ref))) continue;
    if (!context.deadline.allowsMore || session.deleted.size >= SESSION_DELETES) break;
    const deletable: Deletable = { wanted: { row, ref }, record };
    const ended = await deleteByRecord(context, session, deletable);
    if (ended === 'kept') context.kept.add(refKey(ref));
    if (ended === 'prove') proofs.push({ row, ref, record });
  }
  return proofs;
}

/** One at a time, each alone; once in a run. Those that the server no longer lists are looked for in the store. */
async function trySuspects(context: RunContext, session: Session, options: RunOptions): Promise<void> {
  if (options.suspects === 'never') return;
  for (const suspect of suspectsOf(context, session)) {
    if (session.client.closedBy !== null || !context.deadline.allowsMore) break;
    await tryAlone(context, session, suspect);
  }
  await reportSetAside(context);
}

/** Those tried least come first: what ends each process that tries it must not keep the others waiting behind it. */
function suspectsOf(context: RunContext, session: Session): Suspect[] {
  const suspects: Suspect[] = [];
  const listed = new Set<string>();
  for (const { action, row, ref } of decisions(context, session)) {
    listed.add(refKey(ref));
    if (action === 'alone' && !session.deleted.has(row.index)) suspects.push({ ref, row });
  }
  for (const ref of unlisted(context.state.head, listed, context.ports.clock.now()))
    suspects.push({ ref, row: null });
  const { failure } = knowledgeOf(context.state.head);
  const attempts = ({ ref }: Suspect) => failure(ref)?.attempts ?? 0;
  return suspects
    .filter(({ ref }) => !context.triedAlone.has(refKey(ref)))
    .sort((one, other) => attempts(one) - attempts(other));
}

const LOOK_EVERY_MS = 3_600_000;

function unlisted(head: Head, listed: ReadonlySet<string>, nowMs: number): MessageRef[] {
  const refs = new Map<string, MessageRef>();
  for (const intent of head.intents) {
    const { uidl, size, headerHash, untilMs, lookedMs } = intent;
    const due = untilMs <= nowMs && (lookedMs === undefined || nowMs - lookedMs >= LOOK_EVERY_MS);
    if (due && !listed.has(refKey(intent))) refs.set(refKey(intent), { uidl, size, headerHash });
  }
  return [...refs.values()];
}

/** When an open intent or a message set aside wants attention, though the listing has not changed; null: never. */
export function nextDueMs(head: Head): number | null {
  const aside = head.failures.flatMap(({ setAsideMs, retryMs, reported }) =>
    setAsideMs === null ? [] : [reported ? retryMs : 0],
  );
  const open = openIntents(head).map(({ untilMs, lookedMs }) =>
    lookedMs === undefined ? untilMs : lookedMs + LOOK_EVERY_MS,
  );
  const times = [...aside, ...open];
  return times.length === 0 ? null : Math.min(...times);
}
