/** Rounds of all rows in turn, several side by side, until so many processes were killed. */
import { setTimeout as sleep } from 'node:timers/promises';
import { install } from './programs.ts';
import { type Failure, playRound, type Round } from './round.ts';
import { nameOf, type Row } from './rows.ts';
import { emptyTally, sumOf, type Tally } from './tally.ts';

export interface ProofOptions {
  readonly rows: readonly Row[];
  readonly seed: string;
  /** At least so many, shared by the rows alike. */
  readonly kills: number;
  /** Rounds side by side. */
  readonly lanes: number;
  /** Told now and then. */
  readonly onProgress?: (sum: Tally) => void;
}

export interface Proof {
  readonly rows: readonly { readonly name: string; readonly tally: Tally }[];
  readonly total: Tally;
  readonly failures: readonly Failure[];
}

/** What a trial comes to, from the shares in plan.ts. */
const KILLS_PER_TRIAL = 10;

/** A round begins with a probe of the store and three runs, which this many trials make up for. */
const LONGEST_ROUND = 10;

const PROGRESS_MS = 30_000;

/** After a failure no further round is begun. */
export async function prove(options: ProofOptions): Promise<Proof> {
  const { rows, kills, lanes, onProgress } = options;
  const tallies = rows.map((row) => ({ row, rounds: [] as Tally[] }));
  const total = () => sumOf(tallies.flatMap(({ rounds }) => rounds));
  const failures: Failure[] = [];
  const enough = () => total().kills >= kills;
  const rounds = roundsOf(options, enough);
  const installed = await install();
  const lane = async () => {
    while (failures.length === 0 && !enough()) {
      const { value: round } = rounds.next();
      const tally = emptyTally();
      tallies.find(({ row }) => row === round.row)?.rounds.push(tally);
      const failure = await playRound(round, tally, installed);
      if (failure) failures.push(failure);
    }
  };
  const over = new AbortController();
  const told = tellEach(PROGRESS_MS, over.signal, () => onProgress?.(total()));
  try {
    await Promise.all(Array.from({ length: lanes }, lane));
  } finally {
    over.abort();
    await told;
    await installed.stop();
  }
  const named = tallies.map(({ row, rounds }) => ({ name: nameOf(row), tally: sumOf(rounds) }));
  return { rows: named, total: total(), failures };
}

/** One trial again, alone, until it fails or was played so often. */
export async function replay(round: Omit<Round, 'trials' | 'enough'>, times: number): Promise<Proof> {
  const installed = await install();
  const tally = emptyTally();
  const failures: Failure[] = [];
  try {
    for (let played = 0; played < times && failures.length === 0; played += 1) {
      const failure = await playRound({ ...round, trials: 1, enough: () => false }, tally, installed);
      if (failure) failures.push(failure);
    }
  } finally {
    await installed.stop();
  }
  return { rows: [{ name: nameOf(round.row), tally }], total: tally, failures };
}

/** One row after the other, again and again; each time the row's next trials. */
function* roundsOf({ rows, seed, kills }: ProofOptions, enough: () => boolean): Generator<Round, never> {
  const each = Math.floor(kills / rows.length / KILLS_PER_TRIAL);
  const trials = Math.max(1, Math.min(LONGEST_ROUND, each));
  for (let first = 0; ; first += trials) for (const row of rows) yield { row, seed, first, trials, enough };
}

async function tellEach(everyMs: number, signal: AbortSignal, tell: () => void): Promise<void> {
  while (!signal.aborted) {
    await sleep(everyMs, undefined, { signal }).then(tell, () => {});
  }
}
