/** Suspects, one at a time: lib/fetch/alone.ts and outbox.ts. */
import {
  blamed,
  countAttempt,
  forgetFailures,
  heldByOthers,
  type ModelHead,
  strikeIntents,
  strikeOwn,
  uncountAttempt,
  withIntents,
  withoutLeft,
  withRecords,
} from './head.ts';
import { matching, nextSuspect, repeated, rowOf } from './plan.ts';
import { closing, commit, go, mishap, type Turn } from './turn.ts';
import { AT, lowest, objects, VERDICT, type Worker } from './world.ts';

/**
 * Its intent and, where nobody else can still be at it, the attempt are written before it is made. Who else is at
 * it is judged by the head that the commit replaces: this run's own view may be older than another's intent.
 */
export function tryAlone(turn: Turn) {
  const { model, world, worker, view, index } = turn;
  const limit = model.facts.scenario.attempts;
  const ref = nextSuspect(model, turn);
  const bit = 1 << ref;
  const judged = model.mutant === 'counted by an old view' ? view : model.heads.at(world.head);
  const lives = (heldByOthers(judged, index) & bit) !== 0;
  const counts = !lives || model.mutant === 'living intent counted';
  const ahead = counts && model.mutant !== 'attempts not ahead';
  const change = (head: ModelHead) => {
    const before = rowOf(model, worker, ref) < 0 ? head : withoutLeft(head, bit);
    const intended = withIntents(before, bit, { worker: index, late: worker.late === 1 });
    const counted = ahead ? countAttempt(intended, ref, index, limit) : intended;
    return model.mutant === 'innocents counted' ? countAll(counted, head.left, index, limit) : counted;
  };
  // Its own takes the place of what others left behind: should the run end now, that one must stay.
  const stays = model.mutant === 'replaced, then taken back' ? 0 : bit;
  const kept = { ...turn, worker: { ...worker, postponed: worker.postponed | stays } };
  commit(kept, `tryAlone r${ref}`, change, {
    at: AT.leftBehind,
    alone: ref + 1,
    counts: counts ? 1 : 0,
    found: 0,
    tried: worker.tried | bit,
  });
}

/** A wrong engine: every intent left behind is counted, whoever is tried. */
function countAll(head: ModelHead, refs: number, worker: number, limit: number): ModelHead {
  let counted = head;
  for (let rest = refs; rest !== 0; rest &= rest - 1)
    counted = countAttempt(counted, lowest(rest), worker, limit);
  return counted;
}

/** Announces, without a summary, a whole object under the UIDL that no record knows; which one first, attempts decide. */
export function leftBehind(turn: Turn) {
  const { model, world, view } = turn;
  const there = ofUidl(turn, objects(world));
  const unknown = announceable(turn, there & ~view.records);
  if (unknown === 0 || model.mutant === 'outbox not looked at') {
    return go(turn, 'leftBehind: no more', { at: AT.resolve, found: there === 0 ? 0 : 1 });
  }
  for (let rest = unknown; rest !== 0; rest &= rest - 1) announceLeft(turn, lowest(rest));
}

function announceLeft(turn: Turn, variant: number) {
  const action = `leftBehind v${variant}`;
  const events = turn.world.events | (1 << variant);
  const blameless = { at: AT.judge, verdict: VERDICT.blameless };
  go(turn, `${action}: announces`, { at: AT.recordLeft, leftover: variant }, { events });
  mishap(turn, `${action}: refused`, { at: AT.judge, verdict: VERDICT.guilty });
  mishap(turn, `${action}: the bus fails`, blameless);
  mishap(turn, `${action}: accepted, its answer lost`, blameless, { events });
}

/** Its own first; what may be another open message's, of the same UIDL, is left to that one. */
function announceable({ model, view, worker }: Turn, unknown: number): number {
  const { refs, variants } = model.facts;
  const self = worker.alone - 1;
  const open = view.held.reduce((all, held) => all | held, view.left);
  let own = 0;
  let nobodys = 0;
  for (let rest = unknown; rest !== 0; rest &= rest - 1) {
    const variant = variants[lowest(rest)];
    const mayBe = (at: number) => {
      const ref = refs[at];
      const alike = ref?.uidl === variant?.uidl && ref?.size === variant?.size;
      return alike && (ref?.header === null || ref?.header === variant?.header);
    };
    const isOpen = (at: number) => (open & (1 << at)) !== 0 || (view.failures[at] ?? 0) !== 0;
    if (mayBe(self)) own |= 1 << lowest(rest);
    else if (!refs.some((_, at) => at !== self && isOpen(at) && mayBe(at))) nobodys |= 1 << lowest(rest);
  }
  return own !== 0 ? own : nobodys;
}

export function recordLeft(turn: Turn) {
  const { world, worker } = turn;
  const bit = 1 << worker.leftover;
  const change = (head: ModelHead) => withRecords(head, bit, bit & world.second);
  commit(turn, `leftBehind v${worker.leftover}: records`, change, { at: AT.leftBehind, leftover: 0 });
}

