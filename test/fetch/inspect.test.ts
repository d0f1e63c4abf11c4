import { describe, expect, it } from 'vitest';
import { planMailbox } from '../../lib/fetch/inspect.ts';
import { mail } from '../servers/scripted.ts';
import { letter, World } from './world.ts';

function plan(world: World) {
  return planMailbox(world.mailbox, world.ports, { deadlineMs: world.clock.now() + 60_000 });
}

describe('a plan', () => {
  it('writes nothing, not even where asking for headers breaks the line', async () => {
    const world = new World({
      messages: [mail('same', letter('one')), mail('same', letter('two'))],
      faults: [{ verb: 'TOP', args: '1 0', times: 1, cutAt: 3, ending: 'fin' }],
    });
    const { rows, error } = await plan(world);
    expect(rows).toEqual([]);
    expect(error?.phase).toBe('top');
    const written: string[] = [];
    for await (const { key } of world.store.list('')) written.push(key);
    expect(written).toEqual([]);
    expect((await plan(world)).counts).toEqual({ fetch: 2 });
  });
});
