/**
 * Of a mailbox that fails: who must not come yet (I16), and what a person is told, by no more than the committed state
 * says and under one id (I17). At the end nothing is left unsaid (L4).
 */
import type { MailferryEvent } from '../../lib/events/shapes.ts';
import type { Head } from '../../lib/mailbox/state.ts';
import type { Ledger } from './ledger.ts';
import type { SimulatedProcess } from './process.ts';

/** Since when the committed state has kept scheduled runs away, and until when. */
export interface Closed {
  readonly sinceMs: number;
  readonly untilMs: number;
}

/** What the state said of it before a run began, that run must keep to. */
export function atSignIn({ visit, nowMs }: Visitor, ledger: Ledger): void {
  if (visit === null || !visit.honoursBackOff || ledger.clocksJumped) return;
  const reasons = visit.suspects === 'only' ? [ledger.backedOff] : [ledger.backedOff, ledger.delayed];
  for (const closed of reasons) {
    if (closed !== null && closed.sinceMs < visit.beganMs && nowMs < closed.untilMs)
      ledger.fail('I16 waits', `signed in ${Math.round(closed.untilMs - nowMs)} ms too early`);
  }
}

interface Visitor {
  readonly visit: SimulatedProcess['visit'];
  readonly nowMs: number;
}

export function checkNews(before: Head | null, head: Head, ledger: Ledger): void {
  const { backOff, recovered, signedIn } = head;
  const delayedUntilMs = signedIn && signedIn.atMs + signedIn.delayMs;
  ledger.backedOff = closed(ledger.backedOff, backOff?.untilMs, ledger);
  ledger.delayed = closed(ledger.delayed, delayedUntilMs, ledger);
  if (backOff?.told !== undefined) ledger.news.due.add(`failing ${backOff.sinceMs}`);
  if (recovered !== undefined) ledger.news.due.add(`recovered ${recovered.sinceMs}`);
  if (backOff?.told === 'accepted') mustBeSaid(`failing ${backOff.sinceMs}`, ledger);
  const fails = before?.backOff?.told !== undefined;
  if (fails && backOff === null && recovered === undefined)
    ledger.fail('I17 news', 'the mailbox works again, and the state leaves nothing to say of it');
  const struck = before?.recovered;
  // A recovery that comes before the one before it was told of takes its place.
  if (struck !== undefined && recovered === undefined) mustBeSaid(`recovered ${struck.sinceMs}`, ledger);
}

function closed(known: Closed | null, untilMs: number | undefined, ledger: Ledger): Closed | null {
  if (untilMs === undefined) return null;
  return known?.untilMs === untilMs ? known : { sinceMs: ledger.nowMs(), untilMs };
}

function mustBeSaid(what: string, ledger: Ledger): void {
  if (!ledger.news.said.has(what)) ledger.fail('I17 news', `${what} counts as said, and was not accepted`);
}

export function atNews({ detailType, detail }: MailferryEvent, ledger: Ledger): void {
  if (detailType !== 'Mailbox Failing' && detailType !== 'Mailbox Recovered') return;
  const what = `${detailType === 'Mailbox Failing' ? 'failing' : 'recovered'} ${Date.parse(detail.since)}`;
  if (!ledger.news.due.has(what)) ledger.fail('I17 news', `${what} was said before the state said so`);
  const known = ledger.news.said.get(what) ?? detail.id;
  if (known !== detail.id) ledger.fail('I17 news', `${what} under two ids`);
  ledger.news.said.set(what, detail.id);
  ledger.counts.news += 1;
}

export function checkNothingUnsaid({ backOff, recovered }: Head, ledger: Ledger): void {
  if (recovered !== undefined) ledger.fail('L4 news', 'nobody was told that the mailbox works again');
  if (backOff?.told === 'due') ledger.fail('L4 news', 'nobody was told that the mailbox fails');
}
