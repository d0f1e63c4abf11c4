import type { PutEventsRequestEntry } from '@aws-sdk/client-eventbridge';
import { envelope, toJson } from './envelope.ts';
import type { MailferryEvent } from './shapes.ts';

/** PutEvents takes so many entries in a call. */
export const MAX_BATCH_ENTRIES = 10;

/** PutEvents wants a call's entries together below 256 KB. AWS has raised that; the smaller limit holds everywhere. */
export const MAX_BATCH_BYTES = 256 * 1024 - 1;

/** What a Time adds to an entry's size. */
const TIME_BYTES = 14;

export interface Entry {
  readonly request: PutEventsRequestEntry;
  /** As EventBridge counts (user guide, "Calculating PutEvents event entry size"): UTF-8 octets, no JSON around them. */
  readonly bytes: number;
}

/** `bus`: a name or an ARN. */
export function toEntry(event: MailferryEvent, bus: string): Entry {
  const { source, 'detail-type': detailType, time, detail } = envelope(event);
  const json = toJson(detail);
  return {
    request: {
      EventBusName: bus,
      Source: source,
      DetailType: detailType,
      Time: new Date(time),
      Detail: json,
    },
    bytes: TIME_BYTES + [source, detailType, json].reduce((sum, text) => sum + Buffer.byteLength(text), 0),
  };
}

/** In order, each batch within both limits; an item that is too large by itself is alone in its batch. */
export function batches<T extends { readonly entry: Entry }>(items: readonly T[]): readonly (readonly T[])[] {
  const all: T[][] = [];
  let bytes = 0;
  for (const item of items) {
    const last = all.at(-1);
    bytes += item.entry.bytes;
    if (last && last.length < MAX_BATCH_ENTRIES && bytes <= MAX_BATCH_BYTES) last.push(item);
    else {
      all.push([item]);
      bytes = item.entry.bytes;
    }
  }
  return all;
}
