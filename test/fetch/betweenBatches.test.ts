import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { ByteBudget } from '../../lib/fetch/byteBudget.ts';
import type { ObjectStore } from '../../lib/store/port.ts';
import { mail } from '../servers/scripted.ts';
import { SimulatedProcess } from './process.ts';
import { contentsOf, letter, World, type WorldOptions } from './world.ts';

const BATCH = 128;
const BUDGET = 64 * 1024 * 1024;
const NO_MISHAP = { mishap: 'kill before' as const, when: () => false };
const numbered = (count: number) => Array.from({ length: count }, (_, n) => mail(`u${n}`, letter(`${n}`)));

/** How much of the first batch was stored when the second was asked for. */
function storedBefore129(trace: readonly string[]): number {
  const asked = trace.findIndex((name) => name.startsWith('send ') && name.includes('RETR 129'));
  return trace.slice(0, asked).filter((name) => name.startsWith('create mail/')).length;
}

async function runsOf(world: World, count: number): Promise<void> {
  for (let run = 0; run < count; run += 1) {
    world.skewMs += 120_000;
    await world.run();
  }
}

describe('what is asked for behind the batch under way', () => {
  it('is the next one, so that the line does not run empty', async () => {
    const process = new SimulatedProcess(new World({ messages: numbered(200) }), NO_MISHAP);
    await process.run();
    expect(storedBefore129(process.trace)).toBeLessThan(BATCH);
  });

  it('is nothing before intents announce it', async () => {
    const world = new World({ messages: numbered(200) });
    const process = new SimulatedProcess(world, NO_MISHAP);
    const { store } = process.ports() as { store: ObjectStore };
    const created = () => process.trace.filter((name) => name.startsWith('create mail/')).length;
    let commits = 0;
    const slow: ObjectStore = {
      ...store,
      async replace(...args) {
        commits += 1;
        while (commits === 2 && created() < BATCH) await turn();
        return store.replace(...args);
      },
    };
    await world.run({}, { ...process.ports(), store: slow });
    expect(storedBefore129(process.trace)).toBe(BATCH);
    expect(world.publisher.stored).toHaveLength(200);
  });

  it('is nothing where deletes come between', async () => {
    const settings = { delete: 'when-stored' as const };
    const world = new World({ messages: numbered(200), settings });
    const process = new SimulatedProcess(world, NO_MISHAP);
    await process.run();
    expect(storedBefore129(process.trace)).toBe(BATCH);
    expect(world.server.messages).toEqual([]);
  });

  it.each([
    ['the line is lost', { session: 1, cutAt: 9, ending: 'fin' as const }],
    ['one of it is refused', { times: 1, reply: '-ERR not now\r\n' }],
  ])('is neither lost nor doubled where %s', async (_, fault) => {
    const messages = numbered(300);
    const options: WorldOptions = { messages, faults: [{ verb: 'RETR', args: '140', ...fault }] };
    const world = new World(options);
    const inFlight = new ByteBudget(BUDGET);
    await world.run({}, { inFlight });
    expect(inFlight.reserveNow(BUDGET)).not.toBeNull();
    await runsOf(world, 2);
    expect(await world.contents()).toEqual(contentsOf(messages));
    expect(world.publisher.stored).toHaveLength(300);
  });

  it.each(
    [2, 3, 4].flatMap((at) =>
      (['kill before', 'fail before', 'fail after'] as const).map((mishap) => [mishap, at] as const),
    ),
  )('comes later all the same, after "%s" at commit %i', async (mishap, at) => {
    const messages = numbered(300);
    const world = new World({ messages });
    let commits = 0;
    const when = (name: string) => name === 'replace' && ++commits === at;
    const process = new SimulatedProcess(world, { mishap, when });
    const inFlight = new ByteBudget(BUDGET);
    const report = await Promise.race([world.run({}, { ...process.ports(), inFlight }), process.died]);
    if (report !== 'died') expect(inFlight.reserveNow(BUDGET)).not.toBeNull();
    await runsOf(world, 3);
    expect(await world.contents()).toEqual(contentsOf(messages));
    expect(new Set(world.publisher.stored.map(({ id }) => id)).size).toBe(300);
  });

  it('is read to its end where the time is up, so that the session ends in order', async () => {
    const messages = numbered(300);
    const world = new World({ messages });
    const over = new AbortController();
    const process = new SimulatedProcess(world, {
      mishap: 'fail before',
      when: (name) => {
        if (name.startsWith('send ') && name.includes('RETR 129')) over.abort();
        return false;
      },
    });
    await process.run({ signal: over.signal });
    expect(process.trace.at(-1)).toBe('publish');
    expect(process.trace.filter((name) => name.startsWith('send ')).at(-1)).toBe('send QUIT');
    await runsOf(world, 2);
    expect(world.publisher.stored).toHaveLength(300);
  });
});
