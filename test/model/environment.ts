/** What happens to a run, and around it: mail comes and goes, writes land, processes die and thaw. */

import * as deleting from './deleting.ts';
import { dayOver } from './head.ts';
import * as retrieval from './retrieval.ts';
import * as run from './run.ts';
import * as suspects from './suspects.ts';
import { buried, deadlinePassed, dropped, type Emit, mishap, retired, runFails, type Turn } from './turn.ts';
import { AT, IDLE, lowest, type Model, nibble, type Place, type World, withNibble } from './world.ts';

const STEPS: Readonly<Partial<Record<Place, (turn: Turn) => void>>> = {
  [AT.idle]: run.open,
  [AT.listing]: run.listing,
  [AT.peek]: run.peek,
  [AT.reportSetAside]: run.reportSetAside,
  [AT.deleteByRecord]: deleting.deleteByRecord,
  [AT.withIntents]: run.intend,
  [AT.retrieveWindow]: retrieval.retrieveWindow,
  [AT.fence]: retrieval.fence,
  [AT.fetchSingly]: run.fetchSingly,
  [AT.createSettled]: retrieval.createSettled,
  [AT.announce]: run.announce,
  [AT.commitSettled]: run.commitSettled,
  [AT.deleteRetrieved]: deleting.deleteRetrieved,
  [AT.tryAlone]: suspects.tryAlone,
  [AT.leftBehind]: suspects.leftBehind,
  [AT.recordLeft]: suspects.recordLeft,
  [AT.resolve]: suspects.resolve,
  [AT.judge]: suspects.judge,
  [AT.reportAtEnd]: run.reportSetAside,
  [AT.endSession]: run.endSession,
  [AT.closeBooks]: run.closeBooks,
};

/** Every action that is possible now, each with the state after it. */
export function actions(model: Model, world: World, emit: Emit) {
  mailComesAndGoes(model, world, emit);
  writesLand(model, world, emit);
  daysPass(model, world, emit);
  world.workers.forEach((worker, index) => {
    if (worker.at === AT.dead) {
      emit(`${index} deadline passes`, retired(model, raised(world, index), index));
      return;
    }
    // Idle workers are all alike: which of them begins decides nothing.
    if (worker.at === AT.idle && world.workers.findIndex(({ at }) => at === AT.idle) < index) return;
    const turn = { model, world, index, worker, view: model.heads.at(worker.view), emit };
    STEPS[worker.at]?.(turn);
    if (worker.at !== AT.idle && world.faults > 0) struck(turn);
  });
}

function raised(world: World, index: number): World {
  return { ...world, workers: world.workers.map((worker, at) => (at === index ? IDLE : worker)) };
}

function mailComesAndGoes({ facts }: Model, world: World, emit: Emit) {
  facts.messages.forEach(({ arrives, vanishes }, message) => {
    const bit = 1 << message;
    if ((world.arrived & bit) === 0 && mayArrive(world, arrives)) {
      emit(`m${message} arrives`, { ...world, arrived: world.arrived | bit, present: world.present | bit });
    }
    if (vanishes && (world.present & bit) !== 0) {
      emit(`m${message} is removed by another client`, { ...world, present: world.present & ~bit });
    }
  });
}

function mayArrive(
  { arrived, present }: World,
  arrives: 'at any time' | { after: number } | undefined,
): boolean {
  if (arrives === undefined || arrives === 'at any time') return true;
  const other = 1 << arrives.after;
  return (arrived & other) !== 0 && (present & other) === 0;
}

/** A conditional write that lands late finds its key free, or does nothing. */
function writesLand(model: Model, world: World, emit: Emit) {
  for (let rest = world.lateFirst; rest !== 0; rest &= rest - 1) {
    const variant = lowest(rest);
    const landed = { ...world, lateFirst: world.lateFirst & ~(1 << variant) };
    emit(`the write of v${variant} lands`, { ...landed, first: landedAt(model, world, variant) });
  }
  for (let rest = world.lateSecond; rest !== 0; rest &= rest - 1) {
    const bit = rest & -rest;
    emit(`the write of v${lowest(rest)} beside lands`, {
      ...world,
      lateSecond: world.lateSecond & ~bit,
      second: world.second | bit,
    });
  }
  if (world.lateHead >= 0)
    emit('the write of the state lands', { ...world, head: world.lateHead, lateHead: -1 });
}

function landedAt({ facts }: Model, world: World, variant: number): number {
  const uidl = facts.variants[variant]?.uidl ?? 0;
  return nibble(world.first, uidl) === 0 ? withNibble(world.first, uidl, variant) : world.first;
}

/**
 * A day is longer than any run, frozen or not, and than an unanswered write is taken to live: so it passes only
 * between runs, and when nothing is left to land.
 */
function daysPass(model: Model, world: World, emit: Emit) {
  const waits = world.lateFirst !== 0 || world.lateSecond !== 0 || world.lateHead >= 0;
  if (waits || world.workers.some(({ at }) => at !== AT.idle)) return;
  const head = model.heads.number(dayOver(model.heads.at(world.head)));
  if (head !== world.head) emit('a day passes', { ...world, head });
}

/** At any step of a run: it is killed, its line breaks, it is frozen past its deadline, or what it needs fails. */
function struck(turn: Turn) {
  const { model, world, worker, index } = turn;
  const fewer = { ...world, faults: world.faults - 1 };
  const { line, server } = dropped(turn, world, worker);
  turn.emit(`${index} killed`, buried(model, { ...fewer, ...server }, index));
  const itsOwn = worker.at === AT.retrieveWindow || worker.at === AT.fence || worker.at === AT.deleteByRecord;
  if (worker.open === 1 && !itsOwn && worker.at !== AT.closeBooks) {
    mishap(turn, 'the line breaks', line, server);
  }
  if (worker.at !== AT.closeBooks) runFails(turn, 'fails');
  if (worker.late === 0 && (model.heads.at(world.head).held[index] ?? 0) !== 0) {
    const frozen = {
      ...fewer,
      workers: fewer.workers.map((w, at) => (at === index ? { ...w, late: 1 as const } : w)),
    };
    turn.emit(`${index} frozen past its deadline`, deadlinePassed(model, frozen, index));
  }
}
