/** A mailbox that cannot be fetched now: when it is tried again, and who is told. */
import { describe, expect, it } from 'vitest';
import { PublisherError } from '../../lib/events/port.ts';
import type { MailferryEvent } from '../../lib/events/shapes.ts';
import type { FetchPorts } from '../../lib/fetch/ports.ts';
import { runMailbox } from '../../lib/fetch/run.ts';
import { type Fault, mail } from '../servers/scripted.ts';
import { letter, World } from './world.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

const messages = () => [mail('a', letter('a'))];
const refusing = (reply: string, times?: number): Fault[] => [
  { verb: 'PASS', reply: `-ERR ${reply}\r\n`, ...(times === undefined ? {} : { times }) },
];

/** Runs that honour the back-off, each minute, for so long; the minutes at which one signed in. */
async function polled(world: World, minutes: number, ports: Partial<FetchPorts> = {}): Promise<number[]> {
  const tried: number[] = [];
  for (let minute = 0; minute < minutes; minute += 1) {
    const report = await world.run({ honourBackOff: true }, ports);
    if (report.outcome !== 'waiting') tried.push(minute);
    world.skewMs += MINUTE_MS;
  }
  return tried;
}

const news = (events: readonly MailferryEvent[]) =>
  events.filter(({ detailType }) => detailType.startsWith('Mailbox '));

describe('a scheduled run of a mailbox that failed', () => {
  it('waits, says until when and why, and does not even connect', async () => {
    const world = new World({ messages: messages(), faults: refusing('[SYS/TEMP] disks are being moved') });
    const failed = await world.run({ honourBackOff: true });
    expect(failed).toMatchObject({ outcome: 'failed', error: { code: 'E_POP3_SYS_TEMP', kind: 'later' } });
    expect(failed.waiting).toBeUndefined();
    const connections = world.server.log.connections;
    const report = await world.run({ honourBackOff: true });
    expect(report).toMatchObject({ outcome: 'waiting', error: null, waiting: { code: 'E_POP3_SYS_TEMP' } });
    expect(report.waiting?.message).toContain('disks are being moved');
    const until = Date.parse(report.waiting?.until ?? '') - world.clock.now();
    expect(until).toBeGreaterThan(0);
    expect(until).toBeLessThanOrEqual(1.2 * MINUTE_MS);
    expect(world.server.log.connections).toBe(connections);
  });

  it('comes back soon to a mailbox that another session holds', async () => {
    const world = new World({ messages: messages(), faults: refusing('[IN-USE] locked', 4) });
    const tried = await polled(world, 30);
    // After waits of about 1, 2, 4 and 8 minutes.
    expect(tried.length).toBeGreaterThan(5);
    expect(tried[4]).toBeLessThanOrEqual(22);
    expect(world.publisher.stored).toHaveLength(1);
    expect(news(world.publisher.accepted)).toEqual([]);
  });

  it.each(['[IN-USE] locked', '[LOGIN-DELAY] not so soon'])(
    'has not failed where only its second sign-in was answered %s, and waits a minute',
    async (said) => {
      // What is tried alone waits for a session that has nothing to delete.
      const bad = { verb: 'RETR', uidl: 'bad', reply: '-ERR cannot be read\r\n' };
      const world = new World({
        messages: [...messages(), mail('bad', letter('bad'))],
        settings: { delete: 'when-stored' },
        faults: [bad, { verb: 'PASS', reply: `-ERR ${said}\r\n`, session: 2 }],
      });
      const report = await world.run({ honourBackOff: true });
      expect(report).toMatchObject({ outcome: 'done', error: null, counts: { stored: 1, failed: 1 } });
      expect((await world.head()).backOff).toBeNull();
      expect(await world.run({ honourBackOff: true })).toMatchObject({ outcome: 'waiting' });
      world.skewMs += MINUTE_MS;
      // In one session this time, so that deletes cannot keep what is tried alone from its turn again and again.
      world.server.messages.push(mail('c', letter('c')));
      expect(await world.run({ honourBackOff: true })).toMatchObject({ signIns: 1, counts: { stored: 1 } });
      expect((await world.head()).failures).toMatchObject([{ uidl: 'bad', attempts: 1 }]);
    },
  );

  it('leaves a throttled mailbox alone for a quarter of an hour and more', async () => {
    const world = new World({
      messages: messages(),
      faults: refusing('Account exceeded POP command or bandwidth limits (Failure)', 1),
    });
    const [first, second] = await polled(world, 20);
    expect(first).toBe(0);
    expect(second).toBeGreaterThanOrEqual(12);
  });

  it('comes back no sooner than the code of a refusal says', async () => {
    const world = new World({ messages: messages(), faults: refusing('[LOGIN-DELAY 600] too soon', 1) });
    const [, second] = await polled(world, 14);
    expect(second).toBeGreaterThanOrEqual(10);
    expect(second).toBeLessThanOrEqual(12);
  });

  it('comes back no sooner than CAPA says, which a refusal may not repeat', async () => {
    const capa = { verb: 'CAPA', reply: '+OK\r\nUIDL\r\nLOGIN-DELAY 600\r\n.\r\n' };
    const world = new World({ messages: messages(), faults: [capa, ...refusing('[SYS/TEMP] later', 1)] });
    const [, second] = await polled(world, 14);
    expect(second).toBeGreaterThanOrEqual(10);
  });

  it('keeps to LOGIN-DELAY though all goes well, and a run by hand does not', async () => {
    const capa = { verb: 'CAPA', reply: '+OK\r\nUIDL\r\nLOGIN-DELAY 300\r\n.\r\n' };
    const world = new World({ messages: messages(), faults: [capa] });
    const tried = await polled(world, 16);
    expect(tried.slice(0, 3)).toEqual([0, 5, 10]);
    expect(await world.run({ honourBackOff: true })).toMatchObject({
      outcome: 'waiting',
      waiting: { code: 'E_POP3_LOGIN_DELAY' },
    });
    expect(await world.run({ honourBackOff: true, suspects: 'only' })).toMatchObject({ signIns: 1 });
    expect(await world.run({ honourBackOff: false })).toMatchObject({ outcome: 'done', signIns: 1 });
    expect((await world.head()).backOff).toBeNull();
  });
});

