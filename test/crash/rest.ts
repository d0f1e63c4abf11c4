/** What a mailbox and its far end look like, and the way to rest: runs that nobody disturbs, checked after each. */
import { expect } from 'vitest';
import type { FarEnd } from '../real/endsFar.ts';
import { type Oracle, repeats, type Seen, storedEvents, unfinished, violations } from '../real/endsLedger.ts';
import type { NearEnd } from '../real/endsMail.ts';

export interface Ground {
  readonly near: NearEnd;
  readonly far: FarEnd;
}

export interface Disturbed {
  /** Of the mailbox and its user alike. */
  readonly user: string;
  readonly oracle: Oracle;
  /** A run that nobody disturbs; rejects unless it went well. */
  run(): Promise<void>;
  readonly maxRepeats: number;
}

export interface Rested {
  readonly seen: Seen;
  readonly messages: number;
  readonly events: number;
  readonly repeated: number;
}

/** After a disturbance one run does all that is left; a second where a delete was left to it. */
const RUNS = 2;

export async function look({ near, far }: Ground, user: string): Promise<Seen> {
  const left = new Set((await near.oracle(user)).keys());
  return { objects: await far.objects(user), events: await far.events(user), left };
}

/** From whatever a disturbance left to a mailbox that is empty, each message stored once and announced. */
export async function comeToRest(ground: Ground, disturbed: Disturbed): Promise<Rested> {
  const { user, oracle, run, maxRepeats } = disturbed;
  let seen = await look(ground, user);
  expect(violations(oracle, seen), user).toEqual([]);
  for (let runs = 0; runs < RUNS && seen.left.size > 0; runs += 1) {
    await run();
    seen = await look(ground, user);
    expect(violations(oracle, seen), user).toEqual([]);
  }
  expect([...seen.left], user).toEqual([]);
  expect(unfinished(oracle, seen), user).toEqual([]);
  expect(seen.objects.size, user).toBe(oracle.size);
  const repeated = repeats(seen.events);
  expect(repeated, user).toBeLessThanOrEqual(maxRepeats);
  return { seen, messages: oracle.size, events: storedEvents(seen.events).length, repeated };
}
