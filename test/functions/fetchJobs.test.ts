/** Jobs against a scripted POP3 server, with a store in memory; the bundle itself runs in test/real. */
import type { SQSEvent, SQSRecord } from 'aws-lambda';
import { describe, expect, it, onTestFinished } from 'vitest';
import { fetchJobs } from '../../functions/fetchJobs.ts';
import type { Figure, Telemetry } from '../../functions/telemetry.ts';
import { storeTrust } from '../../functions/trust.ts';
import type { MailferryEvent } from '../../lib/events/shapes.ts';
import { ByteBudget } from '../../lib/fetch/byteBudget.ts';
import type { FetchPorts } from '../../lib/fetch/ports.ts';
import { systemClock } from '../../lib/fetch/systemClock.ts';
import { type Jobs, JobsError, type QueuedJob } from '../../lib/jobs/port.ts';
import { loadHead } from '../../lib/mailbox/head.ts';
import { withIntents } from '../../lib/mailbox/intents.ts';
import { messageKey } from '../../lib/mailbox/names.ts';
import { MAILBOXES_KEY } from '../../lib/mailbox/settings.ts';
import { StateFile } from '../../lib/mailbox/stateFile.ts';
import { dialTls } from '../../lib/pop3/dial.ts';
import { environmentSecrets } from '../../lib/secrets/environment.ts';
import { memoryStore } from '../../lib/store/memory.ts';
import { type ObjectStore, StoreError } from '../../lib/store/port.ts';
import { tokensByReference } from '../secrets/tokensByReference.ts';
import { freePort } from '../servers/freePort.ts';
import { mail, type ScriptedServer, startScripted } from '../servers/scripted.ts';
import type { Fault } from '../servers/scriptedFaults.ts';

const MESSAGES = [
  mail('one', 'Subject: 1\r\nMessage-ID: <1@example.org>\r\n\r\nbody\r\n'),
  mail('two', 'Subject: 2\r\n\r\n..\r\n'),
];
const SLOT = new Date().toISOString();

interface Job {
  readonly mailboxes: readonly string[];
  readonly slot?: string;
  readonly suspects?: boolean;
}

/** As the queue hands them out, for so many times by now. */
function received(times: number, ...bodies: readonly string[]): SQSEvent {
  const attributes = { ApproximateReceiveCount: String(times) };
  return {
    Records: bodies.map(
      (body, at) => ({ messageId: `m${at}`, receiptHandle: `r${at}`, attributes, body }) as SQSRecord,
    ),
  };
}

function jobOf({ mailboxes, slot = new Date().toISOString(), suspects }: Job): string {
  return JSON.stringify({
    v: 1,
    bundle: 'b1',
    slot,
    mailboxes,
    ...(suspects === undefined ? {} : { suspects }),
  });
}

interface Circumstances {
  readonly behind?: (store: ObjectStore) => ObjectStore;
  readonly faults?: readonly Fault[];
  readonly remainingMs?: number;
}

