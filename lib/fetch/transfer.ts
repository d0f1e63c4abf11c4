/**
 * The batches of a session: while one is retrieved and stored, the one before it is announced and committed, in
 * the same write that records the intents of the one after. So a batch costs one compare-and-swap, and nothing
 * is retrieved that no intent announces. Once that write is done the one after is asked for behind the one under way,
 * so that the line does not run empty between them.
 */
import { contentMark, withIntents } from '../mailbox/intents.ts';
import { intentBytes, roomForIntents } from '../mailbox/room.ts';
import { type Intent, refKey } from '../mailbox/state.ts';
import { type Deletable, deleteRetrieved } from './deleting.ts';
import { Pipeline } from './pipeline.ts';
import { postpone, type RunContext } from './runContext.ts';
import type { Session } from './session.ts';
import { announce, commitSettled, hidesAnother, intentOf, settleMissing } from './settling.ts';
import { fetchSingly } from './singly.ts';
import type { Stored } from './storing.ts';
import { isBlameless, RunEnded } from './trouble.ts';
import { Uploads } from './uploads.ts';
import { retrieveWindow, type Wanted, WindowLost } from './window.ts';

/** A batch is the unit of commit: what a kill makes the next run repeat at most. */
export const BATCH_MESSAGES = 128;
export const BATCH_BYTES = 64 * 1024 * 1024;
export const BATCH_MS = 5_000;

/** Stores what is wanted, in batches, until all is tried, the time is up, or the session ends or should end. */
export async function transferAll(
  context: RunContext,
  session: Session,
  wanted: Iterable<Wanted>,
  shouldReopen: () => boolean,
): Promise<void> {
  const source = wanted[Symbol.iterator]();
  const take = () => takeBatch(context, source);
  let current = take();
  await context.state.commit((head) =>
    withIntents(
      head,
      current.map(({ ref }) => intentOf(context, ref)),
    ),
  );
  const pipeline = new Pipeline(context, session);
  let previous: readonly Stored[] = [];
  let failure: unknown;
  const goesOn = () =>
    failure === undefined && current.length > 0 && context.deadline.allowsMore && !shouldReopen();
  try {
    // What was asked for is read, whatever else: its answers are on their way.
    while (session.client.closedBy === null && (goesOn() || pipeline.first !== undefined)) {
      const asks = goesOn();
      const next = !asks || current.length > BATCH_MESSAGES ? [] : take();
      const settling = settle(context, session, { stored: previous, current, next });
      const batch = { wanted: current, asks, next, announced: settling };
      // Both lanes end before either's failure is told: neither may go on behind the run's back.
      const [moved, settled] = await Promise.allSettled([
        transferBatch(context, session, pipeline, batch),
        settling,
      ]);
      if (moved.status === 'rejected') throw moved.reason;
      if (settled.status === 'rejected') throw settled.reason;
      previous = moved.value.stored;
      await deleteBefore(context, session, { settled: settled.value, stored: previous });
      current = [...moved.value.untried, ...next];
      failure ??= moved.value.error;
    }
  } finally {
    pipeline.abandon();
  }
  await deleteRetrieved(
    context,
    session,
    await settle(context, session, { stored: previous, current: [], next: [] }),
  );
  if (failure !== undefined) throw failure;
}

/** Of a line that is lost in it, what came over it is stored, and to be announced whatever becomes of the next session. */
async function deleteBefore(
  context: RunContext,
  session: Session,
  { settled, stored }: { readonly settled: readonly Deletable[]; readonly stored: readonly Stored[] },
): Promise<void> {
  await deleteRetrieved(context, session, settled).catch(async (error: unknown) => {
    await settle(context, session, { stored, current: [], next: [] });
    throw error;
  });
}

/** As many as a batch has and the head has room for. */
function takeBatch(context: RunContext, source: Iterator<Wanted>): readonly Wanted[] {
  const room = roomForIntents(context.state.head);
  const batch: Wanted[] = [];
  let bytes = 0;
  while (batch.length < Math.min(BATCH_MESSAGES, room.messages) && bytes < room.bytes) {
    const next = source.next();
    if (next.done) break;
    batch.push(next.value);
    bytes += intentBytes(roomiest(intentOf(context, next.value.ref)));
  }
  return batch;
}

/** With the mark of its content, which comes to the intent of a message without UIDL before it is stored. */
function roomiest(intent: Intent): Intent {
  return intent.uidl === '' ? { ...intent, contents: [contentMark(''.padEnd(64))] } : intent;
}

interface Lanes {
  readonly stored: readonly Stored[];
  /** What is being retrieved meanwhile. */
  readonly current: readonly Wanted[];
  readonly next: readonly Wanted[];
}

