/**
 * One process of a history. It may be killed at any call: then nothing it awaits settles ever again, so that no
 * `finally` of it runs, its connections drop, and what it had sent may still land. It may freeze and thaw, and its
 * clock may be wrong.
 */
import type { Clock } from '../../lib/fetch/ports.ts';
import type { RunOptions } from '../../lib/fetch/run.ts';
import type { Chance, Odds } from './chance.ts';
import type { Ledger } from './ledger.ts';
import type { Message } from './messages.ts';
import type { Slot } from './pop3Session.ts';
import type { Due, Owner, Scheduler } from './scheduler.ts';

export type Accident =
  | 'kill before'
  | 'kill after'
  | 'freeze'
  | 'jump'
  | 'abort'
  /** Of the world around it, at this very moment. */
  | 'arrival'
  | 'other client'
  | 'consumer'
  | 'renaming';

export interface World {
  readonly scheduler: Scheduler;
  readonly ledger: Ledger;
  readonly chance: Chance;
  /** Nothing fails by chance any more. */
  calm: boolean;
  happens(accident: 'arrival' | 'other client' | 'consumer' | 'renaming'): void;
}

export interface Visit {
  readonly beganMs: number;
  readonly honoursBackOff: boolean;
  readonly suspects: RunOptions['suspects'];
}

type Outcome<T> = { readonly value: T } | { readonly error: unknown };

const NEVER = new Promise<never>(() => {});
const DAY_MS = 86_400_000;

/** A few milliseconds usually, so that a run of some dozen calls takes about a second. */
const LATENCY_MS = 30;

/** Below a visibility timeout, beyond it, and beyond every deadline. */
const FREEZES_MS = [20_000, 130_000, 1_200_000] as const;

/** What a dead process had sent arrives soon, or after the next one has begun. */
const LANDS_AFTER_DEATH_MS = [100, 30_000, 600_000] as const;

export class SimulatedProcess implements Owner {
  readonly name: string;
  readonly world: World;
  readonly chance: Chance;
  readonly #accidents: Odds<Accident>;
  readonly abort = new AbortController();
  frozenUntilMs = 0;
  skewMs = 0;
  dead = false;
  /** The run has ended, in whatever way; the process may go on. */
  ended = false;
  /** Frozen, moved in time, slowed down or killed: its attempts may run out of time, and what it counted land later. */
  disturbed = false;
  /** Its run, as far as waiting goes. */
  visit: Visit | null = null;
  proved = false;
  /** How often a server has let it in. */
  signIns = 0;
  trusted = false;
  listed: readonly Slot[] = [];
  #inHand: Message | null = null;
  #run = '';
  readonly lines = new Set<{ drop(): void }>();

  constructor(name: string, world: World, accidents: Odds<Accident>) {
    this.name = name;
    this.world = world;
    this.chance = world.chance;
    this.#accidents = accidents;
  }

  /** The message that it works on: what befalls the process now may be taken for that message's fault. */
  get inHand(): Message | null {
    return this.#inHand;
  }

  takes(message: Message): void {
    this.#inHand = message;
    if (this.disturbed) this.isExcused();
  }

  /** Whether this call goes wrong, and how. */
  fault<Name extends string>(odds: Odds<Name>, what: string): Name | null {
    if (this.world.calm || this.dead) return null;
    const fault = odds.draw(this.chance);
    if (fault === null) return null;
    this.world.ledger.counts.faults += 1;
    this.world.scheduler.note(this.name, what, `!${fault}`);
    return fault;
  }

