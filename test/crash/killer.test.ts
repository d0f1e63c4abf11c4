/** Messages that end whatever process touches them: one costs its own place and no other. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Command, installCommand } from '../real/endsCommand.ts';
import { type BucketEnd, type FarEnd, type FolderEnd, startBucket, startFolder } from '../real/endsFar.ts';
import { startFunction } from '../real/endsFunction.ts';
import { storedEvents, violations } from '../real/endsLedger.ts';
import { type NearEnd, passwordOf, startMail } from '../real/endsMail.ts';
import { needing } from '../real/endsParts.ts';
import { startHttpGate } from './httpGate.ts';
import { letter } from './mailForTrials.ts';
import { type Pop3Gate, startPop3Gate } from './pop3Gate.ts';
import { type Fate, type Place, Trap } from './trap.ts';

const ATTEMPTS = 3;

/** Of one run: its intents are another's to judge only when that is over, and the tests wait for it. */
const RUN_SECONDS = 3;

/** What the handler keeps back of the function's time for its answer. */
const ANSWER_SECONDS = 3;

const KILLER = 'killer';
const NAMES = ['before', 'beside', KILLER, 'behind', 'last'] as const;

const USER = 'u1';
const MAILBOX = { id: USER, user: USER, delete: 'when-stored', attempts: ATTEMPTS } as const;

interface Process {
  /** One run; whether it was killed. */
  run(): Promise<boolean>;
  kill(): Promise<void>;
}

/**
 * Runs, each once the one before is over, until one comes to its end. Returns how many objects there were after
 * each run that was killed.
 */
async function untilSurvived(far: FarEnd, process: Process): Promise<readonly number[]> {
  const stored: number[] = [];
  while (await process.run()) {
    if (stored.length > ATTEMPTS) throw new Error(`more than ${stored.length} runs were killed`);
    stored.push((await far.objects(USER)).size);
    const { intents } = await far.head(USER);
    await sleep(Math.max(0, ...intents.map(({ untilMs }) => untilMs + 1 - Date.now())));
  }
  return stored;
}

/** One run in company; then each attempt alone, and from the second on the others come before it. */
function expectOneSlot(stored: readonly number[]): void {
  expect(stored).toHaveLength(ATTEMPTS + 1);
  expect(stored.slice(2)).toEqual(stored.slice(2).map(() => NAMES.length - 1));
}

function trapFor(place: Place, process: Process): Trap {
  return new Trap({ ...place, always: true }, async (): Promise<Fate> => {
    await process.kill();
    return 'gone';
  });
}

const command = needing('a message that ends the command when it arrives', 'dovecot');
const inFunction = needing('a message that ends the function', 'dovecot', 'versitygw', 'ric');

async function deliver(near: NearEnd) {
  await near.server.put(
    USER,
    NAMES.map((name) => letter(name, 1000)),
  );
  return near.oracle(USER);
}

async function expectAside({ near, far }: { near: NearEnd; far: FarEnd }, oracle: Map<string, Buffer>) {
  const left = await near.oracle(USER);
  const events = await far.events(USER);
  const seen = { objects: await far.objects(USER), events, left: new Set(left.keys()) };
  expect(violations(oracle, seen)).toEqual([]);
  expect([...left.values()].map((bytes) => bytes.includes(`<${KILLER}@`))).toEqual([true]);
  expect(new Set(storedEvents(events).map(({ uidl }) => uidl)).size).toBe(NAMES.length - 1);
  expect(events.filter((event) => event['detail-type'] === 'Message Set Aside')).toMatchObject([
    { detail: { uidl: [...left.keys()][0], attempts: ATTEMPTS } },
  ]);
}

