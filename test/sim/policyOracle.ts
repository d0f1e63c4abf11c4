/**
 * What the settings say of a message, held against what is done with it: nothing is deleted before its day, nothing that
 * was there before the start is asked for, nothing over the size limit is stored, and of that a person is told once.
 */
import { gunzipSync } from 'node:zlib';
import type { MessageTooLarge } from '../../lib/events/shapes.ts';
import { VANISHED_KEPT_MS } from '../../lib/mailbox/bounds.ts';
import type { Head, Seed } from '../../lib/mailbox/state.ts';
import type { Ledger } from './ledger.ts';
import type { Message } from './messages.ts';
import type { Slot } from './pop3Session.ts';
import type { Stage } from './runs.ts';

const DAY_MS = 86_400_000;

/** Both the clock that noted the date and the one that compares it may be wrong. */
export function checkDay(pair: string, ledger: Ledger): string | null {
  const { days } = ledger.policies;
  if (days === 0) return null;
  ledger.counts.deletedLater += 1;
  const storedMs = ledger.firstStored(pair) ?? ledger.nowMs();
  // Clocks of processes show whole milliseconds.
  const early = storedMs + days * DAY_MS - 2 * ledger.skewMs - 1 - ledger.nowMs();
  return early <= 0 ? null : `${Math.round(early)} ms before its day`;
}

interface Named {
  readonly uidl: string;
  readonly size: number | null;
}

/** As a message is known by that was there before the start. */
export function seedKey({ uidl, size }: Named): string {
  return `${size ?? '-'} ${uidl}`;
}

/** TOP, RETR or DELE reached the server. */
export function checkAsked(
  verb: 'TOP' | 'RETR' | 'DELE',
  { slot, slots }: { slot: Slot; slots: readonly Slot[] },
  ledger: Ledger,
) {
  const { sizeLimit } = ledger.policies;
  const { uidl, announced: size, message } = slot;
  if (verb === 'RETR' && sizeLimit !== null && (size ?? 0) > sizeLimit)
    ledger.fail('I17 size limit', `RETR of message ${message.number} (${uidl}), listed with ${size} octets`);
  if (uidl === '' && !isNamelessTaken(ledger))
    ledger.fail('I20 nameless', `${verb} of message ${message.number}, which nothing but its content tells`);
  const key = seedKey({ uidl, size });
  const rows = ledger.seeds.get(key);
  if (rows === undefined) return;
  const alike = slots.filter((other) => seedKey({ uidl: other.uidl, size: other.announced }) === key).length;
  // Nothing tells the new one from those that were there: all of them are fetched, and what was begun is ended.
  if (alike > rows) ledger.ambiguous.add(uidl);
  if (verb !== 'TOP' && !ledger.ambiguous.has(uidl))
    ledger.fail(
      'I18 start',
      `${verb} of message ${message.number} (${uidl}), which was there before the start`,
    );
}

/** Kept on the server, mail without UIDL would be retrieved at each poll. */
function isNamelessTaken({ terms, policies: { days, start } }: Ledger): boolean {
  return terms.deletes && days === 0 && start === 'all';
}

/** Where there is no UIDL, the settings must want its mail, and LIST of a message is all that can vouch for what is sent. */
export function isServed({ maildrop, world: { ledger } }: Stage): boolean {
  const { uidls, listOfOne } = maildrop.manners;
  if (uidls !== 'none') return true;
  const isSized = maildrop.present.some(({ hidden, listSize }) => !hidden && listSize !== null);
  return isNamelessTaken(ledger) && listOfOne && isSized;
}

/** What is left alone by the committed state: all that was listed but for the newest, and only given up when it is gone. */
export function checkStart(head: Head, ledger: Ledger): void {
  const { start } = head;
  if (start === undefined) return;
  const names = start.seeds.map(({ name }) => `state/${ledger.terms.mailbox}/${name}.ndjson.gz`);
  if (ledger.start?.join() === names.join()) return;
  const seeds = new Map(names.flatMap((name) => seedsOf(name, ledger)));
  if (ledger.start === null) checkDecided(seeds, ledger);
  else checkGivenUp(seeds, ledger);
  ledger.start = names;
  ledger.seeds = seeds;
}

