/**
 * One history from one seed: a mailbox, its server, store and bus; rounds in which mail arrives and processes run,
 * overlap, die and freeze; then calm, and the promises must hold.
 */
import type { FetchPorts } from '../../lib/fetch/ports.ts';
import { loadHead } from '../../lib/mailbox/head.ts';
import type { Mailbox } from '../../lib/mailbox/settings.ts';
import type { Head } from '../../lib/mailbox/state.ts';
import { Bucket } from './bucket.ts';
import { Chance } from './chance.ts';
import { Doorkeeper } from './doorkeeper.ts';
import { type Counts, Ledger, Violation } from './ledger.ts';
import { checkArrivals, waitsForItsDay, waitsForSlowRetry } from './liveness.ts';
import { Maildrop } from './maildrop.ts';
import { MailMaker } from './mailMaker.ts';
import { oddly } from './oddities.ts';
import { ObjectOracle } from './oracles.ts';
import { type Policies, policiesOf } from './policies.ts';
import { isServed } from './policyOracle.ts';
import type { Accident, World } from './process.ts';
import { mostQuietRuns, wasQuiet } from './quiet.ts';
import { type Going, type Stage, start } from './runs.ts';
import { Scheduler } from './scheduler.ts';
import { circumstancesOf } from './swarm.ts';
import { checkNothingUnsaid } from './waitOracle.ts';

export interface HistoryOptions {
  readonly trace?: boolean;
  /** Changes the ports of each process: a wrong engine's way in. */
  readonly wrap?: (ports: FetchPorts) => FetchPorts;
}

export interface Told {
  readonly seed: number;
  readonly violation: Violation | null;
  readonly counts: Counts;
  /** Equal for equal histories. */
  readonly hash: number;
  readonly lines: readonly string[] | null;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** Most of one message's that wait for their turn to be announced. */
const SLOW_RETRIES = 4;

/** What was stored only a day after the rest has its own day to wait for. */
const LATE_DAYS = 3;

/** Without UIDL a delete that was not done is asked for again a day later. */
const NAMELESS_DAYS = 12;

/** Every so many histories return to the event loop between steps, where Node reports rejections nobody handled. */
const DRAINS_WHOLLY_EACH = 16;

export async function live(seed: number, options: HistoryOptions = {}): Promise<Told> {
  const history = new History(seed, options);
  const { ledger, scheduler } = history.stage.world;
  try {
    await history.play();
  } catch (error) {
    if (!(error instanceof Violation)) throw error;
  }
  ledger.counts.seeds = 1;
  ledger.counts.messages = history.stage.maildrop.all.length;
  const { violation, counts } = ledger;
  return { seed, violation, counts, hash: scheduler.hash >>> 0, lines: scheduler.lines };
}

class History {
  readonly stage: Stage;
  readonly #maker: MailMaker;
  readonly #going: Going[] = [];
  #names = 0;
  #renamed = false;
  /**
   * All that is left alone was given new UIDLs, and the engine cannot tell it from new mail; or there are none, and the
   * settings want them: it has stopped for a person.
   */
  #awaitsPerson = false;

  constructor(seed: number, { trace = false, wrap = (ports) => ports }: HistoryOptions) {
    const chance = new Chance(seed);
    const { circumstances, policies } = oddly(seed, circumstancesOf(chance), policiesOf(seed));
    const password = `pw-${chance.hex(16)}`;
    const { deletes, attempts, durable, completeHonours, manners } = circumstances;
    const scheduler = new Scheduler({ trace, drainsWholly: seed % DRAINS_WHOLLY_EACH === 0 });
    const terms = { mailbox: 'inbox', deletes, attempts, durable, password, policies };
    const ledger = new Ledger({ ...terms, storeTrusted: completeHonours }, () => scheduler.nowMs);
    const bucket = new Bucket(completeHonours, new ObjectOracle(ledger), ledger.nowMs);
    ledger.bucket = bucket;
    const maildrop = new Maildrop(manners, new Doorkeeper(seed));
    const happens = (accident: Accident) => this.#happens(accident);
    const world: World = { scheduler, ledger, chance, calm: false, happens };
    const mailbox = mailboxOf(circumstances, policies);
    this.stage = { world, bucket, maildrop, circumstances, mailbox, password, wrap };
    this.#maker = new MailMaker(chance, circumstances.postage, maildrop.all);
    scheduler.lines?.push(JSON.stringify({ deletes, attempts, durable, completeHonours, manners, policies }));
  }