  /** A call whose effect and answer are one: `act` answers by itself, or never does. */
  does(what: string, detail: string, act: () => void): void {
    if (this.dead || this.#strikes(what, act)) return;
    const { scheduler, ledger } = this.world;
    ledger.counts.awaits += 1;
    const answer = () => {
      scheduler.note(this.name, what, detail);
      act();
    };
    scheduler.after(this.latencyMs(), this, answer);
  }

  call<T>(what: string, detail: string, act: () => T, slowMs = 0): Promise<T> {
    if (this.dead || this.#strikes(what, act)) return NEVER;
    const { scheduler, ledger } = this.world;
    ledger.counts.awaits += 1;
    if (slowMs > 0) this.disturb();
    // Its effect comes before what others do meanwhile, or after it.
    const done = this.chance.next() < 0.5 ? attempt(act) : null;
    return new Promise<T>((resolve, reject) => {
      const answer = () => {
        const outcome = done ?? attempt(act);
        if ('error' in outcome) {
          scheduler.note(this.name, what, `${detail} failed`);
          reject(outcome.error);
        } else {
          scheduler.note(this.name, what, detail);
          resolve(outcome.value);
        }
      };
      scheduler.after(this.latencyMs() + slowMs, this, answer, done === null ? act : null);
    });
  }

  latencyMs(): number {
    const drawn = this.chance.next();
    return 0.1 + drawn * drawn * LATENCY_MS;
  }

  /** Whether the process died, by an accident at this call. */
  #strikes(what: string, act: () => unknown): boolean {
    const accident = this.fault(this.#accidents, what);
    if (accident === null) return false;
    switch (accident) {
      case 'kill before':
        this.kill();
        return true;
      case 'kill after':
        attempt(act);
        this.kill();
        return true;
      case 'freeze':
        this.frozenUntilMs = this.world.scheduler.nowMs + this.chance.pick(FREEZES_MS) * this.chance.next();
        this.world.ledger.counts.freezes += 1;
        this.disturb();
        return false;
      case 'jump':
        this.skewMs += this.chance.pick([-DAY_MS, DAY_MS]);
        this.world.ledger.skewMs = Math.max(this.world.ledger.skewMs, Math.abs(this.skewMs));
        this.disturb();
        return false;
      case 'abort':
        this.abort.abort();
        return false;
      default:
        this.world.happens(accident);
        return false;
    }
  }

  disturb(): void {
    this.disturbed = true;
    this.isExcused();
  }

  /** What it has in hand, and what it last counted as tried, may be blamed for what befalls it, though innocent. */
  isExcused(): void {
    const { ledger } = this.world;
    if (this.#inHand !== null) ledger.excuse(this.#inHand, this.name);
    const counted = ledger.counted.get(this.#run);
    if (counted !== undefined) ledger.excuse(counted, this.name);
  }

  kill(): void {
    this.disturb();
    this.die('killed');
  }

  die(why: string): void {
    if (this.dead) return;
    const { scheduler, ledger } = this.world;
    this.dead = true;
    this.ended = true;
    ledger.counts.kills += 1;
    scheduler.note(this.name, 'died', why);
    for (const { pending } of scheduler.forget(this)) {
      if (pending === null || !this.chance.happens(0.5)) continue;
      this.lands(this.chance.next() * this.chance.pick(LANDS_AFTER_DEATH_MS), pending);
    }
    for (const line of this.lines) line.drop();
  }

  /** The process exits in order: what it had not finished ends there. */
  exit(): void {
    if (this.dead) return;
    this.dead = true;
    this.world.scheduler.forget(this);
    for (const line of this.lines) line.drop();
  }

  /** Whatever becomes of the process, this is applied at the store or bus then. */
  lands(delayMs: number, act: () => unknown): void {
    const { scheduler } = this.world;
    scheduler.after(delayMs, null, () => {
      scheduler.note(this.name, 'landed', 'error' in attempt(act) ? 'in vain' : '');
    });
  }

  /** Of its run; '' before it has begun. */
  get run(): string {
    return this.#run;
  }

  /** By its own clock. */
  nowMs(): number {
    return Math.floor(this.world.scheduler.nowMs) + this.skewMs;
  }

  clock(): Clock {
    const { scheduler } = this.world;
    return {
      now: () => this.nowMs(),
      after: (delayMs, fire) => {
        if (this.dead) return () => {};
        const due: Due = scheduler.after(Math.max(0, delayMs), this, fire);
        return () => scheduler.cancel(due);
      },
      random: () => this.chance.next(),
      nonce: () => {
        const nonce = this.chance.hex(32);
        // The first one that a run takes is its id.
        if (this.#run === '') this.#run = nonce;
        return nonce;
      },
    };
  }
}

function attempt<T>(act: () => T): Outcome<T> {
  try {
    return { value: act() };
  } catch (error) {
    return { error };
  }
}
