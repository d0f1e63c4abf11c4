/** Where a mailbox starts: decided once, put on record before anything is retrieved, and kept to. */

import { describe, expect, it } from 'vitest';
import { planMailbox } from '../../lib/fetch/inspect.ts';
import type { Mailbox } from '../../lib/mailbox/settings.ts';
import { seedCount } from '../../lib/mailbox/state.ts';
import { digestOf } from '../../lib/store/checksum.ts';
import { mail, type ScriptedMessage } from '../servers/scripted.ts';
import { MISHAPS, SimulatedProcess } from './process.ts';
import { contentsOf, letter, World } from './world.ts';

const DAY_MS = 24 * 3_600_000;
const NEW: Partial<Mailbox> = { start: 'new-mail-only' };
const DELETING: Partial<Mailbox> = { start: 'new-mail-only', delete: 'when-stored' };
const letters = (...names: string[]) => names.map((name) => mail(name, letter(name)));
const uidls = ({ server }: World) => server.messages.map(({ uidl }) => uidl);

function numbered(count: number, prefix: string): ScriptedMessage[] {
  return Array.from({ length: count }, (_, at) => mail(`${prefix}${at}`, letter('x', 'y'.repeat(at * 10))));
}

async function afterArrival(world: World, ...names: string[]) {
  world.server.messages.push(...letters(...names));
  return world.run();
}