/** Announces and commits; what the bus refused is tried alone later. Rejects as the bus or the store failed. */
async function settle(
  context: RunContext,
  session: Session,
  { stored, current, next }: Lanes,
): Promise<readonly Deletable[]> {
  if (stored.length === 0 && next.length === 0) return [];
  const { settled, refused } = await announce(context, stored);
  for (const { stored: one, error } of refused) postpone(context, one.wanted.ref, error);
  // Of one on record the first key was looked at when it was put there: what no record knows is another's since.
  const hiding = settled
    .filter((one) => !one.announced && hidesAnother(session, one, settled))
    .map(({ wanted }) => wanted.ref);
  // A twin that nothing tells apart may be under way or have failed, and must not be without an intent.
  const open = new Set([...[...hiding, ...current.map(({ ref }) => ref)].map(refKey), ...context.postponed]);
  const resolved = settled.map(({ wanted }) => wanted.ref).filter((ref) => !open.has(refKey(ref)));
  await commitSettled(context, session, { settled, resolved, runs: new Set([context.run]), next });
  // Looked at alone, for what an earlier attempt left there.
  for (const ref of hiding) context.postponed.add(refKey(ref));
  for (const { wanted } of settled) session.inDoubt.delete(wanted.row.index);
  return settled;
}

interface Moved {
  readonly stored: readonly Stored[];
  readonly untried: readonly Wanted[];
  /** What is wrong with the store, so that nothing more is worth trying. */
  readonly error?: unknown;
}

interface Batch {
  /** Some of it may have been asked for already. */
  readonly wanted: readonly Wanted[];
  /** False: no more is asked for. */
  readonly asks: boolean;
  readonly next: readonly Wanted[];
  /** Resolves once intents announce the next. */
  readonly announced: Promise<unknown>;
}

async function transferBatch(
  context: RunContext,
  session: Session,
  pipeline: Pipeline,
  { wanted: batch, asks, next, announced }: Batch,
): Promise<Moved> {
  const begunMs = context.ports.clock.now();
  await session.known.lend(batch.map(({ row }) => row));
  const uploads = new Uploads(context, session);
  const own = new Set(batch);
  let untried = pipeline.without(batch);
  const behind = behindOf(session, { next, announced });
  let bytes = 0;
  const goesOn = () =>
    asks &&
    context.deadline.allowsMore &&
    !uploads.failing &&
    bytes < BATCH_BYTES &&
    context.ports.clock.now() - begunMs < BATCH_MS;
  let lost: unknown;
  try {
    for (;;) {
      if (goesOn()) untried = await pipeline.ask(untried);
      if (goesOn() && untried.length === 0 && pipeline.first !== undefined)
        await pipeline.ask(pipeline.without(behind()));
      const window = pipeline.first;
      if (window === undefined || !window.wanted.some((one) => own.has(one))) break;
      const { received, again, refused } = await retrieveWindow(context, session, window);
      pipeline.done();
      untried = [...untried, ...again];
      for (const { wanted, error } of refused) postpone(context, wanted.ref, error);
      bytes += received.reduce((sum, { digest }) => sum + digest.size, 0);
      uploads.add(received, window.giveBack);
    }
  } catch (error) {
    lost = error;
  }
  const abandoned = lost === undefined ? [] : pipeline.abandon().filter((one) => own.has(one));
  const { stored, again, missing, storeError } = await uploads.finish();
  await settleMissing(context, session, missing);
  const left = [...again, ...abandoned, ...untried];
  if (lost === undefined) return { stored, untried: left, error: storeError };
  return { stored, ...(await afterLoss(context, left, lost)) };
}

/** What may be asked for behind a batch: nothing where deletes come between, which cannot be asked for ahead of an answer. */
function behindOf(
  { policy }: Session,
  { next, announced }: Pick<Batch, 'next' | 'announced'>,
): () => readonly Wanted[] {
  let ready: readonly Wanted[] = [];
  const isReady = () => {
    ready = next;
  };
  if (policy.keptMs === null) announced.then(isReady, () => {});
  return () => ready;
}

/** A lost window costs one message its place in company, or the mailbox its windows of many. */
async function afterLoss(
  context: RunContext,
  left: readonly Wanted[],
  error: unknown,
): Promise<{ untried: readonly Wanted[]; error?: unknown }> {
  if (!(error instanceof WindowLost)) throw error;
  const { cause, culprit } = error;
  if (culprit) postpone(context, culprit.ref, cause);
  const untried = left.filter((wanted) => wanted !== culprit);
  if (isBlameless(cause) && !(cause instanceof RunEnded)) return { untried, error: cause };
  if (!culprit) await fetchSingly(context, error);
  return { untried };
}
