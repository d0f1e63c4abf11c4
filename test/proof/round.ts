/** Some trials of one row on a ground of their own, so that logs and lists stay short and a failure's ground is small. */
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Ground, startGround } from './ground.ts';
import { look, type Trial } from './looking.ts';
import { measurePace } from './pace.ts';
import { type Plan, planOf, seeded } from './plan.ts';
import type { Installed } from './programs.ts';
import { expectRest } from './rest.ts';
import { nameOf, type Row } from './rows.ts';
import { countSeen, type Tally } from './tally.ts';
import { disturb } from './trial.ts';

export interface Round {
  readonly row: Row;
  readonly seed: string;
  /** Of the row's trials: the first, and how many. */
  readonly first: number;
  readonly trials: number;
  /** Whether so many were killed, in all rounds, that this one may come to its end. */
  readonly enough: () => boolean;
}

export interface Failure {
  readonly row: string;
  readonly trial: number;
  /** What was broken. */
  readonly what: string;
  /** Where everything lies as it was then, and what happened before. */
  readonly folders: readonly string[];
  /** Does the same again: the plan is the same, and the machine decides which instruction an instant meets. */
  readonly command: string;
}

/** Into `tally`, as it goes on. Resolves with the failure at which it stopped, if there was one. */
export async function playRound(
  round: Round,
  tally: Tally,
  installed: Installed,
): Promise<Failure | undefined> {
  const { row, first, trials, enough } = round;
  // Each trial has two mailboxes, and the last one is for the pace.
  const users = 2 * trials + 1;
  let ground: Ground | undefined;
  let trial: Trial | undefined;
  let number = first;
  try {
    ground = await startGround(row, users, installed);
    const pace = await measurePace(ground, `u${users}`);
    const played: Trial[] = [];
    for (; number < first + trials && !enough(); number += 1) {
      const at = number - first + 1;
      const fresh = { tally, enough, oracle: new Map(), known: new Map(), story: [] };
      trial = { ground, pace, user: `u${at}`, twin: `u${trials + at}`, ...fresh };
      await disturb(trial, planFor(round, number));
      played.push(trial);
    }
    for (const [index, one] of played.entries()) {
      [trial, number] = [one, first + index];
      countSeen(tally, one.oracle, await expectRest(one));
    }
    tally.leftovers += await leftoversIn(ground);
    await ground.stop();
    return undefined;
  } catch (error) {
    if (trial) countSeen(tally, trial.oracle, await look(trial).catch(() => nothingSeen));
    const story = [...(trial?.story ?? []), String(error), JSON.stringify(planFor(round, number), null, 1)];
    const folders = [...((await ground?.keep()) ?? []), await written(story.join('\n'))];
    const command = `node scripts/run.mjs scripts/proof.ts --seed '${round.seed}' --row '${nameOf(row)}' --trial ${number} --times 20`;
    return { row: nameOf(row), trial: number, what: String(error), folders, command };
  }
}

const nothingSeen = { objects: new Map(), events: [], left: new Set<string>() };

function planFor({ row, seed }: Round, number: number): Plan {
  const random = seeded(`${seed} ${nameOf(row)} ${number}`);
  return planOf(random, { store: row.far !== 'folder' });
}

async function written(story: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'proof-'));
  await writeFile(join(folder, 'failure.txt'), `${story}\n`);
  return folder;
}

/** All names that ARCHITECTURE.md says there may be. */
const NAMES = [
  /^mail\/u\d+\/[0-9a-f]{32}(-[0-9a-f]{64})?\.eml$/,
  // In a bucket a document is an object; in a folder it is a folder of revisions.
  /^state\/u\d+\.json(\/@\d+\.json)?$/,
  /^state\/u\d+\/.+$/,
  /^state\/_abilities\.json(\/@\d+\.json)?$/,
  /^config\/mailboxes\.json$/,
  /^events\.ndjson$/,
];

/** Unfinished files of dead processes: the only litter there may be, swept after a day. */
const UNFINISHED = /^\.tmp\/[^/]+$/;

async function leftoversIn({ far }: Ground): Promise<number> {
  const names = await far.names();
  const unfinished = names.filter((name) => UNFINISHED.test(name));
  const strange = names.filter((name) => !UNFINISHED.test(name) && !NAMES.some((known) => known.test(name)));
  if (strange.length > 0) throw new Error(`nobody knows what these are: ${strange.join(', ')}`);
  return unfinished.length;
}
