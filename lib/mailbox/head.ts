/** A mailbox's head as it is in the store. */
import type { ObjectStore, Version } from '../store/port.ts';
import { headKey } from './names.ts';
import { emptyHead, type Head, STATE_VERSION } from './state.ts';
import { broken, StateError } from './stateError.ts';
import { readHead } from './stateShapes.ts';

/** Heads of version 1 had all records; no head of this version comes near. */
const HEAD_READ_BYTES = 64 * 1024 * 1024;

/** What is not UTF-8 is refused, not replaced. */
const utf8 = new TextDecoder('utf-8', { fatal: true });

export interface LoadedHead {
  readonly head: Head;
  /** Null: there is no document yet. */
  readonly version: Version | null;
}

/** Rejects with StoreError, or with StateError if the document must not be touched. */
export async function loadHead(store: ObjectStore, mailbox: string): Promise<LoadedHead> {
  const object = await store.read(headKey(mailbox));
  if (object === null) return { head: emptyHead(mailbox), version: null };
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of object.chunks) {
    bytes += chunk.length;
    if (bytes > HEAD_READ_BYTES)
      throw broken(mailbox, headKey(mailbox), `it has more than ${HEAD_READ_BYTES} bytes`);
    pieces.push(chunk);
  }
  return { head: parseHead(Buffer.concat(pieces), mailbox), version: object.version };
}

function parseHead(bytes: Buffer, mailbox: string): Head {
  const refuse = (why: string, cause?: unknown) => broken(mailbox, headKey(mailbox), why, cause);
  let value: unknown;
  try {
    value = JSON.parse(utf8.decode(bytes));
  } catch (error) {
    throw refuse('it is not JSON', error);
  }
  if (typeof value !== 'object' || value === null) throw refuse('it is not an object');
  const { v } = value as { v?: unknown };
  if (typeof v === 'number' && v > STATE_VERSION) {
    throw new StateError(
      `state of ${mailbox}: version ${v} was written by a newer Mailferry; this one knows ${STATE_VERSION}. Nothing was changed: update this one.`,
      { kind: 'person', code: 'E_STATE_NEWER' },
    );
  }
  const read = readHead(v === 1 ? { ...value, v: STATE_VERSION, segments: [], sweptMs: null } : value);
  if ('wrong' in read) throw refuse(read.wrong);
  const head = read.value;
  if (head.mailbox !== mailbox) throw refuse(`it says that it is of mailbox ${JSON.stringify(head.mailbox)}`);
  return head;
}
