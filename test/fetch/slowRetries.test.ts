/** What is set aside is tried again by itself, less and less often; and what a person does about it, beside a run. */
import { expect, it } from 'vitest';
import { released } from '../../lib/mailbox/failures.ts';
import { StateFile } from '../../lib/mailbox/stateFile.ts';
import type { ObjectStore } from '../../lib/store/port.ts';
import { mail } from '../servers/scripted.ts';
import { letter, World } from './world.ts';

const DAY_MS = 24 * 3_600_000;

function withOneRefused(): World {
  const faults = [{ verb: 'RETR', args: '1', reply: '-ERR cannot be read\r\n' }];
  return new World({
    messages: [mail('bad', letter('bad')), mail('good', letter('good'))],
    faults,
    settings: { attempts: 1 },
  });
}

it('is tried after 1, 2, 4, 8 and 16 days, then every fourteen days, and told of once', async () => {
  const world = withOneRefused();
  for (let run = 0; run < 3; run += 1) await world.run();
  expect((await world.head()).failures).toMatchObject([{ uidl: 'bad', reported: true }]);
  const waits: number[] = [];
  for (let tries = 1; tries <= 8; tries += 1) {
    const [failure] = (await world.head()).failures;
    const retryMs = failure?.retryMs ?? 0;
    waits.push(Math.round((retryMs - world.clock.now()) / DAY_MS));
    world.skewMs += retryMs - world.clock.now() - 60_000;
    await world.run();
    expect((await world.head()).failures).toMatchObject([{ attempts: tries }]);
    world.skewMs += 60_000;
    await world.run();
    expect((await world.head()).failures).toMatchObject([{ attempts: tries + 1 }]);
  }
  expect(waits).toEqual([1, 1, 2, 4, 8, 14, 14, 14]);
  const aside = world.publisher.accepted.filter(({ detailType }) => detailType === 'Message Set Aside');
  expect(aside).toHaveLength(1);
});

it('may be released while a run has it in hand: the run ends well, and its message is no longer set aside', async () => {
  const world = withOneRefused();
  for (let run = 0; run < 3; run += 1) await world.run();
  world.skewMs = 2 * DAY_MS;
  let freed = false;
  const store = new Proxy(world.store, {
    get(target, name: keyof ObjectStore) {
      const own = target[name];
      // It is looked for in the store as its attempt begins.
      if (name === 'list') return releasing;
      return typeof own === 'function' ? own.bind(target) : own;
    },
  });
  async function* releasing(prefix: string) {
    const state = await StateFile.open(world.store, 'inbox', world.clock);
    await state.commit((head) => released(head, []));
    freed = true;
    yield* world.store.list(prefix);
  }
  const report = await world.run({}, { store });
  expect(freed).toBe(true);
  expect(report.error).toBeNull();
  expect((await world.head()).failures).toEqual([]);
  // Its attempts begin anew.
  await world.run();
  expect((await world.head()).failures).toMatchObject([{ uidl: 'bad', attempts: 1 }]);
});
