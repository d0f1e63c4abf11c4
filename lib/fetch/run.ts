/** One run over one mailbox, step by step: sign in, plan, transfer, announce, commit and delete, QUIT. */

import { afterFailure, afterSignIn, afterSuccess } from '../mailbox/backOff.ts';
import type { Mailbox } from '../mailbox/settings.ts';
import { type Head, type Quiet, refKey } from '../mailbox/state.ts';
import { StateFile } from '../mailbox/stateFile.ts';
import { isIgnored } from '../mailbox/unheeded.ts';
import { Pop3Error } from '../pop3/errors.ts';
import { advised } from './advised.ts';
import { closeBooks, sweepRecords, withoutVanished } from './books.ts';
import { asItLasts, isOfSecret, mailboxFailure } from './coming.ts';
import { Deadline } from './deadline.ts';
import { decisions } from './decisions.ts';
import { announceRun, classify, classifyQuiet, type Ending, NOTHING, reportOf } from './ending.ts';
import { evidenceOf } from './evidence.ts';
import { sampleOf, unheededTrouble, withDeletes } from './heeding.ts';
import { refusedAll } from './judging.ts';
import { hasNews, tellNews } from './news.ts';
import { askLast, believed, digestOf } from './numbered.ts';
import type { FetchPorts } from './ports.ts';
import { ProgressMeter } from './progressMeter.ts';
import { afterTurnedAway, ifTurnedAway, mayReopen, type Verdict } from './reopening.ts';
import type { Progress, RunReport, Trouble } from './report.ts';
import { contextOf, type RunBegin, type RunContext, Tally } from './runContext.ts';
import { secretMark } from './secretMark.ts';
import { openSession, type Session, warningsOf } from './session.ts';
import { work } from './sessions.ts';
import { fetchSingly } from './singly.ts';
import { standingOf } from './standing.ts';
import { nextDueMs } from './suspects.ts';
import { isOfTheLine, RunEnded, troubleOf } from './trouble.ts';
import { mustWait } from './waiting.ts';
import { noteCapaLost } from './withoutCapa.ts';

