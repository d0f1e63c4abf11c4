import { describe, expect, it } from 'vitest';
import { ByteBudget } from '../../lib/fetch/byteBudget.ts';
import { mail } from '../servers/scripted.ts';
import { SimulatedProcess } from './process.ts';
import { contentsOf, letter, World, type WorldOptions } from './world.ts';

const numbered = (count: number) => Array.from({ length: count }, (_, n) => mail(`u${n}`, letter(`${n}`)));
const hundred = () => numbered(100);
const NO_MISHAP = { mishap: 'kill before' as const, when: () => false };

/** What was written at once, write by write. */
async function writesOf(world: World): Promise<string[][]> {
  const process = new SimulatedProcess(world, NO_MISHAP);
  await process.run();
  return process.trace.flatMap((name) => (name.startsWith('send ') ? [name.slice(5).split('\r\n')] : []));
}

function verbs(lines: readonly string[]): string {
  return lines.map((line) => line.split(' ')[0]).join(' ');
}

async function arrivesWhole(options: WorldOptions): Promise<World> {
  const messages = hundred().slice(0, 20);
  const world = new World({ ...options, messages });
  for (let run = 0; run < 3; run += 1) {
    await world.run();
    world.skewMs += 120_000;
  }
  expect(await world.contents()).toEqual(contentsOf(messages));
  expect(world.publisher.stored).toHaveLength(20);
  return world;
}

describe('where CAPA announces PIPELINING', () => {
  it('asks for eight windows before the first is read, and for one more as each has come, over the end of a batch', async () => {
    const process = new SimulatedProcess(new World({ messages: numbered(200) }), NO_MISHAP);
    await process.run();
    const window = `${'RETR '.repeat(16)}UIDL`;
    const retrs = process.trace.filter((name) => name.includes('send RETR'));
    const eight = `${window} `.repeat(8).trim();
    expect(retrs.map((name) => verbs(name.slice(5).split('\r\n')))).toEqual([
      eight,
      ...Array.from({ length: 4 }, () => window),
      `${'RETR '.repeat(8)}UIDL`,
    ]);
  });

  it('asks for the next window behind one that is as large as may be', async () => {
    const messages = ['a', 'b', 'c'].map((name) => mail(name, letter(name), 9_000_000));
    const writes = await writesOf(new World({ messages }));
    const retrs = writes.map(verbs).filter((line) => line.includes('RETR'));
    expect(retrs.slice(0, 2)).toEqual(['RETR UIDL RETR UIDL', 'RETR UIDL']);
  });

  it('sends nothing behind PASS', async () => {
    const writes = await writesOf(new World({ messages: hundred() }));
    expect(writes.filter((lines) => /PASS|USER|CAPA/.test(lines.join()))).toSatisfy((some: string[][]) =>
      some.every((lines) => lines.length === 1),
    );
    expect(writes.map(verbs)).toContain('UIDL LIST');
  });

  it('asks for deletes together, and for each only what is due', async () => {
    const messages = [...hundred().slice(0, 5), mail('short', letter('short'), 5_000)];
    const world = new World({ messages, settings: { delete: 'when-stored' } });
    expect((await writesOf(world)).map(verbs)).toContain('DELE DELE DELE DELE DELE');
    expect(world.server.messages.map(({ uidl }) => uidl)).toEqual(['short']);
  });

  it.each([
    ['the mailbox says no', { settings: { pipelining: false } }],
    ['the server does not announce it', { behaviour: { capabilities: ['UIDL', 'TOP'] } }],
  ])('sends one command at a time where %s', async (_, options: WorldOptions) => {
    const writes = await writesOf(new World({ ...options, messages: hundred() }));
    expect(writes.every((lines) => lines.length === 1)).toBe(true);
  });

  it('holds no bytes for windows ahead that nobody has free', async () => {
    const world = new World({ messages: hundred() });
    const report = await world.run({}, { inFlight: new ByteBudget(1) });
    expect(report.counts.stored).toBe(100);
  });
});

describe('a server that falls out of step where commands come together', () => {
  it.each([
    ['hangs up', { verb: 'RETR', args: '1', session: 1, cutAt: 0, ending: 'fin' as const }],
    ['mixes up its answers', { verb: 'RETR', args: '2', session: 1, reply: 'garbage\r\n' }],
  ])('%s: is fetched one message at a time from then on, and said to be', async (_, fault) => {
    const world = await arrivesWhole({ faults: [fault] });
    expect((await world.head()).singlySinceMs).not.toBeNull();
    expect((await world.head()).failures).toEqual([]);
  });

  it('is asked together again after an accident, once that had gone well', async () => {
    const fault = { verb: 'RETR', args: '18', session: 1, cutAt: 0, ending: 'fin' as const };
    const world = await arrivesWhole({ faults: [fault] });
    expect((await world.head()).singlySinceMs).toBeNull();
  });
});