describe('a sign-in that is refused', () => {
  it('is told as what it is at once, and tried less than ten times in two days of polls each minute', async () => {
    const world = new World({ messages: messages(), faults: refusing('[AUTH] no') });
    expect(await world.run()).toMatchObject({ error: { code: 'E_POP3_AUTH', kind: 'person' } });
    const tried = await polled(world, 2 * 24 * 60);
    expect(tried.length).toBeLessThan(9);
    const passes = world.server.log.sessions
      .flatMap(({ commands }) => commands)
      .filter((c) => c === 'PASS ***');
    expect(passes.length).toBe(1 + tried.length);
  });

  it('is tried at once by hand, whatever is waited for', async () => {
    const world = new World({ messages: messages(), faults: refusing('[AUTH] no', 5) });
    for (let run = 0; run < 5; run += 1) await world.run();
    expect(await world.run({ honourBackOff: true })).toMatchObject({ outcome: 'waiting' });
    expect(await world.run()).toMatchObject({ outcome: 'done', counts: { stored: 1 } });
    expect((await world.head()).backOff).toBeNull();
  });

  it('is tried at once with other settings', async () => {
    const world = new World({ messages: messages(), faults: refusing('[AUTH] no', 4) });
    for (let run = 0; run < 4; run += 1) await world.run();
    const options = {
      deadlineMs: world.clock.now() + MINUTE_MS,
      suspects: 'after',
      honourBackOff: true,
    } as const;
    expect(await runMailbox(world.mailbox, world.ports, options)).toMatchObject({ outcome: 'waiting' });
    const mended = { ...world.mailbox, password: 'env:OTHER' };
    expect(await runMailbox(mended, world.ports, options)).toMatchObject({ outcome: 'done' });
  });

  it('in unclear words may pass first, and wants a person when it lasts', async () => {
    const words =
      'Login fail. Account is abnormal, password is incorrect, login frequency limited, or system is busy.';
    const world = new World({ messages: messages(), faults: refusing(words) });
    const kinds: (string | undefined)[] = [];
    for (let run = 0; run < 4; run += 1) kinds.push((await world.run()).error?.kind);
    expect(kinds).toEqual(['later', 'later', 'person', 'person']);
  });
});

