import { describe, expect, it } from 'vitest';
import { mail, type ScriptedMessage } from '../servers/scripted.ts';
import { contentsOf, letter, World, type WorldOptions } from './world.ts';

const CAPABILITIES = ['TOP', 'USER', 'PIPELINING'];
const DAY_MS = 24 * 3_600_000;

function withoutUidl(messages: readonly ScriptedMessage[], { behaviour, ...more }: WorldOptions = {}): World {
  return new World({
    messages,
    settings: { delete: 'when-stored' },
    behaviour: { withoutUidl: true, capabilities: CAPABILITIES, ...behaviour },
    ...more,
  });
}

const letters = (...names: string[]) => names.map((name) => mail('', letter(name)));

describe('a server without UIDL', () => {
  it('has its mail stored under its content, announced, and deleted by branch A', async () => {
    const messages = letters('a', 'b', 'longer', 'c');
    const world = withoutUidl(messages);
    const report = await world.run();
    expect(report).toMatchObject({ outcome: 'done', error: null, counts: { listed: 4, stored: 4 } });
    expect(report.deletions).toEqual({ requested: 4, committed: 4 });
    expect(await world.contents()).toEqual(contentsOf(messages));
    for (const key of (await world.objects()).keys())
      expect(key).toMatch(/^mail\/inbox\/nouidl-[0-9a-f]{64}\.eml$/);
    expect(world.server.messages).toHaveLength(0);
    expect(world.publisher.stored.map(({ uidl }) => uidl)).toEqual(['', '', '', '']);
    expect(new Set(world.publisher.stored.map(({ id }) => id)).size).toBe(4);
  });

  it('is asked for one message at a time, and for no headers where nothing is on record', async () => {
    const world = withoutUidl(letters('a', 'b', 'c'));
    await world.run();
    const commands = world.server.log.sessions.at(-1)?.commands.map((line) => line.split(' ')[0]) ?? [];
    expect(commands).not.toContain('TOP');
    expect(commands.join(' ')).not.toContain('RETR RETR');
  });

  it('that ignores DELE has nothing retrieved again at each poll, and nothing announced twice', async () => {
    const world = withoutUidl(letters('a', 'b'), { behaviour: { deletes: 'ignored' } });
    for (let polls = 0; polls < 4; polls += 1) expect((await world.run()).outcome).toBe('done');
    expect(world.retrieved).toBe(2);
    world.skewMs = DAY_MS + 1;
    const report = await world.run();
    expect(world.retrieved).toBe(4);
    expect(report.counts).toMatchObject({ listed: 2, alreadyStored: 2 });
    world.skewMs += 60_000;
    await world.run();
    expect(world.retrieved).toBe(4);
    expect(world.publisher.stored).toHaveLength(2);
    expect((await world.objects()).size).toBe(2);
  });

  it('has new mail of a size that is on record fetched, whether or not that is still listed', async () => {
    const world = withoutUidl(letters('a'), { behaviour: { deletes: 'ignored' } });
    await world.run();
    world.server.messages.push(mail('', letter('b')));
    const second = await world.run();
    expect(second.counts).toMatchObject({ listed: 2, stored: 1, alreadyStored: 1 });
    world.server.messages.splice(0, 2, mail('', letter('c')), mail('', letter('b')));
    await world.run();
    expect(await world.contents()).toEqual([letter('a'), letter('b'), letter('c')].sort());
    expect(world.publisher.stored).toHaveLength(3);
  });

  it('has mail that nothing but its body tells from mail on record fetched and not believed by its headers', async () => {
    const same = (body: string) => mail('', `Message-ID: <same@example.org>\r\n\r\n${body}\r\n`);
    const world = withoutUidl([same('one')], { behaviour: { deletes: 'ignored' } });
    await world.run();
    world.server.messages.push(same('two'));
    await world.run();
    expect(await world.contents()).toEqual(contentsOf([same('one'), same('two')]));
    expect(world.publisher.stored).toHaveLength(2);
  });

  it('is not asked at each poll for mail of which another, gone by now, had the size and headers', async () => {
    const same = (body: string) => mail('', `Message-ID: <same@example.org>\r\n\r\n${body}\r\n`);
    const world = withoutUidl([same('one'), same('two')], { behaviour: { deletes: 'ignored' } });
    await world.run();
    world.server.messages.shift();
    world.skewMs = DAY_MS + 1;
    await world.run();
    const { retrieved } = world;
    for (let polls = 0; polls < 3; polls += 1) await world.run();
    expect(world.retrieved).toBe(retrieved);
  });

  it('has nothing over the size limit stored, though LIST gave it the size of mail on record', async () => {
    const [small] = letters('a');
    const large = mail('', letter('large'.repeat(100)), small?.octets);
    const settings = { delete: 'when-stored', sizeLimit: 300 } as const;
    const world = withoutUidl([...letters('a'), large], { settings, behaviour: { deletes: 'ignored' } });
    for (let day = 0; day < 3; day += 1) {
      await world.run();
      await world.run();
      world.skewMs += DAY_MS + 1;
    }
    expect(await world.contents()).toEqual([letter('a')]);
  });

  it('keeps what came short, says so, and does not retrieve it again', async () => {
    const world = withoutUidl([mail('', letter('short'), 5000), ...letters('b')]);
    await world.run();
    await world.run();
    expect(world.retrieved).toBe(2);
    expect(world.server.messages).toHaveLength(1);
    expect(world.publisher.stored).toHaveLength(2);
  });

  it('and without TOP has what stays retrieved again, and stores and announces it once', async () => {
    const behaviour = { deletes: 'ignored', withoutTop: true } as const;
    const world = withoutUidl(letters('a', 'b', 'longer'), { behaviour });
    for (let polls = 0; polls < 3; polls += 1) expect((await world.run()).outcome).toBe('done');
    expect(world.retrieved).toBe(9);
    expect(world.publisher.stored).toHaveLength(3);
    expect((await world.objects()).size).toBe(3);
  });

  it('stores messages beyond one part, several of one size, each once', async () => {
    const large = (fill: string) => mail('', `${letter(fill)}${fill.repeat(9 * 1024 * 1024)}\r\n`);
    const messages = [large('x'), large('y')];
    const world = withoutUidl(messages);
    const report = await world.run();
    expect(report.counts).toMatchObject({ listed: 2, stored: 2 });
    expect(world.server.messages).toHaveLength(0);
    expect([...(await world.objects()).values()].map(({ length }) => length)).toEqual(
      messages.map(({ octets }) => octets),
    );
  });

  it('is nothing for a mailbox that keeps its mail: a person is told what to set', async () => {
    const world = withoutUidl(letters('a'), { settings: { delete: 'keep' } });
    const report = await world.run();
    expect(report).toMatchObject({ outcome: 'failed', error: { code: 'E_RUN_UNVOUCHED', kind: 'person' } });
    expect(report.error?.message).toContain('set delete to when-stored');
    expect(world.retrieved).toBe(0);
  });

  it('is not believed where it announces UIDL, or gave it to earlier runs', async () => {
    const announces = withoutUidl(letters('a'), { behaviour: { capabilities: [...CAPABILITIES, 'UIDL'] } });
    expect((await announces.run()).error?.message).toContain('though it announces it');
    const had = new World({ messages: [mail('u1', letter('a'))] });
    await had.run();
    const now = withoutUidl(letters('a'), { store: had.store });
    const { error } = await now.run();
    expect(error?.message).toContain('give the mailbox another id');
    expect(announces.retrieved + now.retrieved).toBe(0);
  });

  it('is not believed to be one where it announces nothing, and answers UIDL when it is asked again', async () => {
    const world = new World({
      messages: [mail('u1', letter('a'))],
      settings: { delete: 'when-stored' },
      behaviour: { capabilities: null },
      faults: [{ verb: 'UIDL', args: '', reply: '-ERR not now\r\n', times: 2 }],
    });
    expect((await world.run()).error?.message).toContain('answers it by now');
    expect(world.retrieved).toBe(0);
    expect((await world.run()).counts).toMatchObject({ stored: 1 });
    expect([...(await world.objects()).keys()].join()).not.toContain('nouidl');
  });

  it('that announces nothing is served', async () => {
    const world = withoutUidl(letters('a', 'b'), { behaviour: { capabilities: null } });
    expect((await world.run()).counts).toMatchObject({ listed: 2, stored: 2 });
  });

  it.each([
    ['of one size', letters('a', 'b'), 1],
    [
      'whose sizes are not those that were listed',
      ['a', 'longer'].map((name, nth) => mail('', letter(name), 40 + nth)),
      2,
    ],
  ])(
    'has an attempt at mail %s that died behind its PUT found by its content, and announced once',
    async (_, messages, open) => {
      const world = withoutUidl(messages);
      const dies = async () => {
        throw new Error('killed');
      };
      const publisher = { durable: true, prove: async () => {}, publish: dies };
      await world.run({}, { publisher });
      const { intents } = await world.head();
      expect(intents).toHaveLength(open);
      expect(intents.flatMap(({ contents }) => contents ?? [])).toHaveLength(2);
      expect((await world.objects()).size).toBe(2);
      world.server.messages.length = 0;
      await world.run();
      expect(world.publisher.stored).toHaveLength(2);
      await world.run();
      expect(world.publisher.stored).toHaveLength(2);
    },
  );

  it('has an attempt that died behind its PUT announced once, though TOP shows other headers than RETR', async () => {
    const odd = { verb: 'TOP', reply: '+OK\r\nX-Top: 1\r\n\r\n.\r\n' };
    const world = withoutUidl([mail('', letter('a'), 40)], { faults: [odd] });
    const publish = async () => {
      throw new Error('killed');
    };
    await world.run({}, { publisher: { durable: true, prove: async () => {}, publish } });
    await world.run();
    expect(world.publisher.stored).toHaveLength(1);
  });

  it('has its deletes committed before headers are asked for, which may break the line', async () => {
    const short = mail('', letter('short'), 5000);
    const world = withoutUidl([short], { faults: [{ verb: 'TOP', args: '1 0', cutAt: 0, ending: 'fin' }] });
    await world.run();
    world.server.messages.push(...letters('a', 'b'));
    await world.run();
    expect(world.server.messages).toEqual([short]);
  });

  it('has one message that is always refused set aside, and the others of its size are not', async () => {
    const stays = mail('', letter('stays'), 5000);
    const world = withoutUidl([...letters('a', 'b', 'c'), stays], {
      faults: [{ verb: 'RETR', args: '1', reply: '-ERR no\r\n' }],
    });
    for (let runs = 0; runs < 8; runs += 1) await world.run();
    expect(await world.contents()).toEqual([letter('b'), letter('c'), letter('stays')].sort());
    expect((await world.head()).failures).toMatchObject([{ uidl: '', attempts: 3 }]);
    expect((await world.run()).counts).toMatchObject({ listed: 2, setAside: 1, alreadyStored: 1 });
  });
});

