/** The mailbox on the simulated server: what it holds, who takes from it, and how it behaves. */
import type { Chance } from './chance.ts';
import type { Doorkeeper } from './doorkeeper.ts';
import type { Ledger } from './ledger.ts';
import type { MailMaker } from './mailMaker.ts';
import { type Manner, type Message, messageOf } from './messages.ts';
import type { Oddities } from './oddities.ts';

/** What lasts; faults that pass are drawn for each answer. */
export interface Manners extends Manner, Oddities {
  /** What several commands that come at once are answered: nothing else tells of it where CAPA announces it. */
  readonly pipelining: 'not announced' | 'all' | 'the first' | 'none, and the line ends';
  /** Dots are stuffed, but not where several commands come at once. */
  readonly forgetsWhenPipelined: boolean;
  /** When DELE takes effect. 'at disconnect' is the rogue that needs no QUIT. */
  readonly deletes: 'at QUIT' | 'at disconnect' | 'ignored';
  /** When a message that was retrieved whole is no longer listed. */
  readonly hides: 'never' | 'at RETR' | 'at QUIT';
  /** A second session is refused, and a dropped one holds the lock for so long. */
  readonly exclusive: boolean;
  readonly lingerMs: number;
  readonly uidlOfOne: boolean;
  readonly listOfOne: boolean;
  /** Each session numbers the messages in another order. */
  readonly shuffles: boolean;
  readonly loginDelaySeconds: number;
  /** Answers come in pieces of random sizes. */
  readonly pieces: boolean;
  /** How often what is behind a piece is seen to have arrived with it. */
  readonly eager: number;
}

export interface Removed {
  readonly message: Message;
  readonly uidl: string;
}

export class Maildrop {
  readonly manners: Manners;
  /** Every message there ever was. */
  readonly all: Message[] = [];
  /** In the order of their numbers. */
  present: Message[] = [];
  lockedUntilMs = 0;
  openSessions = 0;

  readonly doorkeeper: Doorkeeper | null;

  constructor(manners: Manners, doorkeeper: Doorkeeper | null = null) {
    this.manners = manners;
    this.doorkeeper = doorkeeper;
  }

  arrive(maker: MailMaker): Message {
    const making = maker.next();
    const uidl = this.manners.uidls === 'none' ? '' : making.uidl;
    const message = messageOf({ ...making, uidl }, this.manners);
    this.all.push(message);
    this.present.push(message);
    return message;
  }

  /** Another client, or whoever administers the server, takes one away. */
  takeAway(chance: Chance): Message | null {
    if (this.present.length === 0) return null;
    const message = chance.pick(this.present);
    message.gone = 'by others';
    this.#remove(message);
    return message;
  }

  /** A migration: the same mail under other ids, where it had any that were its own. */
  renameAll(chance: Chance): void {
    for (const message of this.present) message.uidl = `r${message.number}-${chance.hex(6)}`;
  }

  /** By us. False: it is gone already. */
  remove(message: Message): boolean {
    if (!this.present.includes(message)) return false;
    message.gone = 'by us';
    this.#remove(message);
    return true;
  }

  /** The UIDL that a session gives it which begins now. */
  nameOf(message: Message, number: number, ledger: Ledger): string {
    const uidl = this.manners.uidls === 'numbers' ? String(number) : message.uidl;
    if (message.uidl === uidl) return uidl;
    if (ledger.pairsOf(message).length > 1) ledger.counts.moved += 1;
    ledger.unlisted(message);
    message.uidl = uidl;
    ledger.register(message);
    return uidl;
  }

  /** What a session lists, in its order. */
  visible(chance: Chance): Message[] {
    const listed = this.present.filter(({ hidden }) => !hidden);
    if (!this.manners.shuffles) return listed;
    for (let at = listed.length - 1; at > 0; at -= 1) {
      const other = chance.below(at + 1);
      [listed[at], listed[other]] = [listed[other] as Message, listed[at] as Message];
    }
    return listed;
  }

  #remove(message: Message): void {
    this.present = this.present.filter((other) => other !== message);
  }
}
