import { describe, expect, it } from 'vitest';
import { messageKey } from '../../lib/mailbox/names.ts';
import { mail } from '../servers/scripted.ts';
import { SimulatedProcess } from './process.ts';
import { contentsOf, letter, World } from './world.ts';

const DEADLINE_MS = 120_000;
/** So that a death has one command that it comes at. */
const SINGLY = { pipelining: false };
const six = () => ['a', 'b', 'poison', 'd', 'e', 'f'].map((name) => mail(name, letter(name)));

/** Runs of which each dies when it comes to `when`, until one does not. Each begins after the last one's deadline. */
async function diesAgainAndAgain(world: World, when: (name: string) => boolean): Promise<number> {
  for (let deaths = 0; deaths < 12; deaths += 1) {
    const ended = await new SimulatedProcess(world, { mishap: 'kill before', when }).run();
    if (ended !== 'died') return deaths;
    world.skewMs += DEADLINE_MS;
  }
  return Number.POSITIVE_INFINITY;
}

describe('a message that ends the process', () => {
  it('in being retrieved is set aside within attempts + 1 deaths, and its neighbours are not', async () => {
    const messages = six();
    const world = new World({ messages, settings: { delete: 'when-stored', ...SINGLY } });
    const deaths = await diesAgainAndAgain(
      world,
      (name) => name === `send RETR ${1 + world.server.messages.findIndex(({ uidl }) => uidl === 'poison')}`,
    );
    expect(deaths).toBeLessThanOrEqual(world.mailbox.attempts + 1);
    expect(world.server.messages.map(({ uidl }) => uidl)).toEqual(['poison']);
    expect(await world.contents()).toEqual(contentsOf(messages.filter(({ uidl }) => uidl !== 'poison')));
    const aside = world.publisher.accepted.filter(({ detailType }) => detailType === 'Message Set Aside');
    expect(aside).toMatchObject([{ detail: { uidl: 'poison', attempts: 3 } }]);
    expect((await world.head()).failures).toMatchObject([{ uidl: 'poison' }]);
  });

  it('in being announced is announced without a summary, once its object is there', async () => {
    const world = new World({ messages: six() });
    const publish = world.publisher.publish.bind(world.publisher);
    let deaths = 0;
    for (let run = 0; run < 6; run += 1) {
      const process = new SimulatedProcess(world, { mishap: 'kill before', when: () => false });
      const ports = process.ports();
      let died = false;
      world.publisher.publish = async (events) => {
        const summarized = events.some(
          ({ detail }) =>
            'uidl' in detail && detail.uidl === 'poison' && 'headers' in detail && detail.headers,
        );
        if (!summarized) return publish(events);
        died = true;
        deaths += 1;
        return new Promise(() => {});
      };
      const report = await Promise.race([world.run({}, ports), until(() => died)]);
      world.skewMs += DEADLINE_MS;
      if (report) break;
    }
    expect(deaths).toBe(1);
    expect(world.publisher.stored.find(({ uidl }) => uidl === 'poison')).toMatchObject({ headers: null });
    expect(new Set(world.publisher.stored.map(({ uidl }) => uidl)).size).toBe(6);
  });

  it('takes its twin with it for a day at most, where the line broke once as their headers were asked for', async () => {
    const [killer, innocent] = [mail('same', letter('one')), mail('same', letter('two'))];
    const world = new World({
      messages: [killer, innocent],
      faults: [{ verb: 'TOP', args: '1 0', times: 1, cutAt: 3, ending: 'fin' }],
      settings: { delete: 'when-stored', attempts: 2, ...SINGLY },
    });
    const dies = (name: string) => name === `send RETR ${1 + world.server.messages.indexOf(killer)}`;
    await world.run({ suspects: 'never' });
    expect(await diesAgainAndAgain(world, dies)).toBe(2);
    expect((await world.head()).failures).toMatchObject([{ uidl: 'same', headerHash: null, attempts: 2 }]);
    expect(world.server.messages).toHaveLength(2);
    world.skewMs += 25 * 3_600_000;
    // Its attempts begin anew, and once more when its twin is gone, for then it has another name.
    expect(await diesAgainAndAgain(world, dies)).toBeLessThanOrEqual(4);
    expect(world.server.messages).toEqual([killer]);
    expect(await world.contents()).toEqual(contentsOf([innocent]));
  });
});