  async play(): Promise<void> {
    const { world, circumstances } = this.stage;
    for (let round = 0; round < circumstances.rounds; round += 1) {
      await this.#round();
      this.#stopIfBroken();
    }
    world.calm = true;
    world.scheduler.note('world', 'calm', '');
    await this.#until(() => this.#going.every(({ process }) => process.ended));
    for (const { process } of this.#going) process.exit();
    this.#stopIfBroken();
    world.ledger.calm = true;
    await this.#settle(10 * MINUTE_MS);
    if (this.#awaitsPerson) return;
    const { intents, failures } = await this.#head();
    // What was set aside is tried again, and watching for late writes ends, within a day, by the clock that said when.
    const isNamed = this.stage.maildrop.manners.uidls !== 'none';
    if (intents.length + failures.length > 0 || world.chance.happens(0.2) || !isNamed)
      await this.#settleForADay();
    // A slow retry may complete an object and end the process: saying so is for the next, one of them at a time.
    for (let day = 0; day < SLOW_RETRIES && waitsForSlowRetry(this.stage, await this.#head()); day += 1)
      await this.#settleForADay();
    for (let day = 0; day < this.#lateDays && isNamed && waitsForItsDay(this.stage); day += 1)
      await this.#settleForADay();
    // Not on the days of what is set aside alone, which may take their deletes with it.
    for (let day = 0; day < NAMELESS_DAYS && !isNamed && waitsForItsDay(this.stage); day += 1)
      await this.#settle(26 * HOUR_MS + world.ledger.skewMs);
    const head = await this.#head();
    checkArrivals(this.stage, head);
    checkNothingUnsaid(head, this.stage.world.ledger);
    this.#stopIfBroken();
  }

  /** What has moved, and has no trace of a delivery, is stored anew under its number, and waits anew. */
  get #lateDays(): number {
    const { manners, all } = this.stage.maildrop;
    return manners.uidls === 'numbers' ? LATE_DAYS + all.length : LATE_DAYS;
  }

  async #settleForADay(): Promise<void> {
    const { ledger, scheduler } = this.stage.world;
    const retries = (await this.#head()).failures.map(
      ({ retryMs }) => retryMs - scheduler.nowMs + 2 * HOUR_MS,
    );
    await this.#settle(Math.max(26 * HOUR_MS, ...retries) + ledger.skewMs);
  }

  async #round(): Promise<void> {
    const { world, circumstances } = this.stage;
    const { chance } = world;
    // Between two runs, so that only the listing can tell.
    if (this.stage.maildrop.manners.uidls !== 'lasting' && chance.happens(0.6)) this.#happens('other client');
    for (let count = chance.below(4); count > 0; count -= 1) this.#arrive();
    for (let count = chance.between(1, circumstances.overlap); count > 0; count -= 1) {
      this.#start();
      await world.scheduler.pass(chance.next() * 400, () => this.#broken);
    }
    await this.#until(() => this.#going.every(({ process }) => this.#isOut(process)));
    await this.#pass(chance.pick([0, 1_000, 2 * MINUTE_MS, 10 * MINUTE_MS, HOUR_MS, 24 * HOUR_MS]));
  }

  /** Ended, or frozen for so long that others begin before it thaws. */
  #isOut({ ended, frozenUntilMs }: Going['process']): boolean {
    return ended || frozenUntilMs > this.stage.world.scheduler.nowMs + 10_000;
  }

  #start(): void {
    const { chance } = this.stage.world;
    this.#begin({
      suspects: chance.pick(['after', 'after', 'never', 'only']),
      honourBackOff: chance.happens(0.3),
      spanMs: chance.pick([120_000, 60_000, 60_000, 20_000, 3_000]),
      stays: chance.happens(0.5),
    });
  }

