/** Whether the server does what it says to DELE and QUIT: seen by the next listing, and told once it is certain. */
import type { Policy } from '../mailbox/policy.ts';
import type { Head } from '../mailbox/state.ts';
import {
  afterDeletes,
  isIgnored,
  pausedUntilMs,
  SAMPLED,
  type Sampled,
  type Unheeded,
  withUnheeded,
} from '../mailbox/unheeded.ts';
import type { Trouble } from './report.ts';
import type { RunContext } from './runContext.ts';
import type { Session } from './session.ts';

/** Some of what this session deleted. Rows without UIDL are no row's that a later listing has. */
export function sampleOf({ listing, deleted }: Pick<Session, 'listing' | 'deleted'>): readonly Sampled[] {
  const sample = new Map<string, Sampled>();
  // Once the first is deleted, the next one is the first.
  if (listing.isNumbered) return [];
  for (const index of deleted) {
    const { uidl, octets: size } = listing.row(index);
    if (uidl !== '') sample.set(uidl, { uidl, size, rows: listing.rowsOf({ uidl, size }) });
    if (sample.size === SAMPLED) break;
  }
  return [...sample.values()];
}

/** What this run's deletes were, for the next listing to be held against: whatever the run came to behind them. */
export function withDeletes(
  { state, tally, ports }: RunContext,
  { unheeded: held }: Session,
): (head: Head) => Head {
  const before = state.head.unheeded;
  const after = afterDeletes(held, { sample: tally.sample, nowMs: ports.clock.now() });
  return (head) => withUnheeded(head, { before, after });
}

/** While deletes have no effect, mail is fetched as if it were to be kept. */
export function heeded(policy: Policy, unheeded: Unheeded | undefined): Policy {
  return pausedUntilMs(unheeded, policy.nowMs) === null ? policy : { ...policy, keptMs: null };
}

const SAYS =
  'The server answers DELE with +OK, and lists the mail again all the same. Look at the mailbox’s settings at the provider (what POP3 deletes may do there), or set "delete: keep".';

export function unheededNotes(unheeded: Unheeded | undefined, nowMs: number): readonly string[] {
  const untilMs = pausedUntilMs(unheeded, nowMs);
  if (untilMs === null) return [];
  return [`${SAYS} Deletes are asked for again after ${new Date(untilMs).toISOString()}.`];
}

/** Of the run whose listing showed it, which is one a day; the others have the note. */
export function unheededTrouble(
  mailbox: string,
  before: Unheeded | undefined,
  { unheeded }: Session,
): Trouble | null {
  if (!isIgnored(unheeded) || unheeded.runs === before?.runs) return null;
  return {
    code: 'E_POP3_DELETES_IGNORED',
    phase: 'dele',
    message: `${mailbox}: ${SAYS} Seen after ${unheeded.runs} runs in a row.`,
    kind: 'person',
  };
}