function ofUidl({ model, worker }: Turn, variants: number): number {
  const uidl = model.facts.refs[worker.alone - 1]?.uidl;
  let mask = 0;
  for (let rest = variants; rest !== 0; rest &= rest - 1) {
    if (model.facts.variants[lowest(rest)]?.uidl === uidl) mask |= 1 << lowest(rest);
  }
  return mask;
}

/** Gone: watched for late writes. On record, as TOP agrees: struck, and deleted by record. Else retrieved again. */
export function resolve(turn: Turn) {
  const { model, world, worker } = turn;
  const ref = worker.alone - 1;
  const bit = 1 << ref;
  const row = rowOf(model, worker, ref);
  const done = { begun: worker.begun & ~bit, postponed: worker.postponed & ~bit };
  const strike = (head: ModelHead) => forgetFailures(strikeSeen(turn, head, bit), bit);
  const action = `resolve r${ref}: strikes`;
  const settled = worker.settled !== 0 ? AT.deleteRetrieved : AT.tryAlone;
  const foundAndStruck = row < 0 && worker.found === 1 && model.mutant === 'gone and found, struck';
  const refusedAndStruck = worker.refused === 1;
  if (worker.settled !== 0 || foundAndStruck || refusedAndStruck) {
    return commit(turn, action, strike, { ...done, ...over(), at: settled });
  }
  if (row < 0) return keepWatching(turn, ref, done);
  if (!isOnRecord(turn, row)) {
    const window = { window: 1 << row, ask: 1 << row, at: AT.retrieveWindow } as const;
    return go(turn, `resolve r${ref}: retrieves it alone`, window);
  }
  const toDelete =
    model.facts.scenario.deletes !== 'keep' && (world.present & (1 << row)) !== 0 ? 1 << row : 0;
  commit(turn, action, strike, { ...done, at: AT.deleteByRecord, toDelete, counts: 0 });
}

/** A UIDL that is unique now need not have been: only TOP tells whether the record is of this message. */
function isOnRecord({ model, world, worker, view }: Turn, row: number): boolean {
  const records = matching(model, view, worker.alone - 1);
  if (records === 0 || repeated(model, worker.listed, row)) return false;
  if (model.mutant === 'TOP hash ignored' || model.mutant === 'UIDL alone') return true;
  const { header, anonymous } = model.facts.messages[row] ?? {};
  return (
    (world.present & (1 << row)) !== 0 &&
    !anonymous &&
    model.facts.variants[lowest(records)]?.header === header
  );
}

/** This run's own, which has taken the place of what it looked at; never what another run left behind since. */
export function strikeSeen({ model, index }: Turn, head: ModelHead, refs: number): ModelHead {
  return (model.mutant === 'unseen intent struck' ? strikeIntents : strikeOwn)(head, refs, index);
}

/** Gone: what others left behind stays until no write of theirs may land any more. */
function keepWatching(turn: Turn, ref: number, done: Partial<Worker>) {
  const { index, model } = turn;
  const change = (head: ModelHead) => {
    const past = model.mutant === 'intent dropped at first look' ? head.left : head.aged;
    const watched = withoutLeft(head, past & (1 << ref));
    const uncounted = uncountAttempt(strikeOwn(watched, 1 << ref, index), ref, index);
    return isIntended(uncounted, ref) ? uncounted : forgetFailures(uncounted, 1 << ref);
  };
  commit(turn, `keepWatching r${ref}`, change, { ...done, ...over(), at: AT.tryAlone });
}

function isIntended({ left, held }: ModelHead, ref: number): boolean {
  return (held.reduce((all, refs) => all | refs, left) & (1 << ref)) !== 0;
}

function over(): Partial<Worker> {
  return { alone: 0, counts: 0, found: 0, leftover: 0, verdict: 0, refused: 0 };
}

/** The attempt ended badly. What the store or the bus did is no attempt, and then the run fails. */
export function judge(turn: Turn) {
  const { model, worker, index } = turn;
  const ref = worker.alone - 1;
  const limit = model.facts.scenario.attempts;
  const guilty = worker.verdict === VERDICT.guilty;
  const change = (head: ModelHead): ModelHead => {
    if (worker.counts === 0) return head;
    if (!guilty) return uncountAttempt(head, ref, index);
    const counted = model.mutant === 'attempts not ahead' ? countAttempt(head, ref, index, limit) : head;
    return blamed(counted, ref, limit);
  };
  const postponed = worker.postponed | (1 << ref);
  const rest = {
    ...over(),
    postponed,
    ask: 0,
    window: 0,
    got: 0,
    placed: 0,
    known: 0,
    accepted: 0,
    settled: 0,
  };
  if (worker.verdict !== VERDICT.blameless) {
    return commit(turn, `judge r${ref}`, change, { ...rest, at: AT.tryAlone });
  }
  const { open, marked } = worker;
  commit(turn, `judge r${ref}: not its fault`, change, {
    ...closing({ ...worker, postponed }),
    open,
    marked,
  });
}
