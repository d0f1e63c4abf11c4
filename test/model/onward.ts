/** Steps of a run that touch nothing outside it: which action comes next, and what is forgotten by then. */
import { exhausted, heldByAnyone, type ModelHead, unreported } from './head.ts';
import { nextSuspect, planned } from './plan.ts';
import { AT, type Model, VERDICT, type Worker } from './world.ts';

/** Until an action that somebody else could notice is due. */
export function onward(model: Model, worker: Worker, index: number): Worker {
  let current = worker;
  for (;;) {
    const next = step(model, current, index);
    if (next === current) return current;
    current = next;
  }
}

const BATCH_OVER = {
  toDelete: 0,
  todo: 0,
  proofs: 0,
  ask: 0,
  window: 0,
  got: 0,
  shifted: 0,
  placed: 0,
  known: 0,
  accepted: 0,
  settled: 0,
} as const;

const SUSPECT_OVER = {
  ...BATCH_OVER,
  alone: 0,
  counts: 0,
  found: 0,
  leftover: 0,
  verdict: 0,
  refused: 0,
} as const;

function step(model: Model, worker: Worker, index: number): Worker {
  switch (worker.at) {
    case AT.reportSetAside:
      if (asideWork(model, worker)) return worker;
      return { ...worker, ...planned(model, seen(model, worker, index)), at: AT.deleteByRecord };
    case AT.deleteByRecord:
      if (worker.open === 1 && worker.toDelete !== 0) return worker;
      if (worker.alone !== 0) return { ...worker, ...SUSPECT_OVER, at: AT.tryAlone };
      return { ...worker, toDelete: 0, at: AT.withIntents };
    case AT.withIntents:
      if (worker.open === 1 && worker.todo !== 0) return worker;
      return { ...worker, ...BATCH_OVER, at: AT.tryAlone };
    case AT.retrieveWindow:
      return worker.ask === 0 ? { ...worker, at: AT.fence } : worker;
    case AT.createSettled:
      return afterWindow(model, worker);
    case AT.announce:
      return announced(worker);
    case AT.commitSettled:
      return worker.accepted !== 0 ? worker : { ...worker, at: AT.deleteRetrieved };
    case AT.deleteRetrieved:
      return worker.open === 1 && worker.settled !== 0 ? worker : afterDeletes(model, worker);
    case AT.tryAlone:
      return nextAlone(model, worker, index);
    case AT.reportAtEnd:
      return asideWork(model, worker) ? worker : { ...worker, at: AT.endSession };
    case AT.judge:
      if (worker.counts === 1 || worker.verdict === VERDICT.blameless) return worker;
      return { ...worker, ...SUSPECT_OVER, at: AT.tryAlone };
    case AT.endSession:
      if (worker.open === 1) return worker;
      return reopened(model, worker);
    default:
      return worker;
  }
}

/** What may end the process would take with it deletes that no QUIT has committed: those come first. */
function nextAlone(model: Model, worker: Worker, index: number): Worker {
  const suspect = worker.open === 1 ? nextSuspect(model, seen(model, worker, index)) : -1;
  if (suspect < 0) return { ...worker, ...SUSPECT_OVER, at: AT.reportAtEnd };
  if (worker.marked === 0 || worker.signIns >= model.facts.scenario.signIns) return worker;
  return { ...worker, ...SUSPECT_OVER, at: AT.endSession, again: 1 };
}

function seen(model: Model, worker: Worker, index: number) {
  return { worker, view: model.heads.at(worker.view), index };
}

function asideWork(model: Model, worker: Worker): boolean {
  const view = model.heads.at(worker.view);
  return exhausted(view, model.facts.scenario.attempts, living(model, view)) !== 0 || unreported(view) !== 0;
}

/** Refs whose last attempt is not over. */
export function living({ mutant }: Model, head: ModelHead): number {
  return mutant === 'living intent counted' ? 0 : heldByAnyone(head);
}

/** Another window of the batch, or its end. */
function afterWindow(model: Model, worker: Worker): Worker {
  if (pending(worker) !== 0) return worker;
  if (worker.todo !== 0 && worker.open === 1) return { ...worker, ...nextWindow(model, worker) };
  const stored = { ...worker, todo: 0, proofs: 0, window: 0, shifted: 0 } as const;
  if (model.mutant === 'done before event')
    return { ...stored, accepted: worker.placed, at: AT.commitSettled };
  if (model.mutant === 'DELE before event')
    return { ...stored, settled: worker.placed, at: AT.deleteRetrieved };
  return { ...stored, at: AT.announce };
}

export function nextWindow({ heads }: Model, { todo, view }: Worker): Partial<Worker> {
  const window = heads.at(view).singly === 1 ? todo & -todo : todo;
  return { at: AT.retrieveWindow, window, ask: window, todo: todo & ~window, shifted: 0 };
}

/** Messages of the window that came and are not stored yet. */
export function pending({ window, got, placed }: Worker): number {
  let messages = 0;
  for (let message = 0; message < 4; message += 1) {
    if (((got >> (4 * message)) & 0b1111) !== 0) messages |= 1 << message;
  }
  return messages & window & ~placed;
}

function announced(worker: Worker): Worker {
  if (worker.placed !== 0) return worker;
  if (worker.alone !== 0) return { ...worker, at: AT.judge };
  return { ...worker, ...BATCH_OVER, at: AT.tryAlone };
}

function afterDeletes(model: Model, worker: Worker): Worker {
  if (model.mutant === 'DELE before event' && worker.placed !== 0)
    return { ...worker, settled: 0, at: AT.announce };
  if (model.mutant === 'DELE before commit' && worker.accepted !== 0) {
    return { ...worker, settled: 0, at: AT.commitSettled };
  }
  return { ...worker, ...SUSPECT_OVER, at: AT.tryAlone };
}

/** A run signs in again where a session broke off or ended in doubt, as often as it may. */
export function reopened(model: Model, worker: Worker): Worker {
  const again = worker.signIns < model.facts.scenario.signIns;
  return { ...worker, ...SUSPECT_OVER, listed: 0, again: 0, at: again ? AT.listing : AT.closeBooks };
}