async function until(holds: () => boolean): Promise<null> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
  return null;
}

describe('a message that the server refuses', () => {
  it.each(['keep', 'when-stored'] as const)(
    'keeps no twin from arriving that nothing tells it from (delete: %s)',
    async (policy) => {
      const [refused, innocent] = [mail('same', letter('one')), mail('same', letter('two'))];
      const world = new World({
        messages: [refused, innocent],
        faults: [
          { verb: 'TOP', reply: '-ERR no TOP\r\n' },
          { verb: 'RETR', args: '1', reply: '-ERR cannot be read\r\n' },
        ],
        settings: { delete: policy },
      });
      await world.run({ suspects: 'never' });
      world.skewMs += DEADLINE_MS;
      for (let run = 0; run < 6; run += 1) await world.run();
      expect(await world.contents()).toEqual(contentsOf([innocent]));
      expect(world.publisher.stored).toHaveLength(1);
      expect(world.server.messages).toEqual(policy === 'keep' ? [refused, innocent] : [refused]);
      // Where it is gone from the server, nothing tells the other's trouble from the server's.
      const aside = (await world.head()).failures.map(({ setAsideMs }) => setAsideMs !== null);
      expect(aside).toEqual(policy === 'keep' ? [true] : []);
    },
  );
});

describe('a message that the server refuses, in a mailbox with nothing new', () => {
  const refused = '-ERR cannot be read\r\n';

  it('is set aside though the smallest one on record is refused by now, too', async () => {
    const world = new World({
      messages: [mail('old', letter('old', '')), mail('large', letter('large'))],
      faults: [
        { verb: 'RETR', uidl: 'old', after: 1, reply: refused },
        { verb: 'RETR', uidl: 'new', reply: refused },
      ],
      settings: { attempts: 2 },
    });
    await world.run();
    world.server.messages.push(mail('new', letter('new')));
    for (let run = 0; run < 4; run += 1) await world.run();
    expect((await world.head()).failures).toMatchObject([{ uidl: 'new', attempts: 2, reported: true }]);
    expect(world.server.log.sessions.at(-1)?.quit).toBe(true);
  });

  it('is not blamed where the server refuses all that it is asked for', async () => {
    const messages = ['old', 'large', 'larger', 'largest'].map((name) => mail(name, letter(name)));
    const world = new World({
      messages,
      faults: [{ verb: 'RETR', after: messages.length, reply: refused }],
      settings: { attempts: 2 },
    });
    await world.run();
    world.server.messages.push(mail('new', letter('new')));
    for (let run = 0; run < 4; run += 1) await world.run();
    expect((await world.head()).failures).toEqual([]);
  });
});

describe('a message that the server refuses, beside one that has come to end itself', () => {
  it('is not blamed on the word of what no fence vouches for', async () => {
    const whole = `+OK\r\n${letter('old')}.\r\n`;
    const tail = { reply: `${whole}-ERR\r\n`, pieces: [whole.length, 100_000], dripMs: 2 };
    const world = new World({
      messages: [mail('old', letter('old'))],
      faults: [
        { verb: 'RETR', uidl: 'old', after: 1, ...tail },
        { verb: 'RETR', uidl: 'new', reply: '-ERR cannot be read\r\n' },
      ],
      settings: { attempts: 1 },
    });
    await world.run();
    world.server.messages.push(mail('new', letter('new')));
    for (let run = 0; run < 3; run += 1) await world.run();
    expect((await world.head()).failures).toEqual([]);
  });
});

