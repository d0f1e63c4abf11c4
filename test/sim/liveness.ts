/**
 * What must hold once nothing fails any more: every message has arrived (L1), each run gets on (L2, by a bound on
 * their number), and a mailbox with nothing to do is left in peace (L3).
 *
 * Excluded by name, each for what the design says of it:
 *   consumed     a consumer removed the object after it was announced: it is not stored anew, and the mail stays
 *   overwritten  the store ignores the condition of Complete, is known for it, and nothing was deleted on its word; and
 *                whatever was put in its place, by attempts that take turns at the one key
 *   taken away   by another client, or hidden by the provider: what was not stored by then cannot be
 *   alike        it took over a UIDL together with the very LIST size (or none) of a message on record, and is not
 *                to be deleted, or that one is not: then the record is believed, since nothing that TOP or RETR says is asked for
 *   succeeded    it was taken away, another took over its UIDL and LIST size and was settled, and then its own late
 *                write landed: nobody watches for it any more
 *   inherited    it took over UIDL and LIST size of mail that was taken away once it was stored, and whose announcing
 *                ends each process or is refused: what that one left behind leads to it, and it is set aside with it
 *   indistinct   on a server without TOP it shares UIDL and size with mail that nobody can fetch, that comes short and
 *                is kept, or whose object a consumer removed: what holds for that holds for it; where there is TOP, it
 *                shares UIDL, size and header with mail that nobody can fetch: they are one attempt, and the line
 *                which that breaks takes the DELE of this with it
 *   undecided    its RETR is refused, and the server has no other mail that would tell whose trouble that is: what is
 *                set aside is not asked for until its day has come, and indistinct mail is tried as one
 *   left alone   it was there before the start, or has UIDL and size of what was: it is not asked for, and stays
 *   too large    it is over the size limit, by LIST or in truth: it stays, and where LIST says so a person was told
 */
import type { Head, MessageRef } from '../../lib/mailbox/state.ts';
import { isAside, isBlind } from './aside.ts';
import { mayBeSetAside } from './intentOracle.ts';
import type { Ledger } from './ledger.ts';
import type { Message } from './messages.ts';
import { checkTold, isLeftAlone, isListedOver, isOver } from './policyOracle.ts';
import type { Stage } from './runs.ts';
import { isInherited, isUnsayable, sharers } from './sharing.ts';

export function checkArrivals(stage: Stage, head: Head): void {
  const { ledger } = stage.world;
  checkRemovals(ledger);
  for (const key of unannounced(stage)) ledger.fail('I8 announced', `${key} never was`);
  for (const message of stage.maildrop.present) {
    if (message.hidden) continue;
    const { uidl } = message;
    if (isLeftAlone(stage, message)) continue;
    if (isAlike(stage, message) || isInherited(ledger, message) || isIndistinct(stage, message, uidl))
      continue;
    if (isOver(message, ledger)) checkTold(message, ledger);
    else checkArrived(stage, message, head);
  }
  const open = head.intents;
  if (open.length > 0 && ledger.consumed.size === 0) checkIntents(ledger, open);
}

function checkRemovals(ledger: Ledger): void {
  for (const { message, uidl } of ledger.removals) {
    const pair = ledger.pairOf(uidl, message.sha256);
    if (ledger.isConsumed(pair)) continue;
    if (message.truth !== null && ledger.heldOf(pair)?.body.equals(message.truth)) continue;
    ledger.counts.lost += 1;
    ledger.fail('I1 removal', `message ${message.number} (${uidl}) is lost`);
  }
}

/** Keys of objects that should have been announced by the time that each slow retry has had its turn. */
export function unannounced(stage: Stage): readonly string[] {
  const objects = [...stage.world.ledger.objects];
  return objects.filter(([pair]) => isUnannounced(stage, pair)).map(([, key]) => key);
}

function isUnannounced(stage: Stage, pair: string): boolean {
  const { ledger } = stage.world;
  const [stem = '', sha256 = ''] = pair.split(' ');
  const message = ledger.truths.get(stem)?.get(sha256);
  if (ledger.isAnnounced(pair) || (message && isUnsayable(message))) return false;
  if (ledger.isContested(stem)) return false;
  const uidl = ledger.uidlOf(stem);
  return !(
    message &&
    uidl !== undefined &&
    (isIndistinct(stage, message, uidl) || isSucceeded(stage, message, uidl))
  );
}