describe('a row without UIDL', () => {
  it('is taken by its content, while the others go their usual way', async () => {
    const named = ['n', 'm'].map((name) => mail(name, letter(name)));
    const world = new World({ messages: [...named, ...letters('x')], settings: { delete: 'when-stored' } });
    const report = await world.run();
    expect(report.counts).toMatchObject({ listed: 3, stored: 3 });
    expect([...(await world.objects()).keys()].filter((key) => key.includes('nouidl'))).toHaveLength(1);
    expect(world.server.messages).toHaveLength(0);
  });

  it('is skipped where mail is kept, and never taken for another', async () => {
    const world = new World({ messages: [...letters('x', 'y'), mail('n', letter('n'))] });
    const report = await world.run();
    expect(report.counts).toMatchObject({ listed: 3, stored: 1, skipped: 2 });
    expect((await world.run()).counts).toMatchObject({ alreadyStored: 1, skipped: 2 });
  });

  it('that UIDL leaves out is one; a number that came since is left to the next run', async () => {
    const messages = ['a', 'b', 'c'].map((name) => mail(name, letter(name)));
    const lacking = '+OK\r\n1 a\r\n3 c\r\n.\r\n';
    const always = new World({
      messages,
      settings: { delete: 'when-stored' },
      faults: [{ verb: 'UIDL', args: '', reply: lacking }],
    });
    expect((await always.run()).counts).toMatchObject({ listed: 3, stored: 3 });
    const once = new World({ messages, faults: [{ verb: 'UIDL', args: '', reply: lacking, times: 1 }] });
    const report = await once.run();
    expect(report.counts).toMatchObject({ listed: 2, stored: 2 });
    expect(report.notes.join()).toContain('left to another run');
    expect((await once.run()).counts).toMatchObject({ listed: 3, stored: 1 });
  });
});

