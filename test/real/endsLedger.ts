/** What must be true of a mailbox, its objects and its events, at any moment and in the end; told as sentences. */
import { createHash } from 'node:crypto';
import type { Envelope } from '../../lib/events/envelope.ts';
import type { MessageStored } from '../../lib/events/shapes.ts';

/** UIDL → what RETR gave before anything was fetched. */
export type Oracle = ReadonlyMap<string, Buffer>;

export interface Seen {
  /** Of one mailbox, by key. */
  readonly objects: ReadonlyMap<string, Buffer>;
  readonly events: readonly Envelope[];
  /** UIDLs that the server still lists. */
  readonly left: ReadonlySet<string>;
}

/** What may never be seen, not even right after a kill. */
export function violations(oracle: Oracle, seen: Seen): string[] {
  return [...wrongObjects(oracle, seen.objects), ...wrongEvents(oracle, seen), ...lost(oracle, seen)];
}

/** What must be done once runs have come to rest. */
export function unfinished(oracle: Oracle, { objects, events }: Seen): string[] {
  const stored = new Set([...objects.values()].map(sha256));
  const announced = new Set(storedEvents(events).map(({ uidl }) => uidl));
  return [...oracle].flatMap(([uidl, bytes]) => [
    ...(stored.has(sha256(bytes)) ? [] : [`${uidl} is not stored`]),
    ...(announced.has(uidl) ? [] : [`${uidl} is not announced`]),
  ]);
}

/** Announcements beyond the first of each message. */
export function repeats(events: readonly Envelope[]): number {
  const stored = storedEvents(events);
  return stored.length - new Set(stored.map(({ id }) => id)).size;
}

export function storedEvents(events: readonly Envelope[]): MessageStored[] {
  return events
    .filter((event) => event['detail-type'] === 'Message Stored')
    .map(({ detail }) => detail as MessageStored);
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Parts or mixtures of messages, and more objects of one content than there are messages with it. */
function wrongObjects(oracle: Oracle, objects: Seen['objects']): string[] {
  const room = new Map<string, number>();
  for (const bytes of oracle.values()) room.set(sha256(bytes), (room.get(sha256(bytes)) ?? 0) + 1);
  return [...objects].flatMap(([key, bytes]) => {
    const content = sha256(bytes);
    const left = room.get(content);
    if (left === undefined) return [`${key} is no message: ${bytes.length} bytes`];
    room.set(content, left - 1);
    return left === 0 ? [`${key} is a second object of the same message`] : [];
  });
}

function wrongEvents(oracle: Oracle, { objects, events }: Seen): string[] {
  const ids = new Map<string, string>();
  const uidls = new Map<string, string>();
  return storedEvents(events).flatMap(({ id, uidl, key, size, sha256: hash }) => {
    const object = objects.get(key);
    const message = oracle.get(uidl);
    const known = ids.get(uidl) ?? id;
    const other = uidls.get(id) ?? uidl;
    ids.set(uidl, known);
    uidls.set(id, other);
    return [
      ...(object ? [] : [`an event names ${key}, which is not there`]),
      ...(object && (sha256(object) !== hash || object.length !== size)
        ? [`${key} is not as announced`]
        : []),
      ...(message && sha256(message) === hash ? [] : [`${uidl} is announced with another content`]),
      ...(known === id ? [] : [`${uidl} is announced with two ids`]),
      ...(other === uidl ? [] : [`${uidl} and ${other} have one id`]),
    ];
  });
}

/** The promise above all: what is gone from the server is stored, whole, and announced. */
function lost(oracle: Oracle, seen: Seen): string[] {
  const gone: Oracle = new Map([...oracle].filter(([uidl]) => !seen.left.has(uidl)));
  return unfinished(gone, seen).map((what) => `${what}, and gone from the server`);
}
