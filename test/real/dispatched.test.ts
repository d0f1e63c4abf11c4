/** The way of the schedule: the bundled dispatch, the queue, the bundled fetch, a real S3 server. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { mail, type ScriptedServer, startScripted } from '../servers/scripted.ts';
import { type BucketEnd, startBucket } from './endsFar.ts';
import { type FetchFunction, startFunction } from './endsFunction.ts';
import { storedEvents } from './endsLedger.ts';
import { needing } from './endsParts.ts';

const { missing, title } = needing('the schedule, the queue and the functions', 'versitygw', 'ric');

/** Less what the handler keeps for its answer, a run has two seconds. */
const TIMEOUT_MS = 5_000;

const letters = ['before', 'stuck', 'behind'].map((name) =>
  mail(name, `Subject: ${name}\r\nMessage-ID: <${name}@example.org>\r\n\r\nbody\r\n`),
);

describe.skipIf(missing)(title, () => {
  let far: BucketEnd;
  let server: ScriptedServer;
  let functions: FetchFunction;

  beforeEach(async () => {
    [far, server] = await Promise.all([
      startBucket(),
      startScripted({
        messages: letters,
        faults: [{ verb: 'RETR', uidl: 'stuck', session: 1, cutAt: 10, ending: 'stall' }],
      }),
    ]);
    const { port, ca, user, password } = server;
    functions = await startFunction({
      far,
      mailboxes: [{ id: 'support', port, ca, user, every: '1m', secret: password }],
      timeoutMs: TIMEOUT_MS,
    });
  });
  afterEach(async () => {
    await functions?.stop();
    await server?.close();
    await far?.stop();
  });

  it('fetch a mailbox once a slot; what a killed function left is tried in a job of its own, behind the rest', async () => {
    const now = () => new Date().toISOString();
    const first = now();
    for (const _ of ['the schedule', 'its repeat'])
      expect(await functions.dispatch(first)).toMatchObject({ result: { jobs: 1, mailboxes: 1, broken: 0 } });
    expect(functions.queue.taken).toHaveLength(1);

    const killed = functions.work();
    await expect
      .poll(() => server.log.sessions[0]?.retrieved.some(({ uidl }) => uidl === 'stuck'), { timeout: 30_000 })
      .toBe(true);
    await functions.runtime.kill();
    expect(await killed).toMatchObject({ killed: 'exit' });
    const { intents } = await far.head('support');
    expect(intents.length).toBeGreaterThan(0);
    await sleep(Math.max(0, ...intents.map(({ untilMs }) => untilMs + 1 - Date.now())));

    // The queue gives the job again; it tries nothing that may have killed.
    const before = server.log.sessions.length;
    expect(await functions.work()).toMatchObject({ result: { batchItemFailures: [] } });
    expect(server.log.sessions.slice(before).flatMap(({ retrieved }) => retrieved)).toEqual([]);
    expect(functions.report('support')).toMatchObject({ outcome: 'more' });
    expect(functions.queue.taken.map(({ group }) => group)).toEqual([
      expect.stringMatching(/^b-/),
      'suspects-support',
    ]);
    expect(await functions.work()).toMatchObject({ result: { batchItemFailures: [] } });
    expect(functions.report('support')).toMatchObject({ outcome: 'done' });
    expect(await functions.work()).toBeUndefined();

    expect((await far.objects('support')).size).toBe(letters.length);
    const uidls = storedEvents(await far.events('support')).map(({ uidl }) => uidl);
    expect([...new Set(uidls)].sort()).toEqual(letters.map(({ uidl }) => uidl).sort());
    const figures = functions.runtime.log
      .split('\n')
      .filter((line) => line.includes('"Namespace":"Mailferry"'));
    expect(figures.join('\n')).toContain('"MessagesStored"');
    expect(functions.runtime.log).not.toContain(server.password);
  });
});
