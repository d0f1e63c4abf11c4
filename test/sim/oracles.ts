/** The promises (I1 to I12, but for those of the state), each checked at the step that could break it, against the ledger alone. */
import type { MailferryEvent, MessageStored } from '../../lib/events/shapes.ts';
import type { Held, Watcher } from './bucket.ts';
import type { Ledger } from './ledger.ts';
import { atTooLarge, checkAsked, checkDay } from './policyOracle.ts';
import type { Slot } from './pop3Session.ts';
import type { SimulatedProcess } from './process.ts';
import { checkState, segmentRemoved } from './stateOracle.ts';
import { atNews } from './waitOracle.ts';

interface Asking {
  readonly process: SimulatedProcess;
  readonly slots: readonly Slot[];
  /** When it signed in. */
  readonly sinceMs: number;
}

/** A DELE reached the server: all that it must rest on is a fact already (a rogue server removes at once). */
export function atDele({ process, slots, sinceMs }: Asking, slot: Slot, ledger: Ledger) {
  const { message, uidl, announced } = slot;
  const { terms } = ledger;
  const fail = (oracle: string, words: string) => {
    ledger.counts.wronglyDeleted += 1;
    ledger.fail(oracle, `DELE of message ${message.number} (${uidl}): ${words}`);
  };
  ledger.counts.deles += 1;
  checkAsked('DELE', { slot, slots }, ledger);
  if (!terms.deletes) return fail('I1 removal', 'the policy keeps it');
  const octets = message.truth?.length;
  const pair = ledger.pairOf(uidl, message.sha256);
  if (octets === undefined || !ledger.isStored(pair, sinceMs))
    return fail('I1 removal', 'its bytes are not stored');
  if (!ledger.isAnnounced(pair)) return fail('I2 announced', 'no event of it was accepted');
  if (!process.proved || !terms.durable) return fail('I2 announced', 'the bus was not proved');
  if (!ledger.recorded.has(pair)) return fail('I6 record', 'no committed state says so');
  if (announced === null || octets < announced) return fail('I1 removal', `${octets} octets of ${announced}`);
  if (message.losesDots) return fail('I1 removal', 'dots of it are missing');
  if (!terms.storeTrusted) return fail('I1 removal', 'the store cannot be trusted with it');
  const early = checkDay(pair, ledger);
  if (early !== null) return fail('I1 removal', early);
  const repeated = slots.some((other) => other !== slot && other.uidl === uidl);
  // Without UIDL not even its header tells which it is.
  if (!slot.retrieved && (repeated || uidl === '' || !slot.topped))
    return fail('I10 binding', 'nothing in this session says that it is that message');
}

/** A clean QUIT: a provider may hide for ever what was retrieved. */
export function atQuit({ slots }: Asking, ledger: Ledger): void {
  for (const { message, uidl, retrieved } of slots) {
    if (retrieved && !ledger.recorded.has(ledger.pairOf(uidl, message.sha256)))
      ledger.fail(
        'I1 doubt',
        `QUIT while message ${message.number} (${uidl}) was retrieved and not on record`,
      );
  }
}

export function atAcceptance(event: MailferryEvent, ledger: Ledger): void {
  if (event.detailType === 'Message Set Aside') ledger.asideEvents += 1;
  if (event.detailType === 'Message Too Large') atTooLarge(event.detail, ledger);
  atNews(event, ledger);
  if (event.detailType !== 'Message Stored') return;
  ledger.counts.events += 1;
  checkEvent(event.detail, ledger);
  if (JSON.stringify(event).includes(ledger.terms.password)) ledger.fail('I11 secret', 'in an event');
}

