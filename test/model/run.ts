/** What a run does on the way from its sign-in to its end: lib/fetch/sessions.ts, transfer.ts, settling.ts, run.ts. */
import {
  countAttempt,
  exhausted,
  forgetFailures,
  type ModelHead,
  releaseIntents,
  reported,
  setAside,
  strikeAll,
  strikeIntents,
  strikeOwn,
  unreported,
  withIntents,
  withRecords,
} from './head.ts';
import { living, nextWindow, reopened } from './onward.ts';
import { refOf, refsOf, repeated } from './plan.ts';
import { strikeSeen } from './suspects.ts';
import { commit, died, dropped, go, mishap, removed, runFails, type Turn } from './turn.ts';
import { AT, lowest, nibble, VERDICT, type World } from './world.ts';

/** A run begins: it reads the head. */
export function open(turn: Turn) {
  go(turn, 'opens the state', { at: AT.listing, view: turn.world.head });
}

export function listing(turn: Turn) {
  const { model, world, worker } = turn;
  const listed = world.present;
  let twins = false;
  for (let rest = listed; rest !== 0; rest &= rest - 1) twins ||= repeated(model, listed, lowest(rest));
  const session = {
    open: 1,
    listed,
    signIns: worker.signIns + 1,
    marked: 0,
    doubt: 0,
    retrieved: 0,
  } as const;
  go(turn, 'signIn, listing', { ...session, at: twins ? AT.peek : AT.reportSetAside });
  runFails(turn, 'signIn fails');
}

/** TOP of rows whose UIDL is repeated; what it tells is in the refs. */
export function peek(turn: Turn) {
  go(turn, 'peek', { at: AT.reportSetAside });
}

export function reportSetAside(turn: Turn) {
  const { model, view, world } = turn;
  const limit = model.facts.scenario.attempts;
  if (exhausted(view, limit, living(model, view)) !== 0) {
    const change = (head: ModelHead) => setAside(head, exhausted(head, limit, living(model, head)));
    return commit(turn, 'reportSetAside: sets aside', change, {});
  }
  const refs = unreported(view);
  const told = { told: world.told | refs };
  const head = model.heads.number(reported(model.heads.at(world.head), refs));
  go(turn, 'reportSetAside: says so', { view: head }, { ...told, head, lateHead: -1 });
  runFails(turn, 'reportSetAside: the bus fails');
  runFails(turn, 'reportSetAside: said, not written down', told);
}

/** Ahead of RETR, in one commit; the window that follows is of what it names. */
export function intend(turn: Turn) {
  const { model, worker, index } = turn;
  const refs = refsOf(model, worker.listed, worker.todo);
  const window = nextWindow(model, worker);
  if (model.mutant === 'intent not written') return go(turn, 'no intents', window);
  commit(
    turn,
    'withIntents',
    (head) => {
      const intended = withIntents(head, refs, { worker: index, late: worker.late === 1 });
      return model.mutant === 'suspects not alone' ? countOpen(turn, head, intended, refs) : intended;
    },
    window,
  );
}

/** A wrong engine: whatever was open already counts as tried, in company. */
function countOpen({ model, index }: Turn, before: ModelHead, head: ModelHead, refs: number): ModelHead {
  let counted = head;
  for (let rest = refs & before.left; rest !== 0; rest &= rest - 1) {
    counted = countAttempt(counted, lowest(rest), index, model.facts.scenario.attempts);
  }
  return counted;
}

/** The window had more than one message and its replies were shifted: one at a time from now on. */
export function fetchSingly(turn: Turn) {
  commit(turn, 'fetchSingly', (head) => ({ ...head, singly: 1 }), { at: AT.announce });
}

/** What is stored and not known as announced, in one call; each entry's answer is looked at. */
export function announce(turn: Turn) {
  const { model, world, worker } = turn;
  const fresh = worker.placed & ~worker.known;
  if (dies(turn, fresh)) return;
  const events = world.events | variantsOf(turn, fresh);
  const then = afterAnnounce(turn);
  go(turn, 'announce', { ...then, ...accepted(turn, worker.placed) }, { events });
  if (fresh === 0 || world.faults === 0) return;
  busFails(turn, 'announce: the bus fails', world.events);
  busFails(turn, 'announce: accepted, its answer lost', events);
  for (let rest = fresh; rest !== 0; rest &= rest - 1) {
    const message = lowest(rest);
    const taken = world.events | variantsOf(turn, fresh & ~(1 << message));
    const ref = 1 << refOf(model, worker.listed, message);
    const kept = model.mutant === 'failed entry ignored' ? worker.placed : worker.placed & ~(1 << message);
    const change = { ...then, ...accepted(turn, kept), postponed: worker.postponed | ref };
    const alone = worker.alone !== 0 && kept === 0 ? { at: AT.judge, verdict: VERDICT.guilty } : {};
    mishap(turn, `announce: m${message} refused`, { ...change, ...alone }, { events: taken });
  }
}

/** In company the run fails; alone, the attempt is given back first. */
function busFails(turn: Turn, action: string, events: number) {
  if (turn.worker.alone === 0) return runFails(turn, action, { events });
  mishap(turn, action, { at: AT.judge, verdict: VERDICT.blameless }, { events });
}

function accepted({ model }: Turn, messages: number): { accepted: number; settled: number } {
  return { accepted: messages, settled: model.mutant === 'DELE before event' ? 0 : messages };
}