function checkArrived(stage: Stage, message: Message, head: Head) {
  const { ledger } = stage.world;
  const pairs = pairsOf(stage, message);
  const named = `message ${message.number} (${message.uidl})`;
  if (message.poison === 'refused' && !othersCome(stage, message)) return;
  if (isHopeless(message)) {
    const told = head.failures.some(({ uidl, setAsideMs }) => uidl === message.uidl && setAsideMs !== null);
    // Another with its UIDL and its very bytes stands for it.
    const came = pairs.some((pair) => ledger.isStored(pair) && ledger.isAnnounced(pair));
    if (!told && !came) ledger.fail('L1 arrives', `${named} cannot be had, and is not set aside`);
    return;
  }
  if (!pairs.some((pair) => ledger.isStored(pair) || ledger.isOverwritten(pair)))
    return ledger.fail('L1 arrives', `${named} was never stored`);
  if (!pairs.some((pair) => ledger.isAnnounced(pair) || ledger.isContested(pair)))
    return ledger.fail('L1 arrives', `${named} was never announced`);
  if (mustGo(stage, message)) ledger.fail('L1 removal', `${named} is stored, and still on the server`);
}

/** As what it may be stored: where UIDLs are numbers, it is the same mail whatever its number was then. */
function pairsOf({ maildrop, world: { ledger } }: Stage, message: Message): readonly string[] {
  if (maildrop.manners.uidls === 'numbers') return ledger.pairsOf(message);
  return [ledger.pairOf(message.uidl, message.sha256)];
}

/** Whether any is still listed that is to be deleted on its day, or of which nothing but its content tells that it should be. */
export function waitsForItsDay(stage: Stage): boolean {
  const { maildrop, world } = stage;
  if (world.ledger.policies.days === 0 && maildrop.manners.uidls !== 'none') return false;
  return maildrop.present.some(
    (message) => !message.hidden && isWanted(stage, message) && mustGo(stage, message),
  );
}

/** Neither left alone since the start nor too large. */
function isWanted(stage: Stage, message: Message): boolean {
  return !isLeftAlone(stage, message) && !isOver(message, stage.world.ledger);
}

/**
 * What is refused is never known to be larger than LIST says; and what was begun of one that bears its UIDL and has its
 * size may be of this one.
 */
function mayBeAsked(stage: Stage, message: Message): boolean {
  const { ledger } = stage.world;
  const others = sharers(ledger, message, message.uidl);
  const isBegun = others.some(({ uidl, sha256 }) => ledger.isStored(ledger.pairOf(uidl, sha256)));
  // Of several alike of which some were left alone, nothing tells which.
  const isUnclear = ledger.ambiguous.has(message.uidl);
  return isBegun || isUnclear || !(isLeftAlone(stage, message) || isListedOver(message, ledger));
}

/** A refused RETR is the message's own trouble only where the server delivers another, known by its size. */
function othersCome(stage: Stage, refused: Message): boolean {
  return stage.maildrop.present.some(
    (other) =>
      !other.hidden &&
      other.listSize !== null &&
      !isHopeless(other) &&
      !isMarked(stage, other) &&
      isWanted(stage, other) &&
      !isAside(stage, other) &&
      !isOneWith(stage, refused, other),
  );
}

/** See "undecided" above: how many of those listed fail at each run. */
export function undecidedIn(stage: Stage): number {
  const listed = stage.maildrop.present.filter(({ hidden }) => !hidden);
  const refused = listed.filter(
    (message) =>
      message.poison === 'refused' &&
      mayBeAsked(stage, message) &&
      !isAside(stage, message) &&
      !othersCome(stage, message),
  );
  return listed.filter((message) => refused.some((one) => one === message || isOneWith(stage, one, message)))
    .length;
}

/** One that ignores DELE has all that should be gone marked as deleted by the time that anything is asked for. */
function isMarked(stage: Stage, message: Message): boolean {
  const { maildrop, world } = stage;
  const { ledger } = world;
  if (maildrop.manners.deletes !== 'ignored' || !isDeletable(message, ledger)) return false;
  return ledger.recorded.has(ledger.pairOf(message.uidl, message.sha256)) && !isAside(stage, message);
}

/** No attempt can bring it in whole and announced. */
function isHopeless({ truth, poison }: Message): boolean {
  return truth === null || (poison !== 'none' && poison !== 'summary');
}

/** Whether it should have been deleted by now. */
function mustGo(stage: Stage, message: Message): boolean {
  const { ledger } = stage.world;
  if (stage.maildrop.manners.deletes === 'ignored' || mayBeSetAside(message, ledger)) return false;
  return isDeletable(message, ledger);
}

