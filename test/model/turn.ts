/** One run's next step: what every action of a run is made of, and how a run may fail. */
import type { ModelHead } from './head.ts';
import { forgetRun, releaseIntents } from './head.ts';
import { onward } from './onward.ts';
import { AT, IDLE, type Model, type Worker, type World } from './world.ts';

export type Emit = (action: string, world: World) => void;

export interface Turn {
  readonly model: Model;
  readonly world: World;
  readonly index: number;
  readonly worker: Worker;
  /** The head as this run saw it last. */
  readonly view: ModelHead;
  readonly emit: Emit;
}

/** One action, answered. Steps that touch nothing outside the run follow at once: nobody could tell the difference. */
export function go(turn: Turn, action: string, worker: Partial<Worker>, world: Partial<World> = {}) {
  const next = onward(turn.model, { ...turn.worker, ...worker }, turn.index);
  turn.emit(`${turn.index} ${action}`, placed(turn, next, world));
}

function placed({ world, index }: Turn, worker: Worker, change: Partial<World>): World {
  return {
    ...world,
    ...change,
    workers: world.workers.map((other, at) => (at === index ? worker : other)),
  };
}

/** The same as `go`, if the history may have one more fault. */
export function mishap(turn: Turn, action: string, worker: Partial<Worker>, world: Partial<World> = {}) {
  if (turn.world.faults === 0) return;
  go(turn, action, worker, { ...world, faults: turn.world.faults - 1 });
}

/** Drops the line: an honest server forgets the marks, another one commits them. */
export function dropped(
  { model }: Pick<Turn, 'model'>,
  world: Pick<World, 'present' | 'ours'>,
  { marked, open }: Pick<Worker, 'marked' | 'open'>,
): { readonly line: Partial<Worker>; readonly server: Partial<World> } {
  const line = { open: 0, marked: 0, doubt: 0, retrieved: 0, toDelete: 0 } as const;
  if (open === 0 || model.facts.scenario.commits === 'at QUIT') return { line, server: {} };
  return { line, server: removed(world, marked) };
}

export function removed(world: Pick<World, 'present' | 'ours'>, marked: number): Partial<World> {
  return { present: world.present & ~marked, ours: world.ours | (world.present & marked) };
}

/** What the run needs failed: it drops the line and closes its books. A run that was doing so already just ends. */
export function runFails(turn: Turn, action: string, world: Partial<World> = {}) {
  if (turn.worker.at === AT.closeBooks) return ends(turn, action, world);
  const merged = { ...turn.world, ...world };
  const { server } = dropped(turn, merged, turn.worker);
  mishap(turn, action, closing(turn.worker), { ...world, ...server });
}

/** A run with its line down and nothing before it but its books. */
export function closing({ view, late, begun, postponed }: Worker): Worker {
  return { ...IDLE, at: AT.closeBooks, view, late, begun, postponed };
}

/** The run is over, and what it holds stays held until its deadline. */
export function ends(turn: Turn, action: string, world: Partial<World> = {}) {
  const { faults } = turn.world;
  if (faults > 0) died(turn, action, { ...world, faults: faults - 1 });
}

/** The process is gone, by whatever; where the mail itself is what ends it, that is no fault of the history. */
export function died(turn: Turn, action: string, world: Partial<World> = {}) {
  const { server } = dropped(turn, { ...turn.world, ...world }, turn.worker);
  turn.emit(
    `${turn.index} ${action}`,
    buried(turn.model, { ...turn.world, ...world, ...server }, turn.index),
  );
}

/** Only held intents can tell a dead run from one whose deadline has passed. */
export function buried(model: Model, world: World, index: number): World {
  const holds =
    heldBy(model, world.head, index) !== 0 ||
    (world.lateHead >= 0 && heldBy(model, world.lateHead, index) !== 0);
  const worker = holds ? { ...IDLE, at: AT.dead } : IDLE;
  const workers = world.workers.map((other, at) => (at === index ? worker : other));
  return holds ? { ...world, workers } : retired(model, { ...world, workers }, index);
}

function heldBy({ heads }: Model, head: number, index: number): number {
  return heads.at(head).held[index] ?? 0;
}

/** Its deadline has passed: what it holds may be judged by anybody, in whatever copy of the head. */
export function deadlinePassed(model: Model, world: World, index: number): World {
  return everyHead(model, world, (head) => releaseIntents(head, index));
}

/** Its next run is another one. */
export function retired(model: Model, world: World, index: number): World {
  return everyHead(model, world, (head) => forgetRun(releaseIntents(head, index), index));
}

function everyHead({ heads }: Model, world: World, change: (head: ModelHead) => ModelHead): World {
  const changed = (number: number) => {
    const head = heads.at(number);
    const next = change(head);
    return next === head ? number : heads.number(next);
  };
  const head = changed(world.head);
  const lateHead = world.lateHead < 0 ? -1 : changed(world.lateHead);
  const workers = world.workers.map((worker) => {
    if (worker.at === AT.idle || worker.at === AT.dead) return worker;
    const view = changed(worker.view);
    return view === worker.view ? worker : { ...worker, view };
  });
  return { ...world, head, lateHead, workers };
}

/**
 * A commit of lib/mailbox/head.ts: applied to the head as it is now, whatever this run saw. It may fail without
 * effect, fail after it, or land later if nobody writes before; the run then ends.
 */
export function commit(
  turn: Turn,
  action: string,
  change: (head: ModelHead) => ModelHead,
  then: Partial<Worker> | 'retire',
) {
  const { model, world, worker } = turn;
  const base = model.mutant === 'blind state write' ? worker.view : world.head;
  const head = model.heads.number(change(model.heads.at(base)));
  const written = head === world.head ? {} : { head, lateHead: -1 };
  if (then === 'retire') {
    const workers = world.workers.map((other, at) => (at === turn.index ? IDLE : other));
    turn.emit(`${turn.index} ${action}`, retired(model, { ...world, ...written, workers }, turn.index));
  } else go(turn, action, { ...then, view: head }, written);
  if (world.faults === 0) return;
  runFails(turn, `${action}: fails`);
  if (head === world.head) return;
  runFails(turn, `${action}: done, its answer lost`, written);
  if (model.facts.scenario.late) runFails(turn, `${action}: will land late`, { lateHead: head });
}
