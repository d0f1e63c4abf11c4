/** Deletes of what is on record, by branch B. */
import type { StoredRecord } from '../mailbox/state.ts';
import { decisions, leavingAside } from './decisions.ts';
import { type Deletable, deleteByRecord } from './deleting.ts';
import type { Row } from './listing.ts';
import { refOf } from './plan.ts';
import { SESSION_DELETES } from './reopening.ts';
import type { RunContext } from './runContext.ts';
import type { Session } from './session.ts';
import type { Wanted } from './window.ts';

/** Deletes by branch B, before any RETR of the session. Returns what can only be deleted by branch A. */
export async function deleteRecorded(context: RunContext, session: Session): Promise<readonly Wanted[]> {
  const proofs: Wanted[] = [];
  if (context.mailbox.delete === 'keep') return proofs;
  const goesOn = () =>
    session.client.closedBy === null &&
    context.deadline.allowsMore &&
    session.deleted.size + proofs.length < SESSION_DELETES;
  const remove = async (deletable: Deletable) => {
    const ended = await leavingAside(context, session, deletable.wanted.ref, () =>
      deleteByRecord(context, session, deletable),
    );
    if (ended === 'kept') context.kept.add(deletable.wanted.ref);
    if (ended === 'prove') proofs.push({ ...deletable.wanted, record: deletable.record });
  };
  const unread = new Uint8Array(session.listing.length);
  for (const { action, row, ref, record } of decisions(context, session)) {
    if (action !== 'delete' || context.kept.has(ref) || session.deleted.has(row.index)) continue;
    if (!goesOn()) return proofs;
    if (record) await remove({ wanted: { row, ref }, record });
    else unread[row.index] = 1;
  }
  if (!unread.includes(1)) return proofs;
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
  return proofs;
}

function unreadRow({ listing }: Session, { uidl, size }: StoredRecord, unread: Uint8Array): Row | null {
  const index = listing.indexOf(uidl);
  if (index === null || unread[index] !== 1) return null;
  const row = listing.row(index);
  return row.octets === size ? row : null;
}
