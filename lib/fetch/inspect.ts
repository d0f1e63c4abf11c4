/** Looking without touching: what a run would do, and whether a mailbox can be reached. No RETR, no write. */
import { loadHead } from '../mailbox/head.ts';
import { policyAt } from '../mailbox/policy.ts';
import { providerNotes } from '../mailbox/providerOf.ts';
import type { Mailbox } from '../mailbox/settings.ts';
import { recordCount } from '../mailbox/state.ts';
import { StateFile } from '../mailbox/stateFile.ts';
import type { Pop3Client } from '../pop3/client.ts';
import { advice } from './advice.ts';
import { advised } from './advised.ts';
import { Deadline } from './deadline.ts';
import { decisions, peek } from './decisions.ts';
import { topOf } from './deleting.ts';
import { learnFence } from './fence.ts';
import { mustTake } from './nameless.ts';
import type { Action, Decision } from './plan.ts';
import type { FetchPorts } from './ports.ts';
import { ProgressMeter } from './progressMeter.ts';
import { readListing } from './readListing.ts';
import type { Trouble } from './report.ts';
import { contextOf, type RunContext, Tally } from './runContext.ts';
import { greeted, openSession, warningsOf } from './session.ts';
import { credentialOf, credentialPlace, signIn } from './signIn.ts';
import { inWords, refuseRenumbered, seedsToCome } from './start.ts';
import { troubleOf } from './trouble.ts';

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
    await peek(context, session, (row) => topOf(session, row));
    const rows = [...decisions(context, session)].map(planRow);
    await session.client.quit().catch(() => {
      // Nothing was asked of the session that QUIT would commit.
    });
    return { ...nothing, rows, ...summed(rows), notes: [...notes, ...session.notes], error: null };
  } catch (error) {
    return { ...nothing, error: advised(troubleOf(error, mailbox.id), mailbox) };
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

export interface CheckStep {
  readonly name: 'secret' | 'connect' | 'capabilities' | 'sign-in' | 'list' | 'store';
  readonly ok: boolean;
  readonly ms: number;
  /** The server's words, escaped, or ours. */
  readonly says: string;
}

export interface CheckReport {
  readonly mailbox: string;
  readonly steps: readonly CheckStep[];
  readonly notes: readonly string[];
  readonly error: Trouble | null;
}

export interface CheckOptions extends InspectOptions {
  readonly onStep?: (step: CheckStep) => void;
}

/** Walks from the secret to the listing and the state, and stops at the first step that fails. Never rejects. */
export async function checkMailbox(
  mailbox: Mailbox,
  ports: FetchPorts,
  options: CheckOptions,
): Promise<CheckReport> {
  const steps: CheckStep[] = [];
  const over = new AbortController();
  options.signal?.addEventListener('abort', () => over.abort(), { once: true });
  const walk = stepper(ports, (step) => {
    steps.push(step);
    options.onStep?.(step);
  });
  let notes = warningsOf(mailbox);
  let error: Trouble | null = null;
  try {
    const { deadlineMs } = options;
    const found = await walkThrough(mailbox, ports, { deadlineMs, signal: over.signal }, walk);
    notes = [...notes, ...found];
  } catch (cause) {
    error = advised(troubleOf(cause, mailbox.id), mailbox);
  } finally {
    over.abort();
  }
  return { mailbox: mailbox.id, steps, notes: [...providerNotes(mailbox.host), ...notes], error };
}

type Walk = <T>(name: CheckStep['name'], act: () => Promise<T>, says: (value: T) => string) => Promise<T>;

function stepper({ clock }: FetchPorts, tell: (step: CheckStep) => void): Walk {
  return async (name, act, says) => {
    const begunMs = clock.now();
    try {
      const value = await act();
      tell({ name, ok: true, ms: clock.now() - begunMs, says: says(value) });
      return value;
    } catch (error) {
      const words = error instanceof Error ? error.message : String(error);
      tell({ name, ok: false, ms: clock.now() - begunMs, says: words });
      throw error;
    }
  };
}

async function walkThrough(
  mailbox: Mailbox,
  ports: FetchPorts,
  options: { readonly deadlineMs: number; readonly signal: AbortSignal },
  walk: Walk,
): Promise<readonly string[]> {
  const credential = await walk(
    'secret',
    // A token is had anew only where the last one was refused: each costs a request that providers count.
    () => credentialOf(mailbox, ports, mailbox.signIn.token === undefined),
    () => `found at ${credentialPlace(mailbox)}`,
  );
  const client = await walk(
    'connect',
    () => greeted(mailbox, ports, options),
    (opened: Pop3Client) => opened.greeting,
  );
  try {
    const before = await client.capa();
    await walk(
      'sign-in',
      () => signIn(client, mailbox, { credential, capabilities: before, nonce: ports.clock.nonce() }),
      () => `as ${mailbox.user}`,
    );
    const capabilities = await walk(
      'capabilities',
      () => client.capa(),
      ({ announced, lines }) => (announced ? lines.join(', ') : 'the server does not know CAPA'),
    );
    const { listing, notes } = await walk(
      'list',
      async () => {
        const listed = await readListing(client, { seed: 0, pipelining: false });
        if (listed.withoutUidl) mustTake(policyAt(mailbox, ports.clock.now()), listed.withoutUidl);
        return listed;
      },
      (read) => `${read.listing.length} messages`,
    );
    await walk(
      'store',
      () => loadHead(ports.store, mailbox.id),
      ({ version, head }) =>
        version === null
          ? `no state yet: the first run begins with ${inWords(mailbox.start)}`
          : `${recordCount(head)} messages on record`,
    );
    await client.quit();
    return [
      ...notes,
      ...advice({ mailbox, policy: policyAt(mailbox, ports.clock.now()) }, listing, capabilities),
    ];
  } finally {
    client.destroy(new Error('The check is over.'));
  }
}
