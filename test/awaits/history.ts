/**
 * A mailbox of three messages, one of them uploaded in parts, on a server that removes at DELE without waiting for
 * QUIT. Two processes meet the planned faults, one after the other; then runs that nothing disturbs, and the
 * promises must hold.
 */
import { loadHead } from '../../lib/mailbox/head.ts';
import { Bucket } from '../sim/bucket.ts';
import { Chance } from '../sim/chance.ts';
import { Ledger, Violation } from '../sim/ledger.ts';
import { checkArrivals } from '../sim/liveness.ts';
import { Maildrop } from '../sim/maildrop.ts';
import type { MailMaker } from '../sim/mailMaker.ts';
import type { Making } from '../sim/messages.ts';
import { NO_ODDITIES } from '../sim/oddities.ts';
import { ObjectOracle } from '../sim/oracles.ts';
import { type Going, type Stage, start } from '../sim/runs.ts';
import { Scheduler } from '../sim/scheduler.ts';
import type { Circumstances } from '../sim/swarm.ts';
import { type Place, type Plan, Planner } from './planned.ts';

export interface Outcome {
  readonly violation: Violation | null;
  /** Where something could have gone wrong. */
  readonly places: readonly Place[];
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** Runs after which the mailbox must be quiet, whatever two faults did. */
const QUIET_RUNS = 8;

/** Octets of each message; a part is 256. */
const SIZES = [120, 700, 160] as const;

const MANNERS: Circumstances['manners'] = {
  ...NO_ODDITIES,
  stuffs: true,
  top: 'headers',
  pipelining: 'all',
  forgetsWhenPipelined: false,
  deletes: 'at disconnect',
  hides: 'never',
  exclusive: false,
  lingerMs: 0,
  uidlOfOne: true,
  listOfOne: true,
  shuffles: false,
  loginDelaySeconds: 0,
  pieces: false,
  eager: 1,
};

/** 'lost before' and 'lost after': so a 500 without and with effect reaches the engine, too. 'later': 503 and 409. */
function circumstances(planner: Planner): Omit<Circumstances, 'postage'> {
  const writes = planner.odds(['lost before', 'lost after', 'late', 'later', 'own success']);
  return {
    deletes: true,
    attempts: 3,
    summaries: true,
    durable: true,
    completeHonours: true,
    manners: MANNERS,
    accidents: planner.odds(['kill before', 'kill after']),
    store: { messages: writes, state: writes, looks: planner.odds(['later']) },
    bus: planner.odds(['unavailable', 'partial']),
    line: planner.odds(['cut', 'reset', 'refuse']),
    dialFails: 0,
    secretFails: 0,
    rounds: 1,
    overlap: 1,
  };
}

export async function play(plan: Plan): Promise<Outcome> {
  const planner = new Planner(plan);
  const history = new AwaitsHistory(planner);
  await history.play().catch((error: unknown) => {
    if (!(error instanceof Violation)) throw error;
  });
  return { violation: history.stage.world.ledger.violation, places: planner.passed };
}

class AwaitsHistory {
  readonly stage: Stage;

  constructor(planner: Planner) {
    const chance = new Chance(1);
    const password = `pw-${chance.hex(16)}`;
    const scheduler = new Scheduler({ trace: false, drainsWholly: false });
    const terms = { mailbox: 'inbox', deletes: true, attempts: 3, durable: true, password };
    const ledger = new Ledger({ ...terms, storeTrusted: true }, () => scheduler.nowMs);
    const bucket = new Bucket(true, new ObjectOracle(ledger), ledger.nowMs);
    ledger.bucket = bucket;
    const maildrop = new Maildrop(MANNERS);
    const world = { scheduler, ledger, chance, calm: false, happens: () => {} };
    const mailbox = {
      ...{
        id: 'inbox',
        host: 'pop.example.org',
        port: 995,
        tls: 'implicit' as const,
        user: 'ferry',
        password: 'env:PASSWORD',
      },
      ...{
        delete: 'when-stored' as const,
        headerSummary: true,
        attempts: 3,
        every: '5m',
        enabled: true,
        pipelining: true,
        signIn: { mechanism: 'user-pass' as const, initialResponse: false },
        sizes: 'exact' as const,
        start: 'all' as const,
      },
    };
    const given = circumstances(planner) as Circumstances;
    this.stage = { world, bucket, maildrop, circumstances: given, mailbox, password, wrap: (ports) => ports };
    for (const message of SIZES.map((octets, index) => making(index + 1, octets)))
      ledger.register(maildrop.arrive({ next: () => message } as MailMaker));
  }

  async play(): Promise<void> {
    const { world } = this.stage;
    for (let process = 1; process <= 2; process += 1) {
      await this.#run(`p${process}`);
      await this.#pass(2 * MINUTE_MS);
    }
    world.calm = true;
    await this.#settle(10 * MINUTE_MS, 'calm');
    const { intents, failures } = (await this.#head()).head;
    // Until nothing that was sent can land any more, and what is watched for that is let go.
    if (intents.length + failures.length > 0) await this.#settle(26 * HOUR_MS, 'late');
    checkArrivals(this.stage, (await this.#head()).head);
    this.#stopIfBroken();
  }

  async #settle(ms: number, name: string): Promise<void> {
    const { ledger } = this.stage.world;
    await this.#pass(ms);
    for (let nth = 1; nth <= QUIET_RUNS; nth += 1) {
      const { retrs, puts, events, deles } = ledger.counts;
      const { report } = await this.#run(`${name}${nth}`);
      const { counts } = ledger;
      const still = counts.retrs === retrs && counts.puts === puts && counts.events === events;
      if (still && counts.deles === deles && report?.outcome === 'done') return;
      await this.#pass(3 * MINUTE_MS);
    }
    ledger.fail('L3 quiet', `after ${QUIET_RUNS} undisturbed runs there still is something to do`);
    this.#stopIfBroken();
  }

  async #run(name: string): Promise<Going> {
    const { scheduler, ledger } = this.stage.world;
    const options = { suspects: 'after', honourBackOff: false, spanMs: MINUTE_MS, stays: false } as const;
    const going = start(this.stage, name, options);
    const ended = await scheduler.run(() => going.process.ended || ledger.violation !== null);
    if (!ended) ledger.fail('I12 time', 'a run waits for something that never comes');
    this.#stopIfBroken();
    return going;
  }

  async #pass(ms: number): Promise<void> {
    await this.stage.world.scheduler.pass(ms, () => this.stage.world.ledger.violation !== null);
    this.#stopIfBroken();
  }

  #head() {
    const { bucket, mailbox } = this.stage;
    const read = async (key: string) => {
      const held = bucket.objects.get(key);
      return held && { version: held.version, size: held.body.length, chunks: [held.body] };
    };
    return loadHead({ read } as never, mailbox.id);
  }

  #stopIfBroken(): void {
    const { violation } = this.stage.world.ledger;
    if (violation !== null) throw violation;
  }
}

function making(number: number, octets: number): Making {
  const head = `Message-ID: <${number}@example.org>\r\nSubject: ${number}\r\n\r\n`;
  const bytes = Buffer.from(`${head.padEnd(octets - 2, `.${number}\r\n`)}\r\n`, 'latin1');
  return { number, uidl: `u${number}`, bytes, listed: String(bytes.length), poison: 'none', family: number };
}
