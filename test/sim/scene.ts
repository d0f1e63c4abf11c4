/** For the oracles' own test: one message, and a hand that does right or wrong with it. */
import type { MessageStored } from '../../lib/events/shapes.ts';
import { emptyHead, type Head, type StoredRecord } from '../../lib/mailbox/state.ts';
import { Bucket } from './bucket.ts';
import { Ledger, type Terms } from './ledger.ts';
import { checkArrivals } from './liveness.ts';
import { type Message, messageOf, type Poison } from './messages.ts';
import { atAcceptance, atDele, ObjectOracle } from './oracles.ts';
import type { Slot } from './pop3Session.ts';
import type { SimulatedProcess } from './process.ts';
import type { Stage } from './runs.ts';
import { checkState } from './stateOracle.ts';

export const PASSWORD = 'canary-for-this-test';

/** A mailbox with one message, of which everything is as it should be, and whatever a case does wrong with it. */
export class Scene {
  readonly ledger: Ledger;
  readonly bucket: Bucket;
  readonly message: Message;
  readonly process = { proved: true } as SimulatedProcess;
  #revision = 0;

  constructor(terms: Partial<Terms> = {}, poison: Poison = 'none') {
    const usual = { mailbox: 'inbox', deletes: true, attempts: 3, durable: true, storeTrusted: true };
    this.ledger = new Ledger({ ...usual, password: PASSWORD, ...terms }, () => 0);
    this.bucket = new Bucket(true, new ObjectOracle(this.ledger), this.ledger.nowMs);
    this.ledger.bucket = this.bucket;
    this.message = this.offer(1, 'u1', 'Message-ID: <1@example.org>\r\n\r\none\r\n', poison);
  }

  offer(number: number, uidl: string, text: string, poison: Poison = 'none'): Message {
    const bytes = Buffer.from(text);
    const making = { number, uidl, bytes, listed: String(bytes.length), poison, family: number };
    const message = messageOf(making, { stuffs: true, top: 'headers' });
    this.ledger.register(message);
    return message;
  }

  get key(): string {
    return `${this.ledger.stemOf('u1')}.eml`;
  }

  store(bytes = this.message.bytes, key = this.key): void {
    this.bucket.create(
      key,
      bytes,
      messageOf({ ...this.message, bytes }, { stuffs: true, top: 'headers' }).sha256,
    );
  }

  announce(changed: Partial<MessageStored> = {}): void {
    const { uidl, sha256, bytes } = this.message;
    const detail = { id: 'id of one', uidl, sha256, size: bytes.length, key: this.key, ...changed };
    atAcceptance({ detailType: 'Message Stored', detail: detail as MessageStored }, this.ledger);
  }

  commit(changed: Partial<Head> = {}): void {
    this.#revision += 1;
    const head = { ...emptyHead('inbox'), revision: this.#revision, nonce: `n${this.#revision}`, ...changed };
    checkState(Buffer.from(JSON.stringify(head)), this.ledger);
  }

  get record(): StoredRecord {
    const { uidl, sha256, bytes, headerHash } = this.message;
    return { uidl, sha256, size: bytes.length, octets: bytes.length, headerHash, storedMs: 0 };
  }

  slot(changed: Partial<Slot> = {}): Slot {
    const { message } = this;
    const usual = { message, uidl: 'u1', announced: message.bytes.length, deleted: false };
    return { ...usual, retrieved: true, topped: false, ...changed };
  }

  dele(changed: Partial<Slot> = {}): void {
    const slot = this.slot(changed);
    atDele({ process: this.process, slots: [slot], sinceMs: 0 }, slot, this.ledger);
  }

  /** Stored, announced and on record. */
  settle(): void {
    this.store();
    this.announce();
    this.commit({ records: [this.record] });
  }

  /** As at the end of a history. */
  end(head: Head, present: readonly Message[] = [this.message]): void {
    const manners = { uidlOfOne: true, listOfOne: true, deletes: 'at QUIT', top: 'headers' };
    const stage = { world: { ledger: this.ledger }, maildrop: { manners, present } };
    checkArrivals(stage as unknown as Stage, head);
  }
}

/** A failure that says that the message was set aside. */
export const aside = (changed: object = {}) => ({
  ...{ uidl: 'u1', size: null, headerHash: null, attempts: 3, lastRun: 'r', code: 'E', message: 'no' },
  ...{ firstMs: 0, setAsideMs: 1, reported: true, retryMs: 2, ...changed },
});
