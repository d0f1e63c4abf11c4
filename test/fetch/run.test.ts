import { describe, expect, it } from 'vitest';
import type { Counts } from '../../lib/fetch/report.ts';
import { bytesOf, mail } from '../servers/scripted.ts';
import { contentsOf, letter, World } from './world.ts';

const five = () => ['a', 'b', 'c', 'd', 'e'].map((name) => mail(name, letter(name)));

function sum({ listed: _, ...rest }: Counts): number {
  return Object.values(rest).reduce((total, count) => total + count, 0);
}

describe('a run', () => {
  it('stores every message byte for byte, announces each once, and keeps them all', async () => {
    const messages = [
      ...five(),
      mail('dots', '.\r\n..\r\n...x\r\n'),
      mail('empty', ''),
      mail('bytes', Buffer.from([0, 13, 10, 255, 10, 13])),
    ];
    const world = new World({ messages });
    const report = await world.run();
    expect(report.error).toBeNull();
    expect(report.counts).toMatchObject({ listed: 8, stored: 8, failed: 0, notReached: 0 });
    expect(await world.contents()).toEqual(contentsOf(messages));
    expect(world.publisher.stored.map(({ uidl }) => uidl).sort()).toEqual(
      messages.map(({ uidl }) => uidl).sort(),
    );
    expect(world.server.messages).toHaveLength(8);
    expect(world.server.log.sessions.at(-1)?.quit).toBe(true);
  });

  it('finds nothing to do the second time: no RETR, no event, no write', async () => {
    const world = new World({ messages: five() });
    await world.run();
    const { revision } = await world.head();
    const report = await world.run();
    expect(report).toMatchObject({ outcome: 'done', counts: { listed: 5, alreadyStored: 5 } });
    expect(world.retrieved).toBe(5);
    expect(world.publisher.stored).toHaveLength(5);
    expect((await world.head()).revision).toBe(revision);
  });

  it('deletes what is stored and announced, in the session that retrieved it', async () => {
    const messages = five();
    const world = new World({ messages, settings: { delete: 'when-stored' } });
    const report = await world.run();
    expect(report).toMatchObject({
      outcome: 'done',
      error: null,
      deletions: { requested: 5, committed: 5 },
      signIns: 1,
    });
    expect(world.server.messages).toHaveLength(0);
    expect(await world.contents()).toEqual(contentsOf(messages));
    expect(sum(report.counts)).toBe(report.counts.listed);
  });

  it('deletes by record what an earlier run stored under keep, without retrieving it again', async () => {
    const world = new World({ messages: five() });
    await world.run();
    const later = new World({ messages: [], settings: { delete: 'when-stored', user: world.server.user } });
    const report = await world.run({}, {}).then(() => later.run({}, { ...world.ports }));
    expect(report).toMatchObject({ deletions: { requested: 5, committed: 5 }, counts: { alreadyStored: 5 } });
    expect(world.retrieved).toBe(5);
    expect(world.server.messages).toHaveLength(0);
  });

  it('retrieves again before deleting where TOP is refused', async () => {
    const world = new World({ messages: five(), behaviour: { withoutTop: true } });
    await world.run();
    const deleting = new World({ settings: { delete: 'when-stored', user: world.server.user } });
    const report = await deleting.run({}, world.ports);
    expect(report.deletions).toEqual({ requested: 5, committed: 5 });
    expect(world.retrieved).toBe(10);
    expect(world.publisher.stored).toHaveLength(5);
    expect((await world.objects()).size).toBe(5);
  });

  it('stores a message that came under a used UIDL beside the first, and deletes neither unseen', async () => {
    const world = new World({ messages: [mail('same', letter('one'))], settings: { delete: 'when-stored' } });
    await world.run();
    world.server.messages.push(mail('same', letter('two')));
    await world.run();
    expect(await world.contents()).toEqual([letter('one'), letter('two')].sort());
    expect(new Set(world.publisher.stored.map(({ id }) => id)).size).toBe(2);
    expect(world.server.messages).toHaveLength(0);
  });

  it('keeps twins under one UIDL apart, and is quiet afterwards', async () => {
    const twins = [mail('same', letter('one')), mail('same', letter('two')), mail('same', letter('one'))];
    const world = new World({ messages: twins });
    const first = await world.run();
    expect(first.counts).toMatchObject({ listed: 3, stored: 3 });
    expect(await world.contents()).toEqual([letter('one'), letter('two')].sort());
    await world.run();
    expect(world.retrieved).toBe(3);
    expect(world.publisher.stored).toHaveLength(2);
  });

  it('keeps a message that came shorter than announced, and says so', async () => {
    const world = new World({
      messages: [mail('short', letter('short'), 5000)],
      settings: { delete: 'when-stored' },
    });
    const report = await world.run();
    expect(world.publisher.stored[0]).toMatchObject({ short: true, announcedSize: 5000 });
    expect(world.server.messages).toHaveLength(1);
    expect(report.notes.join()).toContain('fewer octets');
    // Once more by itself, since some servers lose dots where commands come together.
    expect(world.retrieved).toBe(2);
    await world.run();
    expect(world.retrieved).toBe(2);
  });

  it('deletes nothing where the store cannot be trusted or events prove nothing', async () => {
    const world = new World({ messages: five(), settings: { delete: 'when-stored' } });
    world.trust = { deletes: false, reason: 'the store replaced an object' };
    const report = await world.run();
    expect(report.counts.stored).toBe(5);
    expect(report.notes.join()).toContain('the store replaced an object');
    expect(world.server.messages).toHaveLength(5);
  });

  it('keeps mail whose object a consumer removed', async () => {
    const world = new World({ messages: five() });
    await world.run();
    for (const key of (await world.objects()).keys()) await world.store.remove(key);
    const deleting = new World({ settings: { delete: 'when-stored', user: world.server.user } });
    const report = await deleting.run({}, world.ports);
    expect(report.deletions.requested).toBe(0);
    expect(report.notes.join()).toContain('no longer in the store');
    expect(world.server.messages).toHaveLength(5);
  });

  it('announces again, with the same ids, when the state was lost, and stores nothing twice', async () => {
    const world = new World({ messages: five() });
    await world.run();
    const ids = world.publisher.stored.map(({ id }) => id);
    await world.store.remove('state/inbox.json');
    await world.run();
    expect((await world.objects()).size).toBe(5);
    expect(world.publisher.stored.slice(5).map(({ id }) => id)).toEqual(ids);
  });

  it('says nothing of headers where the mailbox wants no summary', async () => {
    const world = new World({ messages: five(), settings: { headerSummary: false } });
    await world.run();
    expect(world.publisher.stored.map(({ headers }) => headers)).toEqual([null, null, null, null, null]);
  });

  it('tells a person of a server without UIDL, and touches nothing', async () => {
    const behaviour = { withoutUidl: true, capabilities: ['TOP'] };
    const world = new World({ messages: five(), behaviour });
    const report = await world.run();
    expect(report).toMatchObject({
      outcome: 'failed',
      error: { kind: 'person', phase: 'uidl', code: 'E_RUN_UNVOUCHED' },
    });
    expect(world.retrieved).toBe(0);
  });

  it('skips a message without UIDL and goes on with the others', async () => {
    const world = new World({ messages: [mail('', letter('x')), ...five()] });
    const report = await world.run();
    expect(report.counts).toMatchObject({ listed: 6, stored: 5, skipped: 1 });
  });

  it('stores a message beyond one part while it arrives', async () => {
    const large = mail('large', `${letter('large')}${'x'.repeat(20 * 1024 * 1024)}\r\n`);
    const world = new World({ messages: [large, ...five()], settings: { delete: 'when-stored' } });
    const report = await world.run();
    expect(report).toMatchObject({ error: null, deletions: { committed: 6 } });
    expect(await world.contents()).toEqual(contentsOf([large, ...five()]));
    expect(world.publisher.stored.find(({ uidl }) => uidl === 'large')?.size).toBe(bytesOf(large).length);
  });

  it('retrieves a large message twice where content decides its key', async () => {
    const large = (name: string) => mail('same', `${letter(name)}${'y'.repeat(9 * 1024 * 1024)}\r\n`);
    const world = new World({ messages: [large('one')], settings: { delete: 'when-stored' } });
    await world.run();
    world.server.messages.push(large('two'));
    const report = await world.run();
    expect(report).toMatchObject({ error: null, counts: { stored: 1 } });
    expect((await world.objects()).size).toBe(2);
    expect(world.server.messages).toHaveLength(0);
  });
});

