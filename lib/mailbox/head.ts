/**
 * The one place that reads and writes a mailbox's state. A write is a compare-and-swap of the whole head; one
 * that is lost, or whose answer is, is settled by reading back: the nonce tells whose write it was.
 */
import { type ObjectStore, StoreError, type Version } from '../store/port.ts';
import { headKey } from './names.ts';
import { emptyHead, type Head, STATE_VERSION } from './state.ts';

/** More than any head of this version has; a larger document is somebody else's. */
const HEAD_READ_BYTES = 256 * 1024 * 1024;

/** Each lost round means that another run won one, so that many in a row are a store that never lets anybody win. */
const COMMIT_TRIES = 20;

export class StateError extends Error {
  /** 'later': another run kept winning. 'person': the document is newer than this version, or broken. */
  readonly kind: 'later' | 'person';
  /** Stable, for programs: E_STATE_… */
  readonly code: string;

  constructor(
    message: string,
    facts: { kind: 'later' | 'person'; code: string },
    options?: { cause?: unknown },
  ) {
    super(message, options);
    this.name = 'StateError';
    this.kind = facts.kind;
    this.code = facts.code;
  }
}

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
    if (bytes > HEAD_READ_BYTES) throw broken(mailbox, `it has more than ${HEAD_READ_BYTES} bytes`);
    pieces.push(chunk);
  }
  return { head: parseHead(Buffer.concat(pieces).toString('utf8'), mailbox), version: object.version };
}

/** A run's view of the state; `commit` calls queue up behind one another. */
export class StateFile {
  readonly #store: ObjectStore;
  readonly #nonce: () => string;
  #loaded: LoadedHead;
  #last: Promise<void> = Promise.resolve();

  private constructor(store: ObjectStore, nonce: () => string, loaded: LoadedHead) {
    this.#store = store;
    this.#nonce = nonce;
    this.#loaded = loaded;
  }

  static async open(store: ObjectStore, mailbox: string, nonce: () => string): Promise<StateFile> {
    return new StateFile(store, nonce, await loadHead(store, mailbox));
  }

  get head(): Head {
    return this.#loaded.head;
  }

  /**
   * Applies `change` and writes; applied again on whatever another run wrote first. No write where it changes
   * nothing. Resolves once the state says so; rejects with StoreError or StateError, and then it may or may not.
   */
  commit(change: (head: Head) => Head): Promise<void> {
    const done = this.#last.then(() => this.#commit(change));
    this.#last = done.catch(() => {});
    return done;
  }

  async #commit(change: (head: Head) => Head): Promise<void> {
    const { mailbox } = this.#loaded.head;
    const written = new Set<string>();
    for (let tries = 0; tries < COMMIT_TRIES; tries += 1) {
      const { head, version } = this.#loaded;
      const changed = change(head);
      if (changed === head) return;
      const next: Head = { ...changed, revision: head.revision + 1, nonce: this.#nonce() };
      written.add(next.nonce);
      const body = Buffer.from(JSON.stringify(next), 'utf8');
      const answer = await this.#store.replace(headKey(mailbox), body, version).catch(whenUnknown);
      if (answer !== 'conflict' && answer !== 'unknown') {
        this.#loaded = { head: next, version: answer };
        return;
      }
      this.#loaded = await loadHead(this.#store, mailbox);
      if (written.has(this.#loaded.head.nonce)) return;
    }
    throw new StateError(
      `state of ${mailbox}: ${COMMIT_TRIES} writes in a row were lost to other writers. The next run tries again.`,
      { kind: 'later', code: 'E_STATE_CONTENDED' },
    );
  }
}

function whenUnknown(error: unknown): 'unknown' {
  if (error instanceof StoreError && error.kind === 'unknown') return 'unknown';
  throw error;
}

function parseHead(text: string, mailbox: string): Head {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw broken(mailbox, 'it is not JSON', error);
  }
  if (typeof value !== 'object' || value === null) throw broken(mailbox, 'it is not an object');
  const { v, mailbox: owner } = value as { v?: unknown; mailbox?: unknown };
  if (typeof v === 'number' && v > STATE_VERSION) {
    throw new StateError(
      `state of ${mailbox}: version ${v} was written by a newer Mailferry; this one knows ${STATE_VERSION}. Nothing was changed: update this one.`,
      { kind: 'person', code: 'E_STATE_NEWER' },
    );
  }
  if (v !== STATE_VERSION) throw broken(mailbox, 'it has no version that this one knows');
  if (owner !== mailbox) throw broken(mailbox, `it says that it is of mailbox ${JSON.stringify(owner)}`);
  const head = { ...emptyHead(mailbox), ...value } as Head;
  for (const list of [head.intents, head.failures, head.records]) {
    if (!Array.isArray(list)) throw broken(mailbox, 'a list in it is not one');
  }
  return head;
}

function broken(mailbox: string, why: string, cause?: unknown): StateError {
  return new StateError(
    `state of ${mailbox}: ${headKey(mailbox)} cannot be used: ${why}. Nothing was changed. Restore it, or remove it: then all mail is retrieved again, nothing is stored twice, and events repeat with their ids.`,
    { kind: 'person', code: 'E_STATE_BROKEN' },
    { cause },
  );
}
