import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Vanished } from '../../lib/fetch/vanished.ts';
import type { StoredRecord } from '../../lib/mailbox/state.ts';
import { bytesOf, mail } from '../servers/scripted.ts';
import { SimulatedProcess } from './process.ts';
import { contentsOf, letter, World, type WorldOptions } from './world.ts';

const traced = (name: string) => `Received: from a.example.org; ${name}\r\n${letter(name)}`;
const NAMES = Array.from({ length: 40 }, (_, at) => `n${at % 7}-${at}`);

function worldOf(text: (name: string) => string, options: WorldOptions = {}): World {
  return new World({ messages: NAMES.map((name) => mail(name, text(name))), ...options });
}

/** A migration: the same mail in the same order, under other ids. */
function renumber({ server }: World, to: (name: string) => string): void {
  server.messages.splice(
    0,
    server.messages.length,
    ...server.messages.map((message) => mail(to(message.uidl), bytesOf(message))),
  );
}

describe('a server that gives all its mail new UIDLs', () => {
  it('has each message retrieved once more, and nothing stored or announced again', async () => {
    const world = worldOf(letter);
    await world.run();
    const before = [...(await world.objects()).keys()];
    renumber(world, (uidl) => `new-${uidl}`);
    const report = await world.run();
    expect(report).toMatchObject({ outcome: 'done', counts: { listed: 40, stored: 0, alreadyStored: 40 } });
    expect(report.bytesStored).toBe(0);
    expect(report.notes.join()).toContain('new UIDLs');
    expect([...(await world.objects()).keys()]).toEqual(before);
    expect(world.publisher.stored).toHaveLength(40);
    const retrieved = world.retrieved;
    await world.run();
    expect(world.retrieved).toBe(retrieved);
  });

  it('once, twice and back again is followed each time', async () => {
    const world = worldOf(letter);
    await world.run();
    for (const prefix of ['x', 'y', 'x', '']) {
      renumber(world, (uidl) => `${prefix}${uidl.replace(/^[xy]/, '')}`);
      await world.run();
    }
    expect(world.publisher.stored).toHaveLength(40);
    expect((await world.objects()).size).toBe(40);
  });

  it('has what it then lets us delete deleted by record, once TOP and the first object agree', async () => {
    const world = worldOf(letter);
    await world.run();
    renumber(world, (uidl) => `new-${uidl}`);
    await world.run();
    const { retrieved } = world;
    const deleting = new World({ settings: { delete: 'when-stored', user: world.server.user } });
    const report = await deleting.run({}, world.ports);
    expect(report.deletions).toEqual({ requested: 40, committed: 40 });
    expect(world.retrieved).toBe(retrieved);
    expect(await world.contents()).toEqual(contentsOf(NAMES.map((name) => mail(name, letter(name)))));
  });

  it('and ignores DELE is deleted from in vain, and not fetched as new', async () => {
    const settings = { delete: 'when-stored' } as const;
    const world = worldOf(traced, { settings, behaviour: { deletes: 'ignored' } });
    await world.run();
    renumber(world, (uidl) => `new-${uidl}`);
    await world.run();
    expect(world.publisher.stored).toHaveLength(40);
    expect((await world.objects()).size).toBe(40);
  });

  it('has new mail among it stored and announced', async () => {
    const world = worldOf(letter);
    await world.run();
    renumber(world, (uidl) => `new-${uidl}`);
    world.server.messages.splice(5, 0, mail('fresh', letter('n5-x')));
    const report = await world.run();
    expect(report.counts).toMatchObject({ stored: 1, alreadyStored: 40 });
    expect(world.publisher.stored.at(-1)).toMatchObject({ uidl: 'fresh' });
  });

  it('has mail whose object a consumer removed kept, and not stored again', async () => {
    const world = worldOf(letter);
    await world.run();
    for (const key of (await world.objects()).keys()) await world.store.remove(key);
    renumber(world, (uidl) => `new-${uidl}`);
    const report = await world.run();
    expect(report.notes.join()).toContain('no longer in the store');
    expect((await world.objects()).size).toBe(0);
    expect(world.publisher.stored).toHaveLength(40);
  });

  it('has such mail put on record as well where it is tried alone, after a kill', async () => {
    const world = worldOf(letter);
    await world.run();
    renumber(world, (uidl) => `new-${uidl}`);
    for (const key of (await world.objects()).keys()) await world.store.remove(key);
    const when = (name: string) => name.startsWith('send ') && name.includes('RETR 1');
    await new SimulatedProcess(world, { mishap: 'kill before', when }).run();
    world.skewMs += 120_000;
    await world.run();
    const { retrieved } = world;
    expect(retrieved).toBe(80);
    await world.run();
    expect(world.retrieved).toBe(retrieved);
    expect(world.publisher.stored).toHaveLength(40);
  });

  it('is followed through thousands of records in segments', async () => {
    const many = Array.from({ length: 3000 }, (_, at) => mail(`u${at}`, letter(`m${at}`)));
    const world = new World({ messages: many });
    await world.run();
    expect((await world.head()).segments.length).toBeGreaterThan(0);
    renumber(world, (uidl) => `new-${uidl}`);
    const report = await world.run();
    expect(report.counts).toMatchObject({ listed: 3000, stored: 0, alreadyStored: 3000 });
    expect(world.publisher.stored).toHaveLength(3000);
  });
});

