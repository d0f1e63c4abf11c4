import { describe, expect, it } from 'vitest';
import { bytesOf, mail, type ScriptedMessage } from '../servers/scripted.ts';
import { MISHAPS, type Mishap, SimulatedProcess } from './process.ts';
import { letter, World } from './world.ts';

/** Runs after which the mailbox must be quiet, whatever happened before. */
const RUNS_TO_QUIET = 8;

const three = () => ['a', 'b', 'c'].map((name) => mail(name, letter(name)));

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
  const announced = new Set(world.publisher.stored.map(({ uidl }) => uidl));
  for (const { message } of world.server.removals) {
    expect(objects, `${told}: removed and not stored`).toContain(bytesOf(message).toString('latin1'));
    expect(announced, `${told}: removed and not announced`).toContain(message.uidl);
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
}

async function survive(
  mishap: Mishap,
  calls: ReadonlySet<number>,
  { live, deletes }: Circumstances,
): Promise<number> {
  const messages = three();
  const world = new World({ messages, settings: { delete: 'when-stored' }, behaviour: { deletes } });
  const told = `${mishap} at call ${[...calls].join(' and ')}`;
  watchEvents(world, told);
  const process = new SimulatedProcess(world, { mishap, calls });
  await process.run();
  await expectRemovalsJustified(world, told);
  if (live) await world.run();
  world.skewMs += 120_000;
  for (let run = 0; run < RUNS_TO_QUIET; run += 1) await world.run();
  await expectNothingLost(world, messages, told);
  // Of messages that another run deleted, what was left open is watched for a day.
  world.skewMs += 26 * 3_600_000;
  await world.run();
  expect((await world.head()).intents, `${told}: intents`).toEqual([]);
  expect((await world.head()).failures, `${told}: failures`).toEqual([]);
  const before = world.retrieved;
  const last = await world.run();
  expect(last.outcome, told).toBe('done');
  expect(world.retrieved, `${told}: quiet`).toBe(before);
  return process.calls;
}

async function callsOfAWholeRun(): Promise<number> {
  const world = new World({ messages: three(), settings: { delete: 'when-stored' } });
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
  ])(
    'loses nothing and stores nothing twice (another run at once: $live, deletes $deletes)',
    async (circumstances) => {
      const calls = await callsOfAWholeRun();
      expect(calls).toBeGreaterThan(30);
      for (let at = 1; at <= calls; at += 1) await survive(mishap, new Set([at]), circumstances);
    },
  );
});
