/**
 * The circumstances of a history: each seed draws its own, and leaves most faults out, so that a few meet often
 * instead of all of them drowning one another.
 */
import type { BusFault } from './busSide.ts';
import { type Chance, Odds } from './chance.ts';
import type { LineFault } from './lineFaults.ts';
import type { Manners } from './maildrop.ts';
import type { Postage } from './mailMaker.ts';
import { NO_ODDITIES } from './oddities.ts';
import type { Accident } from './process.ts';
import type { StoreFault, StoreFaults } from './storeSide.ts';

export interface Circumstances {
  readonly deletes: boolean;
  readonly attempts: number;
  readonly summaries: boolean;
  readonly durable: boolean;
  readonly completeHonours: boolean;
  readonly manners: Manners;
  readonly postage: Postage;
  readonly accidents: Odds<Accident>;
  readonly store: StoreFaults;
  readonly bus: Odds<BusFault>;
  readonly line: Odds<LineFault>;
  readonly dialFails: number;
  readonly secretFails: number;
  readonly rounds: number;
  /** How many processes begin in a round, at most. */
  readonly overlap: number;
}

const STORE: readonly StoreFault[] = [
  'lost before',
  'lost after',
  'late',
  'later',
  'own success',
  'denied',
  'slow',
  'broken',
];
const BUS: readonly BusFault[] = ['unavailable', 'partial', 'slow', 'unproved'];
const LINE: readonly LineFault[] = [
  'refuse',
  'cut',
  'reset',
  'silence',
  'extra',
  'garbage',
  'wrong',
  'temporary',
];
const WORLD: readonly Accident[] = ['arrival', 'other client', 'consumer', 'renaming'];

export function circumstancesOf(chance: Chance): Circumstances {
  const profile = chance.next();
  if (profile < FORGERS) return forger(chance);
  if (profile < FORGERS + LATECOMERS) return latecomer(chance);
  if (profile < FORGERS + LATECOMERS + MOVERS) return mover(chance);
  return usual(chance);
}

/** Mail that forges replies on a server that stuffs no dots, with tails that are always still in flight. */
const FORGERS = 0.05;

function forger(chance: Chance): Circumstances {
  const base = usual(chance);
  return {
    ...base,
    manners: { ...base.manners, stuffs: false, eager: 0, pieces: false },
    postage: { ...base.postage, forges: 0.4 + 0.5 * chance.next(), poisons: 0 },
    accidents: new Odds({}),
    store: { messages: new Odds({}), state: new Odds({}), looks: new Odds({}) },
    bus: new Odds({}),
    line: new Odds({}),
  };
}

/** Writes that land long after they were given up, of messages that are gone by then. */
const LATECOMERS = 0.06;

function latecomer(chance: Chance): Circumstances {
  const base = usual(chance);
  const late = () => new Odds({ late: chance.happens(0.6) ? 0.5 * chance.next() : 0 });
  const kills = 0.03 * chance.next();
  return {
    ...base,
    accidents: new Odds({ 'kill before': kills, 'kill after': kills, 'other client': 0.04 * chance.next() }),
    store: { messages: late(), state: late(), looks: new Odds({}) },
    line: new Odds(chance.happens(0.5) ? { refuse: 0.05 } : {}),
  };
}

/** A server that gives all its mail new UIDLs, once and again, in the middle of runs or between them. */
const MOVERS = 0.05;

function mover(chance: Chance): Circumstances {
  const base = usual(chance);
  const kills = chance.happens(0.5) ? 0.02 * chance.next() : 0;
  return {
    ...base,
    manners: {
      ...base.manners,
      hides: 'never',
      deletes: chance.pick(['at QUIT', 'ignored', 'at disconnect']),
    },
    postage: { ...base.postage, traces: 0.5 + 0.5 * chance.next(), anonymous: 0.1, poisons: 0 },
    accidents: new Odds({
      'kill before': kills,
      'kill after': kills,
      renaming: 0.002 + 0.02 * chance.next(),
    }),
    rounds: chance.pick([3, 4, 5]),
  };
}

