/** Intents and failures at each commit: nobody judges what another run is still at, and no innocent is set aside. */
import { type Failure, type Head, refKey, sameRef } from '../../lib/mailbox/state.ts';
import type { Ledger } from './ledger.ts';
import type { Message } from './messages.ts';
import { isInherited, isTakenFor } from './sharing.ts';

/** Before its deadline an intent is its own run's to strike. */
export function checkIntents(before: Head, head: Head, ledger: Ledger): void {
  const { writer } = ledger;
  if (writer === null || ledger.clocksJumped) return;
  for (const intent of before.intents) {
    if (intent.run === writer.run || intent.untilMs <= writer.nowMs()) continue;
    if (head.intents.some((kept) => kept.run === intent.run && sameRef(kept, intent))) continue;
    ledger.fail('I16 intent', `of ${intent.uidl} was struck by another run, ${writer.run}, before its time`);
  }
}

export function checkFailures(before: Head | null, head: Head, ledger: Ledger): void {
  const risen = head.failures.filter((failure) => {
    const known = before?.failures.find((other) => sameRef(other, failure));
    return failure.attempts > (known?.attempts ?? 0);
  });
  for (const failure of risen) if (before !== null) checkCounted(failure, before, ledger);
  const [one, another] = risen;
  if (one && !another && one.lastRun !== null) {
    ledger.counted.set(one.lastRun, { uidl: one.uidl, listSize: one.size });
    // Its accident came before the count was written.
    if (ledger.writer?.disturbed) ledger.excuse({ uidl: one.uidl, listSize: one.size }, ledger.writer.name);
  }
  for (const failure of head.failures) if (failure.setAsideMs !== null) checkAside(failure, ledger);
}

/** An attempt does not count while another run has the message in hand. */
function checkCounted(failure: Failure, before: Head, ledger: Ledger): void {
  const { writer } = ledger;
  if (writer === null || writer.run !== failure.lastRun || ledger.clocksJumped) return;
  const living = before.intents.some(
    (intent) => sameRef(intent, failure) && intent.run !== writer.run && intent.untilMs > writer.nowMs(),
  );
  if (living) ledger.fail('I14 innocent', `an attempt at ${failure.uidl} counts while another run is at it`);
}

/** Poison is set aside, and what accidents were taken for; nothing else. */
function checkAside(failure: Failure, ledger: Ledger): void {
  const name = `${failure.setAsideMs} ${refKey(failure)}`;
  if (ledger.aside.has(name)) return;
  ledger.aside.add(name);
  ledger.counts.setAside += 1;
  const meant = [...offered(failure, ledger)];
  if (meant.length === 0 || meant.some((message) => mayBeSetAside(message, ledger))) return;
  ledger.counts.wronglySetAside += 1;
  const numbers = meant.map(({ number }) => number).join(', ');
  ledger.fail('I14 innocent', `message ${numbers} (${failure.uidl}) was set aside: ${failure.message}`);
}

/** Where TOP shows other headers than RETR, an object tells not whose it is, and its twins are tried with it by turns. */
function* offered(failure: Failure, ledger: Ledger): Generator<Message> {
  for (const message of ledger.offered.get(failure.uidl) ?? [])
    if (isMeant(failure, message) || isUnclear(failure, message)) yield message;
}

function isUnclear({ uidl, size }: Failure, { topHash, headerHash, listSize }: Message): boolean {
  return topHash !== headerHash && (uidl !== '' || size === listSize);
}

function isMeant({ uidl, size, headerHash }: Failure, message: Message): boolean {
  if (uidl === '' && size !== message.listSize) return false;
  return headerHash === null || headerHash === message.headerHash || headerHash === message.topHash;
}

export function mayBeSetAside(message: Message, ledger: Ledger): boolean {
  if (message.poison !== 'none' || message.truth === null) return true;
  if (isInherited(ledger, message) || isTakenFor(ledger, message)) return true;
  return (ledger.excuses.get(message.number)?.size ?? 0) >= ledger.terms.attempts;
}