  #begin(options: Parameters<typeof start>[2]): Going {
    this.#names += 1;
    const going = start(this.stage, `p${this.#names}`, options);
    this.#going.push(going);
    return going;
  }

  /** Runs until one has nothing to do, after `ms` have gone by. */
  async #settle(ms: number): Promise<void> {
    const { world } = this.stage;
    await this.#pass(ms);
    const most = mostQuietRuns(this.stage);
    for (let run = 1; run <= most; run += 1) {
      const before = { ...world.ledger.counts };
      const going = this.#begin({ suspects: 'after', honourBackOff: false, spanMs: 120_000, stays: false });
      await this.#until(() => going.process.ended);
      if (wasQuiet(this.stage, before, going.report)) return;
      this.#awaitsPerson = this.#isForPerson(going.report?.error?.code);
      if (this.#awaitsPerson) return;
      await this.#pass(3 * MINUTE_MS);
    }
    world.ledger.fail('L3 quiet', `after ${most} undisturbed runs there still is something to do`);
    this.#stopIfBroken();
  }

  #isForPerson(code: string | undefined): boolean {
    if (code === 'E_START_RENUMBERED') return this.#renamed;
    return code === 'E_RUN_UNVOUCHED' && !isServed(this.stage);
  }

  /** As the engine itself reads it. */
  async #head(): Promise<Head> {
    const { ledger } = this.stage.world;
    const store = { read: async (key: string) => this.#read(key) };
    try {
      return (await loadHead(store as never, this.stage.mailbox.id)).head;
    } catch (error) {
      ledger.fail('I6 state', String(error));
      throw ledger.violation;
    }
  }

  #read(key: string) {
    const held = this.stage.bucket.objects.get(key);
    if (held === undefined) return null;
    const chunks = (async function* () {
      yield held.body;
    })();
    return { version: held.version, size: held.body.length, chunks };
  }

  #arrive(): void {
    const { maildrop, world } = this.stage;
    const message = maildrop.arrive(this.#maker);
    world.ledger.register(message);
    world.scheduler.note(
      'world',
      'mail',
      `${message.number} ${message.uidl} ${message.listed} ${message.poison}`,
    );
  }

  #happens(accident: Accident) {
    const { maildrop, world, bucket } = this.stage;
    const { chance, ledger, scheduler } = world;
    if (accident === 'arrival') return this.#arrive();
    if (accident === 'other client') {
      const message = maildrop.takeAway(chance);
      if (message) ledger.unlisted(message);
      return scheduler.note('world', 'takes away', String(message?.number));
    }
    if (accident === 'renaming') {
      if (maildrop.manners.uidls !== 'lasting') return;
      this.#renamed = true;
      for (const message of maildrop.present) ledger.unlisted(message);
      maildrop.renameAll(chance);
      for (const message of maildrop.present) ledger.register(message);
      return;
    }
    // Consumers act upon events.
    const known = [...ledger.objects].filter(([pair]) => ledger.accepted.has(pair));
    if (known.length > 0) bucket.remove(chance.pick(known)[1], 'consumer');
  }

  get #broken(): boolean {
    return this.stage.world.ledger.violation !== null;
  }

  #stopIfBroken(): void {
    const { violation } = this.stage.world.ledger;
    if (violation !== null) throw violation;
  }

  async #until(done: () => boolean): Promise<void> {
    const { scheduler, ledger } = this.stage.world;
    if (!(await scheduler.run(() => done() || this.#broken)))
      ledger.fail('I12 time', 'a run waits for something that never comes');
    this.#stopIfBroken();
  }

  async #pass(ms: number): Promise<void> {
    await this.stage.world.scheduler.pass(ms, () => this.#broken);
  }
}

function mailboxOf(
  { deletes, attempts, summaries }: Stage['circumstances'],
  { days, start, sizeLimit }: Policies,
): Mailbox {
  const later = days > 0 ? { daysAfterStored: days } : ('when-stored' as const);
  return {
    ...(sizeLimit === null ? {} : { sizeLimit }),
    id: 'inbox',
    host: 'pop.example.org',
    port: 995,
    tls: 'implicit',
    user: 'ferry',
    password: 'env:PASSWORD',
    delete: deletes ? later : 'keep',
    headerSummary: summaries,
    attempts,
    every: '5m',
    enabled: true,
    pipelining: true,
    signIn: { mechanism: 'user-pass', initialResponse: false },
    sizes: 'exact',
    start,
  };
}