/** Whether DELE is to be asked for, unless it was set aside. */
function isDeletable(message: Message, ledger: Ledger): boolean {
  const { terms } = ledger;
  const { truth, listSize, losesDots, uidl, sha256 } = message;
  if (!terms.deletes || !terms.durable || !terms.storeTrusted) return false;
  if (truth === null || listSize === null || truth.length < listSize || losesDots) return false;
  const pair = ledger.pairOf(uidl, sha256);
  return !ledger.isConsumed(pair) && !ledger.isOverwritten(pair);
}

/** See "alike" above. */
function isAlike(stage: Stage, message: Message): boolean {
  const { ledger } = stage.world;
  const removable = mustGo(stage, message);
  for (const other of ledger.offered.get(message.uidl) ?? []) {
    if (other === message || other.sha256 === message.sha256) continue;
    const sameSize = other.listSize === message.listSize || other.listSize === null;
    if (sameSize && isBelieved(stage, message, other) && (!removable || comesShort(other))) return true;
  }
  return false;
}

/** Whether a record of the other is taken for one of this: where UIDLs are no names, headers must agree that tell. */
function isBelieved({ maildrop }: Stage, message: Message, other: Message): boolean {
  const { uidls, top } = maildrop.manners;
  const isAlike = other.topHash === message.topHash || other.headerHash === message.headerHash;
  if (uidls === 'none') return isAlike && message.identified && comesShort(other);
  return uidls === 'lasting' || top === 'refused' || isAlike;
}

/** See "indistinct" above; `uidl`: the one that it bore then. */
function isIndistinct(stage: Stage, message: Message, uidl: string): boolean {
  const { ledger } = stage.world;
  const others = sharers(ledger, message, uidl);
  if (!isBlind(stage, others))
    return others.some((other) => other.headerHash === message.headerHash && mayBeSetAside(other, ledger));
  return others.some(
    (other) =>
      mayBeSetAside(other, ledger) ||
      comesShort(other) ||
      ledger.isConsumed(ledger.pairOf(uidl, other.sha256)),
  );
}

/** Whether nothing tells these two apart. */
function isOneWith(stage: Stage, message: Message, other: Message): boolean {
  const others = sharers(stage.world.ledger, message, message.uidl);
  return other.uidl === message.uidl && others.includes(other) && isBlind(stage, others);
}

/** See "succeeded" above. */
function isSucceeded({ world }: Stage, message: Message, uidl: string): boolean {
  return message.gone === 'by others' && sharers(world.ledger, message, uidl).length > 0;
}

function comesShort({ truth, listSize, losesDots }: Message): boolean {
  return truth !== null && (listSize === null || truth.length < listSize || losesDots);
}

function checkIntents(ledger: Ledger, open: Head['intents']): void {
  for (const intent of open) {
    const { uidl } = intent;
    if (mustSettle(ledger, intent)) ledger.fail('L2 settled', `an intent for ${uidl} stays open`);
  }
}

/** Not where the store let mails of its UIDL be put in each other's place: which of them is there changes at each attempt. */
function mustSettle(ledger: Ledger, { uidl, size }: MessageRef): boolean {
  const bearing = [...(ledger.offered.get(uidl) ?? [])];
  const offered = uidl === '' ? bearing.filter(({ listSize }) => listSize === size) : bearing;
  if (ledger.isContested(ledger.stemOf(uidl))) return false;
  // Without UIDL one over the limit is asked for once a day, by what it has in common with others.
  const comesBack = (message: Message) => uidl === '' && isOver(message, ledger);
  return !offered.some(
    (message) => message.hidden || message.gone !== 'no' || isHopeless(message) || comesBack(message),
  );
}

/** Whether what is set aside has not come to its end, though a slow retry may bring it there. */
export function waitsForSlowRetry(stage: Stage, { failures, intents }: Head): boolean {
  const { maildrop, world } = stage;
  const aside = new Set(failures.filter(({ setAsideMs }) => setAsideMs !== null).map(({ uidl }) => uidl));
  if (unannounced(stage).length > 0) return true;
  if (intents.some((intent) => aside.has(intent.uidl) && mustSettle(world.ledger, intent))) return true;
  return maildrop.present.some(
    (message) =>
      aside.has(message.uidl) &&
      !(message.hidden || isHopeless(message)) &&
      isWanted(stage, message) &&
      !pairsOf(stage, message).some((pair) => world.ledger.isStored(pair)),
  );
}