async function start({ behind = (store) => store, faults = [], remainingMs = 30_000 }: Circumstances = {}) {
  const server = await startScripted({ messages: MESSAGES, users: { other: [] }, faults });
  onTestFinished(() => server.close());
  const store = behind(memoryStore('archive'));
  const events: MailferryEvent[] = [];
  const dialed = dialTls({ timer: systemClock });
  const lines: string[] = [];
  const figures: [Figure, number][] = [];
  const queue: { sent: QueuedJob[]; again: [string, number][]; withinMs?: number; broken?: JobsError } = {
    sent: [],
    again: [],
  };
  const open = { now: 0, most: 0 };
  /** Time that goes by whenever a connection ends. */
  const time = { passedMs: 0, eachMs: 0 };
  const secrets = environmentSecrets({
    FERRY: server.password,
    OTHER: server.mailboxes.get('other')?.password,
    WRONG: 'not-the-password',
  });
  const ports: FetchPorts = {
    dial: async (endpoint, signal) => {
      const line = await dialed(endpoint, signal);
      open.now += 1;
      open.most = Math.max(open.most, open.now);
      let over = false;
      return {
        read: () => line.read(),
        write: (bytes) => line.write(bytes),
        get unread() {
          return line.unread;
        },
        destroy() {
          if (!over) {
            open.now -= 1;
            time.passedMs += time.eachMs;
          }
          over = true;
          line.destroy();
        },
      };
    },
    store,
    publisher: {
      durable: true,
      prove: async () => {},
      publish: async (published) => {
        events.push(...published);
        return published.map(() => ({ accepted: true }));
      },
    },
    secrets,
    tokens: tokensByReference(secrets),
    clock: { ...systemClock, now: () => Date.now() + time.passedMs },
    trust: storeTrust(store, { clock: systemClock }),
    inFlight: new ByteBudget(64 * 1024 * 1024),
  };
  const telemetry: Telemetry = {
    log: (level, message, fields) => lines.push(JSON.stringify({ level, message, ...fields })),
    count: (figure, value) => figures.push([figure, value]),
  };
  const jobs: Jobs = {
    comeAgain: async (receipt, afterMs) => {
      queue.again.push([receipt, afterMs]);
      return queue.broken ?? null;
    },
    send: async (more, withinMs) => {
      queue.withinMs = withinMs;
      if (queue.broken) return more.map((job) => ({ job, error: queue.broken! }));
      queue.sent.push(...more);
      return [];
    },
  };
  const context = { getRemainingTimeInMillis: () => remainingMs };
  const receive = (event: SQSEvent) => fetchJobs({ ports, jobs, telemetry }, event, context);
  const handle = (...bodies: readonly string[]) => receive(received(1, ...bodies));
  const logged = () =>
    lines.map((line) => JSON.parse(line) as Record<string, unknown>).filter(({ level }) => level !== 'debug');
  /** Runs end in any order. */
  const byMailbox = () => logged().sort((a, b) => String(a['mailbox']).localeCompare(String(b['mailbox'])));
  const sum = (figure: Figure) =>
    figures.filter(([name]) => name === figure).reduce((total, [, value]) => total + value, 0);
  return { server, store, events, handle, receive, lines, logged, byMailbox, open, time, sum, queue };
}

async function configure(
  store: ObjectStore,
  server: ScriptedServer,
  changes: readonly object[],
  settings: object = {},
): Promise<void> {
  const { host, port, user, ca } = server;
  const mailboxes = changes.map((change) => ({
    id: 'support',
    host,
    port,
    user,
    ca,
    password: 'env:FERRY',
    ...change,
  }));
  await store.replace(MAILBOXES_KEY, Buffer.from(JSON.stringify({ v: 1, ...settings, mailboxes })), null);
}

function unreachable(store: ObjectStore): ObjectStore {
  return {
    ...store,
    read: async (key) => {
      throw new StoreError('unreachable', {
        ...{ kind: 'later', code: 'E_STORE_NETWORK', operation: 'read', key },
      });
    },
  };
}

