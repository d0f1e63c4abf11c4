/** What was done and what came of it, in numbers that add up over mailboxes, rows and the whole. */
import { type Oracle, repeats, type Seen, sha256, storedEvents } from '../real/endsLedger.ts';
import { PHASES, type Phase } from './phases.ts';
import type { Victim } from './plan.ts';

export interface Tally {
  /** Done with. */
  mailboxes: number;
  /** Delivered. */
  messages: number;
  octets: number;
  /** Processes of ours, of the POP3 server's and of the store's that were killed. */
  kills: number;
  /** Of them, and of runs that were stopped and went on; by whom it struck. */
  victims: Record<Victim, number>;
  /** Of the zombies, those that went on after their run's deadline. */
  beyond: number;
  /** Where kills and stops fell. */
  phases: Record<Phase, number>;
  /** Kills of clients, by how many runs there were at once. */
  company: Record<1 | 2 | 3, number>;
  /** Instants at which the run was already over. */
  late: number;
  /** Runs that were started. */
  runs: number;
  events: number;
  /** Announcements beyond the first of each message; all have its id. */
  repeats: number;
  /** Gone from the server, and not stored or not announced. */
  lost: number;
  /** Objects beyond one of each message. */
  duplicates: number;
  /** Objects that are no message. */
  truncated: number;
  /** Temporary files that dead processes left. */
  leftovers: number;
}

export function emptyTally(): Tally {
  const phases = Object.fromEntries(Object.keys(PHASES).map((phase) => [phase, 0]));
  return {
    ...{ mailboxes: 0, messages: 0, octets: 0, kills: 0, beyond: 0, late: 0, runs: 0, events: 0, repeats: 0 },
    ...{ lost: 0, duplicates: 0, truncated: 0, leftovers: 0 },
    victims: { client: 0, zombie: 0, session: 0, server: 0, store: 0 },
    phases: phases as Record<Phase, number>,
    company: { 1: 0, 2: 0, 3: 0 },
  };
}

export function sumOf(tallies: readonly Tally[]): Tally {
  return tallies.reduce((sum, one) => added(sum, one), emptyTally());
}

function added<T extends object>(one: T, other: T): T {
  const fields = Object.entries(one).map(([name, value]) => {
    const more = (other as Record<string, unknown>)[name];
    return [name, typeof value === 'number' ? value + Number(more) : added(value, more as object)];
  });
  return Object.fromEntries(fields) as T;
}

/** Into `tally`, what a mailbox shows once it is done with. Each count is of what must never be seen but `repeats`. */
export function countSeen(tally: Tally, oracle: Oracle, { objects, events, left }: Seen): void {
  const contents = new Map([...oracle].map(([uidl, bytes]) => [uidl, sha256(bytes)]));
  const known = new Set(contents.values());
  const stored = [...objects.values()].map(sha256);
  const announced = new Set(storedEvents(events).map(({ uidl }) => uidl));
  const whole = stored.filter((hash) => known.has(hash));
  tally.mailboxes += 1;
  tally.events += storedEvents(events).length;
  tally.repeats += repeats(events);
  tally.truncated += stored.length - whole.length;
  tally.duplicates += whole.length - new Set(whole).size;
  tally.lost += [...contents].filter(
    ([uidl, hash]) => !left.has(uidl) && !(whole.includes(hash) && announced.has(uidl)),
  ).length;
}