describe('a message that is tried alone', () => {
  it('is not blamed for bytes that came unasked before anything of it was asked for', async () => {
    const world = new World({
      messages: [mail('a', letter('a'))],
      faults: [{ verb: 'UIDL', args: '1', times: 4, suffix: '-ERR [SYS/TEMP] going down\r\n' }],
      settings: { attempts: 1 },
    });
    for (let run = 0; run < 4; run += 1) {
      await world.run();
      expect((await world.head()).failures).toEqual([]);
      world.skewMs += DEADLINE_MS;
    }
    expect(await world.contents()).toEqual([letter('a')]);
  });
});

describe("another run's intents", () => {
  it('are not counted while it may live: its messages are tried last, and without blame', async () => {
    const world = new World({ messages: six(), settings: SINGLY });
    const dead = new SimulatedProcess(world, {
      mishap: 'kill before',
      when: (name) => name === 'send RETR 3',
    });
    await dead.run();
    const dying = new SimulatedProcess(world, {
      mishap: 'kill before',
      when: (name) => name === 'send RETR 1',
    });
    await dying.run();
    expect((await world.head()).failures).toEqual([]);
    const report = await world.run();
    expect(report.counts).toMatchObject({ listed: 6, stored: 6 });
  });

  it('stay open after the message is on record, and are struck later without retrieving anything', async () => {
    const world = new World({ messages: six(), settings: SINGLY });
    await new SimulatedProcess(world, {
      mishap: 'kill before',
      when: (name) => name === 'send RETR 3',
    }).run();
    await world.run();
    expect((await world.head()).intents.length).toBeGreaterThan(0);
    const before = world.retrieved;
    world.skewMs += DEADLINE_MS;
    await world.run();
    expect((await world.head()).intents).toEqual([]);
    expect(world.retrieved).toBe(before);
    expect(new Set(world.publisher.stored.map(({ id }) => id)).size).toBe(6);
  });

  it('of a message that vanished are kept until nothing can land any more, and announce what did', async () => {
    const world = new World({ messages: [mail('a', letter('a')), mail('b', letter('b'))] });
    await new SimulatedProcess(world, { mishap: 'kill before', when: (name) => name === 'publish' }).run();
    world.server.messages.length = 0;
    world.skewMs += DEADLINE_MS;
    await world.run();
    expect(world.publisher.stored.map(({ uidl }) => uidl).sort()).toEqual(['a', 'b']);
    expect((await world.head()).intents).toHaveLength(2);
    world.skewMs += 25 * 3_600_000;
    await world.run();
    expect((await world.head()).intents).toEqual([]);
  });
});

describe('what an attempt at a vanished message left in the store', () => {
  it('is announced though the server has come to refuse UIDL and LIST of a single message', async () => {
    const refused = '-ERR no such command\r\n';
    const world = new World({
      messages: [mail('a', letter('a')), mail('b', letter('b'))],
      faults: [
        { verb: 'UIDL', args: '1', after: 1, reply: refused },
        { verb: 'LIST', args: '1', reply: refused },
      ],
    });
    await new SimulatedProcess(world, { mishap: 'kill before', when: (name) => name === 'publish' }).run();
    world.server.messages.pop();
    world.skewMs += DEADLINE_MS;
    const report = await world.run();
    expect(report).toMatchObject({ outcome: 'done', error: null });
    expect(world.publisher.stored.map(({ uidl }) => uidl).sort()).toEqual(['a', 'b']);
  });
});

describe('a session that has retrieved what it could not store', () => {
  it('is dropped without QUIT, so that a server which hides at QUIT offers the message again', async () => {
    const world = new World({
      messages: six(),
      behaviour: { hides: 'at QUIT' },
      settings: { delete: 'when-stored' },
    });
    const key = messageKey('inbox', 'd');
    const failing = new SimulatedProcess(world, {
      mishap: 'fail before',
      when: (name) => name === `create ${key}`,
    });
    const report = await failing.run({ suspects: 'never' });
    expect(report).toMatchObject({ counts: { listed: 6, stored: 5, failed: 1 } });
    expect(world.server.log.sessions[0]?.quit).toBe(false);
    for (let run = 0; run < 3; run += 1) await world.run();
    expect(await world.contents()).toEqual(contentsOf(six()));
  });
});

