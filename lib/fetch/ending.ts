/** How a run ended, in counts that add up: every listed message is looked at once more and put into one class. */
import type { Publisher } from '../events/port.ts';
import { refKey } from '../mailbox/state.ts';
import { type Decided, decisions } from './decisions.ts';
import { type Action, refOf } from './plan.ts';
import type { FetchPorts } from './ports.ts';
import type { Counts, RunReport, Standing, Trouble, Waiting } from './report.ts';
import type { RunContext, Tally } from './runContext.ts';
import type { Session } from './session.ts';
import { within } from './within.ts';

export interface Ending {
  readonly outcome: RunReport['outcome'];
  readonly counts: Counts;
  readonly error: Trouble | null;
  readonly waiting?: Waiting;
  readonly standing?: Standing;
}

type Class = Exclude<keyof Counts, 'listed'>;

export const NOTHING: Counts = {
  listed: 0,
  stored: 0,
  alreadyStored: 0,
  skipped: 0,
  setAside: 0,
  failed: 0,
  notReached: 0,
};

export interface Classified {
  readonly counts: Counts;
  /** Another run goes on where this one stopped: with messages not reached, or deletes not asked for. */
  readonly more: boolean;
  /** Nothing is left to do for this listing, not even a delete to be asked for again. */
  readonly quiet: boolean;
  /** When the first of those that are kept for now is to be deleted, epoch milliseconds; null: none is. */
  readonly dueMs: number | null;
}

/** Messages of the last listing, and those that earlier sessions of the run deleted. */
export function classify(context: RunContext, session: Session): Classified {
  const counts = { ...NOTHING };
  const gone = new Map(context.tally.gone);
  let quiet = true;
  let undeleted = 0;
  let dueMs = session.known.nextDueMs;
  const add = (group: Class, rows = 1) => {
    counts[group] += rows;
    counts.listed += rows;
  };
  for (const decided of decisions(context, session)) {
    if (gone.size > 0) gone.delete(refKey(decided.ref));
    const isGone = session.deleted.has(decided.row.index);
    add(classOf(context, decided, isGone));
    if (decided.dueMs !== undefined) dueMs = Math.min(decided.dueMs, dueMs ?? decided.dueMs);
    if (SETTLED.has(decided.action) || isGone) continue;
    quiet = false;
    if (isStored(decided.action) && !context.kept.has(decided.ref)) undeleted += 1;
  }
  for (const { ref, rows } of gone.values())
    add(context.tally.stored.has(ref) ? 'stored' : 'alreadyStored', rows);
  return { counts, more: counts.notReached + undeleted > 0, quiet, dueMs };
}

/**
 * Of a listing that has not changed since nothing was left to do: only what is set aside or was skipped then is not
 * stored, and no record need be read to know it.
 */
export function classifyQuiet({ state }: RunContext, { listing }: Session): Counts {
  const counts = { ...NOTHING, skipped: state.head.quiet?.skipped ?? 0 };
  const aside = new Set(
    state.head.failures
      .filter(({ setAsideMs }) => setAsideMs !== null)
      .map((failure) => refKey({ ...failure, headerHash: null })),
  );
  for (const row of listing.rows()) {
    counts.listed += 1;
    if (row.uidl !== '' && aside.has(refKey(refOf(row, null)))) counts.setAside += 1;
  }
  return { ...counts, alreadyStored: counts.listed - counts.setAside - counts.skipped };
}

function isStored(action: Action): boolean {
  return action === 'keep' || action === 'delete' || action === 'prove';
}

/** `isGone`: it was deleted in this session, whatever another of its UIDL would have to be asked. */
function classOf(
  { tally, triedAlone, postponed }: RunContext,
  { action, ref }: Decided,
  isGone: boolean,
): Class {
  if (tally.stored.has(ref)) return 'stored';
  if (isGone) return 'alreadyStored';
  switch (action) {
    case 'set aside':
      return 'setAside';
    case 'skip':
    case 'too large':
      return 'skipped';
    case 'keep':
    case 'delete':
    case 'prove':
      return 'alreadyStored';
    default:
      if (tally.hasFailed(ref)) return 'failed';
      // Resolved; what is open still is another run's intent, which only that run's end may strike.
      return triedAlone.has(refKey(ref)) && !postponed.has(refKey(ref)) ? 'alreadyStored' : 'notReached';
  }
}

const SETTLED: ReadonlySet<Action> = new Set(['keep', 'set aside', 'skip', 'too large']);

interface Run {
  readonly mailbox: string;
  readonly run: string;
  readonly tally: Tally;
  readonly startedAtMs: number;
  readonly endedAtMs: number;
}

export function reportOf({ mailbox, run, tally, startedAtMs, endedAtMs }: Run, ending: Ending): RunReport {
  return {
    mailbox,
    run,
    outcome: ending.outcome,
    counts: ending.counts,
    deletions: { requested: tally.requested, committed: tally.committed },
    bytesStored: tally.bytesStored,
    signIns: tally.signIns,
    startedAtMs,
    durationMs: endedAtMs - startedAtMs,
    messages: tally.messages,
    notes: tally.notes,
    error: ending.error,
    ...(ending.waiting === undefined ? {} : { waiting: ending.waiting }),
    ...(ending.standing === undefined ? {} : { standing: ending.standing }),
  };
}

/** Of a run whose time is up: a bus answers in tens of milliseconds. */
const LAST_WORD_MS = 1_000;

/** Run Finished, where something happened. The run is over either way: what cannot be said in its time is not repeated. */
export async function announceRun(
  { publisher, clock }: Pick<FetchPorts, 'publisher' | 'clock'>,
  report: RunReport,
  untilMs: number,
): Promise<void> {
  await within(clock, Math.max(LAST_WORD_MS, untilMs - clock.now()), () => sayFinished(publisher, report));
}

async function sayFinished(publisher: Publisher, report: RunReport): Promise<void> {
  const { counts, deletions, outcome } = report;
  const happened = counts.stored + counts.failed + deletions.requested > 0;
  // That its time was up is no news of a run that did nothing.
  if (!happened && outcome !== 'failed' && report.error?.kind !== 'person') return;
  if (outcome === 'waiting') return;
  await publisher
    .publish([
      {
        detailType: 'Run Finished',
        detail: {
          v: 1,
          id: report.run,
          mailbox: report.mailbox,
          startedAt: new Date(report.startedAtMs).toISOString(),
          durationMs: report.durationMs,
          outcome,
          counts,
          deletions,
          bytesStored: report.bytesStored,
          error: report.error && {
            code: report.error.code,
            phase: report.error.phase,
            message: report.error.message,
          },
        },
      },
    ])
    .catch(() => {});
}
