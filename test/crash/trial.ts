/** One trial: a run that is killed, runs until all is at rest, and one that finds nothing to do. */
import { expect } from 'vitest';
import { type Oracle, storedEvents } from '../real/endsLedger.ts';
import { trialMail } from './mailForTrials.ts';
import type { Pop3Gate } from './pop3Gate.ts';
import { comeToRest, type Disturbed, type Ground, look, type Rested } from './rest.ts';

export interface Trial extends Omit<Disturbed, 'oracle'> {
  /** A run that does not come to its end. */
  killed(oracle: Oracle): Promise<void>;
}

/** The gate is on the way of every run. */
export async function attempt(ground: Ground & { readonly gate: Pop3Gate }, trial: Trial): Promise<Rested> {
  const { near, gate } = ground;
  const { user } = trial;
  await near.server.put(user, trialMail(user));
  const oracle = await near.oracle(user);
  await trial.killed(oracle);
  const rested = await comeToRest(ground, { ...trial, oracle });

  gate.verbs.length = 0;
  await trial.run();
  expect(gate.verbs.filter((verb) => verb === 'RETR' || verb === 'DELE')).toEqual([]);
  const after = await look(ground, user);
  expect([...after.objects.keys()]).toEqual([...rested.seen.objects.keys()]);
  expect(storedEvents(after.events)).toEqual(storedEvents(rested.seen.events));
  return rested;
}

/** What the trials cost in repeated announcements, told after them. */
export class Tally {
  #kills = 0;
  #messages = 0;
  readonly #lines: string[] = [];

  add(title: string, { messages, events, repeated }: Rested): void {
    this.#kills += 1;
    this.#messages += messages;
    if (repeated > 0)
      this.#lines.push(`  ${title}: ${events} events for ${messages} messages, ${repeated} with a known id`);
  }

  told(what: string): string {
    return [
      `${what}: ${this.#kills} kills survived, ${this.#messages} messages each stored once`,
      ...this.#lines,
    ].join('\n');
  }
}