describe('a person', () => {
  it('is told once that a mailbox fails, however long, and once that it works again', async () => {
    const world = new World({ messages: messages(), faults: refusing('[SYS/TEMP] later', 9) });
    await polled(world, 9 * 70);
    expect(news(world.publisher.accepted)).toMatchObject([
      {
        detailType: 'Mailbox Failing',
        detail: { mailbox: 'inbox', failures: 3, kind: 'later', code: 'E_POP3_SYS_TEMP' },
      },
      { detailType: 'Mailbox Recovered', detail: { mailbox: 'inbox' } },
    ]);
    const since = news(world.publisher.accepted).map(({ detail }) => 'since' in detail && detail.since);
    expect(new Set(since).size).toBe(1);
    const head = await world.head();
    expect(head.backOff).toBeNull();
    expect(head.recovered).toBeUndefined();
  });

  it('is told at once of what only a person can mend, and of a refused sign-in the third time', async () => {
    const off = new World({ faults: refusing('[SYS/PERM] Your account is not enabled for POP access.') });
    await off.run();
    expect(news(off.publisher.accepted)).toMatchObject([
      { detailType: 'Mailbox Failing', detail: { kind: 'person', code: 'E_POP3_SWITCHED_OFF', failures: 1 } },
    ]);
    const refused = new World({ faults: refusing('Logon failure: unknown user name or bad password.') });
    for (const told of [0, 0, 1, 1, 1]) {
      await refused.run();
      expect(news(refused.publisher.accepted)).toHaveLength(told);
    }
    expect(news(refused.publisher.accepted)).toMatchObject([
      { detail: { kind: 'person', phase: 'sign-in' } },
    ]);
  });

  it('is not told of a mailbox that failed twice and then worked', async () => {
    const world = new World({ messages: messages(), faults: refusing('[SYS/TEMP] later', 2) });
    await polled(world, 10);
    expect(world.publisher.stored).toHaveLength(1);
    expect(news(world.publisher.accepted)).toEqual([]);
  });

  it('is told by a later run, with the same id, what a bus that was down did not take', async () => {
    const world = new World({ messages: messages(), faults: refusing('[SYS/TEMP] later', 5) });
    const attempts: MailferryEvent[] = [];
    let down = true;
    const publisher = {
      durable: true,
      prove: () => world.publisher.prove(),
      publish: async (events: readonly MailferryEvent[]) => {
        attempts.push(...events);
        if (down) throw new PublisherError('down', { kind: 'later', code: 'E_EVENTS_UNAVAILABLE' });
        return world.publisher.publish(events);
      },
    };
    for (let run = 0; run < 4; run += 1) await world.run({}, { publisher });
    expect(news(world.publisher.accepted)).toEqual([]);
    down = false;
    await world.run({}, { publisher });
    await world.run({}, { publisher });
    await world.run({}, { publisher });
    const said = news(world.publisher.accepted);
    expect(said.map(({ detailType }) => detailType)).toEqual(['Mailbox Failing', 'Mailbox Recovered']);
    const failing = news(attempts).filter(({ detailType }) => detailType === 'Mailbox Failing');
    expect(failing).toHaveLength(3);
    expect(new Set(failing.map(({ detail }) => detail.id)).size).toBe(1);
  });

  it('is told by a later run what the bus refused while it took other events', async () => {
    const world = new World({ messages: messages(), faults: refusing('[SYS/TEMP] later', 5) });
    world.publisher.refuse = ({ detailType }) => (detailType === 'Mailbox Failing' ? 'throttled' : null);
    for (let run = 0; run < 4; run += 1) await world.run();
    expect(news(world.publisher.accepted)).toEqual([]);
    world.publisher.refuse = () => null;
    await world.run();
    expect(news(world.publisher.accepted).map(({ detailType }) => detailType)).toEqual(['Mailbox Failing']);
  });

  it('is told again with the same id by the run after one that died before it could note the telling', async () => {
    const world = new World({ messages: messages(), faults: refusing('[SYS/TEMP] later', 4) });
    for (let run = 0; run < 2; run += 1) await world.run();
    // The third failure is written; the event is accepted; then nothing more is written.
    let accepted = false;
    const publisher = {
      durable: true,
      prove: async () => {},
      publish: async (events: readonly MailferryEvent[]) => {
        const answers = await world.publisher.publish(events);
        accepted ||= news(events).length > 0;
        return answers;
      },
    };
    const replace: typeof world.store.replace = (...given) =>
      accepted ? Promise.reject(new Error('the process is gone')) : world.store.replace(...given);
    await world.run({}, { publisher, store: { ...world.store, replace } });
    expect((await world.head()).backOff?.told).toBe('due');
    await world.run();
    const ids = news(world.publisher.accepted).map(({ detail }) => detail.id);
    expect(ids).toHaveLength(2);
    expect(new Set(ids).size).toBe(1);
    await world.run();
    expect(news(world.publisher.accepted).map(({ detailType }) => detailType)).toEqual([
      'Mailbox Failing',
      'Mailbox Failing',
      'Mailbox Recovered',
    ]);
  });

  it('is told by an idle poll, too, that a mailbox works again', async () => {
    const world = new World({ messages: messages() });
    await world.run();
    await world.run();
    const faulty = new World({
      messages: messages(),
      faults: refusing('[SYS/TEMP] later'),
      store: world.store,
    });
    for (let run = 0; run < 3; run += 1) await faulty.run();
    world.skewMs += HOUR_MS;
    expect(await world.run()).toMatchObject({ outcome: 'done', counts: { alreadyStored: 1 } });
    expect(news(world.publisher.accepted)).toMatchObject([{ detailType: 'Mailbox Recovered' }]);
  });
});

describe('words about one message', () => {
  it('never count for the mailbox', async () => {
    const world = new World({
      messages: [mail('a', letter('a')), mail('b', letter('b'))],
      faults: [{ verb: 'RETR', uidl: 'a', reply: '-ERR Too many connections, try again later\r\n' }],
    });
    const report = await world.run({ honourBackOff: true });
    expect(report).toMatchObject({ outcome: 'done', counts: { stored: 1, failed: 1 } });
    expect((await world.head()).backOff).toBeNull();
  });
});
