import { describe, expect, it } from 'vitest';
import { planMailbox } from '../../lib/fetch/inspect.ts';
import { bytesOf, mail, type ScriptedMessage } from '../servers/scripted.ts';
import { letter, World, type WorldOptions } from './world.ts';

const DELETES = { delete: 'when-stored' } as const;
const sameSize = (name: string) => `Received: from x; ${name}\r\n${letter(name)}`;
const otherSizes = (name: string) => sameSize(name) + `${name}\r\n`.repeat(name.charCodeAt(0) - 90);

/** A server that gives the number of a message as its UIDL, in each session anew. */
class Numbered extends World {
  constructor(texts: readonly string[], options: WorldOptions = {}) {
    super(options);
    for (const text of texts) this.arrives(text);
  }

  arrives(text: string): void {
    const { messages } = this.server;
    const arrived: ScriptedMessage = {
      ...mail('', text),
      get uidl() {
        return String(messages.indexOf(arrived) + 1);
      },
    };
    messages.push(arrived);
  }

  get commands(): readonly string[] {
    return this.server.log.sessions.at(-1)?.commands ?? [];
  }

  /** Each content that was ever there is stored, and announced once. */
  async expectStored(texts: readonly string[]): Promise<void> {
    expect(await this.contents()).toEqual([...texts].sort());
    expect(this.publisher.stored).toHaveLength(texts.length);
  }
}

const namesOf = (names: string, text: (name: string) => string) => [...names].map(text);

describe.each([
  ['of one size', sameSize],
  ['of several sizes', otherSizes],
])('mail %s whose UIDLs are its numbers', (_, text) => {
  it('is known by its content when it has moved, and what is new is fetched though the listing is the same', async () => {
    const world = new Numbered(namesOf('abcde', text));
    await world.run();
    world.server.messages.shift();
    world.arrives(text('f'));
    const report = await world.run();
    expect(report.counts).toMatchObject({ listed: 5, stored: 1, alreadyStored: 4 });
    expect(report.notes.join()).toContain('have moved');
    await world.expectStored(namesOf('abcdef', text));
    const { retrieved } = world;
    expect((await world.run()).notes).toEqual([]);
    expect(world.retrieved).toBe(retrieved);
  });

  it('is fetched once it can be, though all around it is on record by then', async () => {
    const world = new Numbered(namesOf('abc', text), {
      faults: [{ verb: 'RETR', args: '2', session: 2, reply: '-ERR not now\r\n' }],
    });
    await world.run();
    world.server.messages.splice(0, 2);
    for (const name of 'de') world.arrives(text(name));
    expect((await world.run()).counts).toMatchObject({ listed: 3, stored: 1, failed: 1 });
    for (let run = 0; run < 2; run += 1) await world.run();
    await world.expectStored(namesOf('abcde', text));
    expect(await world.run()).toMatchObject({ notes: [], counts: { alreadyStored: 3 } });
  });

  it('is followed as mail is deleted elsewhere again and again', async () => {
    const world = new Numbered(namesOf('abcde', text));
    for (const at of [0, 2, 1, 0]) {
      await world.run();
      world.server.messages.splice(at, 1);
    }
    await world.run();
    await world.expectStored(namesOf('abcde', text));
  });

  it('is deleted once it is stored, one after another, and the server is not said to ignore it', async () => {
    const world = new Numbered([], { settings: DELETES });
    for (const name of 'abcdef') {
      world.arrives(text(name));
      expect(await world.run()).toMatchObject({ outcome: 'done', error: null, counts: { stored: 1 } });
    }
    expect(world.server.messages).toEqual([]);
    await world.expectStored(namesOf('abcdef', text));
  });

  it('is neither lost nor stored again where a QUIT is lost and another program deletes', async () => {
    const world = new Numbered(namesOf('abcde', text), {
      settings: DELETES,
      faults: [{ verb: 'QUIT', ineffective: true, cutAt: 0, times: 1 }],
    });
    await world.run();
    world.server.messages.shift();
    world.arrives(text('f'));
    await world.run();
    await world.run();
    expect(world.server.messages).toEqual([]);
    await world.expectStored(namesOf('abcdef', text));
  });
});

describe('UIDLs that are numbers and mean it', () => {
  it('cost a poll of an idle mailbox one TOP, and no RETR and no write', async () => {
    const world = new Numbered(namesOf('abc', sameSize));
    await world.run();
    await world.run();
    const { retrieved } = world;
    const { revision } = await world.head();
    expect(await world.run()).toMatchObject({ outcome: 'done', notes: [], counts: { alreadyStored: 3 } });
    expect(world.commands.filter((line) => /^(TOP|RETR)/.test(line))).toEqual(['TOP 3 0']);
    expect(world.retrieved).toBe(retrieved);
    expect((await world.head()).revision).toBe(revision);
  });

  it('are believed where TOP is refused', async () => {
    const world = new Numbered(namesOf('abc', sameSize), { behaviour: { withoutTop: true } });
    for (let run = 0; run < 3; run += 1)
      expect(await world.run()).toMatchObject({ outcome: 'done', notes: [] });
    expect(world.retrieved).toBe(3);
  });

  it('keep nothing from being fetched where TOP of the last message breaks the line', async () => {
    const world = new Numbered(namesOf('abc', sameSize), {
      faults: [{ verb: 'TOP', args: '3 0', cutAt: 0, ending: 'fin' }],
    });
    await world.run();
    for (const name of 'defg') {
      world.arrives(sameSize(name));
      await world.run();
    }
    await world.expectStored(namesOf('abcdefg', sameSize));
  });
});

describe('a server that does not stuff dots, and whose UIDLs are numbers', () => {
  it('stores nothing of mail that answers for its server what anybody can guess', async () => {
    // The rest of it is on its way while the client takes it for whole.
    const evil = `${letter('evil')}.\r\n+OK 2 2\r\nand the rest\r\n`;
    const cut = `+OK\r\n${letter('evil')}.\r\n`.length;
    const late = { reply: `+OK\r\n${evil}.\r\n`, pieces: [cut, 100_000], dripMs: 2 };
    const world = new Numbered([sameSize('a'), evil, sameSize('c')], {
      faults: [{ verb: 'RETR', args: '2', ...late }],
    });
    for (let run = 0; run < 3; run += 1) await world.run();
    await world.expectStored(namesOf('ac', sameSize));
  });
});

describe('the plan of a mailbox whose mail has moved', () => {
  it('says what would be fetched, and writes nothing', async () => {
    const world = new Numbered(namesOf('ab', sameSize));
    await world.run();
    world.server.messages.shift();
    world.arrives(sameSize('c'));
    const { revision } = await world.head();
    const deadlineMs = world.clock.now() + 60_000;
    const { rows } = await planMailbox(world.mailbox, world.ports, { deadlineMs });
    expect(rows.map(({ action }) => action)).toEqual(['fetch', 'fetch']);
    expect((await world.head()).revision).toBe(revision);
    expect(world.server.messages.map((message) => bytesOf(message).length)).toHaveLength(2);
  });
});
