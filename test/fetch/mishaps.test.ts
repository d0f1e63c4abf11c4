import { hash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { bytesOf, mail, type ScriptedMessage } from '../servers/scripted.ts';
import { MISHAPS, type Mishap, SimulatedProcess } from './process.ts';
import { letter, World } from './world.ts';

/** Runs after which the mailbox must be quiet, whatever happened before. */
const RUNS_TO_QUIET = 8;

const DAY_MS = 26 * 3_600_000;

/** Without UIDL they have only their size, and it is one. */
const three = (nameless = false) => ['a', 'b', 'c'].map((name) => mail(nameless ? '' : name, letter(name)));

/** What was served and removed, against what is stored and announced. */
async function expectNothingLost(
  world: World,
  messages: readonly ScriptedMessage[],
  told: string,
): Promise<void> {
  const objects = [...(await world.objects()).values()].map((bytes) => bytes.toString('latin1'));
  expect(objects.sort(), `${told}: objects`).toEqual(
    messages.map((one) => bytesOf(one).toString('latin1')).sort(),
  );
  expect(new Set(world.publisher.stored.map(({ id }) => id)).size, `${told}: ids`).toBe(messages.length);
  expect(world.server.messages, `${told}: left on the server`).toHaveLength(0);
}

/** At every instant: what is gone from the server is stored and was announced. */
async function expectRemovalsJustified(world: World, told: string): Promise<void> {
  const objects = [...(await world.objects()).values()].map((bytes) => bytes.toString('latin1'));
  const announced = new Set(world.publisher.stored.map(({ sha256 }) => sha256));
  for (const { message } of world.server.removals) {
    expect(objects, `${told}: removed and not stored`).toContain(bytesOf(message).toString('latin1'));
    expect(announced, `${told}: removed and not announced`).toContain(
      hash('sha256', bytesOf(message), 'hex'),
    );
  }
}

/** Every event's object must be readable when the event is sent. */
function watchEvents(world: World, told: string): void {
  const publish = world.publisher.publish.bind(world.publisher);
  world.publisher.publish = async (events) => {
    for (const event of events) {
      if (event.detailType !== 'Message Stored') continue;
      const { key, size, sha256 } = event.detail;
      expect(
        await world.store.verify(key, { size, sha256 }),
        `${told}: announced before it was readable`,
      ).toBe('same');
    }
    return publish(events);
  };
}

interface Circumstances {
  /** Whether another run begins at once, while the dead one's intents still count as living. */
  readonly live: boolean;
  /** When deletes take effect: some servers do not wait for QUIT. */
  readonly deletes: 'at QUIT' | 'at disconnect';
  /** The server has no UIDL. */
  readonly nameless?: true;
}

function worldOf(messages: readonly ScriptedMessage[], { deletes, nameless }: Partial<Circumstances>): World {
  const withoutUidl = nameless ? { withoutUidl: true, capabilities: ['TOP', 'PIPELINING'] } : {};
  const behaviour = { deletes: deletes ?? 'at QUIT', ...withoutUidl };
  return new World({ messages, settings: { delete: 'when-stored' }, behaviour });
}

async function survive(
  mishap: Mishap,
  calls: ReadonlySet<number>,
  circumstances: Circumstances,
): Promise<number> {
  const { live, nameless } = circumstances;
  const messages = three(nameless);
  const world = worldOf(messages, circumstances);
  const told = `${mishap} at call ${[...calls].join(' and ')}`;
  watchEvents(world, told);
  const process = new SimulatedProcess(world, { mishap, calls });
  await process.run();
  await expectRemovalsJustified(world, told);
  if (live) await world.run();
  // Mail without UIDL whose delete was undone is retrieved again a day later.
  world.skewMs += nameless ? DAY_MS : 120_000;
  for (let run = 0; run < RUNS_TO_QUIET; run += 1) await world.run();
  await expectNothingLost(world, messages, told);
  // Of messages that another run deleted, what was left open is watched for a day.
  world.skewMs += DAY_MS;
  await world.run();
  expect((await world.head()).intents, `${told}: intents`).toEqual([]);
  expect((await world.head()).failures, `${told}: failures`).toEqual([]);
  const before = world.retrieved;
  const last = await world.run();
  expect(last.outcome, told).toBe('done');
  expect(world.retrieved, `${told}: quiet`).toBe(before);
  return process.calls;
}

async function callsOfAWholeRun(circumstances: Circumstances): Promise<number> {
  const world = worldOf(three(circumstances.nameless), circumstances);
  const process = new SimulatedProcess(world, { mishap: 'fail before', calls: new Set() });
  await process.run();
  return process.calls;
}

describe.each(MISHAPS)('%s, at every call of a run over three messages', (mishap) => {
  it.each<Circumstances>([
    { live: true, deletes: 'at QUIT' },
    { live: false, deletes: 'at QUIT' },
    { live: true, deletes: 'at disconnect' },
    { live: false, deletes: 'at disconnect' },
    { live: true, deletes: 'at QUIT', nameless: true },
    { live: false, deletes: 'at disconnect', nameless: true },
  ])(
    'loses nothing and stores nothing twice (another run at once: $live, deletes $deletes, nameless: $nameless)',
    async (circumstances) => {
      const calls = await callsOfAWholeRun(circumstances);
      expect(calls).toBeGreaterThan(30);
      for (let at = 1; at <= calls; at += 1) await survive(mishap, new Set([at]), circumstances);
    },
  );
});