describe('equal bytes under another UIDL', () => {
  it('are another mail while the first is listed', async () => {
    const world = new World({ messages: [mail('a', letter('same'))] });
    await world.run();
    world.server.messages.push(mail('b', letter('same')));
    await world.run();
    expect(world.publisher.stored.map(({ uidl }) => uidl)).toEqual(['a', 'b']);
  });

  it('are another mail where no header tells it from others', async () => {
    const world = new World({ messages: [mail('a', 'Subject: report\r\n\r\nall well\r\n')] });
    await world.run();
    renumber(world, () => 'b');
    await world.run();
    expect(world.publisher.stored).toHaveLength(2);
  });

  it('are another mail where we deleted the first, unless they have the trace of its delivery', async () => {
    for (const [text, events] of [
      [letter('same'), 2],
      [traced('same'), 1],
    ] as const) {
      const world = new World({ messages: [mail('a', text)], settings: { delete: 'when-stored' } });
      await world.run();
      world.server.messages.push(mail('b', text));
      expect((await world.run()).deletions.committed).toBe(1);
      expect(world.publisher.stored).toHaveLength(events);
    }
  });
});

describe('records that vanished', () => {
  it('are found by content, the first place of each', () => {
    const uidl = fc.string({
      unit: fc.integer({ min: 0, max: 255 }).map((byte) => String.fromCharCode(byte)),
    });
    const one = fc.record({
      uidl,
      under: fc.option(uidl, { nil: undefined }),
      text: fc.nat(30),
      byContent: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(one, { maxLength: 300 }), (records) => {
        const vanished = new Vanished();
        const model = new Map<string, { uidl: string; byContent?: true }>();
        for (const { uidl: own, under, text, byContent } of records) {
          const sha256 = createHash('sha256').update(String(text)).digest('hex');
          const rest = { ...(byContent ? { byContent: true as const } : {}) };
          const record = { uidl: own, ...(under === undefined ? {} : { under }), sha256, ...rest };
          vanished.add(record as StoredRecord);
          if (!model.has(sha256)) model.set(sha256, { uidl: under ?? own, ...rest });
        }
        for (const [sha256, place] of model) expect(vanished.find(sha256)).toEqual(place);
        expect(vanished.length).toBe(model.size);
        expect(vanished.find('ab'.repeat(32))).toBeNull();
      }),
    );
  });

  it('take a few dozen bytes each', () => {
    const vanished = new Vanished();
    const before = process.memoryUsage().arrayBuffers;
    for (let at = 0; at < 65_536; at += 1) {
      const sha256 = createHash('sha256').update(String(at)).digest('hex');
      vanished.add({ uidl: `0000${at}.1234567890`, sha256 } as StoredRecord);
    }
    // With what growing left behind.
    expect((process.memoryUsage().arrayBuffers - before) / 65_536).toBeLessThan(200);
    expect(vanished.length).toBe(65_536);
  });
});
