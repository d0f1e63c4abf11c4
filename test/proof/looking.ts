/** A mailbox under trial, and what is seen of it: on its server, in the store and among the events. */
import { type Seen, storedEvents, unfinished, violations } from '../real/endsLedger.ts';
import type { Ground } from './ground.ts';
import type { Pace } from './pace.ts';
import type { Tally } from './tally.ts';

export interface Trial {
  readonly ground: Ground;
  readonly pace: Pace;
  /** Of the mailbox and its user alike. */
  readonly user: string;
  /** A user whose mailbox nobody fetches. */
  readonly twin: string;
  readonly tally: Tally;
  /** All mail that was ever there. */
  readonly oracle: Map<string, Buffer>;
  /** Objects that were read and found right; they are read again in the end. */
  known: Seen['objects'];
  /** Whether so many were killed that no further step is begun. */
  readonly enough: () => boolean;
  /** What happened so far, for whoever must find out why it went wrong. */
  readonly story: string[];
}

/** What only grows is read last, so that another run's work in between breaks no promise. */
export async function look({ ground: { near, far }, user, known }: Trial): Promise<Seen> {
  // QUIRK: a file that gets another flag, and so another name, while its folder is read may not be seen.
  const left = new Set([...(await near.list(user)), ...(await near.list(user))]);
  const events = await far.events(user);
  return { left, events, objects: await far.objects(user, known) };
}

/** Rejects with every promise that is broken. */
export async function checked(trial: Trial): Promise<Seen> {
  const seen = await look(trial);
  const kept = trial.ground.row.policy === 'keep' ? [...trial.oracle.keys()] : [];
  const deleted = kept.filter((uidl) => !seen.left.has(uidl));
  const wrong = [
    ...violations(trial.oracle, seen),
    ...deleted.map((uidl) => `${uidl} is gone from a server that keeps all`),
  ];
  if (wrong.length > 0) throw new Error(wrong.join('\n'));
  trial.known = seen.objects;
  return seen;
}

/** How many messages a run has to store or to delete. */
export function toDo({ ground, oracle }: Trial, { left, events }: Seen): number {
  const announced = new Set(storedEvents(events).map(({ uidl }) => uidl));
  return ground.row.policy === 'keep' ? oracle.size - announced.size : left.size;
}

/** What runs that nobody disturbs still have to do. */
export function undone({ ground, oracle }: Trial, seen: Seen): readonly string[] {
  const left = ground.row.policy === 'keep' ? [] : [...seen.left];
  return [...unfinished(oracle, seen), ...left.map((uidl) => `${uidl} is left`)];
}