describe('a mailbox with more to delete than a run may', () => {
  it('says that there is more, and the runs after it delete the rest', async () => {
    const messages = Array.from({ length: 1_700 }, (_, nth) => mail(`m${nth}`, letter(`m${nth}`)));
    const world = new World({ messages });
    await world.run();
    const deleting = new World({ settings: { delete: 'when-stored', user: world.server.user } });
    const first = await deleting.run({}, world.ports);
    expect(first).toMatchObject({
      outcome: 'more',
      signIns: 3,
      deletions: { requested: 1_500, committed: 1_500 },
    });
    const second = await deleting.run({}, world.ports);
    expect(second).toMatchObject({ outcome: 'done', deletions: { committed: 200 } });
    expect(world.server.messages).toHaveLength(0);
    expect(world.retrieved).toBe(1_700);
  });
});

describe('a bad message', () => {
  it('is set aside after its attempts, reported once, and delays nobody', async () => {
    const world = new World({
      messages: five(),
      faults: [{ verb: 'RETR', uidl: 'c', reply: '-ERR cannot get it\r\n' }],
      settings: { delete: 'when-stored' },
    });
    const first = await world.run();
    expect(first.counts).toMatchObject({ listed: 5, stored: 4, failed: 1 });
    expect(world.server.messages.map(({ uidl }) => uidl)).toEqual(['c']);
    world.server.messages.push(mail('f', letter('f')));
    await world.run();
    world.server.messages.push(mail('g', letter('g')));
    await world.run();
    const last = await world.run();
    expect(last.counts).toMatchObject({ listed: 1, setAside: 1 });
    const aside = world.publisher.accepted.filter(({ detailType }) => detailType === 'Message Set Aside');
    expect(aside).toHaveLength(1);
    const before = world.retrieved;
    await world.run();
    expect(world.retrieved).toBe(before);
    expect(
      world.publisher.accepted.filter(({ detailType }) => detailType === 'Message Set Aside'),
    ).toHaveLength(1);
  });

  it.each(['fin', 'rst'] as const)(
    'that breaks the line (%s) costs its neighbours nothing',
    async (ending) => {
      const world = new World({
        messages: five(),
        faults: [{ verb: 'RETR', uidl: 'b', cutAt: 20, ending }],
        settings: { delete: 'when-stored' },
      });
      const report = await world.run();
      expect(report.counts).toMatchObject({ stored: 4, failed: 1 });
      expect(report.messages[0]).toMatchObject({ uidl: 'b' });
      for (let run = 0; run < 4; run += 1) await world.run();
      expect(world.server.messages.map(({ uidl }) => uidl)).toEqual(['b']);
      expect((await world.objects()).size).toBe(4);
      expect((await world.head()).failures[0]?.setAsideMs).not.toBeNull();
    },
  );

  it('that cuts itself on a server which does not stuff dots is never announced, and its neighbours are right', async () => {
    const evil = `${letter('evil')}.\r\n+OK 10 octets\r\nforged\r\n.\r\n`;
    const others = five();
    const messages = [...others.slice(0, 2), mail('evil', evil), ...others.slice(2)];
    const world = new World({
      messages,
      faults: [{ verb: 'RETR', stuffing: false }],
      settings: { delete: 'when-stored' },
    });
    for (let run = 0; run < 6; run += 1) await world.run();
    expect(world.publisher.stored.map(({ uidl }) => uidl).sort()).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect(await world.contents()).toEqual(contentsOf(others));
    expect(world.server.messages.map(({ uidl }) => uidl)).toEqual(['evil']);
  });
});
