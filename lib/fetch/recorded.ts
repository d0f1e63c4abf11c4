/** Deletes of what is on record, by branch B. */
import { isDeletable } from '../mailbox/policy.ts';
import type { StoredRecord } from '../mailbox/state.ts';
import type { Ahead } from '../pop3/client.ts';
import { decisions, ifBroken, leavingAside } from './decisions.ts';
import { type Deletable, deleteStored, mayDelete, topAgrees } from './deleting.ts';
import { questionOf } from './fence.ts';
import type { Row } from './listing.ts';
import { isTooLarge, knowledgeOf, refOf } from './plan.ts';
import { SESSION_DELETES } from './reopening.ts';
import type { RunContext } from './runContext.ts';
import type { Session } from './session.ts';
import { fetchSingly } from './singly.ts';
import type { Wanted } from './window.ts';

/** Headers asked for before the first come, each with a fence of its own. */
const TOPS_AHEAD = 32;

/** Deletes by branch B, before any RETR of the session. Returns what can only be deleted by branch A. */
export async function deleteRecorded(context: RunContext, session: Session): Promise<readonly Wanted[]> {
  const proofs: Wanted[] = [];
  if (session.policy.keptMs === null) return proofs;
  let batch: Deletable[] = [];
  const goesOn = () =>
    session.client.closedBy === null &&
    context.deadline.allowsMore &&
    session.deleted.size + proofs.length + batch.length < SESSION_DELETES;
  const removeBatch = async () => {
    const unproved = await removeAll(context, session, batch);
    for (const { wanted, record } of unproved) {
      const atLeast = knowledgeOf(context.state.head).atLeast(wanted.ref);
      if (isTooLarge(wanted.row.octets, atLeast, session.policy)) context.kept.add(wanted.ref);
      else proofs.push({ ...wanted, record });
    }
    batch = [];
  };
  const remove = async (deletable: Deletable) => {
    batch.push(deletable);
    if (batch.length === TOPS_AHEAD) await removeBatch();
  };
  await eachDue(context, session, { goesOn, remove });
  if (batch.length > 0 && session.client.closedBy === null) await removeBatch();
  return proofs;
}

interface Removing {
  readonly goesOn: () => boolean;
  readonly remove: (deletable: Deletable) => Promise<void>;
}

/** Those whose records are at hand first, then those that lie in a segment. */
async function eachDue(context: RunContext, session: Session, { goesOn, remove }: Removing): Promise<void> {
  const unread = new Uint8Array(session.listing.length);
  for (const { action, row, ref, record } of decisions(context, session)) {
    if (action !== 'delete' || context.kept.has(ref) || session.deleted.has(row.index)) continue;
    if (!goesOn()) return;
    if (record) await remove({ wanted: { row, ref }, record });
    else unread[row.index] = 1;
  }
  if (!unread.includes(1)) return;
  await context.state.eachSegment(async (records) => {
    for (const record of records) {
      if (!goesOn()) return 'enough';
      const row = unreadRow(session, record, unread);
      if (row === null) continue;
      unread[row.index] = 0;
      await remove({ wanted: { row, ref: refOf(row, null) }, record });
    }
    return undefined;
  });
}

/** Returns those of which TOP proves nothing. */
async function removeAll(
  context: RunContext,
  session: Session,
  batch: readonly Deletable[],
): Promise<readonly Deletable[]> {
  const wholes = batch.filter(({ record }) => isDeletable(session.policy, record));
  const whole = wholes.length > 0 && (await mayDelete(context)) ? wholes : [];
  for (const one of batch) if (!whole.includes(one)) context.kept.add(one.wanted.ref);
  const ahead = await askAhead(session, whole);
  const agreed: Deletable[] = [];
  const unproved: Deletable[] = [];
  for (const one of whole) {
    const { row, ref } = one.wanted;
    const ask = () => topAgrees(session, row, one.record);
    // What breaks the line at the first of several asked for at once may be just that, and no message is blamed for it.
    const agrees =
      ahead && !context.pipelineHeld
        ? await ifBroken(context, session, ask, (error) => fetchSingly(context, error))
        : await leavingAside(context, session, ref, ask);
    if (ahead) context.pipelineHeld = true;
    (agrees ? agreed : unproved).push(one);
  }
  await deleteStored(context, session, agreed, (ref, ask) => leavingAside(context, session, ref, ask));
  return unproved;
}

/** Whether they were: not where nothing can be their fence. */
async function askAhead(session: Session, deletables: readonly Deletable[]): Promise<boolean> {
  const commands: Ahead[] = [];
  for (const { row } of deletables.map(({ wanted }) => wanted)) {
    const fence = questionOf(session, [row]);
    if (!session.pipelining || fence === null) return false;
    commands.push({ verb: 'TOP', number: row.number }, { verb: fence.form, number: fence.row.number });
  }
  await session.client.ahead(commands);
  return commands.length > 0;
}

function unreadRow({ listing }: Session, { uidl, size }: StoredRecord, unread: Uint8Array): Row | null {
  const index = listing.indexOf(uidl);
  if (index === null || unread[index] !== 1) return null;
  const row = listing.row(index);
  return row.octets === size ? row : null;
}
