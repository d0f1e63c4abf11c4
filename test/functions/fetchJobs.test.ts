/** Jobs against a scripted POP3 server, with a store in memory; the bundle itself runs in test/real. */
import type { SQSEvent, SQSRecord } from 'aws-lambda';
import { describe, expect, it, onTestFinished } from 'vitest';
import { fetchJobs } from '../../functions/fetchJobs.ts';
import { storeTrust } from '../../functions/trust.ts';
import type { MailferryEvent } from '../../lib/events/shapes.ts';
import { ByteBudget } from '../../lib/fetch/byteBudget.ts';
import type { FetchPorts } from '../../lib/fetch/ports.ts';
import { systemClock } from '../../lib/fetch/systemClock.ts';
import { loadHead } from '../../lib/mailbox/head.ts';
import { messageKey } from '../../lib/mailbox/names.ts';
import { MAILBOXES_KEY } from '../../lib/mailbox/settings.ts';
import { dialTls } from '../../lib/pop3/dial.ts';
import { environmentSecrets } from '../../lib/secrets/environment.ts';
import { memoryStore } from '../../lib/store/memory.ts';
import { type ObjectStore, StoreError } from '../../lib/store/port.ts';
import { tokensByReference } from '../secrets/tokensByReference.ts';
import { mail, type ScriptedServer, startScripted } from '../servers/scripted.ts';

const MESSAGES = [
  mail('one', 'Subject: 1\r\nMessage-ID: <1@example.org>\r\n\r\nbody\r\n'),
  mail('two', 'Subject: 2\r\n\r\n..\r\n'),
];
const REMAINING = { getRemainingTimeInMillis: () => 30_000 };

interface Job {
  readonly mailboxes: readonly string[];
  readonly slot?: string;
  readonly suspects?: boolean;
}

function eventOf(...bodies: readonly string[]): SQSEvent {
  return { Records: bodies.map((body, at) => ({ messageId: `m${at}`, body }) as SQSRecord) };
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

async function start(behind: (store: ObjectStore) => ObjectStore = (store) => store) {
  const server = await startScripted({ messages: MESSAGES, users: { other: [] } });
  onTestFinished(() => server.close());
  const store = behind(memoryStore('archive'));
  const events: MailferryEvent[] = [];
  const dialed = dialTls({ timer: systemClock });
  const lines: string[] = [];
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
  const handle = (...bodies: readonly string[]) =>
    fetchJobs({ ports, log: (line) => lines.push(line) }, eventOf(...bodies), REMAINING);
  const logged = () => lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  return { server, store, events, handle, lines, logged, open, time };
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

describe('a fetch job', () => {
  it('stores and announces the mail of its mailboxes, and logs one line for each, without secrets', async () => {
    const { server, store, events, handle, lines, logged } = await start();
    await configure(store, server, [
      {},
      { id: 'other', user: 'other', password: 'env:OTHER' },
      { id: 'third' },
    ]);
    expect(await handle(jobOf({ mailboxes: ['support', 'other'] }))).toEqual({ batchItemFailures: [] });
    for (const { uidl } of MESSAGES) expect(await store.read(messageKey('support', uidl))).not.toBeNull();
    expect(events.filter(({ detailType }) => detailType === 'Message Stored')).toHaveLength(2);
    expect(logged().map(({ mailbox, outcome, level }) => [mailbox, outcome, level])).toEqual([
      ['support', 'done', 'info'],
      ['other', 'done', 'info'],
    ]);
    for (const secret of [server.password, server.mailboxes.get('other')?.password]) {
      expect(lines.join('\n')).not.toContain(secret);
    }
  });

  it.each([1, 2])('keeps to %i connections at once to one host', async (connectionsPerHost) => {
    const { server, store, handle, logged, open } = await start();
    const ids = ['a', 'b', 'c', 'd', 'e'];
    await configure(
      store,
      server,
      ids.map((id) => ({ id })),
      { connectionsPerHost },
    );
    await handle(jobOf({ mailboxes: ids }));
    expect(logged().map(({ mailbox, outcome }) => [mailbox, outcome])).toEqual(ids.map((id) => [id, 'done']));
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
    expect(logged().filter(({ message }) => message === 'run')).toMatchObject([
      { mailbox: 'a', outcome: 'done' },
    ]);
    expect(logged().filter(({ message }) => message === 'mailbox skipped')).toMatchObject([
      { mailbox: 'b', why: 'had no turn at its host within this job' },
      { mailbox: 'c', level: 'info' },
    ]);
    for (const id of ['b', 'c']) expect((await loadHead(store, id)).version).toBeNull();
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
    const { server, store, handle, lines, logged } = await start();
    await configure(store, server, [{ id: 'locked', password: 'env:WRONG' }, {}]);
    expect(await handle(jobOf({ mailboxes: ['locked', 'support'] }))).toEqual({ batchItemFailures: [] });
    expect(logged()).toEqual([
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
    expect(logged().at(-1)).toMatchObject({ mailbox: 'support', message: 'run' });
  });

  it('without a configuration, or with a broken one, is a person’s to mend and never comes back', async () => {
    const { store, handle, logged } = await start();
    expect(await handle(jobOf({ mailboxes: ['support'] }))).toEqual({ batchItemFailures: [] });
    expect(logged()[0]?.['message']).toContain('no mailbox is configured');
    const version = await store.replace(MAILBOXES_KEY, Buffer.from('{"v": 1, "mailboxes": "hunter2"'), null);
    await handle(jobOf({ mailboxes: ['support'] }));
    expect(logged()[1]?.['message']).toContain('is not JSON');
    await store.replace(MAILBOXES_KEY, Buffer.from('{"v": 1, "mailboxes": [{}], "x": 1}'), version);
    await handle(jobOf({ mailboxes: ['support'] }));
    expect(logged()[2]?.['message']).toMatch(/mailboxes\[0\].*\n.*mailboxes\[0\]/);
    expect(JSON.stringify(logged())).not.toContain('hunter2');
  });

  it('comes back when the store could not be read', async () => {
    const { handle, logged } = await start((store) => ({
      ...store,
      read: async (key) => {
        throw new StoreError('unreachable', {
          kind: 'later',
          code: 'E_STORE_NETWORK',
          operation: 'read',
          key,
        });
      },
    }));
    expect(await handle(jobOf({ mailboxes: ['support'] }), 'nonsense')).toEqual({
      batchItemFailures: [{ itemIdentifier: 'm0' }],
    });
    expect(logged()[0]).toMatchObject({ level: 'error', message: 'job failed: unreachable' });
  });
});
