/** What a head still has room for, so that it stays within its bound whatever happens to a mailbox. */
import { FAILURES_BYTES, INTENTS_BYTES, OPEN_INTENTS } from './bounds.ts';
import { failureOf } from './failures.ts';
import { openIntents } from './intents.ts';
import type { Head, Intent, MessageRef } from './state.ts';

export interface Room {
  /** How many more may be begun. */
  readonly messages: number;
  /** And how much their intents may take, as JSON. */
  readonly bytes: number;
}

export function roomForIntents(head: Head): Room {
  const bytes = INTENTS_BYTES - bytesOf(head.intents);
  return { messages: Math.max(0, OPEN_INTENTS - openIntents(head).length), bytes: Math.max(0, bytes) };
}

/** Whether intents have taken half of their place. */
export function isCrowded(head: Head): boolean {
  return bytesOf(head.intents) > INTENTS_BYTES / 2;
}

/** Whether next to nothing can be begun any more; a UIDL has up to a kilobyte. */
export function isFull(head: Head): boolean {
  const { messages, bytes } = roomForIntents(head);
  return messages === 0 || bytes < INTENTS_BYTES / 8;
}

/** As JSON, with the comma. */
export function intentBytes(intent: Intent): number {
  return bytesOf(intent) + 1;
}

/** Whether a message may fail: one that has failed before has its place. */
export function hasRoomToFail(head: Head, ref: MessageRef): boolean {
  return failureOf(head, ref) !== undefined || bytesOf(head.failures) < FAILURES_BYTES;
}

/** As JSON in UTF-8. */
export function bytesOf(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value));
}
