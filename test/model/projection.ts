/**
 * What the model and a real mailbox can both be seen to hold: the durable facts, in the model's numbers. The store
 * of a real run is watched, and each change of these facts noted down.
 */
import { createHash } from 'node:crypto';
import { HeaderBlock } from '../../lib/fetch/headerBlock.ts';
import type { Failure, Head, MessageRef } from '../../lib/mailbox/state.ts';
import type { ObjectStore } from '../../lib/store/port.ts';
import type { World as RealWorld } from '../fetch/world.ts';
import { bytesOf, type ScriptedMessage } from '../servers/scripted.ts';
import { type Facts, factsOf, type ModelMessage, type Scenario } from './facts.ts';
import { attempts, isAside } from './head.ts';
import { type Model, nibble, type World } from './world.ts';

interface Seen {
  readonly present: number;
  readonly first: readonly number[];
  readonly second: number;
  readonly events: number;
  readonly records: number;
  readonly beside: number;
  readonly left: number;
  /** By run, but nobody asks which. */
  readonly held: readonly number[];
  /** By ref: attempts, and 8 more where it is set aside. */
  readonly failures: readonly number[];
  readonly singly: number;
}

/** One string per set of facts. */
function told(seen: Seen): string {
  const held = seen.held.filter((refs) => refs !== 0).sort((a, b) => a - b);
  return JSON.stringify({ ...seen, held });
}

export function seenInModel({ facts, heads }: Model, world: World): string {
  const { records, beside, left, held, failures, singly } = heads.at(world.head);
  return told({
    present: world.present,
    first: Array.from({ length: facts.uidls }, (_, uidl) => nibble(world.first, uidl)),
    second: world.second,
    events: world.events,
    records,
    beside,
    left,
    held,
    failures: failures.map((failure) => attempts(failure) + (isAside(failure) ? 8 : 0)),
    singly,
  });
}

/** The scripted messages, numbered as the model does: equal UIDLs, sizes and header blocks have equal numbers. */
export class Numbering {
  readonly facts: Facts;
  readonly #uidls: string[] = [];
  readonly #sizes: number[] = [];
  readonly #headers: string[] = [];
  readonly #contents: string[] = [];

  constructor(messages: readonly ScriptedMessage[], scenario: Omit<Scenario, 'messages'>) {
    const numbered = messages.map((message): ModelMessage => {
      const bytes = bytesOf(message);
      this.#contents.push(hashOf(bytes));
      return {
        uidl: place(this.#uidls, message.uidl),
        size: place(this.#sizes, bytes.length),
        header: place(this.#headers, headerOf(bytes)),
      };
    });
    this.facts = factsOf({ ...scenario, messages: numbered });
  }

  /** As a mask; throws where the bytes are no message's. */
  variant(bytes: Uint8Array): number {
    return this.variantByHash(hashOf(bytes));
  }

  variantByHash(sha256: string): number {
    const message = this.#contents.indexOf(sha256);
    if (message < 0) throw new Error(`bytes that no message has: ${sha256}`);
    return this.facts.variantOf[message]?.whole ?? 0;
  }

  message(of: ScriptedMessage): number {
    return this.#contents.indexOf(hashOf(bytesOf(of)));
  }

  ref({ uidl, size, headerHash }: MessageRef): number {
    const header = headerHash === null ? null : this.#headers.indexOf(headerHash);
    const found = this.facts.refs.findIndex(
      (ref) =>
        ref.uidl === this.#uidls.indexOf(uidl) &&
        ref.size === this.#sizes.indexOf(size ?? -1) &&
        ref.header === header,
    );
    if (found < 0) throw new Error(`a ref that the model does not have: ${uidl} ${size} ${headerHash}`);
    return found;
  }
}

function place<T>(known: T[], value: T): number {
  const at = known.indexOf(value);
  return at >= 0 ? at : known.push(value) - 1;
}

function hashOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function headerOf(bytes: Uint8Array): string {
  const block = new HeaderBlock();
  block.update(bytes);
  return block.hash();
}

export async function seenInReality(world: RealWorld, numbering: Numbering): Promise<string> {
  const { facts } = numbering;
  const first = Array.from({ length: facts.uidls }, () => 0);
  let second = 0;
  for (const [key, bytes] of await world.objects()) {
    const variant = numbering.variant(bytes);
    if (/-[0-9a-f]{64}\.eml$/.test(key)) second |= 1 << variant;
    else first[facts.variants[variant]?.uidl ?? 0] = variant;
  }
  const mask = (numbers: readonly number[]) => numbers.reduce((bits, one) => bits | (1 << one), 0);
  const head = await world.head();
  return told({
    present: mask(world.server.messages.map((message) => numbering.message(message))),
    first,
    second,
    events: mask(world.publisher.stored.map(({ sha256 }) => numbering.variantByHash(sha256))),
    records: mask(head.records.map(({ sha256 }) => numbering.variantByHash(sha256))),
    beside: mask(
      head.records.flatMap(({ sha256, byContent }) => (byContent ? [numbering.variantByHash(sha256)] : [])),
    ),
    ...intentsOf(head, world.clock.now(), numbering),
    failures: facts.refs.map((_, ref) =>
      failureOf(head.failures.find((failure) => numbering.ref(failure) === ref)),
    ),
    singly: head.singlySinceMs === null ? 0 : 1,
  });
}

function intentsOf({ intents }: Head, nowMs: number, numbering: Numbering): { left: number; held: number[] } {
  let left = 0;
  const held = new Map<string, number>();
  for (const intent of intents) {
    const bit = 1 << numbering.ref(intent);
    if (intent.untilMs <= nowMs) left |= bit;
    else held.set(intent.run, (held.get(intent.run) ?? 0) | bit);
  }
  return { left, held: [...held.values()] };
}

function failureOf(failure: Failure | undefined): number {
  return failure === undefined ? 0 : failure.attempts + (failure.setAsideMs === null ? 0 : 8);
}

/**
 * Tells of every write, before and after it: what the server did by itself shows at the next one. One write at a
 * time, for two at once would be told as one.
 */
export function watched(store: ObjectStore, look: () => Promise<void>): ObjectStore {
  let last: Promise<unknown> = Promise.resolve();
  const around = <T>(act: () => Promise<T>): Promise<T> => {
    const done = last.then(async () => {
      await look();
      const value = await act();
      await look();
      return value;
    });
    last = done.catch(() => {});
    return done;
  };
  return {
    ...store,
    create: (key, body, digest) => around(() => store.create(key, body, digest)),
    replace: (key, body, expected) => around(() => store.replace(key, body, expected)),
  };
}
