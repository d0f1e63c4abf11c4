/**
 * What really happened, kept outside of the engine: every message there ever was under which id, every object,
 * every event that was accepted, every removal and by whom. The oracles compare it with what was promised.
 */
import type { MessageStored } from '../../lib/events/shapes.ts';
import type { Head, StoredRecord } from '../../lib/mailbox/state.ts';
import type { Bucket, Held } from './bucket.ts';
import type { Removed } from './maildrop.ts';
import { type Message, stemOf } from './messages.ts';
import { NO_POLICIES, type Policies } from './policies.ts';
import type { Slot } from './pop3Session.ts';
import type { Closed } from './waitOracle.ts';

export class Violation extends Error {
  readonly oracle: string;

  constructor(oracle: string, words: string) {
    super(`${oracle}: ${words}`);
    this.name = 'Violation';
    this.oracle = oracle;
  }
}

export class Counts {
  seeds = 0;
  processes = 0;
  awaits = 0;
  faults = 0;
  kills = 0;
  freezes = 0;
  messages = 0;
  lost = 0;
  wronglyDeleted = 0;
  removed = 0;
  objects = 0;
  /** Messages that were stored at all, each once per UIDL and content. */
  stored = 0;
  events = 0;
  bytesFetched = 0;
  bytesStored = 0;
  retrs = 0;
  deles = 0;
  puts = 0;
  stateWrites = 0;
  setAside = 0;
  wronglySetAside = 0;
  /** Sign-ins that the server turned away, and events of a mailbox that fails or recovered. */
  turnedAway = 0;
  news = 0;
  /** Stored without UIDL; renumbered where UIDLs are numbers; and QUITs behind deletes that a server always refuses. */
  nameless = 0;
  moved = 0;
  quitsRefused = 0;
  /** Messages that were there before the start, events of those too large, and deletes that had a day to wait for. */
  leftAlone = 0;
  tooLarge = 0;
  deletedLater = 0;
}

/** What of the settings and the surroundings decides what is allowed. */
export interface Terms {
  readonly mailbox: string;
  readonly deletes: boolean;
  readonly attempts: number;
  readonly durable: boolean;
  readonly storeTrusted: boolean;
  readonly password: string;
  readonly policies?: Policies;
}

/** Who commits a state: its run, the time by its clock, and whether it met with an accident. */
export interface Writer {
  readonly name: string;
  readonly run: string;
  readonly disturbed: boolean;
  /** What its last session was told of the mailbox, in the order of numbers. */
  readonly listed: readonly Slot[];
  nowMs(): number;
}

/** What the state knows a message by, where its header is not asked for. */
export type Named = Pick<Message, 'uidl' | 'listSize'>;

export class Ledger {
  readonly terms: Terms;
  readonly counts = new Counts();
  violation: Violation | null = null;
  bucket: Bucket | null = null;
  /** By the stem of its keys and its content: the message. */
  readonly truths = new Map<string, Map<string, Message>>();
  /** By UIDL: every message that was ever offered under it. */
  readonly offered = new Map<string, Set<Message>>();
  readonly #stems = new Map<string, string>();
  /** By pair: the key of its object. */
  readonly objects = new Map<string, string>();
  /** Pairs whose object a consumer removed, and when; and those that a store which ignores conditions overwrote. */
  readonly consumed = new Map<string, number>();
  readonly overwritten = new Set<string>();
  /** By pair: how often accepted, and under which id. */
  readonly accepted = new Map<string, number>();
  readonly ids = new Map<string, string>();
  /** Pairs that the committed state calls stored and announced. */
  readonly recorded = new Map<string, StoredRecord>();
  readonly removals: Removed[] = [];
  /** By message: the processes that met with an accident over it, so that it may have been blamed. */
  readonly excuses = new Map<number, Set<string>>();
  /** By run: the one message that its last count of an attempt was about. */
  readonly counted = new Map<string, Named>();
  /** Messages set aside, by the ref that the state gives them, and those a person was told of. */
  readonly aside = new Set<string>();
  asideEvents = 0;
  /** What keeps scheduled runs away, by the committed state. */
  backedOff: Closed | null = null;
  delayed: Closed | null = null;
  /** Of a mailbox that fails or recovered: what a committed state ever had to say, and under which id it was accepted. */
  readonly news = { due: new Set<string>(), said: new Map<string, string>() };
  /** The last one committed, and by whom. */
  head: Head | null = null;
  writer: Writer | null = null;
  /** The pairs of each segment that a head ever named. */
  readonly segments = new Map<string, ReadonlySet<string>>();
  /** By pair of a message that got a new UIDL and is known by its content: the pair that it is stored and announced as. */
  readonly renamed = new Map<string, string>();
  /** By pair: when a message with that UIDL and content was last taken from the server's listing. */
  readonly goneMs = new Map<string, number>();
  /** By how much a clock was wrong at most: what is set by it falls due so much later. */
  skewMs = 0;
  readonly nonces = new Set<string>();
  readonly policies: Policies;
  /** Nothing fails any more, and one process is at it at a time. */
  calm = false;
  /** By pair: when its object was there first. */
  readonly firstStoredMs = new Map<string, number>();
  /** Documents of what was there before the start, as the committed state names them; null: not decided. */
  start: readonly string[] | null = null;
  /** What they say: rows, by UIDL and size. */
  seeds: ReadonlyMap<string, number> = new Map();
  /** UIDLs of which nothing told the new message from one that was there. */
  readonly ambiguous = new Set<string>();
  /** Messages that a person was told are too large, by UIDL and size. */
  readonly toldLarge = new Set<string>();
  /** By UIDL: when a message of it was last taken from the listing. */
  readonly uidlGoneMs = new Map<string, number>();