function afterAnnounce({ model }: Turn) {
  if (model.mutant === 'done before event') return { at: AT.deleteRetrieved, placed: 0 } as const;
  if (model.mutant === 'DELE before commit') return { at: AT.deleteRetrieved, placed: 0 } as const;
  return { at: AT.commitSettled, placed: 0, known: 0 } as const;
}

function dies(turn: Turn, fresh: number): boolean {
  for (let rest = fresh; rest !== 0; rest &= rest - 1) {
    if (turn.model.facts.messages[lowest(rest)]?.poison !== 'summary') continue;
    died(turn, `announce: making a summary of m${lowest(rest)} ends the process`);
    return true;
  }
  return false;
}

function variantsOf({ worker }: Turn, messages: number): number {
  let variants = 0;
  for (let rest = messages; rest !== 0; rest &= rest - 1) variants |= 1 << nibble(worker.got, lowest(rest));
  return variants;
}

/** Records, struck intents, forgotten failures. */
export function commitSettled(turn: Turn) {
  const { world, worker, model } = turn;
  const messages = worker.accepted;
  const variants = variantsOf(turn, messages);
  const hiding = hidesAnother(turn, messages, variants);
  const refs = refsOf(model, worker.listed, messages & ~hiding);
  const change = (head: ModelHead) => {
    const recorded = withRecords(head, variants, variants & world.second);
    return forgetFailures(struck(turn, recorded, refs), refs);
  };
  const doneFirst = model.mutant === 'done before event';
  const settled = deleAlreadySent(turn) ? 0 : messages;
  commit(turn, 'commitSettled', change, {
    at: doneFirst ? AT.announce : hiding !== 0 && worker.alone !== 0 ? AT.leftBehind : AT.deleteRetrieved,
    doubt: worker.doubt & ~messages,
    begun: worker.begun & ~refs,
    // Looked at alone, for what an earlier attempt left there.
    postponed: (worker.postponed & ~refs) | refsOf(model, worker.listed, hiding),
    accepted: 0,
    settled,
  });
}

/**
 * Messages that had to go beside a first key which holds what no record knows: an earlier attempt's bytes, to
 * which only the open intent leads. So it stays open.
 */
function hidesAnother({ model, world, view }: Turn, messages: number, variants: number): number {
  if (model.mutant === 'not looked again') return 0;
  let hiding = 0;
  for (let rest = messages; rest !== 0; rest &= rest - 1) {
    const message = lowest(rest);
    const { whole = 0, short = 0 } = model.facts.variantOf[message] ?? {};
    const own = variants & ((1 << whole) | (1 << short)) & ~1;
    const first = nibble(world.first, model.facts.messages[message]?.uidl ?? 0);
    if ((own & world.second) !== 0 && ((view.records | variants) & (1 << first)) === 0)
      hiding |= 1 << message;
  }
  return hiding;
}

/** In company nobody has looked at what others left behind for these refs; alone, leftBehind has. */
function struck(turn: Turn, head: ModelHead, refs: number): ModelHead {
  const { model, worker, index } = turn;
  if (model.mutant === 'living intent struck') return strikeAll(head, refs);
  if (model.mutant === 'unseen intent struck') return strikeIntents(head, refs, index);
  return worker.alone !== 0 ? strikeSeen(turn, head, refs) : strikeOwn(head, refs, index);
}

function deleAlreadySent({ model }: Turn): boolean {
  return model.mutant === 'DELE before event' || model.mutant === 'DELE before commit';
}

/** QUIT only where nothing that was retrieved is unaccounted for; else the line is dropped. */
export function endSession(turn: Turn) {
  const { model, world, worker } = turn;
  if (worker.doubt !== 0 && model.mutant !== 'QUIT after doubt') {
    const { line, server } = dropped(turn, world, worker);
    const asked = worker.marked !== 0 || worker.again === 1;
    const next = asked ? reopened(model, worker) : { ...worker, at: AT.closeBooks };
    return go(turn, 'destroy', { ...next, ...line }, server);
  }
  const next = worker.again === 1 ? reopened(model, worker) : { ...worker, at: AT.closeBooks, listed: 0 };
  const over = { ...next, ...dropped(turn, world, { ...worker, open: 0 }).line };
  const updated = quitUpdates(turn, worker.marked);
  go(turn, 'quit', over, updated);
  if (world.faults === 0 || worker.marked === 0) return;
  mishap(turn, 'quit: done, its answer lost', over, updated);
  const fewer = worker.marked & (worker.marked - 1);
  mishap(turn, 'quit: one of its deletes is not done', over, quitUpdates(turn, fewer));
}

function quitUpdates({ model, world, worker }: Turn, marked: number): Partial<World> {
  const update = removed(world, marked);
  if (model.facts.scenario.hides !== 'at QUIT') return update;
  const present = update.present ?? world.present;
  const hidden = worker.retrieved & present;
  return { ...update, present: present & ~hidden, hidden: world.hidden | hidden };
}

/** Intents of what was never begun are taken back; the others may be judged at once. */
export function closeBooks(turn: Turn) {
  const { world, worker, index } = turn;
  if (worker.open === 1) {
    const { line, server } = dropped(turn, world, worker);
    return go(turn, 'destroy', line, server);
  }
  const stay = worker.begun | worker.postponed;
  const change = (head: ModelHead) => {
    const neverBegun = (head.held[index] ?? 0) & ~stay;
    return releaseIntents(strikeOwn(head, neverBegun, index), index);
  };
  commit(turn, 'closeBooks', change, 'retire');
}
