/** A state of the model: everything durable, and where each run stands. Immutable; two are equal if their keys are. */
import type { Facts } from './facts.ts';
import { emptyHead, Heads } from './head.ts';
import type { Mutant } from './mutants.ts';

/** Where a run stands: the step that it takes next. In the order of the code. */
export const AT = {
  idle: 0,
  listing: 1,
  peek: 2,
  reportSetAside: 3,
  deleteByRecord: 4,
  withIntents: 5,
  retrieveWindow: 6,
  fence: 7,
  fetchSingly: 8,
  createSettled: 9,
  announce: 10,
  commitSettled: 11,
  deleteRetrieved: 12,
  tryAlone: 13,
  leftBehind: 14,
  recordLeft: 15,
  resolve: 16,
  judge: 17,
  endSession: 18,
  closeBooks: 19,
  /** Killed, or ended without its books closed; its deadline is not over. */
  dead: 20,
  reportAtEnd: 21,
} as const;

export type Place = (typeof AT)[keyof typeof AT];

/** Sets of messages are masks by their index; of variants and refs, by their number. */
export interface Worker {
  readonly at: Place;
  /** The head as this run saw it last. */
  readonly view: number;
  /** Its deadline is over, and it goes on all the same: frozen and thawed. */
  readonly late: 0 | 1;
  readonly open: 0 | 1;
  readonly signIns: number;
  /** Messages in this session's listing. */
  readonly listed: number;
  /** Retrieved in this session, where the server hides that at QUIT. */
  readonly retrieved: number;
  readonly doubt: number;
  readonly marked: number;
  /** Came whole in this run: then a refused RETR of another one is that one's own trouble. */
  readonly retrievedWhole: number;
  readonly kept: number;
  /** Refs: not to be tried again in company, perhaps in the store but not on record, tried alone in this run. */
  readonly postponed: number;
  readonly begun: number;
  readonly tried: number;
  /** Messages to be deleted by record, to be retrieved, and those of the latter that only prove a record. */
  readonly toDelete: number;
  readonly todo: number;
  readonly proofs: number;
  /** The window: messages still to be retrieved, all of it, what came (a variant in 4 bits each), replies shifted. */
  readonly ask: number;
  readonly window: number;
  readonly got: number;
  readonly shifted: 0 | 1;
  /** Messages stored, those of them that were announced before, accepted, and due for DELE by branch A. */
  readonly placed: number;
  readonly known: number;
  readonly accepted: number;
  readonly settled: number;
  /** The suspect, as its ref + 1; whether the attempt counts; what leftBehind found. */
  readonly alone: number;
  readonly counts: 0 | 1;
  readonly found: 0 | 1;
  readonly leftover: number;
  /** Of a wrong engine: its RETR was refused, and that is to settle it. */
  readonly refused: 0 | 1;
  /** This session ends so that its deletes are committed, and another one goes on. */
  readonly again: 0 | 1;
  readonly verdict: number;
}

/** What an attempt that failed says of its message; 'unproved': the server may refuse every one. */
export const VERDICT = { none: 0, blameless: 1, guilty: 2, unproved: 3 } as const;

export interface World {
  /** Messages on the server; that have ever been there; that we removed; that QUIT hid after our RETR. */
  readonly present: number;
  readonly arrived: number;
  readonly ours: number;
  readonly hidden: number;
  /** By UIDL, the variant under the first key, in 4 bits each; variants under keys of their own. */
  readonly first: number;
  readonly second: number;
  /** Unanswered writes that may still land. */
  readonly lateFirst: number;
  readonly lateSecond: number;
  /** An object was replaced; the same bytes got a second one. */
  readonly spoilt: 0 | 1 | 2;
  readonly events: number;
  /** Refs said to be set aside. */
  readonly told: number;
  readonly head: number;
  /** A state write that may land while the head is the one it was meant for; -1: none. */
  readonly lateHead: number;
  readonly faults: number;
  readonly workers: readonly Worker[];
}

export interface Model {
  readonly facts: Facts;
  readonly heads: Heads;
  readonly mutant: Mutant | null;
}

export const IDLE: Worker = {
  at: AT.idle,
  view: 0,
  late: 0,
  open: 0,
  signIns: 0,
  listed: 0,
  retrieved: 0,
  doubt: 0,
  marked: 0,
  retrievedWhole: 0,
  postponed: 0,
  begun: 0,
  kept: 0,
  tried: 0,
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
  alone: 0,
  counts: 0,
  found: 0,
  leftover: 0,
  refused: 0,
  again: 0,
  verdict: 0,
};

export function modelOf(facts: Facts, mutant: Mutant | null = null): Model {
  const heads = new Heads();
  // The empty head is number 0, which IDLE's view names.
  heads.number(emptyHead(facts));
  return { facts, heads, mutant };
}

export function firstWorld({ facts }: Model): World {
  let present = 0;
  facts.messages.forEach(({ arrives }, message) => {
    if (arrives === undefined) present |= 1 << message;
  });
  return {
    present,
    arrived: present,
    ours: 0,
    hidden: 0,
    first: 0,
    second: 0,
    lateFirst: 0,
    lateSecond: 0,
    spoilt: 0,
    events: 0,
    told: 0,
    head: 0,
    lateHead: -1,
    faults: facts.scenario.faults,
    workers: Array.from({ length: facts.scenario.workers }, () => IDLE),
  };
}

export function keyOf(world: World): string {
  let key = String.fromCharCode(
    world.present | (world.arrived << 4) | (world.ours << 8) | (world.hidden << 12),
    world.first,
    world.second | (world.lateSecond << 8),
    world.lateFirst | (world.spoilt << 8) | (world.faults << 10),
    world.events | (world.told << 8),
    world.head,
    world.lateHead + 1,
  );
  for (const worker of world.workers) key += workerKey(worker);
  return key;
}

function workerKey(w: Worker): string {
  if (w === IDLE) return '\0';
  return String.fromCharCode(
    w.at | (w.late << 5) | (w.open << 6) | (w.signIns << 7) | (w.listed << 9) | (w.counts << 13),
    w.view,
    w.retrieved | (w.doubt << 4) | (w.marked << 8) | (w.kept << 12),
    w.postponed | (w.begun << 8),
    w.tried | (w.retrievedWhole << 7) | (w.found << 11) | (w.shifted << 12) | (w.verdict << 13),
    w.toDelete | (w.todo << 4) | (w.proofs << 8) | (w.ask << 12),
    w.window | (w.placed << 4) | (w.known << 8) | (w.accepted << 12),
    w.got,
    w.settled | (w.alone << 4) | (w.leftover << 8) | (w.refused << 12) | (w.again << 13),
  );
}

export function lowest(mask: number): number {
  return 31 - Math.clz32(mask & -mask);
}

/** Four bits each: what is under the first key of a UIDL, or what came of a message. */
export function nibble(packed: number, at: number): number {
  return (packed >> (4 * at)) & 0b1111;
}

export function withNibble(packed: number, at: number, value: number): number {
  return (packed & ~(0b1111 << (4 * at))) | (value << (4 * at));
}

/** Variants that are in the store, under whatever key. */
export function objects({ first, second }: World): number {
  let mask = second;
  for (let rest = first; rest !== 0; rest >>= 4) if ((rest & 0b1111) !== 0) mask |= 1 << (rest & 0b1111);
  return mask;
}
