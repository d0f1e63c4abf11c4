/** A size limit: what LIST shows to be larger, and what only turns out to be while it comes. */
import { describe, expect, it } from 'vitest';
import type { MessageTooLarge } from '../../lib/events/shapes.ts';
import { planMailbox } from '../../lib/fetch/inspect.ts';
import type { Mailbox } from '../../lib/mailbox/settings.ts';
import { tooLargeOf } from '../../lib/mailbox/tooLarge.ts';
import { mail } from '../servers/scripted.ts';
import { contentsOf, letter, World } from './world.ts';

const LIMIT = 2_000;
const small = (name: string) => mail(name, letter(name));
const large = (name: string, announced?: number) =>
  mail(name, letter(name, 'x\r\n'.repeat(2_000)), announced);

function told({ publisher }: World): MessageTooLarge[] {
  return publisher.accepted.flatMap((event) =>
    event.detailType === 'Message Too Large' ? [event.detail] : [],
  );
}

function otherwise(world: World, settings: Partial<Mailbox>) {
  const other = new World({ settings: { ...settings, user: world.server.user } });
  other.skewMs = world.skewMs;
  return other.run({}, world.ports);
}

/** Runs until nothing is left, at most so many. */
async function settle(world: World, most = 6) {
  for (let run = 1; run <= most; run += 1) {
    const { outcome, counts } = await world.run();
    if (outcome === 'done' && counts.failed === 0) return run;
    world.skewMs += 120_000;
  }
  throw new Error(`not settled after ${most} runs`);
}

describe('what LIST shows to be over the limit', () => {
  const messages = () => [small('a'), large('big'), small('b')];

  it('is not asked for, stays on the server, counts as skipped and is told of once', async () => {
    const world = new World({ messages: messages(), settings: { sizeLimit: LIMIT, delete: 'when-stored' } });
    expect(await world.run()).toMatchObject({
      outcome: 'done',
      counts: { listed: 3, stored: 2, skipped: 1, failed: 0 },
    });
    expect(world.server.messages.map(({ uidl }) => uidl)).toEqual(['big']);
    expect(world.retrieved).toBe(2);
    expect(told(world)).toMatchObject([{ uidl: 'big', limit: LIMIT, mailbox: 'inbox' }]);
    const { revision } = await world.head();
    expect((await world.run()).counts).toMatchObject({ listed: 1, skipped: 1, alreadyStored: 0 });
    expect((await world.head()).revision).toBe(revision);
    world.server.messages.push(small('c'));
    await world.run();
    expect(told(world)).toHaveLength(1);
  });

  it('is told of where two share a UIDL, each once', async () => {
    const twins = [large('twin'), mail('twin', letter('other', 'y\r\n'.repeat(3_000)))];
    const world = new World({ messages: [small('a'), ...twins], settings: { sizeLimit: LIMIT } });
    await settle(world);
    await world.run();
    expect(told(world).map(({ uidl }) => uidl)).toEqual(['twin', 'twin']);
    expect(new Set(told(world).map(({ size }) => size)).size).toBe(2);
    expect(world.retrieved).toBe(1);
  });

  it('is fetched once the limit is raised, and is no longer on record as too large', async () => {
    const world = new World({ messages: messages(), settings: { sizeLimit: LIMIT } });
    await world.run();
    expect(tooLargeOf(await world.head())).toHaveLength(1);
    expect((await otherwise(world, { sizeLimit: 100_000 })).counts).toMatchObject({ stored: 1, skipped: 0 });
    expect(await world.contents()).toEqual(contentsOf(world.server.messages));
    expect(tooLargeOf(await world.head())).toEqual([]);
    // Lowered again: what is stored is stored.
    expect((await otherwise(world, { sizeLimit: LIMIT })).counts).toMatchObject({ alreadyStored: 3 });
  });

  it('is told of by the next run where the bus did not take it, under the same id', async () => {
    const world = new World({ messages: messages(), settings: { sizeLimit: LIMIT } });
    const refused: string[] = [];
    world.publisher.refuse = ({ detailType, detail }) => {
      if (detailType !== 'Message Too Large') return null;
      refused.push(detail.id);
      return 'not now';
    };
    await world.run();
    expect(told(world)).toEqual([]);
    world.publisher.refuse = () => null;
    await world.run();
    expect(told(world).map(({ id }) => id)).toEqual([refused[0]]);
  });

  it('is shown by plan', async () => {
    const world = new World({ messages: messages(), settings: { sizeLimit: LIMIT } });
    const plan = await planMailbox(world.mailbox, world.ports, { deadlineMs: world.clock.now() + 60_000 });
    expect(plan.counts).toEqual({ fetch: 2, 'too large': 1 });
    expect(plan.rows[1]).toMatchObject({
      action: 'too large',
      why: `larger than the limit of ${LIMIT} octets`,
    });
  });

  it('does not make the state outgrow its bound, however many there are', async () => {
    const many = Array.from({ length: 500 }, (_, at) => mail(`big${at}`, letter(`big${at}`), 50_000));
    const world = new World({ messages: [...many, small('a')], settings: { sizeLimit: LIMIT } });
    const report = await world.run();
    expect(report.counts).toMatchObject({ stored: 1, skipped: 500 });
    const remembered = tooLargeOf(await world.head()).length;
    expect(remembered).toBeLessThan(400);
    expect(told(world)).toHaveLength(remembered);
    expect(report.notes.join()).toContain(`${500 - remembered} more messages are larger than the limit`);
    expect((await world.run()).outcome).toBe('done');
  });
});