describe('a server that sends what nobody asked for', () => {
  it.each(['', '\r\n', '+OK extra\r\n', '-ERR [SYS/TEMP] going down\r\n', 'x'])(
    'and %j behind that has no status of RETR stored as the beginning of its mail',
    async (more) => {
      const reply = `+OK unasked\r\n${more}+OK octets follow\r\n${letter('1')}.\r\n`;
      await arrivesWhole({ faults: [{ verb: 'RETR', args: '2', session: 1, reply }] });
    },
  );
});

describe('deletes of what is on record', () => {
  async function stored(options: WorldOptions = {}): Promise<World> {
    const world = new World({
      messages: hundred().slice(0, 40),
      settings: { delete: 'when-stored' },
      ...options,
    });
    world.trust = { deletes: false, reason: 'not yet' };
    await world.run();
    expect(world.server.messages).toHaveLength(40);
    world.trust = { deletes: true, reason: '' };
    world.skewMs += 120_000;
    return world;
  }

  it('ask for 32 headers at once, each with its fence, and then for the deletes', async () => {
    const world = await stored();
    const writes = (await writesOf(world)).map(verbs).filter((line) => /TOP|DELE/.test(line));
    expect(writes).toEqual([
      'TOP UIDL '.repeat(32).trim(),
      'DELE '.repeat(32).trim(),
      'TOP UIDL '.repeat(8).trim(),
      'DELE '.repeat(8).trim(),
    ]);
    expect(world.server.messages).toEqual([]);
  });

  it('keep what the store has lost, and retrieve again what TOP proves nothing of', async () => {
    const world = await stored({
      faults: [
        { verb: 'TOP', args: '7 0', reply: '+OK\r\nSubject: another\r\n\r\n.\r\n' },
        { verb: 'TOP', args: '9 0', reply: '-ERR no headers\r\n' },
      ],
    });
    const objects = [...(await world.objects())];
    const [gone = ''] = objects.find(([, bytes]) => bytes.toString() === letter('3')) ?? [];
    await world.store.remove(gone);
    const before = world.retrieved;
    const { notes } = await world.run();
    expect(notes.join()).toContain('no longer in the store');
    expect(world.retrieved - before).toBe(2);
    expect(world.server.messages.map(({ uidl }) => uidl)).toEqual(['u3']);
    expect(world.publisher.stored).toHaveLength(40);
  });

  it('are asked for one by one from then on where the first of them breaks the line', async () => {
    const world = await stored({
      faults: [{ verb: 'TOP', session: 2, times: 1, cutAt: 0, ending: 'fin' as const }],
    });
    await world.run();
    expect((await world.head()).singlySinceMs).not.toBeNull();
    expect((await world.head()).intents).toEqual([]);
    world.skewMs += 120_000;
    expect((await writesOf(world)).every((lines) => lines.length === 1)).toBe(true);
    expect(world.server.messages).toEqual([]);
  });
});

describe('a server that does not stuff dots where commands come together', () => {
  const dotted = 'Message-ID: <dotted@example.org>\r\n\r\n.one\r\nand more\r\n';
  const bare = { verb: 'RETR', stuffing: false } as const;
  const announced = dotted.length - 1;

  it('is asked for a mail that lost some once more, alone, though its size agrees', async () => {
    const messages = [...hundred().slice(0, 5), mail('dotted', dotted, announced)];
    const world = new World({
      messages,
      faults: [{ ...bare, times: messages.length }],
      settings: { delete: 'when-stored' },
    });
    const report = await world.run();
    expect(report.counts.stored).toBe(6);
    expect(await world.contents()).toEqual(contentsOf(messages));
    expect(world.server.messages).toEqual([]);
  });

  it('keeps what lost some there too, which is stored and said', async () => {
    const messages = [...hundred().slice(0, 5), mail('dotted', dotted, announced)];
    const world = new World({ messages, faults: [bare], settings: { delete: 'when-stored' } });
    const { notes } = await world.run();
    expect(notes.join('\n')).toContain('does not stuff dots');
    world.skewMs += 120_000;
    await world.run();
    expect(world.server.messages.map(({ uidl }) => uidl)).toEqual(['dotted']);
    expect(world.publisher.stored).toHaveLength(6);
  });
});