describe.skipIf(command.missing)(command.title, () => {
  let near: NearEnd;
  let far: FolderEnd;
  let gate: Pop3Gate;
  let installed: Command;

  beforeEach(async () => {
    near = await startMail(1);
    [far, gate, installed] = await Promise.all([startFolder(), startPop3Gate(near.server), installCommand()]);
  });
  afterEach(async () => {
    await installed?.stop();
    await gate?.stop();
    await near?.server.stop();
    await far?.stop();
  });

  const start = () =>
    installed.start({
      mailbox: { ...MAILBOX, port: gate.port },
      password: passwordOf(near.server, USER),
      ca: gate.ca,
      store: { folder: far.folder },
      events: { file: far.eventsFile },
      timeLimitSeconds: RUN_SECONDS,
    });

  it('is set aside after as many attempts as the mailbox allows; all others are stored and gone', async () => {
    const oracle = new Map(await deliver(near));
    let running: Awaited<ReturnType<typeof start>> | undefined;
    const process: Process = {
      async run() {
        running = await start();
        const { signal, code, words } = await running.ended;
        // 5: one message is set aside.
        if (signal === null) expect(code, words).toBe(5);
        return signal === 'SIGKILL';
      },
      async kill() {
        running?.kill();
        await running?.ended;
      },
    };
    gate.trap = trapFor({ moment: 'RETR body', holding: `<${KILLER}@example.org>` }, process);
    const killed = await untilSurvived(far, process);
    console.log(
      `a message that ends the command: set aside after ${killed.length} killed runs; stored after each: ${killed}`,
    );
    expectOneSlot(killed);
    await expectAside({ near, far }, oracle);
    // It stays where it is, and nothing is killed any more.
    gate.verbs.length = 0;
    expect(await process.run()).toBe(false);
    expect(gate.verbs).not.toContain('RETR');
  });
});

describe.skipIf(inFunction.missing)(inFunction.title, () => {
  let near: NearEnd;
  let far: BucketEnd;
  let gate: Pop3Gate;

  beforeEach(async () => {
    [near, far] = await Promise.all([startMail(1), startBucket()]);
    gate = await startPop3Gate(near.server);
  });
  afterEach(async () => {
    await gate?.stop();
    await near?.server.stop();
    await far?.stop();
  });

  const start = async (eventsEndpoint: string) => {
    const mailbox = { ...MAILBOX, port: gate.port, ca: gate.ca, secret: passwordOf(near.server, USER) };
    const timeoutMs = (RUN_SECONDS + ANSWER_SECONDS) * 1000;
    const fetcher = await startFunction({ far, mailboxes: [mailbox], eventsEndpoint, timeoutMs });
    const process: Process = {
      run: async () => {
        const outcome = await fetcher.fetch(USER);
        return 'killed' in outcome && outcome.killed === 'exit';
      },
      kill: () => fetcher.runtime.kill(),
    };
    return { fetcher, process };
  };

  it('when it arrives, is set aside; all others are stored and gone', async () => {
    const oracle = new Map(await deliver(near));
    const { fetcher, process } = await start(far.bus.endpoint);
    try {
      gate.trap = trapFor({ moment: 'RETR body', holding: `<${KILLER}@example.org>` }, process);
      const killed = await untilSurvived(far, process);
      console.log(
        `a message that ends the function: set aside after ${killed.length} killed runs; stored after each: ${killed}`,
      );
      expectOneSlot(killed);
      await expectAside({ near, far }, oracle);
    } finally {
      await fetcher.stop();
    }
  });

  it('when its headers are announced, is announced without them, once it was tried alone', async () => {
    const oracle = new Map(await deliver(near));
    const busGate = await startHttpGate(far.bus.endpoint);
    const { fetcher, process } = await start(busGate.endpoint);
    try {
      busGate.trap = trapFor({ moment: 'PutEvents before', holding: `${KILLER}@example.org` }, process);
      const killed = await untilSurvived(far, process);
      console.log(
        `a message that ends the function in its announcement: stored after ${killed.length} killed runs`,
      );
      expect(killed).toHaveLength(1);
      const events = await far.events(USER);
      const left = new Set((await near.oracle(USER)).keys());
      const objects = await far.objects(USER);
      expect(violations(oracle, { objects, events, left })).toEqual([]);
      expect([...left]).toEqual([]);
      expect(storedEvents(events)).toHaveLength(NAMES.length);
    } finally {
      await fetcher.stop();
      await busGate.stop();
    }
  });
});