describe('what turns out to be over the limit while it comes', () => {
  it.each([
    ['pipelined', {}],
    ['one after the other', { pipelining: false }],
  ])('is cut off and told of, %s; the others arrive, and it is not asked for again', async (_, more) => {
    const messages = [small('a'), small('b'), large('liar', 100), small('c'), small('d')];
    const settings = { sizeLimit: LIMIT, delete: 'when-stored' as const, ...more };
    const world = new World({ messages, settings });
    await settle(world);
    expect(await world.contents()).toEqual(contentsOf(['a', 'b', 'c', 'd'].map(small)));
    expect(world.server.messages.map(({ uidl }) => uidl)).toEqual(['liar']);
    expect(told(world)).toMatchObject([{ uidl: 'liar', size: 100 }]);
    const { intents, failures, singlySinceMs } = await world.head();
    expect({ intents, failures, singlySinceMs }).toEqual({ intents: [], failures: [], singlySinceMs: null });
    const { retrieved } = world;
    for (let run = 0; run < 3; run += 1) {
      world.server.messages.push(small(`more${run}`));
      expect((await world.run()).counts).toMatchObject({ stored: 1, skipped: 1 });
    }
    expect(world.retrieved).toBe(retrieved + 3);
    expect(world.publisher.stored).toHaveLength(7);
  });

  it.each([
    ['the server has no TOP', [{ verb: 'TOP', reply: '-ERR unknown command\r\n' }], 1],
    ['its UIDL is repeated', [], 2],
  ])('is not retrieved each time to be deleted on the record of another: %s', async (_, faults, times) => {
    const first = Array.from({ length: times }, (_, nth) => mail('used', letter(`${nth}`)));
    const announced = letter('0').length;
    const settings = { sizeLimit: LIMIT, delete: 'when-stored' } as const;
    const world = new World({ messages: first, faults, settings });
    world.trust = { deletes: false, reason: 'not yet' };
    await world.run();
    world.trust = { deletes: true, reason: '' };
    world.server.messages.splice(0, times, ...first.map(() => large('used', announced)));
    for (let run = 0; run < 4; run += 1) {
      await world.run();
      world.skewMs += 120_000;
    }
    const { retrieved } = world;
    for (let run = 0; run < 4; run += 1) {
      await world.run();
      world.skewMs += 120_000;
    }
    expect(world.retrieved).toBe(retrieved);
    expect(world.server.messages.map(({ uidl }) => uidl)).toEqual(first.map(() => 'used'));
  });

  it('is fetched once the limit is raised above it, and cut off anew where it is not raised far enough', async () => {
    const world = new World({ messages: [large('liar', 100), small('a')], settings: { sizeLimit: LIMIT } });
    await settle(world);
    for (let run = 0; run < 3; run += 1) await otherwise(world, { sizeLimit: LIMIT + 1_000 });
    expect(told(world)).toHaveLength(1);
    expect(await world.contents()).toEqual(contentsOf([small('a')]));
    await otherwise(world, { sizeLimit: 100_000 });
    expect(await world.contents()).toEqual(contentsOf(world.server.messages));
    expect(tooLargeOf(await world.head())).toEqual([]);
  });
});