describe('a fetch job', () => {
  it('stores and announces the mail of its mailboxes, and logs a line for each that had some and one for the rest, without secrets', async () => {
    const { server, store, events, handle, lines, logged, sum } = await start();
    await configure(store, server, [
      {},
      { id: 'other', user: 'other', password: 'env:OTHER' },
      { id: 'third' },
    ]);
    expect(await handle(jobOf({ mailboxes: ['support', 'other'] }))).toEqual({ batchItemFailures: [] });
    for (const { uidl } of MESSAGES) expect(await store.read(messageKey('support', uidl))).not.toBeNull();
    expect(events.filter(({ detailType }) => detailType === 'Message Stored')).toHaveLength(2);
    expect(logged()).toMatchObject([
      { message: 'run', mailbox: 'support', outcome: 'done', level: 'info' },
      { message: 'idle', mailboxes: ['other'], level: 'info' },
    ]);
    expect(logged()).toHaveLength(2);
    expect([sum('Runs'), sum('MessagesStored'), sum('RunsFailed'), sum('MailboxesBroken')]).toEqual([
      2, 2, 0, 0,
    ]);
    for (const secret of [server.password, server.mailboxes.get('other')?.password]) {
      expect(lines.join('\n')).not.toContain(secret);
    }
  });

  it.each([1, 2])('keeps to %i connections at once to one host', async (connectionsPerHost) => {
    const { server, store, handle, byMailbox, open } = await start();
    const ids = ['a', 'b', 'c', 'd', 'e'];
    await configure(
      store,
      server,
      ids.map((id) => ({ id })),
      { connectionsPerHost },
    );
    await handle(jobOf({ mailboxes: ids }));
    expect(byMailbox().map(({ mailbox, outcome }) => [mailbox, outcome])).toEqual(
      ids.map((id) => [id, 'done']),
    );
    expect(open).toEqual({ now: 0, most: connectionsPerHost });
  });

  it('leaves to the next job whoever had no turn at its host while there was time', async () => {
    const { server, store, handle, logged, time } = await start();
    const ids = ['a', 'b', 'c'];
    await configure(
      store,
      server,
      ids.map((id) => ({ id })),
      { connectionsPerHost: 1 },
    );
    time.eachMs = 25_000;
    expect(await handle(jobOf({ mailboxes: ids }))).toEqual({ batchItemFailures: [] });
    const told = (what: string) => logged().filter(({ message }) => message === what);
    expect(told('run')).toMatchObject([{ outcome: 'done' }]);
    const skipped = told('mailbox skipped');
    expect(skipped.map(({ why }) => why)).toEqual(Array(2).fill('had no turn at its host within this job'));
    expect([...told('run'), ...skipped].map(({ mailbox }) => mailbox).sort()).toEqual(ids);
    for (const { mailbox } of skipped) expect((await loadHead(store, String(mailbox))).version).toBeNull();
  });

  it('that is malformed is logged and never comes back', async () => {
    const { handle, logged } = await start();
    expect(await handle('nonsense', '{"v":2}')).toEqual({ batchItemFailures: [] });
    expect(logged()).toEqual([
      { messageId: 'm0', level: 'error', message: 'malformed job', problems: ['the body is not JSON'] },
      expect.objectContaining({ messageId: 'm1', level: 'error', message: 'malformed job' }),
    ]);
  });

  it('does not fail for a mailbox that cannot be signed in to, nor does its neighbour', async () => {
    const { server, store, handle, lines, byMailbox, sum } = await start();
    await configure(store, server, [{ id: 'locked', password: 'env:WRONG' }, {}]);
    expect(await handle(jobOf({ mailboxes: ['locked', 'support'] }))).toEqual({ batchItemFailures: [] });
    expect([sum('RunsFailed'), sum('MailboxesFailing')]).toEqual([1, 0]);
    expect(byMailbox()).toEqual([
      expect.objectContaining({ mailbox: 'locked', outcome: 'failed', level: 'error' }),
      expect.objectContaining({ mailbox: 'support', outcome: 'done', level: 'info' }),
    ]);
    expect(lines.join('\n')).not.toContain('not-the-password');
  });

  it('leaves out mailboxes that are gone or not enabled, and says so', async () => {
    const { server, store, handle, logged } = await start();
    await configure(store, server, [{ enabled: false }]);
    expect(await handle(jobOf({ mailboxes: ['support', 'gone', 'gone'] }))).toEqual({
      batchItemFailures: [],
    });
    expect(logged().map(({ mailbox, why }) => [mailbox, why])).toEqual([
      ['support', 'is not enabled'],
      ['gone', 'is not configured any more'],
    ]);
    expect(server.log.connections).toBe(0);
  });

  it('that was overtaken while it waited does nothing', async () => {
    const { server, store, handle, logged } = await start();
    await configure(store, server, [{}]);
    await handle(jobOf({ mailboxes: ['support'] }));
    const connections = server.log.connections;
    const old = new Date(Date.now() - 120_000).toISOString();
    await handle(jobOf({ mailboxes: ['support'], slot: old }));
    expect(server.log.connections).toBe(connections);
    expect(logged().at(-1)).toMatchObject({ mailbox: 'support', why: 'was tried since the job was made' });
    await handle(jobOf({ mailboxes: ['support'], slot: old, suspects: true }));
    expect(logged().at(-1)).toMatchObject({ mailboxes: ['support'], message: 'idle' });
  });

  it('without a configuration, or with a broken one, is a person’s to mend and never comes back', async () => {
    const { store, handle, logged } = await start();
    expect(await handle(jobOf({ mailboxes: ['support'] }))).toEqual({ batchItemFailures: [] });
    const problems = (at: number) => JSON.stringify(logged()[at]?.['problems']);
    expect(problems(0)).toContain('no mailbox is configured');
    const version = await store.replace(MAILBOXES_KEY, Buffer.from('{"v": 1, "mailboxes": "hunter2"'), null);
    await handle(jobOf({ mailboxes: ['support'] }));
    expect(problems(1)).toContain('is not JSON');
    await store.replace(MAILBOXES_KEY, Buffer.from('{"v": 1, "mailboxes": [{}], "x": 1}'), version);
    await handle(jobOf({ mailboxes: ['support'] }));
    expect(problems(2)).toMatch(/mailboxes\[0\].*mailboxes\[0\]/);
    for (const line of logged())
      expect(line).toMatchObject({ level: 'error', code: 'E_SETTINGS', bundle: 'b1' });
    expect(JSON.stringify(logged())).not.toContain('hunter2');
  });

  it('comes back when the store could not be read: in a minute the first time, lest its bundle wait for half an hour', async () => {
    const { handle, receive, logged, queue } = await start({ behind: unreachable });
    const job = jobOf({ mailboxes: ['support'] });
    expect(await handle(job, 'nonsense')).toEqual({ batchItemFailures: [{ itemIdentifier: 'm0' }] });
    expect(logged()[0]).toMatchObject({ level: 'error', message: 'job failed: unreachable' });
    expect(queue.again).toEqual([['r0', 60_000]]);
    // What lasts is not tried three times within minutes.
    expect(await receive(received(2, job))).toEqual({ batchItemFailures: [{ itemIdentifier: 'm0' }] });
    expect(queue.again).toHaveLength(1);
  });

  it('comes back as late as the queue says where that refuses, and says so', async () => {
    const { handle, logged, queue } = await start({ behind: unreachable });
    queue.broken = new JobsError('denied', { kind: 'person', code: 'E_JOBS_DENIED' });
    expect(await handle(jobOf({ mailboxes: ['support'] }))).toEqual({
      batchItemFailures: [{ itemIdentifier: 'm0' }],
    });
    expect(logged()[1]).toMatchObject({ level: 'warn', code: 'E_JOBS_DENIED', reason: 'denied' });
  });

  it('fetches nine good mailboxes beside a dead one', async () => {
    const { server, store, handle, byMailbox } = await start();
    const good = Array.from({ length: 9 }, (_, at) => ({ id: `m${at}` }));
    const dead = { id: 'dead', host: '127.0.0.1', port: await freePort() };
    await configure(store, server, [dead, ...good]);
    const ids = [dead, ...good].map(({ id }) => id);
    expect(await handle(jobOf({ mailboxes: ids }))).toEqual({ batchItemFailures: [] });
    expect(byMailbox().map(({ mailbox, outcome }) => [mailbox, outcome])).toEqual([
      ['dead', 'failed'],
      ...good.map(({ id }) => [id, 'done']),
    ]);
  });

  it('that comes twice at once stores nothing twice and loses nothing', async () => {
    const { server, store, events, handle, logged } = await start();
    await configure(store, server, [{}]);
    const job = jobOf({ mailboxes: ['support'] });
    await Promise.all([handle(job), handle(job)]);
    expect(logged().map(({ outcome }) => outcome)).not.toContain('failed');
    const stored = events.filter(({ detailType }) => detailType === 'Message Stored');
    expect(new Set(stored.map(({ detail }) => detail.id)).size).toBe(MESSAGES.length);
    const keys: string[] = [];
    for await (const { key } of store.list('mail/support/')) keys.push(key);
    expect(keys).toHaveLength(MESSAGES.length);
  });

  it('fetches the good mailboxes of a document in which another is broken, and says which', async () => {
    const { server, store, handle, logged } = await start();
    await configure(store, server, [{}, { id: 'bad', port: 'hunter2' }]);
    await handle(jobOf({ mailboxes: ['support', 'bad'] }));
    expect(logged()).toMatchObject([
      { message: 'mailbox skipped', mailbox: 'bad', why: 'has settings that are wrong' },
      { message: 'run', mailbox: 'support', outcome: 'done' },
    ]);
    expect(JSON.stringify(logged())).not.toContain('hunter2');
  });

  it('leaves a share of the time to who waits behind a mailbox that takes all it gets', async () => {
    const stall = { verb: 'RETR', uidl: 'one', session: 1, cutAt: 5, ending: 'stall' } as const;
    const { server, store, handle, byMailbox } = await start({ faults: [stall], remainingMs: 7_000 });
    await configure(
      store,
      server,
      ['a', 'b'].map((id) => ({ id })),
      { connectionsPerHost: 1 },
    );
    await handle(jobOf({ mailboxes: ['a', 'b'] }));
    expect(
      byMailbox()
        .map(({ message, outcome }) => [message, outcome])
        .sort(),
    ).toEqual([
      ['run', 'done'],
      ['run', 'more'],
    ]);
  });
});

