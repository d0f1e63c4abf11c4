/** What a run makes of its listing and its view of the head: lib/fetch/plan.ts and sessions.ts, in masks. */
import { asideRefs, attempts, heldByOthers, isDue, type ModelHead } from './head.ts';
import { lowest, type Model, type Worker } from './world.ts';

export type Action = 'fetch' | 'prove' | 'alone' | 'delete' | 'keep' | 'set aside';

export function repeated({ facts }: Model, listed: number, message: number): boolean {
  const uidl = facts.messages[message]?.uidl;
  return facts.messages.some(
    (other, at) => at !== message && other.uidl === uidl && (listed & (1 << at)) !== 0,
  );
}

export function refOf(model: Model, listed: number, message: number): number {
  const refs = repeated(model, listed, message) ? model.facts.repeated : model.facts.plain;
  return refs[message] ?? 0;
}

export function refsOf(model: Model, listed: number, messages: number): number {
  let refs = 0;
  for (let rest = messages; rest !== 0; rest &= rest - 1) refs |= 1 << refOf(model, listed, lowest(rest));
  return refs;
}

/** The listed message that a suspect is; -1: no longer listed. */
export function rowOf(model: Model, { listed, marked }: Worker, ref: number): number {
  for (let rest = listed & ~marked; rest !== 0; rest &= rest - 1) {
    if (refOf(model, listed, lowest(rest)) === ref) return lowest(rest);
  }
  return -1;
}

/** Variants on record for this UIDL, LIST size and, where it is known, header hash. */
export function matching(model: Model, head: ModelHead, ref: number): number {
  const wanted = model.facts.refs[ref];
  let found = 0;
  for (let rest = head.records; rest !== 0; rest &= rest - 1) {
    const variant = model.facts.variants[lowest(rest)];
    if (variant === undefined || variant === null || variant.uidl !== wanted?.uidl) continue;
    const alike =
      variant.size === wanted.size && (wanted.header === null || variant.header === wanted.header);
    if (alike || model.mutant === 'UIDL alone') found |= 1 << lowest(rest);
  }
  return found;
}

/** Fewer octets than LIST says. A forgery is as long as its sender likes. */
export function isShort({ facts }: Model, variant: number): boolean {
  const kind = facts.variants[variant]?.kind;
  return kind === 'cut' || kind === 'short';
}

export interface Seen {
  readonly worker: Worker;
  readonly view: ModelHead;
  readonly index: number;
}

export function decide(model: Model, { worker, view, index }: Seen, message: number): Action {
  const { listed } = worker;
  const ref = refOf(model, listed, message);
  const bit = 1 << ref;
  if ((asideRefs(view) & bit) !== 0 && !isDue(view.failures[ref] ?? 0)) return 'set aside';
  // This run's own intents are news only of what it has put off, or left in the store.
  const own = (view.held[index] ?? 0) & (worker.postponed | worker.begun);
  const open = view.left | heldByOthers(view, index) | own;
  if ((open & bit) !== 0 || view.failures[ref] !== 0) return 'alone';
  const records = matching(model, view, ref);
  if (records === 0 || count(records) < alike(model, listed, ref)) return 'fetch';
  if (model.facts.scenario.deletes === 'keep') return 'keep';
  if (isShort(model, lowest(records)) && model.mutant !== 'B without octets') return 'keep';
  if (model.mutant === 'UIDL alone') return 'delete';
  return repeated(model, listed, message) ? 'prove' : 'delete';
}

function alike(model: Model, listed: number, ref: number): number {
  if (model.mutant === 'UIDL alone') return 1;
  let rows = 0;
  for (let rest = listed; rest !== 0; rest &= rest - 1) {
    if (refOf(model, listed, lowest(rest)) === ref) rows += 1;
  }
  return rows;
}

function count(mask: number): number {
  let bits = 0;
  for (let rest = mask; rest !== 0; rest &= rest - 1) bits += 1;
  return bits;
}

export interface Plan {
  readonly toDelete: number;
  readonly todo: number;
  readonly proofs: number;
}

export function planned(model: Model, seen: Seen): Plan {
  let [toDelete, todo, proofs] = [0, 0, 0];
  const { listed, postponed, kept } = seen.worker;
  for (let rest = listed; rest !== 0; rest &= rest - 1) {
    const message = lowest(rest);
    const bit = 1 << message;
    const action = decide(model, seen, message);
    if (action === 'delete' && (kept & bit) === 0) toDelete |= bit;
    const inCompany = action === 'alone' && model.mutant === 'suspects not alone';
    if (action !== 'fetch' && action !== 'prove' && !inCompany) continue;
    if ((postponed & (1 << refOf(model, listed, message))) !== 0) continue;
    todo |= bit;
    if (action === 'prove') proofs |= bit;
  }
  return { toDelete, todo, proofs };
}

/** The suspect that is tried next, as its ref: listed or not, and of those the one tried least; -1: none. */
export function nextSuspect(model: Model, { worker, view, index }: Seen): number {
  if (model.mutant === 'suspects not alone') return -1;
  let suspects = 0;
  let listedRefs = 0;
  for (let rest = worker.listed; rest !== 0; rest &= rest - 1) {
    const message = lowest(rest);
    const bit = 1 << refOf(model, worker.listed, message);
    listedRefs |= bit;
    const marked = (worker.marked & (1 << message)) !== 0;
    if (!marked && decide(model, { worker, view, index }, message) === 'alone') suspects |= bit;
  }
  suspects |= view.left & ~listedRefs;
  let next = -1;
  for (let rest = suspects & ~worker.tried; rest !== 0; rest &= rest - 1) {
    const ref = lowest(rest);
    if (next < 0 || tries(view, ref) < tries(view, next)) next = ref;
  }
  return next;
}

function tries(head: ModelHead, ref: number): number {
  return attempts(head.failures[ref] ?? 0);
}