function usual(chance: Chance): Circumstances {
  const stuffs = !chance.happens(0.12);
  const storeFails = chance.happens(0.55);
  const storeOdds = () =>
    oddsOf(chance, { names: STORE, share: storeFails ? 0.7 : 0, each: 0.4, most: 0.08 });
  return {
    deletes: chance.happens(0.65),
    attempts: chance.pick([1, 2, 3, 3, 3]),
    summaries: chance.happens(0.9),
    durable: !chance.happens(0.03),
    completeHonours: !chance.happens(0.06),
    ...maildropOf(chance, stuffs),
    accidents: accidentsOf(chance),
    store: { messages: storeOdds(), state: storeOdds(), looks: storeOdds() },
    bus: oddsOf(chance, { names: BUS, share: 0.4, each: 0.5, most: 0.2 }),
    line: oddsOf(chance, { names: LINE, share: 0.55, each: 0.3, most: 0.06 }),
    dialFails: chance.happens(0.1) ? 0.3 * chance.next() : 0,
    secretFails: chance.happens(0.05) ? 0.3 * chance.next() : 0,
    rounds: chance.pick([1, 2, 2, 3, 4]),
    overlap: chance.pick([1, 1, 2, 2, 3]),
  };
}

/**
 * A server that loses dots when pipelined understates no size. Lines of two dots come as if they were stuffed lines of
 * one: with a size that agrees with that, no client can know.
 */
function maildropOf(chance: Chance, stuffs: boolean): Pick<Circumstances, 'manners' | 'postage'> {
  const manners = mannersOf(chance, stuffs);
  const postage = postageOf(chance, stuffs);
  return { manners, postage: manners.forgetsWhenPipelined ? { ...postage, missizes: 0 } : postage };
}

function accidentsOf(chance: Chance): Odds<Accident> {
  const rates: Partial<Record<Accident, number>> = {};
  if (chance.happens(0.6)) {
    const rate = 0.05 * chance.next() ** 2 + 0.003;
    rates['kill before'] = rate;
    rates['kill after'] = rate;
  }
  if (chance.happens(0.3)) rates.freeze = 0.02 * chance.next();
  if (chance.happens(0.08)) rates.jump = 0.01 * chance.next();
  if (chance.happens(0.1)) rates.abort = 0.01 * chance.next();
  for (const name of WORLD) {
    const rare = name === 'consumer' || name === 'renaming';
    if (chance.happens(rare ? 0.07 : 0.35)) rates[name] = (rare ? 0.005 : 0.02) * chance.next();
  }
  return new Odds(rates);
}

interface Share<Name extends string> {
  readonly names: readonly Name[];
  /** How many histories have any of them; how many of those have a given one; and its rate at most. */
  readonly share: number;
  readonly each: number;
  readonly most: number;
}

function oddsOf<Name extends string>(chance: Chance, { names, share, each, most }: Share<Name>): Odds<Name> {
  const rates: Partial<Record<Name, number>> = {};
  if (!chance.happens(share)) return new Odds(rates);
  for (const name of names) if (chance.happens(each)) rates[name] = most * chance.next() ** 2 + 0.002;
  return new Odds(rates);
}

function mannersOf(chance: Chance, stuffs: boolean): Manners {
  return {
    ...NO_ODDITIES,
    stuffs,
    pipelining: chance.happens(0.35)
      ? 'not announced'
      : chance.happens(0.85)
        ? 'all'
        : chance.pick(['the first', 'none, and the line ends']),
    forgetsWhenPipelined: chance.happens(0.1),
    top: chance.pick(['headers', 'headers', 'headers', 'headers', 'refused', 'whole', 'other bytes']),
    deletes: chance.pick(['at QUIT', 'at QUIT', 'at QUIT', 'at disconnect', 'at disconnect', 'ignored']),
    hides: chance.happens(0.12) ? chance.pick(['at RETR', 'at QUIT', 'at QUIT']) : 'never',
    exclusive: chance.happens(0.15),
    lingerMs: chance.happens(0.5) ? 60_000 * chance.next() : 0,
    uidlOfOne: !chance.happens(0.08),
    listOfOne: !chance.happens(0.03),
    shuffles: chance.happens(0.1),
    loginDelaySeconds: chance.happens(0.05) ? 60 : 0,
    pieces: chance.happens(0.1),
    eager: chance.pick([0, 0.5, 1]),
  };
}

function postageOf(chance: Chance, stuffs: boolean): Postage {
  return {
    reuses: chance.happens(0.4) ? 0.6 * chance.next() : 0,
    repeats: chance.happens(0.3) ? 0.4 * chance.next() : 0,
    poisons: chance.happens(0.3) ? 0.3 * chance.next() : 0,
    forges: chance.happens(stuffs ? 0.2 : 0.6) ? 0.5 * chance.next() : 0,
    cuts: stuffs ? 1 : 0.1,
    missizes: chance.happens(0.15) ? 0.5 * chance.next() : 0,
    unsized: chance.happens(0.05) ? 0.5 * chance.next() : 0,
    clones: chance.happens(0.15) ? 0.4 * chance.next() : 0,
    traces: 0,
    guesses: false,
    anonymous: chance.happens(0.3) ? 0.5 * chance.next() : 0.05,
  };
}