function seedsOf(name: string, ledger: Ledger): (readonly [string, number])[] {
  const held = ledger.bucket?.objects.get(name);
  if (held === undefined) {
    ledger.fail('I6 segment', `${name} is named by the head, and is not there`);
    return [];
  }
  const [, ...lines] = gunzipSync(held.body).toString('utf8').trim().split('\n');
  return lines.map((line) => {
    const seed = JSON.parse(line) as Seed;
    return [seedKey(seed), seed.rows ?? 1];
  });
}

function checkDecided(seeds: ReadonlyMap<string, number>, ledger: Ledger): void {
  const { start } = ledger.policies;
  const listed = ledger.writer?.listed ?? [];
  const old = start === 'all' ? [] : typeof start === 'object' ? listed.slice(0, -start.newest) : listed;
  const expected = new Map<string, number>();
  for (const { uidl, announced: size } of old)
    expected.set(seedKey({ uidl, size }), (expected.get(seedKey({ uidl, size })) ?? 0) + 1);
  ledger.counts.leftAlone += old.length;
  const told = (map: ReadonlyMap<string, number>) => JSON.stringify([...map].sort());
  if (told(seeds) !== told(expected))
    ledger.fail('I18 start', `${told(seeds)} are left alone, and ${told(expected)} should be`);
}

function checkGivenUp(seeds: ReadonlyMap<string, number>, ledger: Ledger): void {
  for (const key of ledger.seeds.keys()) {
    if (seeds.has(key) || ledger.clocksJumped) continue;
    const uidl = key.slice(key.indexOf(' ') + 1);
    const there = [...(ledger.offered.get(uidl) ?? [])].some(
      (message) => message.uidl === uidl && message.gone === 'no' && !message.hidden,
    );
    const goneMs = ledger.uidlGoneMs.get(uidl) ?? Number.POSITIVE_INFINITY;
    if (there || ledger.nowMs() - goneMs < VANISHED_KEPT_MS)
      ledger.fail('I18 start', `${key} is no longer left alone`);
  }
}

export function atTooLarge({ uidl, size, limit }: MessageTooLarge, ledger: Ledger): void {
  const key = seedKey({ uidl, size });
  if (limit !== ledger.policies.sizeLimit) ledger.fail('I17 size limit', `${limit} is told as the limit`);
  const meant = [...(ledger.offered.get(uidl) ?? [])];
  if ((size ?? 0) <= limit && !meant.some((message) => isOver(message, ledger)))
    ledger.fail('I17 size limit', `${uidl} is told to be too large, and is not`);
  // At least once, like all events; but once the state says so, and nobody else is at it, not again. One that a twin has
  // joined, or left, has another name than before; and so has one whose number is not believed.
  const known = ledger.head?.tooLarge?.some((one) => one.reported && seedKey(one) === key);
  if (ledger.calm && known && meant.length === 1 && !/^\d+$/.test(uidl))
    ledger.fail('I19 told once', `${uidl} is too large`);
  ledger.counts.tooLarge += 1;
  ledger.toldLarge.add(key);
}

/** By LIST, or in truth. */
export function isOver({ listSize, bytes }: Message, { policies }: Ledger): boolean {
  return policies.sizeLimit !== null && Math.max(listSize ?? 0, bytes.length) > policies.sizeLimit;
}

export function isListedOver({ listSize }: Message, { policies }: Ledger): boolean {
  return policies.sizeLimit !== null && (listSize ?? 0) > policies.sizeLimit;
}

/** Whether it was there before the start, or nothing tells it from what was. */
export function isLeftAlone({ maildrop, world: { ledger } }: Stage, message: Message): boolean {
  const { uidl, listSize: size } = message;
  const rows = ledger.seeds.get(seedKey({ uidl, size }));
  if (rows === undefined) return false;
  const alike = maildrop.present.filter(
    (other) => !other.hidden && other.uidl === uidl && other.listSize === size,
  );
  return alike.length <= rows || ledger.ambiguous.has(uidl);
}

/** At the end: one that is listed as too large was told of, or could not even be looked at. */
export function checkTold(message: Message, ledger: Ledger): void {
  const { uidl, listSize: size, number } = message;
  if (!isListedOver(message, ledger)) return;
  if (!ledger.toldLarge.has(seedKey({ uidl, size })))
    ledger.fail('I19 told once', `nobody was told that message ${number} (${uidl}) is too large`);
}
