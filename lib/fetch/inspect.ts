/** Looking without touching: what a run would do. No RETR, no write. */
import { providerNotes } from '../mailbox/providerOf.ts';
import type { Mailbox } from '../mailbox/settings.ts';
import { StateFile } from '../mailbox/stateFile.ts';
import { advised } from './advised.ts';
import { Deadline } from './deadline.ts';
import { decisions, peek } from './decisions.ts';
import { topOf } from './deleting.ts';
import { evidenceOf } from './evidence.ts';
import { learnFence } from './fence.ts';
import { doubtNumbers } from './numbered.ts';
import type { Action, Decision } from './plan.ts';
import type { FetchPorts } from './ports.ts';
import { ProgressMeter } from './progressMeter.ts';
import type { Trouble } from './report.ts';
import { contextOf, type RunContext, Tally } from './runContext.ts';
import { openSession, warningsOf } from './session.ts';
import { refuseRenumbered, seedsToCome } from './start.ts';

export interface InspectOptions {
  /** Epoch milliseconds. */
  readonly deadlineMs: number;
  readonly signal?: AbortSignal;
}

export interface PlanRow {
  readonly number: number;
  readonly uidl: string;
  /** As announced; null where the server gives no number. */
  readonly octets: number | null;
  readonly action:
    | 'fetch'
    | 'try alone'
    | 'prove and delete'
    | 'delete'
    | 'keep'
    | 'set aside'
    | 'too large'
    | 'skip';
  readonly why: string;
}

export interface PlanReport {
  readonly mailbox: string;
  readonly rows: readonly PlanRow[];
  readonly counts: Readonly<Partial<Record<PlanRow['action'], number>>>;
  /** Announced octets of what would be fetched. */
  readonly octets: number;
  readonly notes: readonly string[];
  readonly error: Trouble | null;
}

const SHOWN_AS: Record<Action, PlanRow['action']> = {
  fetch: 'fetch',
  prove: 'prove and delete',
  alone: 'try alone',
  delete: 'delete',
  keep: 'keep',
  'set aside': 'set aside',
  'too large': 'too large',
  skip: 'skip',
  peek: 'fetch',
};

/** What a run would do now and why. Never rejects. */
export async function planMailbox(
  mailbox: Mailbox,
  ports: FetchPorts,
  options: InspectOptions,
): Promise<PlanReport> {
  const notes = [...providerNotes(mailbox.host), ...warningsOf(mailbox)];
  const nothing = { mailbox: mailbox.id, rows: [], counts: {}, octets: 0, notes };
  const deadline = new Deadline(ports.clock, options.deadlineMs, options.signal);
  const over = new AbortController();
  options.signal?.addEventListener('abort', () => over.abort(), { once: true });
  try {
    const context = await lookingContext(mailbox, ports, deadline);
    const session = await openSession(mailbox, ports, {
      deadlineMs: options.deadlineMs,
      signal: over.signal,
      state: context.state,
      onSignIn: () => {},
      onOutOfStep: async () => {},
      onCapaLost: async () => {},
    });
    await session.known.read();
    session.known.takeSeeds(seedsToCome(context, session));
    await refuseRenumbered(context, session);
    await learnFence(session);
    await doubtNumbers(context, session, async (row) => (await topOf(session, row))?.hash ?? null);
    await peek(context, session, (row) => topOf(session, row));
    const rows = [...decisions(context, session)].map(planRow);
    await session.client.quit().catch(() => {
      // Nothing was asked of the session that QUIT would commit.
    });
    return { ...nothing, rows, ...summed(rows), notes: [...notes, ...session.notes], error: null };
  } catch (error) {
    return { ...nothing, error: advised(error, mailbox, evidenceOf(error, ports.clock)) };
  } finally {
    deadline.end();
    over.abort();
  }
}

function planRow({
  row,
  action,
  why,
}: Decision & { row: { number: number; uidl: string; octets: number | null } }): PlanRow {
  return { number: row.number, uidl: row.uidl, octets: row.octets, action: SHOWN_AS[action], why };
}

function summed(rows: readonly PlanRow[]): Pick<PlanReport, 'counts' | 'octets'> {
  const counts: Partial<Record<PlanRow['action'], number>> = {};
  let octets = 0;
  for (const row of rows) {
    counts[row.action] = (counts[row.action] ?? 0) + 1;
    if (row.action === 'fetch') octets += row.octets ?? 0;
  }
  return { counts, octets };
}

async function lookingContext(mailbox: Mailbox, ports: FetchPorts, deadline: Deadline): Promise<RunContext> {
  const begin = {
    mailbox,
    ports,
    run: ports.clock.nonce(),
    deadline,
    tally: new Tally(),
    progress: new ProgressMeter(mailbox.id, undefined),
  };
  return contextOf(begin, await StateFile.open(ports.store, mailbox.id, ports.clock));
}