export interface RunOptions {
  /** Epoch milliseconds at which the run must have ended. */
  readonly deadlineMs: number;
  /** 'after': suspects are tried alone, after everything else. 'only': nothing else is done. 'never': left. */
  readonly suspects: 'after' | 'only' | 'never';
  /** Whether a mailbox that is backed off is left alone. A person at a terminal does not wait. */
  readonly honourBackOff: boolean;
  /** Ends the run early and in order: what is stored is announced, committed and, where due, deleted. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
}

/** An idle mailbox's last success is written down this often, and otherwise nothing. */
const SUCCESS_NOTED_MS = 4 * 3_600_000;

/** Part of the run's time that the connection may not use, so that a hanging QUIT leaves room to end. */
const CONNECTION_MARGIN_SHARE = 50;

/** One run over one mailbox. Never rejects: what went wrong is in the report. */
export async function runMailbox(
  mailbox: Mailbox,
  ports: FetchPorts,
  options: RunOptions,
): Promise<RunReport> {
  const { clock } = ports;
  const startedAtMs = clock.now();
  const run = clock.nonce();
  const tally = new Tally();
  for (const warning of warningsOf(mailbox)) tally.note(warning);
  const deadline = new Deadline(clock, options.deadlineMs, options.signal);
  const over = new AbortController();
  const progress = new ProgressMeter(mailbox.id, options.onProgress);
  const begin = { mailbox, ports, run, deadline, tally, progress };
  const ending = await inTime(begin, perform(begin, options, over.signal)).catch(
    (error: unknown): Ending => ({ outcome: 'failed', counts: NOTHING, error: troubleOf(error, mailbox.id) }),
  );
  deadline.end();
  over.abort();
  const report = reportOf({ mailbox: mailbox.id, run, tally, startedAtMs, endedAtMs: clock.now() }, ending);
  await announceRun(ports, report, deadline.overMs);
  return report;
}

/** Whatever still waits when the time is up is left behind; its line is dropped, so it can delete nothing. */
async function inTime({ deadline }: RunBegin, work: Promise<Ending>): Promise<Ending> {
  let disarm = () => {};
  const late = new Promise<never>((_, reject) => {
    disarm = deadline.whenOver(() => reject(deadline.reason));
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    disarm();
  }
}

async function perform(begin: RunBegin, options: RunOptions, signal: AbortSignal): Promise<Ending> {
  const { mailbox, ports } = begin;
  const state = await StateFile.open(ports.store, mailbox.id, ports.clock);
  const ending = await attempt(begin, state, options, signal);
  return { ...ending, standing: standingOf(state.head, ending.counts, ports.clock.now()) };
}

async function attempt(
  begin: RunBegin,
  state: StateFile,
  options: RunOptions,
  signal: AbortSignal,
): Promise<Ending> {
  const { mailbox, ports } = begin;
  const waiting = options.honourBackOff ? await mustWait(begin, state.head, options) : null;
  const renewed = waiting === 'renewed';
  if (waiting !== null && !renewed) return { outcome: 'waiting', counts: NOTHING, error: null, waiting };
  const context = contextOf(begin, state);
  try {
    return await runSessions(context, options, signal);
  } catch (error) {
    // Asked to end while it waited for the server: nobody's failure.
    const ended = begin.deadline.aborted;
    const trouble = ended
      ? troubleOf(begin.deadline.reason, mailbox.id)
      : advised(error, mailbox, evidenceOf(error, ports.clock));
    const mark = ended ? undefined : await markOfRefused(begin, error, trouble);
    const failure = mailboxFailure(error, trouble, { ...begin, secretMark: mark, renewed });
    // A run may fail at its second sign-in, and each later one, too.
    const noted = deletesNoted(context);
    await closeBooks(context, (head) => noted(ended ? head : afterFailure(head, failure, ports.clock))).then(
      () => tellNews(context),
      () => {
        // The state cannot be written: the first reason is the one to tell, and the intents stay open.
      },
    );
    const counts = context.session ? classify(context, context.session).counts : NOTHING;
    if (ended) return { outcome: 'more', counts, error: trouble };
    return { outcome: 'failed', counts, error: asItLasts(trouble, state.head) };
  }
}

function deletesNoted(context: RunContext): (head: Head) => Head {
  const { session, tally } = context;
  return session && tally.sample.length > 0 ? withDeletes(context, session) : (head) => head;
}

/** It was read afresh by then. */
async function markOfRefused(
  { mailbox, ports }: RunBegin,
  error: unknown,
  trouble: Trouble,
): Promise<string | undefined> {
  if (!isOfSecret(error, trouble)) return undefined;
  return (await secretMark(mailbox, ports.secrets, false)) ?? undefined;
}

async function runSessions(context: RunContext, options: RunOptions, signal: AbortSignal): Promise<Ending> {
  let lineError: unknown;
  let session = await open(context, signal);
  for (;;) {
    if (options.suspects !== 'only' && (await isQuiet(context, session))) return endQuietly(context, session);
    const verdict = await work(context, session, options).catch((error: unknown): Verdict => {
      session.client.destroy(error instanceof Error ? error : new Error(String(error)));
      // The session is lost, and with it nothing that another session cannot do.
      if (!(isOfTheLine(error) || error instanceof RunEnded)) throw error;
      lineError = error;
      return 'again';
    });
    const ended = await endSession(context, session);
    const finished = verdict === 'finished' && ended === 'finished';
    if (!finished && mayReopen(context, session)) {
      const next = await open(context, signal).catch(ifTurnedAway);
      if (!(next instanceof Pop3Error)) {
        session = next;
        continue;
      }
      lineError = next;
    }
    const refusal = refusedAll(context);
    if (refusal) throw refusal;
    return finish(context, session, finished ? undefined : lineError);
  }
}

async function endQuietly(context: RunContext, session: Session): Promise<Ending> {
  const counts = classifyQuiet(context, session);
  await session.client.quit().catch(() => {
    // Nothing was retrieved and nothing deleted: how this session ended does not matter.
  });
  await noteSuccess(context, session);
  return { outcome: 'done', counts, error: null };
}

async function open(context: RunContext, signal: AbortSignal): Promise<Session> {
  const { deadline, tally, ports, progress } = context;
  progress.step('signing in');
  // Until there is a listing nothing can be lost by hanging up at once.
  const opening = new AbortController();
  const disarm = deadline.whenAborted(() => opening.abort());
  const session = await openSession(context.mailbox, ports, {
    deadlineMs: deadline.endMs - deadline.spanMs / CONNECTION_MARGIN_SHARE,
    signal: AbortSignal.any([signal, opening.signal]),
    state: context.state,
    onSignIn: (loginDelayMs) => {
      tally.signIns += 1;
      tally.loginDelayMs = loginDelayMs;
    },
    onOutOfStep: (error) => fetchSingly(context, error),
    onCapaLost: (error) => noteCapaLost(context, error),
  }).finally(disarm);
  for (const note of session.notes) tally.note(note);
  context.session = session;
  return session;
}

/** The listing has not changed since nothing was left to do, and nothing has fallen due. */
async function isQuiet(context: RunContext, session: Session): Promise<boolean> {
  const { quiet } = context.state.head;
  // Without UIDL another mail of the same size makes no difference to a listing.
  if (session.policy.nameless && session.listing.hasNameless) return false;
  if (isIgnored(session.unheeded) && session.policy.keptMs !== null) return false;
  if (quiet === null) return false;
  await askLast(context, session);
  if (quiet.digest !== digestOf(context, session)) return false;
  const dueMs = nextDueMs(context.state.head, session.listing.length);
  return dueMs === null || context.ports.clock.now() < dueMs;
}

async function noteSuccess(context: RunContext, session: Session): Promise<void> {
  const { state, ports } = context;
  const nowMs = ports.clock.now();
  await state.commit((head) => {
    const after = succeeded(head, session, nowMs);
    const fresh = nowMs - head.lastSuccessMs < SUCCESS_NOTED_MS;
    if (fresh && head.backOff === null && after.signedIn === undefined) return head;
    return { ...after, lastSuccessMs: nowMs, lastAttemptMs: nowMs };
  });
  if (hasNews(state.head)) await tellNews(context);
}

function succeeded(head: Head, { openedMs, loginDelayMs }: Session, nowMs: number): Head {
  return afterSignIn(afterSuccess(head, nowMs), openedMs, loginDelayMs);
}

/**
 * A clean QUIT only if nothing that was retrieved is unaccounted for: some providers hide mail on RETR and QUIT.
 * Otherwise the line is dropped; deletes that were asked for are then done by record in another session.
 */
async function endSession(context: RunContext, session: Session): Promise<Verdict> {
  const { tally, progress } = context;
  const asked = session.deleted.size > 0;
  if (session.client.closedBy !== null) return asked ? 'again' : 'finished';
  if (session.inDoubt.size > 0) {
    session.client.destroy(
      new Error('Dropped without QUIT: a message that was retrieved is not stored yet.'),
    );
    return asked ? 'again' : 'finished';
  }
  progress.step('ending the session');
  try {
    await session.client.quit();
  } catch (error) {
    if (!asked) return 'finished';
    tally.note(`QUIT was not answered well, so the next listing tells what was deleted: ${String(error)}`);
    // QUIRK: some say -ERR at each run, whether they have done it or not (RFC 1939 section 6).
    if (error instanceof Pop3Error && error.kind === 'refused') tally.sample = sampleOf(session);
    return 'finished';
  }
  if (!asked) return 'finished';
  tally.committed += session.deleted.size;
  tally.sample = sampleOf(session);
  for (const { row, ref } of decisions(context, session)) {
    if (session.deleted.has(row.index))
      tally.gone.set(refKey(ref), { ref, rows: (tally.gone.get(refKey(ref))?.rows ?? 0) + 1 });
  }
  return 'finished';
}

function quietOf(digest: string, skipped: number, dueMs: number | null): Quiet {
  return { digest, ...(dueMs === null ? {} : { dueMs }), ...(skipped === 0 ? {} : { skipped }) };
}

async function finish(context: RunContext, session: Session, lineError: unknown): Promise<Ending> {
  const { ports, deadline, mailbox, state } = context;
  const { counts, more, quiet, dueMs } = classify(context, session);
  const nowMs = ports.clock.now();
  const digest = quiet ? digestOf(context, session) : null;
  const ignored = unheededTrouble(mailbox.id, state.head.unheeded, session);
  const noted = withDeletes(context, session);
  const told = believed(context, session);
  const waiting = afterTurnedAway(lineError, session, nowMs);
  await closeBooks(context, (head) => ({
    ...waiting(succeeded(told(noted(withoutVanished(head, session, nowMs))), session, nowMs)),
    lastSuccessMs: nowMs,
    sweptMs: head.sweptMs ?? nowMs,
    quiet: digest === null ? null : quietOf(digest, counts.skipped, dueMs),
  }));
  await tellNews(context);
  await sweepRecords(context, session);
  const cause = deadline.aborted ? deadline.reason : more ? lineError : undefined;
  const error = cause === undefined ? ignored : troubleOf(cause, mailbox.id);
  return { outcome: more ? 'more' : 'done', counts, error };
}
