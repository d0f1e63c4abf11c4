/**
 * Message Stored once more for what is on record, under the ids of the first time, so that a consumer drops what it has. In
 * batches, and slower than anything on the way of them bears.
 */
import type { MailferryEvent } from '../events/shapes.ts';
import { eventId, messageId } from '../mailbox/names.ts';
import type { Mailbox } from '../mailbox/settings.ts';
import type { StoredRecord } from '../mailbox/state.ts';
import { StateFile } from '../mailbox/stateFile.ts';
import { StoreError } from '../store/port.ts';
import { AtOnce } from './atOnce.ts';
import { HeaderBlock } from './headerBlock.ts';
import type { Clock, FetchPorts } from './ports.ts';
import type { MessageTrouble, Trouble } from './report.ts';
import { storedEvent } from './settling.ts';
import { keyOfRecord } from './storing.ts';
import { EventRefused, troubleOf } from './trouble.ts';

/** Events that are published together: five calls of EventBridge. */
const BATCH_EVENTS = 50;

/** A quarter of what the slowest of EventBridge's regions takes from an account; 200,000 messages take half an hour. */
const EVENTS_PER_SECOND = 100;

/** Objects that are read at once, of each its beginning; a store gives a small one whole. */
const READ_AT_ONCE = 8;

export interface AnnounceOptions {
  /** The first 32 digits of an object's name; null: any. */
  readonly messageId: string | null;
  /** On record since then or later, epoch milliseconds; null: whenever. */
  readonly sinceMs: number | null;
  readonly signal: AbortSignal;
  /** Of a message that was not announced, whatever becomes of the others. */
  readonly onTrouble: (trouble: MessageTrouble & { readonly key: string }) => void;
  readonly onProgress: (announced: number) => void;
}

export interface AnnounceReport {
  readonly announced: number;
  /** Their objects are gone, are others, or cannot be read. */
  readonly unreadable: number;
  readonly refused: number;
  /**
   * Where to go on, epoch milliseconds: nothing that was put on record before it is left. Null: nothing is left or, with an
   * error, nobody knows.
   */
  readonly leftSinceMs: number | null;
  readonly error: Trouble | null;
}

/** Never rejects. */
export async function announceAgain(
  mailbox: Mailbox,
  ports: FetchPorts,
  options: AnnounceOptions,
): Promise<AnnounceReport> {
  const again = new Again(mailbox, ports, options);
  try {
    const state = await StateFile.open(ports.store, mailbox.id, ports.clock);
    // Of a bus that is not there, "accepted" says nothing.
    await ports.publisher.prove();
    await state.eachSegment((records) => again.take(records));
    await again.take(state.head.records);
    await again.publish();
    return again.report(again.stopped);
  } catch (error) {
    // Not all records were seen.
    return { ...again.report(troubleOf(error, mailbox.id)), leftSinceMs: null };
  }
}

interface Made {
  readonly record: StoredRecord;
  readonly event: MailferryEvent;
}

class Again {
  readonly #mailbox: Mailbox;
  readonly #ports: FetchPorts;
  readonly #options: AnnounceOptions;
  /** What a batch met that every other one would meet. */
  stopped: Trouble | null = null;
  #batch: StoredRecord[] = [];
  #nextMs: number;
  /** Ids: a record may be shown more than once. */
  readonly #seen = new Set<string>();
  #announced = 0;
  #unreadable = 0;
  #refused = 0;
  #leftSinceMs = Number.POSITIVE_INFINITY;

  constructor(mailbox: Mailbox, ports: FetchPorts, options: AnnounceOptions) {
    this.#mailbox = mailbox;
    this.#ports = ports;
    this.#options = options;
    this.#nextMs = ports.clock.now();
  }