describe('a server that does not stuff dots', () => {
  it('cannot pass forged replies off as its next messages, however late they come', async () => {
    const forged = letter('forged');
    const evil = `${letter('evil')}.\r\n+OK\r\n${forged}.\r\n+OK\r\n${forged}.\r\n`;
    const whole = `+OK\r\n${letter('evil')}.\r\n`.length;
    const others = six();
    for (const pieces of [[100_000], [whole, 100_000], [1], [whole, 7, 3]]) {
      const world = new World({
        messages: [...others.slice(0, 3), mail('evil', evil), ...others.slice(3)],
        faults: [
          {
            verb: 'RETR',
            uidl: 'evil',
            reply: `+OK\r\n${evil}.\r\n`,
            pieces,
            dripMs: pieces.length > 1 ? 2 : 0,
          },
        ],
        settings: { delete: 'when-stored' },
      });
      for (let run = 0; run < 6; run += 1) await world.run();
      expect(await world.contents()).toEqual(contentsOf(others));
      expect(world.server.messages.map(({ uidl }) => uidl)).toEqual(['evil']);
      expect(world.publisher.stored.map(({ uidl }) => uidl).sort()).toEqual(
        others.map(({ uidl }) => uidl).sort(),
      );
    }
  });

  it('cannot be made to look like one without a fence, by a mail that refuses it', async () => {
    const whole = `+OK\r\n${letter('evil')}.\r\n`;
    const others = six();
    const world = new World({
      messages: [mail('evil', `${letter('evil')}.\r\n-ERR\r\n-ERR\r\n`), ...others],
      faults: [
        {
          verb: 'RETR',
          uidl: 'evil',
          reply: `${whole}-ERR\r\n-ERR\r\n`,
          pieces: [whole.length, '-ERR\r\n'.length, 100_000],
          dripMs: 2,
        },
      ],
      settings: { delete: 'when-stored', attempts: 2 },
    });
    for (let run = 0; run < 6; run += 1) {
      await world.run();
      world.skewMs += DEADLINE_MS;
    }
    expect(await world.contents()).toEqual(contentsOf(others));
    expect(world.server.messages.map(({ uidl }) => uidl)).toEqual(['evil']);
    expect((await world.head()).failures).toMatchObject([{ uidl: 'evil', attempts: 2 }]);
  });

  it('whose TOP sends whole messages lets no mail pass its rest off as what its twin sent', async () => {
    const forged = `+OK\r\n${letter('forged')}.\r\n`;
    const evil = `${letter('evil')}.\r\n${forged}${forged}`;
    const innocent = letter('innocent');
    const cut = `+OK\r\n${letter('evil')}.\r\n`.length;
    const late = { reply: `+OK\r\n${evil}.\r\n`, pieces: [cut, 100_000], dripMs: 2 };
    const world = new World({
      messages: [mail('same', evil), mail('same', innocent)],
      faults: [
        { verb: 'TOP', args: '1 0', ...late },
        { verb: 'RETR', args: '1', ...late },
      ],
      settings: { attempts: 1 },
    });
    for (let run = 0; run < 4; run += 1) {
      await world.run();
      world.skewMs += DEADLINE_MS;
    }
    expect(await world.contents()).toEqual([innocent]);
    expect((await world.head()).failures).toMatchObject([{ uidl: 'same', size: evil.length }]);
  });
});

describe('two runs at once', () => {
  it('lose nothing, store nothing twice and delete rightly', async () => {
    for (let round = 0; round < 50; round += 1) {
      const messages = six();
      const world = new World({ messages, settings: { delete: 'when-stored' } });
      await Promise.all([world.run(), world.run()]);
      world.skewMs += DEADLINE_MS;
      await world.run();
      expect(await world.contents()).toEqual(contentsOf(messages));
      expect(world.server.messages).toHaveLength(0);
      expect(new Set(world.publisher.stored.map(({ id }) => id)).size).toBe(6);
      expect((await world.head()).failures).toEqual([]);
    }
  });
});