describe('start: new-mail-only', () => {
  it('leaves alone what was there, and fetches and deletes all that comes', async () => {
    const world = new World({ messages: letters('a', 'b'), settings: DELETING });
    expect(await world.run()).toMatchObject({
      outcome: 'done',
      counts: { listed: 2, skipped: 2, stored: 0 },
    });
    expect(world.retrieved).toBe(0);
    const { revision } = await world.head();
    expect(await world.run()).toMatchObject({ outcome: 'done', counts: { listed: 2, skipped: 2 } });
    expect((await world.head()).revision).toBe(revision);
    const report = await afterArrival(world, 'c', 'd');
    expect(report).toMatchObject({ counts: { stored: 2, skipped: 2 }, deletions: { committed: 2 } });
    expect(uidls(world)).toEqual(['a', 'b']);
    expect(await world.contents()).toEqual(contentsOf(letters('c', 'd')));
  });

  it.each([
    ['UIDL has nothing', { verb: 'UIDL', reply: '+OK\r\n.\r\n' }],
    ['LIST has nothing', { verb: 'LIST', reply: '+OK\r\n.\r\n' }],
    ['UIDL has half', { verb: 'UIDL', reply: '+OK\r\n1 a\r\n.\r\n' }],
  ])('is not decided while %s of what the other answer lists', async (_, fault) => {
    const world = new World({
      messages: letters('a', 'b'),
      settings: DELETING,
      faults: [{ ...fault, args: '', session: 1 }],
    });
    const report = await world.run();
    expect(report).toMatchObject({ outcome: 'failed', error: { code: 'E_START_UNNAMED', kind: 'later' } });
    world.skewMs += 3_600_000;
    expect(await world.run()).toMatchObject({ outcome: 'done', counts: { listed: 2, skipped: 2 } });
    expect(await afterArrival(world, 'c')).toMatchObject({
      outcome: 'done',
      counts: { stored: 1, skipped: 2 },
    });
    expect(uidls(world)).toEqual(['a', 'b']);
  });

  it('decides by an empty mailbox as well: all that comes is new', async () => {
    const world = new World({ settings: NEW });
    await world.run();
    expect((await afterArrival(world, 'a')).counts).toMatchObject({ stored: 1, skipped: 0 });
  });

  it('is shown by plan before and after it is decided', async () => {
    const world = new World({ messages: letters('a', 'b'), settings: NEW });
    const look = async () =>
      (await planMailbox(world.mailbox, world.ports, { deadlineMs: world.clock.now() + 60_000 })).counts;
    expect(await look()).toEqual({ skip: 2 });
    expect((await world.head()).start).toBeUndefined();
    await world.run();
    world.server.messages.push(...letters('c'));
    expect(await look()).toEqual({ skip: 2, fetch: 1 });
  });

  it('stays decided, whatever the setting says later', async () => {
    const world = new World({ messages: letters('a', 'b'), settings: NEW });
    await world.run();
    const all = new World({ settings: { user: world.server.user } });
    expect((await all.run({}, world.ports)).counts).toMatchObject({ stored: 0 });
    const other = new World({ messages: letters('a', 'b') });
    await other.run();
    other.server.messages.push(...letters('c'));
    const later = new World({ settings: { ...NEW, user: other.server.user } });
    expect((await later.run({}, other.ports)).counts).toMatchObject({
      stored: 1,
      alreadyStored: 2,
      skipped: 0,
    });
  });

  it('is not decided by a run that never saw a listing', async () => {
    const faults = [{ verb: 'LIST', args: '', reply: '-ERR not now\r\n' }];
    const world = new World({ messages: letters('a'), settings: NEW, faults });
    expect((await world.run()).outcome).toBe('failed');
    expect((await world.head()).start).toBeUndefined();
  });

  it.each(MISHAPS)(
    'survives %s at each call of the first run: nothing old is fetched, nothing new is missed',
    async (mishap) => {
      const count = await (async () => {
        const world = new World({ messages: letters('a', 'b', 'c'), settings: DELETING });
        const process = new SimulatedProcess(world, { mishap, when: () => false });
        await process.run();
        return process.calls;
      })();
      expect(count).toBeGreaterThan(8);
      for (let call = 1; call <= count; call += 1) {
        const world = new World({ messages: letters('a', 'b', 'c'), settings: DELETING });
        await new SimulatedProcess(world, { mishap, calls: new Set([call]) }).run();
        const decided = (await world.head()).start !== undefined;
        world.skewMs = DAY_MS;
        await afterArrival(world, 'd');
        await afterArrival(world, 'e');
        const stored = await world.contents();
        // What came before anything was on record is as old as the rest.
        expect([
          contentsOf(letters('d', 'e')),
          ...(decided ? [] : [contentsOf(letters('e'))]),
        ]).toContainEqual(stored);
        expect(uidls(world).slice(0, 3)).toEqual(['a', 'b', 'c']);
      }
    },
  );

  it('gives two first runs at once one start', async () => {
    const world = new World({ messages: letters('a', 'b'), settings: DELETING });
    await Promise.all([world.run(), world.run(), world.run()]);
    await afterArrival(world, 'c');
    expect(uidls(world)).toEqual(['a', 'b']);
    expect(await world.contents()).toEqual(contentsOf(letters('c')));
  });

  it('asks a person where the state is lost and mail is in the store, rather than pass over mail', async () => {
    const world = new World({ messages: letters('a'), settings: NEW });
    await world.run();
    await afterArrival(world, 'b');
    await world.store.remove('state/inbox.json');
    expect(await world.run()).toMatchObject({
      outcome: 'failed',
      error: { code: 'E_START_STATE_LOST', kind: 'person' },
    });
    const all = new World({ settings: { user: world.server.user } });
    expect((await all.run({}, world.ports)).counts).toMatchObject({ stored: 2 });
    expect((await world.objects()).size).toBe(2);
  });

  it('does not take what others left beside the mail for mail that was fetched', async () => {
    const world = new World({ messages: letters('a'), settings: NEW });
    const strange = Buffer.from('x');
    await world.store.create('mail/inbox/Thumbs.db', strange, digestOf(strange));
    expect(await world.run()).toMatchObject({ outcome: 'done', counts: { skipped: 1 } });
  });

  it('asks a person where the server gave all mail new UIDLs', async () => {
    const world = new World({ messages: numbered(20, 'old'), settings: DELETING });
    await world.run();
    world.server.messages.splice(0, 20, ...numbered(20, 'moved'));
    expect(await world.run()).toMatchObject({
      outcome: 'failed',
      error: { code: 'E_START_RENUMBERED', kind: 'person' },
    });
    expect(world.retrieved).toBe(0);
    expect(world.server.messages).toHaveLength(20);
    const all = new World({ settings: { user: world.server.user } });
    expect((await all.run({}, world.ports)).counts).toMatchObject({ stored: 20 });
  });

  it('does not take other mail for renumbered, once the old mail was cleared away', async () => {
    const world = new World({ messages: numbered(20, 'old'), settings: NEW });
    await world.run();
    const others = Array.from({ length: 15 }, (_, at) =>
      mail(`n${at}`, letter(`another ${at}`, 'z'.repeat(at * 7 + 3))),
    );
    world.server.messages.splice(0, 20, ...others);
    expect((await world.run()).counts).toMatchObject({ stored: 15 });
  });

  it('fetches a message of another size that was given a used UIDL', async () => {
    const world = new World({ messages: letters('a', 'b'), settings: NEW });
    await world.run();
    world.server.messages.splice(0, 1, mail('a', letter('another')));
    expect((await world.run()).counts).toMatchObject({ stored: 1, skipped: 1 });
  });

  it('goes by UIDL alone where sizes are estimates', async () => {
    const world = new World({
      messages: [mail('a', letter('a'), 90)],
      settings: { ...NEW, sizes: 'estimated' },
    });
    await world.run();
    world.server.messages.splice(0, 1, mail('a', letter('a'), 100));
    expect((await world.run()).counts).toMatchObject({ stored: 0, skipped: 1 });
  });

  it('fetches all of several that nothing tells apart, once one more has come', async () => {
    const twins = () => [mail('same', letter('1')), mail('same', letter('2'))];
    const world = new World({ messages: twins(), settings: NEW });
    expect((await world.run()).counts).toMatchObject({ skipped: 2 });
    world.server.messages.push(mail('same', letter('3')));
    await world.run();
    expect(await world.contents()).toContain(letter('3'));
  });

  it('forgets what has been gone from the server for weeks, and nothing else', async () => {
    const world = new World({ messages: letters('a', 'b', 'c'), settings: NEW });
    await world.run();
    world.server.messages.splice(0, 1);
    for (let week = 1; week <= 7; week += 1) {
      world.skewMs = week * 7 * DAY_MS + 60_000;
      await world.run();
    }
    expect(seedCount(await world.head())).toBe(2);
    expect((await world.run()).counts).toMatchObject({ stored: 0, skipped: 2 });
  });
});

