/** Delete so many days after stored: by a clock that is moved, over the scripted server. */
import { describe, expect, it } from 'vitest';
import { policyAt } from '../../lib/mailbox/policy.ts';
import type { Mailbox } from '../../lib/mailbox/settings.ts';
import { memoryStore } from '../../lib/store/memory.ts';
import { generatedMail, mail } from '../servers/scripted.ts';
import { counted } from '../store/counted.ts';
import { SimulatedProcess } from './process.ts';
import { letter, mailboxNamed, World } from './world.ts';

const DAY_MS = 24 * 3_600_000;
const three = () => ['a', 'b', 'c'].map((name) => mail(name, letter(name)));

function daysAfterStored(days: number): Partial<Mailbox> {
  return { delete: { daysAfterStored: days } };
}

/** The same mailbox under other settings. */
function otherwise(world: World, settings: Partial<Mailbox>) {
  const other = new World({ settings: { ...settings, user: world.server.user } });
  other.skewMs = world.skewMs;
  return other.run({}, world.ports);
}

describe('delete: { daysAfterStored }', () => {
  it('deletes on its day and not before, and wakes a mailbox whose listing has not changed', async () => {
    const { store, requests } = counted(memoryStore('bucket'));
    const world = new World({ store, messages: three(), settings: daysAfterStored(2) });
    expect(await world.run()).toMatchObject({ outcome: 'done', counts: { stored: 3 } });
    world.skewMs = 2 * DAY_MS - 60_000;
    // What is waited for costs nothing: the note of success comes first.
    await world.run();
    requests.length = 0;
    expect(await world.run()).toMatchObject({ outcome: 'done', deletions: { requested: 0 } });
    expect(requests).toEqual(['read']);
    world.skewMs = 2 * DAY_MS;
    expect(await world.run()).toMatchObject({ outcome: 'done', deletions: { requested: 3, committed: 3 } });
    expect(world.retrieved).toBe(3);
    expect(world.server.messages).toHaveLength(0);
  });

  it('takes each message on its own day', async () => {
    const world = new World({ messages: three(), settings: daysAfterStored(3) });
    await world.run();
    world.skewMs = DAY_MS;
    world.server.messages.push(mail('later', letter('later')));
    await world.run();
    world.skewMs = 3 * DAY_MS;
    expect((await world.run()).deletions.committed).toBe(3);
    expect(world.server.messages.map(({ uidl }) => uidl)).toEqual(['later']);
    world.skewMs = 4 * DAY_MS;
    expect((await world.run()).deletions.committed).toBe(1);
  });

  it('finds the day of records that have left the head for segments', async () => {
    const messages = Array.from({ length: 700 }, (_, at) => generatedMail(`m${at}`, 120));
    const { store, requests } = counted(memoryStore('bucket'));
    const world = new World({ store, messages, settings: daysAfterStored(1) });
    await world.run();
    expect((await world.head()).segments.length).toBeGreaterThan(0);
    await world.run();
    requests.length = 0;
    expect((await world.run()).deletions.requested).toBe(0);
    expect(requests).toEqual(['read']);
    world.skewMs = DAY_MS;
    expect((await world.run()).deletions.committed).toBe(700);
    expect(world.retrieved).toBe(700);
  });

  it('may be set later, and taken back', async () => {
    const world = new World({ messages: three() });
    await world.run();
    world.skewMs = 10 * DAY_MS;
    await world.run();
    expect((await otherwise(world, daysAfterStored(20))).deletions.requested).toBe(0);
    expect((await otherwise(world, { delete: 'keep' })).deletions.requested).toBe(0);
    world.skewMs = 21 * DAY_MS;
    expect((await otherwise(world, { delete: 'keep' })).deletions.requested).toBe(0);
    expect((await otherwise(world, daysAfterStored(20))).deletions.committed).toBe(3);
  });

  it('counts from the first time that it was stored, though it is retrieved again to prove it', async () => {
    const world = new World({
      messages: three(),
      behaviour: { withoutTop: true },
      settings: daysAfterStored(2),
    });
    await world.run();
    world.skewMs = 2 * DAY_MS;
    expect((await world.run()).deletions.committed).toBe(3);
    expect(world.retrieved).toBe(6);
  });

  it('keeps what came short, on its day as well', async () => {
    const messages = [mail('short', letter('short'), 5_000)];
    const world = new World({ messages, settings: daysAfterStored(1) });
    expect((await world.run()).notes.join()).toContain('sizes: estimated');
    world.skewMs = 3 * DAY_MS;
    expect((await world.run()).deletions.requested).toBe(0);
    expect(world.server.messages).toHaveLength(1);
  });
});

describe('sizes, where the setting is left out', () => {
  it.each([
    ['outlook.office365.com', undefined, true],
    ['outlook.office365.com', 'exact', false],
    ['pop.example.org', undefined, false],
    ['pop.example.org', 'estimated', true],
  ] as const)('at %s, with %s: estimated %s', (host, sizes, estimated) => {
    const mailbox = mailboxNamed('inbox', { host, ...(sizes ? { sizes } : {}) });
    expect(policyAt(mailbox, 0).estimated).toBe(estimated);
  });
});

describe('sizes: estimated', () => {
  it.each([
    ['fewer', 5_000],
    ['more', 10],
  ])('deletes what came with %s octets than LIST said, once the rest is proved', async (_, announced) => {
    const messages = [mail('a', letter('a'), announced), mail('b', letter('b'))];
    const settings = { delete: 'when-stored', sizes: 'estimated' } as const;
    const world = new World({ messages, settings });
    const report = await world.run();
    expect(report).toMatchObject({ error: null, deletions: { requested: 2, committed: 2 } });
    expect(world.publisher.stored.map(({ short }) => short)).toEqual([false, false]);
  });

  it('deletes by record what was kept as short before it was set, and keeps it again where it is not', async () => {
    const messages = [mail('a', letter('a'), 5_000)];
    const world = new World({ messages, settings: { delete: 'when-stored' } });
    expect((await world.run()).deletions.requested).toBe(0);
    expect((await otherwise(world, { delete: 'when-stored' })).deletions.requested).toBe(0);
    const { retrieved } = world;
    const report = await otherwise(world, { delete: 'when-stored', sizes: 'estimated' });
    expect(report.deletions).toEqual({ requested: 1, committed: 1 });
    expect(world.retrieved).toBe(retrieved);
  });

  it('deletes nothing whose size the server does not give at all', async () => {
    const messages = [mail('a', letter('a')), mail('b', letter('b'))];
    const faults = [{ verb: 'LIST', args: '', reply: '+OK\r\n1 ?\r\n2 ?\r\n.\r\n' }];
    const settings = { delete: 'when-stored', sizes: 'estimated' } as const;
    const world = new World({ messages, faults, settings });
    expect(await world.run()).toMatchObject({ counts: { stored: 2 }, deletions: { requested: 0 } });
  });

  it('asks for one message after the other, since no size would tell that dots were lost', async () => {
    const world = new World({ messages: three(), settings: { sizes: 'estimated' } });
    const process = new SimulatedProcess(world, { mishap: 'kill before', when: () => false });
    expect(await process.run()).toMatchObject({ counts: { stored: 3 } });
    const sent = process.trace.filter((name) => name.startsWith('send RETR'));
    expect(sent).toEqual([1, 2, 3].map((number) => expect.stringMatching(`^send RETR ${number}\\s*$`)));
  });
});