  /** Once it has stopped, it only notes what is left. */
  async take(records: Iterable<StoredRecord>): Promise<undefined> {
    for (const record of records) {
      if (!this.#isMeant(record)) continue;
      if (this.#isOver()) {
        this.#leave(record);
        continue;
      }
      this.#batch.push(asAnnounced(record));
      if (this.#batch.length === BATCH_EVENTS) await this.publish();
    }
  }

  async publish(): Promise<void> {
    const batch = this.#batch.splice(0);
    await pause(this.#ports.clock, this.#nextMs - this.#ports.clock.now(), this.#options.signal);
    if (this.#isOver()) {
      for (const record of batch) this.#leave(record);
      return;
    }
    this.#nextMs = this.#ports.clock.now() + (batch.length * 1000) / EVENTS_PER_SECOND;
    await this.#publish(batch).catch((error: unknown) => {
      this.stopped = troubleOf(error, this.#mailbox.id);
      for (const record of batch) this.#leave(record);
    });
    this.#options.onProgress(this.#announced);
  }

  report(error: Trouble | null): AnnounceReport {
    return {
      announced: this.#announced,
      unreadable: this.#unreadable,
      refused: this.#refused,
      leftSinceMs: Number.isFinite(this.#leftSinceMs) ? this.#leftSinceMs : null,
      error,
    };
  }

  #isOver(): boolean {
    return this.stopped !== null || this.#options.signal.aborted;
  }

  #isMeant(record: StoredRecord): boolean {
    const { messageId: wanted, sinceMs } = this.#options;
    const { uidl, sha256, storedMs } = asAnnounced(record);
    if (sinceMs !== null && storedMs < sinceMs) return false;
    if (wanted !== null && (uidl === '' || messageId(this.#mailbox.id, uidl) !== wanted)) return false;
    const id = eventId(this.#mailbox.id, uidl, sha256);
    return this.#seen.size < this.#seen.add(id).size;
  }

  async #publish(batch: readonly StoredRecord[]): Promise<void> {
    const events = await this.#events(batch);
    if (events.length === 0) return;
    const answers = await this.#ports.publisher.publish(events.map(({ event }) => event));
    for (const [index, { record }] of events.entries()) {
      const answer = answers[index];
      if (answer?.accepted === true) {
        this.#announced += 1;
        continue;
      }
      this.#refused += 1;
      this.#leave(record);
      const refusal = new EventRefused(answer?.reason ?? 'no answer came for it');
      this.#tell(record, troubleOf(refusal, this.#mailbox.id));
    }
  }

  /** Of those whose objects can be read. Rejects with StoreError where the store failed for each of many. */
  async #events(batch: readonly StoredRecord[]): Promise<readonly Made[]> {
    const made: Made[] = [];
    const unread: { readonly record: StoredRecord; readonly trouble: Trouble }[] = [];
    const failed: StoreError[] = [];
    const atOnce = new AtOnce(READ_AT_ONCE);
    for (const record of batch)
      await atOnce.add(async () => {
        try {
          const event = await this.#event(record);
          if ('code' in event) unread.push({ record, trouble: event });
          else made.push({ record, event });
        } catch (error) {
          if (!(error instanceof StoreError)) throw error;
          failed.push(error);
          unread.push({ record, trouble: troubleOf(error, this.#mailbox.id) });
        }
      });
    await atOnce.settled();
    if (failed.length === BATCH_EVENTS) throw failed[0];
    this.#unreadable += unread.length;
    for (const { record, trouble } of unread) this.#tell(record, trouble);
    return made;
  }

  /** Or why its object is not what the event would say. Rejects with StoreError. */
  async #event(record: StoredRecord): Promise<MailferryEvent | Trouble> {
    const key = keyOfRecord(this.#mailbox.id, record);
    const object = await this.#ports.store.read(key);
    if (object === null) return this.#unlike('E_MESSAGE_GONE', `${key} is on record, and not in the store`);
    const block = new HeaderBlock();
    for await (const chunk of object.chunks) {
      block.update(chunk);
      if (block.isOver) break;
    }
    if (object.size !== record.octets) {
      const sizes = `${key} has ${object.size} octets, and ${record.octets} on record`;
      return this.#unlike('E_MESSAGE_OTHER_BYTES', sizes);
    }
    const context = { mailbox: this.#mailbox, ports: this.#ports };
    return storedEvent(context, record, this.#mailbox.headerSummary ? block.kept() : null);
  }

  #unlike(code: string, why: string): Trouble {
    const { id } = this.#mailbox;
    const message = `${id}: ${why}. It was not announced. mailferry verify ${id} tells more.`;
    return { code, phase: 'store', kind: 'person', message };
  }

  #leave({ storedMs }: StoredRecord): void {
    this.#leftSinceMs = Math.min(this.#leftSinceMs, storedMs);
  }

  #tell(record: StoredRecord, trouble: Trouble): void {
    const key = keyOfRecord(this.#mailbox.id, record);
    this.#options.onTrouble({ uidl: record.uidl, key, ...trouble });
  }
}

/** Where the server has given it another UIDL since, it was announced under the one before. */
function asAnnounced({ under, ...record }: StoredRecord): StoredRecord {
  return under === undefined ? record : { ...record, uidl: under };
}

/** Resolves at once when the signal is aborted. */
function pause(clock: Pick<Clock, 'after'>, ms: number, signal: AbortSignal): Promise<void> {
  if (ms <= 0 || signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const cancel = clock.after(ms, () => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    });
    const onAbort = () => {
      cancel();
      resolve();
    };
    signal.addEventListener('abort', onAbort, { once: true });
  });
}
