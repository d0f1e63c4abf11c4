/**
 * What a run needs from outside. The ports that another folder owns are theirs; dialing and the clock belong
 * here. A simulation of the engine replaces all of them and nothing else.
 */
import type { Publisher } from '../events/port.ts';
import type { Observe } from '../pop3/observe.ts';
import type { Dial, Timer } from '../pop3/transport.ts';
import type { Secrets, Tokens } from '../secrets/port.ts';
import type { ObjectStore } from '../store/port.ts';
import type { ByteBudget } from './byteBudget.ts';

/** Time and chance. */
export interface Clock extends Timer {
  /** In [0, 1). */
  random(): number;
  /** 128 random bits, hex: ids of runs and nonces of documents. */
  nonce(): string;
}

/** Whether the store's abilities allow deletions, or why not; probed once per process by whoever wires it. */
export interface StoreTrust {
  readonly deletes: boolean;
  /** Why not, in plain words; '' where they do. */
  readonly reason: string;
}

export interface FetchPorts {
  readonly dial: Dial;
  readonly store: ObjectStore;
  readonly publisher: Publisher;
  readonly secrets: Secrets;
  readonly tokens: Tokens;
  readonly clock: Clock;
  /** Asked before the first DELE of a run. */
  trust(): Promise<StoreTrust>;
  /** One per process: bounds what all mailboxes together hold in memory on the way to the store. */
  readonly inFlight: ByteBudget;
  /** Sees every line to a server; absent, as nearly always, it costs nothing. */
  readonly observe?: Observe;
}