function checkEvent({ id, uidl, sha256, size, key }: MessageStored, ledger: Ledger): void {
  const pair = ledger.pairOf(uidl, sha256);
  const held = ledger.bucket?.objects.get(key);
  const readable = held !== undefined && held.sha256 === sha256 && held.body.length === size;
  if (!readable && !ledger.consumed.has(pair) && !ledger.overwritten.has(pair))
    ledger.fail('I5 event', `of ${uidl} before its object can be read: ${key}`);
  ledger.accepted.set(pair, (ledger.accepted.get(pair) ?? 0) + 1);
  for (const [name, value] of [
    [id, pair],
    [pair, id],
  ] as const) {
    if ((ledger.ids.get(name) ?? value) !== value) ledger.fail('I9 event id', `${id} for ${pair}`);
    ledger.ids.set(name, value);
  }
}

const KEY = /^(mail\/[^/]+\/(?:[0-9a-f]{32}|nouidl(?=-)))(?:-([0-9a-f]{64}))?\.eml$/;

/** What becomes of objects, as the bucket tells it. */
export class ObjectOracle implements Watcher {
  readonly #ledger: Ledger;

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  wrote(key: string, held: Held, before: Held | undefined) {
    const ledger = this.#ledger;
    if (key === `state/${ledger.terms.mailbox}.json`) return checkState(held.body, ledger);
    if (!key.startsWith('mail/')) return;
    ledger.counts.puts += 1;
    ledger.counts.bytesStored += held.body.length;
    const [, stem, content] = KEY.exec(key) ?? [];
    if (stem === undefined) return ledger.fail('I3 object', `under a key that nobody knows: ${key}`);
    if (before !== undefined) this.#overwrote(key, stem, before);
    const message = ledger.truths.get(stem)?.get(held.sha256);
    if (message === undefined) return ledger.fail('I3 object', `${key} holds what no message is`);
    if (content !== undefined && content !== held.sha256)
      ledger.fail('I3 object', `${key} is not named after its content`);
    const { sizeLimit } = ledger.policies;
    if (sizeLimit !== null && held.body.length > sizeLimit)
      ledger.fail('I17 size limit', `${key} has ${held.body.length} octets`);
    const pair = `${stem} ${held.sha256}`;
    if (!ledger.firstStoredMs.has(pair)) ledger.firstStoredMs.set(pair, ledger.nowMs());
    const other = ledger.objects.get(pair);
    if (other !== undefined && other !== key && !this.#isUnruly(stem))
      ledger.fail('I4 one object', `${other} and ${key}`);
    if (!ledger.objects.has(pair) && !ledger.consumed.has(pair)) ledger.counts.stored += 1;
    if (stem === ledger.stemOf('')) ledger.counts.nameless += 1;
    ledger.counts.objects += 1;
    ledger.objects.set(pair, key);
  }

  removed(key: string, held: Held, by: 'us' | 'consumer') {
    if (key.startsWith('state/')) return segmentRemoved(key, this.#ledger);
    if (!key.startsWith('mail/')) return;
    if (by === 'us') this.#ledger.fail('I7 immutable', `${key} was removed by us`);
    const pair = `${KEY.exec(key)?.[1]} ${held.sha256}`;
    this.#ledger.objects.delete(pair);
    this.#ledger.consumed.set(pair, this.#ledger.nowMs());
  }

  /**
   * Where the store ignores the condition of Complete, one run puts a message over what holds the first key while
   * another, which has seen that it holds other bytes, puts it beside; the same where a consumer frees that key between.
   */
  #isUnruly(stem: string): boolean {
    const { overwritten, consumed } = this.#ledger;
    return [...overwritten, ...consumed.keys()].some((pair) => pair.startsWith(`${stem} `));
  }

  /** Only a store that ignores the condition of Complete lets this happen; nothing may have rested on it. */
  #overwrote(key: string, stem: string, before: Held): void {
    const ledger = this.#ledger;
    const pair = `${stem} ${before.sha256}`;
    ledger.objects.delete(pair);
    ledger.overwritten.add(pair);
    if (ledger.terms.storeTrusted) ledger.fail('I7 immutable', `${key} was replaced`);
    const removed = ledger.removals.find(({ message, uidl }) => ledger.pairOf(uidl, message.sha256) === pair);
    if (removed)
      ledger.fail('I1 removal', `${key} was replaced after message ${removed.message.number} was removed`);
  }
}
