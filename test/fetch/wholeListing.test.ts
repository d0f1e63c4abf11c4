import { describe, expect, it } from 'vitest';
import { type Fault, mail } from '../servers/scripted.ts';
import { contentsOf, letter, World } from './world.ts';

const NUMBERS = ['1', '2', '3', '4'];
const SETTINGS = { delete: 'when-stored' as const };

/** Of UIDL and LIST of a single message. */
function singly(reply: string): Fault[] {
  return NUMBERS.flatMap((args) => ['UIDL', 'LIST'].map((verb) => ({ verb, args, reply })));
}

function four() {
  return ['a', 'b', 'c', 'd'].map((name) => mail(name, letter(name)));
}

describe('a server that answers neither UIDL nor LIST of a single message', () => {
  it.each([
    ['refuses them', '-ERR unknown command\r\n'],
    ['answers in a form of its own', '+OK\r\n'],
  ])('%s: all its UIDLs vouch for each window, and its mail is stored and deleted', async (_, reply) => {
    const messages = four();
    const world = new World({ messages, faults: singly(reply), settings: SETTINGS });
    const report = await world.run();
    expect(report).toMatchObject({ outcome: 'done', error: null });
    expect(await world.contents()).toEqual(contentsOf(messages));
    expect(world.server.messages).toEqual([]);
    const commands = world.server.log.sessions.at(-1)?.commands ?? [];
    expect(commands.slice(commands.indexOf('RETR 4')).slice(0, 2)).toEqual(['RETR 4', 'UIDL']);
  });

  it('is asked for all UIDLs before its first mail, too: an answer out of step would be taken for mail', async () => {
    const messages = four();
    const other = '+OK\r\n1 b\r\n2 a\r\n3 c\r\n4 d\r\n.\r\n';
    const again: Fault = { verb: 'UIDL', args: '', after: 1, times: 1, reply: other };
    const faults = [...singly('-ERR [SYS/TEMP] later\r\n'), again];
    const world = new World({ messages, faults, settings: SETTINGS });
    const report = await world.run();
    expect(report.error?.message).toContain('UIDL had another answer than a moment before');
    expect(world.retrieved).toBe(0);
    world.skewMs += 3_600_000;
    await world.run();
    expect(await world.contents()).toEqual(contentsOf(messages));
  });

  it('deletes what is on record where the headers and all UIDLs are as they were', async () => {
    const world = new World({ messages: four(), faults: singly('-ERR no\r\n'), settings: SETTINGS });
    world.trust = { deletes: false, reason: 'not yet' };
    await world.run();
    world.trust = { deletes: true, reason: '' };
    world.skewMs += 120_000;
    const before = world.retrieved;
    await world.run();
    expect(world.retrieved).toBe(before);
    expect(world.server.messages).toEqual([]);
  });

  it.each([
    ['a listing that it cannot know', '.\r\n+OK\r\n1 a\r\n2 guessed\r\n.\r\n'],
    ['a part of it', '.\r\n+OK\r\n1 a\r\n.\r\n'],
    ['nothing', '.\r\n+OK\r\n.\r\n'],
    ['a refusal', '.\r\n-ERR [SYS/TEMP] later\r\n'],
    ['more of itself', '.\r\nand on\r\n'],
  ])('believes no mail that cuts itself and forges %s', async (_, tail) => {
    const forger = mail('x', `Message-ID: <x@example.org>\r\n\r\nHello\r\n${tail}`, 40);
    const messages = [...four().slice(0, 3), forger];
    const bare = { verb: 'RETR', stuffing: false } as const;
    const world = new World({
      messages,
      faults: [...singly('-ERR no\r\n'), bare],
      settings: SETTINGS,
    });
    for (let run = 0; run < 4; run += 1) {
      await world.run();
      world.skewMs += 3_600_000;
    }
    expect(await world.contents()).toEqual(contentsOf(messages.slice(0, 3)));
    expect(world.server.messages.map(({ uidl }) => uidl)).toEqual(['x']);
  });
});
