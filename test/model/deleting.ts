/** DELE, by the two branches of its rule: lib/fetch/deleting.ts. */
import { withIntents } from './head.ts';
import { isShort, matching, refOf } from './plan.ts';
import { dropped, go, mishap, type Turn } from './turn.ts';
import { AT, lowest, nibble, objects, VERDICT } from './world.ts';

/** Branch A, one DELE. */
export function deleteRetrieved(turn: Turn) {
  const { model, worker } = turn;
  const message = lowest(worker.settled);
  const bit = 1 << message;
  const settled = worker.settled & ~bit;
  const variant = nibble(worker.got, message);
  const short = isShort(model, variant) && model.mutant !== 'shortfall ignored';
  const keep = model.facts.scenario.deletes === 'keep' || short || (worker.kept & bit) !== 0;
  if (keep) return go(turn, `deleteRetrieved m${message}: kept`, { settled, kept: worker.kept | bit });
  go(turn, `deleteRetrieved m${message}`, { settled, marked: worker.marked | bit });
}

/** Branch B: unique, LIST size and record by the plan; TOP and the object here. */
export function deleteByRecord(turn: Turn) {
  const { model, world, worker, view } = turn;
  const message = lowest(worker.toDelete);
  const bit = 1 << message;
  const toDelete = worker.toDelete & ~bit;
  const ref = refOf(model, worker.listed, message);
  const record = lowest(matching(model, view, ref));
  const action = `deleteByRecord m${message}`;
  if (world.faults > 0) leavingAside(turn, action, ref);
  const short = isShort(model, record) && model.mutant !== 'B without octets';
  if (short || (objects(world) & (1 << record)) === 0) {
    return go(turn, `${action}: kept`, { toDelete, kept: worker.kept | bit });
  }
  const blind = model.mutant === 'UIDL alone' || model.mutant === 'TOP hash ignored';
  const { header, anonymous } = model.facts.messages[message] ?? {};
  const top = (world.present & bit) !== 0 && !anonymous && model.facts.variants[record]?.header === header;
  if (!top && !blind) {
    const proof = worker.alone === 0 ? bit : 0;
    return go(turn, `${action}: prove`, {
      toDelete,
      todo: worker.todo | proof,
      proofs: worker.proofs | proof,
    });
  }
  go(turn, action, { toDelete, marked: worker.marked | bit });
}

/** A message on which the line breaks is tried alone from then on, so that it stops nobody else. */
function leavingAside(turn: Turn, action: string, ref: number) {
  const { model, world, worker, index } = turn;
  const { line, server } = dropped(turn, world, worker);
  if (worker.alone !== 0) {
    return mishap(
      turn,
      `${action}: the line breaks`,
      { ...line, at: AT.judge, verdict: VERDICT.guilty },
      server,
    );
  }
  const intended = withIntents(model.heads.at(world.head), 1 << ref, {
    worker: index,
    late: worker.late === 1,
  });
  const head = model.heads.number(intended);
  const postponed = worker.postponed | (1 << ref);
  const over = { ...line, postponed, view: head, todo: 0, proofs: 0, at: AT.endSession };
  mishap(turn, `${action}: the line breaks`, over, { ...server, head, lateHead: -1 });
}