describe('messages that a killed process left behind', () => {
  /** As the state has it when a process was killed while it retrieved them. */
  async function leftBehind(store: ObjectStore, uidls: readonly string[]): Promise<void> {
    const state = await StateFile.open(store, 'support', systemClock);
    const run = 'f'.repeat(32);
    await state.commit((head) =>
      withIntents(
        head,
        uidls.map((uidl) => ({
          ...{ uidl, headerHash: null, run, untilMs: Date.now() - 1000 },
          size: MESSAGES.find((one) => one.uidl === uidl)?.octets ?? 100,
        })),
      ),
    );
  }

  it('are put into a job of their own, and the mailbox’s other mail is stored meanwhile', async () => {
    const { server, store, handle, logged, queue } = await start();
    await configure(store, server, [{}]);
    await leftBehind(store, ['one']);
    await handle(jobOf({ mailboxes: ['support'], slot: SLOT }));
    expect(logged()).toMatchObject([
      { message: 'run', outcome: 'more', counts: { stored: 1, notReached: 1 } },
    ]);
    expect(server.log.sessions.flatMap(({ retrieved }) => retrieved.map(({ uidl }) => uidl))).toEqual([
      'two',
    ]);
    expect(queue.sent).toEqual([
      { body: expect.any(String), group: 'suspects-support', once: `suspects-support@${SLOT}` },
    ]);
    const [suspects] = queue.sent.map(({ body }) => body);
    expect(JSON.parse(suspects ?? '')).toEqual({
      ...{ v: 1, bundle: 'b1', slot: SLOT, mailboxes: ['support'], suspects: true },
    });
    expect(await handle(suspects ?? '')).toEqual({ batchItemFailures: [] });
    expect(logged().at(-1)).toMatchObject({ outcome: 'done', counts: { stored: 1, alreadyStored: 1 } });
    await handle(jobOf({ mailboxes: ['support'] }));
    expect(queue.sent).toHaveLength(1);
  });

  it('are looked for once their message has gone from the server, too', async () => {
    const { server, store, handle, logged, queue } = await start();
    await configure(store, server, [{}]);
    await leftBehind(store, ['gone']);
    await handle(jobOf({ mailboxes: ['support'] }));
    expect(logged()).toMatchObject([{ outcome: 'done', counts: { stored: 2 } }]);
    expect(queue.sent).toHaveLength(1);
  });

  it('are sent within what the runs left of the function’s time', async () => {
    const { server, store, handle, queue, time } = await start();
    await configure(store, server, [{}]);
    await leftBehind(store, ['one']);
    time.eachMs = 26_900;
    await handle(jobOf({ mailboxes: ['support'] }));
    expect(queue.sent).toHaveLength(1);
    // Of thirty seconds, the run took all but a tenth; the rest is for answering.
    expect(queue.withinMs).toBeLessThan(1_200);
    expect(queue.withinMs).toBeGreaterThan(0);
  });

  it('wait for the next slot where the queue does not take them, and no job fails for it', async () => {
    const { server, store, handle, logged, queue } = await start();
    await configure(store, server, [{}]);
    await leftBehind(store, ['one']);
    queue.broken = new JobsError('throttled', { kind: 'later', code: 'E_JOBS_UNAVAILABLE' });
    expect(await handle(jobOf({ mailboxes: ['support'] }))).toEqual({ batchItemFailures: [] });
    expect(logged().at(-1)).toMatchObject({
      level: 'warn',
      message: 'suspects not sent',
      reason: 'throttled',
    });
    delete queue.broken;
    await handle(jobOf({ mailboxes: ['support'] }));
    expect(queue.sent).toHaveLength(1);
  });
});
