/**
 * What must be true of objects and events, by what was recorded on the wire. Unlike the other ledger's, its messages are
 * not named by their UIDL alone: popa3d gives all mail with the same headers one UIDL.
 */
import type { Envelope } from '../../lib/events/envelope.ts';
import type { Transcript } from '../servers/transcript.ts';
import { sha256, storedEvents } from './endsLedger.ts';

/** UIDL and content of each message that was given whole. */
export function messagesIn(said: readonly Transcript[]): ReadonlyMap<string, Buffer> {
  const retrieved = said.flatMap((one) => one.retrieved);
  return new Map(retrieved.map(({ row, bytes }) => [named(row.uidl, sha256(bytes)), bytes]));
}

/** Of each UIDL what it gave last: what must be stored where the server changes mail under its UIDL. */
export function latestIn(said: readonly Transcript[]): ReadonlyMap<string, Buffer> {
  const retrieved = said.flatMap((one) => one.retrieved);
  const last = new Map(retrieved.map(({ row, bytes }) => [row.uidl, bytes]));
  return new Map([...last].map(([uidl, bytes]) => [named(uidl, sha256(bytes)), bytes]));
}

/** In words, what is in the store and was not on the wire so, or is there twice, or announced wrongly. */
export function wrong(
  wire: ReadonlyMap<string, Buffer>,
  objects: ReadonlyMap<string, Buffer>,
  events: readonly Envelope[],
): string[] {
  const contents = new Map<string, number>();
  for (const bytes of wire.values()) contents.set(sha256(bytes), (contents.get(sha256(bytes)) ?? 0) + 1);
  const stored = [...objects].flatMap(([key, bytes]) => {
    const left = contents.get(sha256(bytes)) ?? 0;
    contents.set(sha256(bytes), left - 1);
    return left > 0 ? [] : [`${key} with ${bytes.length} octets is no message, or one too many of the same`];
  });
  const ids = new Map<string, string>();
  const announced = storedEvents(events).flatMap(({ id, uidl, key, sha256: hash }) => {
    const name = named(uidl, hash);
    const known = ids.get(name) ?? id;
    ids.set(name, known);
    const object = objects.get(key);
    return [
      ...(wire.has(name) ? [] : [`an event tells of ${uidl} with a content that was not on the wire`]),
      ...(object && sha256(object) === hash ? [] : [`an event names ${key}, which has not that content`]),
      ...(known === id ? [] : [`${uidl} is announced with two ids`]),
    ];
  });
  return [...stored, ...announced];
}

/** In words, what was on the wire and is not stored, or not announced. */
export function missing(
  wire: ReadonlyMap<string, Buffer>,
  objects: ReadonlyMap<string, Buffer>,
  events: readonly Envelope[],
): string[] {
  const stored = new Set([...objects.values()].map(sha256));
  const announced = new Set(storedEvents(events).map(({ uidl, sha256: hash }) => named(uidl, hash)));
  return [...wire].flatMap(([name, bytes]) => [
    ...(stored.has(sha256(bytes)) ? [] : [`${name} is not stored`]),
    ...(announced.has(name) ? [] : [`${name} is not announced`]),
  ]);
}

function named(uidl: string, hash: string): string {
  return `${uidl} ${hash}`;
}