  /** Virtual time, epoch milliseconds. */
  readonly nowMs: () => number;

  constructor(terms: Terms, nowMs: () => number) {
    this.terms = terms;
    this.policies = terms.policies ?? NO_POLICIES;
    this.nowMs = nowMs;
  }

  get clocksJumped(): boolean {
    return this.skewMs > 0;
  }

  /** The first one stands. */
  fail(oracle: string, words: string): void {
    this.violation ??= new Violation(oracle, words);
  }

  /** It is offered under this id from now on. */
  register(message: Message): void {
    this.offered.set(message.uidl, (this.offered.get(message.uidl) ?? new Set()).add(message));
    const stem = this.stemOf(message.uidl);
    const contents = this.truths.get(stem) ?? new Map<string, Message>();
    this.truths.set(stem, contents);
    if (message.truth !== null && !contents.has(message.sha256)) contents.set(message.sha256, message);
  }

  stemOf(uidl: string): string {
    let stem = this.#stems.get(uidl);
    if (stem === undefined) {
      stem = stemOf(this.terms.mailbox, uidl);
      this.#stems.set(uidl, stem);
    }
    return stem;
  }

  /** Of those ever offered. */
  uidlOf(stem: string): string | undefined {
    for (const uidl of this.offered.keys()) if (this.stemOf(uidl) === stem) return uidl;
    return undefined;
  }

  /** UIDL and content: what is stored once, and announced under one id. */
  pairOf(uidl: string, sha256: string): string {
    return `${this.stemOf(uidl)} ${sha256}`;
  }

  /** Any message that was offered under the UIDL whose objects have this stem; without one, that whose content begins so. */
  offeredAs(stem: string): Message | undefined {
    const [nameless = '', mark] = stem.split('-');
    if (mark !== undefined)
      return [...(this.truths.get(nameless)?.values() ?? [])].find(({ sha256 }) => sha256.startsWith(mark));
    const { value } = this.truths.get(stem)?.values().next() ?? {};
    return value;
  }

  /** UIDL and content, of each UIDL that it ever had. */
  pairsOf(message: Message): string[] {
    const names = [...this.offered].filter(([, messages]) => messages.has(message));
    return names.map(([uidl]) => this.pairOf(uidl, message.sha256));
  }

  messageOf({ uidl, sha256 }: Pick<MessageStored, 'uidl' | 'sha256'>): Message | undefined {
    return this.truths.get(this.stemOf(uidl))?.get(sha256);
  }

  /** Whether its object is there, or was until `sinceMs`, when others than us took it away. */
  isStored(pair: string, sinceMs = 0): boolean {
    return this.#namesOf(pair).some(
      (name) => this.objects.has(name) || (this.consumed.get(name) ?? -1) >= sinceMs,
    );
  }

  /** Under this name, or the one that it bore then; undefined: never. */
  firstStored(pair: string): number | undefined {
    const known = this.#namesOf(pair).flatMap((name) => this.firstStoredMs.get(name) ?? []);
    return known.length > 0 ? Math.min(...known) : undefined;
  }

  isAnnounced(pair: string): boolean {
    return this.#namesOf(pair).some((name) => this.accepted.has(name));
  }

  isConsumed(pair: string): boolean {
    return this.#namesOf(pair).some((name) => this.consumed.has(name));
  }

  isOverwritten(pair: string): boolean {
    return this.#namesOf(pair).some((name) => this.overwritten.has(name));
  }

  /** Whether the store let one message be put in another's place, under the stem of this pair: never where content names it. */
  isContested(pair: string): boolean {
    const [stem = ''] = pair.split(' ');
    if (stem === this.stemOf('')) return false;
    return [...this.overwritten].some((name) => name.startsWith(`${stem} `));
  }

  #namesOf(pair: string): readonly string[] {
    const renamed = this.renamed.get(pair);
    return renamed === undefined ? [pair] : [pair, renamed];
  }

  /** It is not listed under this id any more. */
  unlisted({ uidl, sha256 }: Message): void {
    this.uidlGoneMs.set(uidl, this.nowMs());
    this.goneMs.set(this.pairOf(uidl, sha256), this.nowMs());
  }

  heldOf(pair: string): Held | undefined {
    const key = this.#namesOf(pair).flatMap((name) => this.objects.get(name) ?? [])[0];
    return key === undefined ? undefined : this.bucket?.objects.get(key);
  }

  /** All that bear its UIDL, or of those without it have its size: an attempt at one looks at what is stored of the others. */
  excuse({ uidl, listSize }: Named, process: string): void {
    for (const { number, listSize: size } of this.offered.get(uidl) ?? []) {
      if (uidl === '' && size !== listSize) continue;
      const excuses = this.excuses.get(number) ?? new Set();
      this.excuses.set(number, excuses.add(process));
    }
  }

  remove(removed: Removed): void {
    this.counts.removed += 1;
    this.removals.push(removed);
    this.unlisted(removed.message);
  }
}