it('an empty answer to UIDL by a server that gave UIDLs is a failure, and makes no mail one without UIDL', async () => {
  const world = new World({
    messages: [mail('a', letter('a'))],
    settings: { delete: 'when-stored' },
    faults: [{ verb: 'UIDL', args: '', session: 2, reply: '+OK\r\n.\r\n' }],
  });
  await world.run();
  world.server.messages.push(mail('b', letter('b')));
  const report = await world.run();
  expect(report).toMatchObject({ outcome: 'failed', error: { code: 'E_RUN_UNVOUCHED' } });
  expect(report.error?.message).toMatch(/gave UIDLs to earlier runs/);
  expect(world.retrieved).toBe(1);
  await world.run();
  expect([...(await world.objects()).keys()].some((key) => key.includes('nouidl'))).toBe(false);
  expect(world.publisher.stored).toHaveLength(2);
});

describe('an empty answer to UIDL in the first run of all', () => {
  const empty = { verb: 'UIDL', args: '', reply: '+OK\r\n.\r\n' };
  const messages = () => [mail('a', letter('a')), mail('b', letter('b'))];

  it.each([
    ['by a server that announces UIDL', { faults: [empty] }, /though it announces UIDL/],
    [
      'by one that announces nothing, and answers otherwise when it is asked again',
      { faults: [{ ...empty, times: 2 }], behaviour: { capabilities: null } },
      /answers otherwise by now/,
    ],
  ] as const)('%s is a failure, and nothing is retrieved', async (_by, { faults, ...more }, words) => {
    const behaviour = 'behaviour' in more ? more.behaviour : {};
    const settings = { delete: 'when-stored' } as const;
    const world = new World({ messages: messages(), settings, faults, behaviour });
    const report = await world.run();
    expect(report).toMatchObject({ outcome: 'failed', error: { code: 'E_RUN_UNVOUCHED' } });
    expect(report.error?.message).toMatch(words);
    expect(world.retrieved).toBe(0);
  });

  it('by one that announces nothing, each time, is what it says: its mail has no UIDL', async () => {
    const settings = { delete: 'when-stored' } as const;
    const behaviour = { capabilities: null };
    const world = new World({ messages: messages(), settings, faults: [empty], behaviour });
    expect(await world.run()).toMatchObject({ outcome: 'done', counts: { stored: 2 } });
    for (const key of (await world.objects()).keys()) expect(key).toContain('nouidl');
  });
});
