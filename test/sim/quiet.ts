/** When a mailbox counts as quiet (L2, L3): how soon it must be, and what a run that has nothing to do may do. */
import type { RunReport } from '../../lib/fetch/report.ts';
import type { Counts } from './ledger.ts';
import { undecidedIn } from './liveness.ts';
import type { Message } from './messages.ts';
import { isOver } from './policyOracle.ts';
import type { Stage } from './runs.ts';

/** Runs after which there must be nothing to do, and how many more each message may cost that cannot be had. */
const QUIET_RUNS = 14;
const RUNS_EACH_POISON = 5;

export function mostQuietRuns({ maildrop, world }: Stage): number {
  const costs = (message: Message) =>
    message.poison !== 'none' || message.truth === null || isOver(message, world.ledger);
  const poisoned = maildrop.all.filter(costs).length;
  // One that moves has another number, and is another to its attempts.
  const moves = maildrop.manners.uidls === 'numbers' ? maildrop.all.length : 1;
  return QUIET_RUNS + poisoned * RUNS_EACH_POISON * moves;
}

/** It stored, announced and removed nothing, and retrieved and deleted nothing unless there is mail that stays. */
export function wasQuiet(stage: Stage, before: Counts, report: RunReport | null): boolean {
  const { counts } = stage.world.ledger;
  if (report === null) return false;
  const isSaid = counts.puts !== before.puts || counts.events !== before.events;
  if (isSaid && !takesTurns(stage)) return false;
  // With LOGIN-DELAY a run may end with more to delete than one session takes.
  if (counts.removed !== before.removed) return false;
  const undecided = undecidedIn(stage);
  const { outcome, counts: told } = report;
  // Attempts are counted at mail whose event is refused, and nothing is put or retrieved for it.
  if (told.failed > undecided) return false;
  const flickers = hasTwoSizes(stage);
  const mailStays = undecided > 0 || flickers || staysThoughItShouldGo(stage) || isAskedAgain(stage);
  if (!mailStays && (counts.retrs !== before.retrs || counts.deles !== before.deles)) return false;
  if (told.notReached > 0 && !flickers) return false;
  // Where all that it asks for is refused, the mailbox fails.
  if (outcome === 'failed') return undecided > 0 && told.listed > 0;
  return outcome === 'done' || (outcome === 'more' && mailStays);
}

/** Then each run asks for it again, and may have to retrieve it to prove what it is. */
function staysThoughItShouldGo(stage: Stage): boolean {
  const { circumstances, world } = stage;
  const { completeHonours, deletes, durable } = circumstances;
  if (!deletes) return false;
  return !completeHonours || !durable || world.ledger.consumed.size > 0;
}

/**
 * Without UIDL nothing but RETR tells what it is whose headers do not; and deletes that are ignored show only by UIDLs
 * that last.
 */
function isAskedAgain({ maildrop, circumstances }: Stage): boolean {
  const { uidls, top, deletes } = maildrop.manners;
  const there = maildrop.present.filter(({ hidden }) => !hidden);
  if (uidls === 'none') return there.some(({ identified }) => top === 'refused' || !identified);
  return uidls === 'numbers' && deletes === 'ignored' && circumstances.deletes && there.length > 0;
}

/** Where the store keeps to no condition, mails of one UIDL are put in each other's place, each time that one is looked for. */
function takesTurns({ world: { ledger }, maildrop }: Stage): boolean {
  return maildrop.present.some(({ uidl }) => ledger.isContested(ledger.stemOf(uidl)));
}

/** The very same mail twice under one UIDL, announced in two sizes: its one record has the size that came last. */
function hasTwoSizes({ maildrop }: Stage): boolean {
  const listed = maildrop.present.filter(({ hidden }) => !hidden);
  return listed.some(({ uidl, sha256, listSize }) =>
    listed.some((other) => other.uidl === uidl && other.sha256 === sha256 && other.listSize !== listSize),
  );
}