describe('start: { newest }', () => {
  it.each([1, 2, 9])('fetches the newest %i and all that comes', async (newest) => {
    const names = ['a', 'b', 'c', 'd'];
    const world = new World({
      messages: letters(...names),
      settings: { start: { newest }, delete: 'when-stored' },
    });
    const wanted = names.slice(-newest);
    expect((await world.run()).counts).toMatchObject({ stored: wanted.length, skipped: 4 - wanted.length });
    await afterArrival(world, 'e');
    expect(await world.contents()).toEqual(contentsOf(letters(...wanted, 'e')));
    expect(uidls(world)).toEqual(names.slice(0, 4 - wanted.length));
  });

  it('goes by message number, not by the order in which the server lists', async () => {
    const reply = '+OK\r\n3 c\r\n1 a\r\n2 b\r\n.\r\n';
    const faults = [{ verb: 'UIDL', args: '', reply }];
    const world = new World({ messages: letters('a', 'b', 'c'), faults, settings: { start: { newest: 1 } } });
    await world.run();
    expect(world.publisher.stored.map(({ uidl }) => uidl)).toEqual(['c']);
  });

  it('holds for a mailbox whose records and seeds fill documents', async () => {
    const messages = numbered(1_500, 'm').map(({ uidl }) => mail(uidl, letter(uidl)));
    const world = new World({ messages, settings: { start: { newest: 700 } } });
    expect((await world.run()).counts).toMatchObject({ listed: 1_500, stored: 700, skipped: 800 });
    expect((await afterArrival(world, 'new')).counts).toMatchObject({
      stored: 1,
      skipped: 800,
      alreadyStored: 700,
    });
  });
});
