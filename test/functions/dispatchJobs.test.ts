/** A minute of the schedule against a stand-in of the queue; the bundle itself runs in test/real. */
import { describe, expect, it, onTestFinished } from 'vitest';
import { dispatchJobs } from '../../functions/dispatchJobs.ts';
import { parseJob } from '../../functions/job.ts';
import type { Figure } from '../../functions/telemetry.ts';
import { sqs } from '../../lib/jobs/sqs.ts';
import { MAILBOXES_KEY } from '../../lib/mailbox/settings.ts';
import { memoryStore } from '../../lib/store/memory.ts';
import { StoreError } from '../../lib/store/port.ts';
import { startJobsQueue } from '../servers/jobsQueue.ts';

const NOW_MS = Date.parse('2026-11-25T12:00:20Z');
const MINUTE = { time: '2026-11-25T12:00:00Z' };

function mailbox(id: string, change: object = {}): object {
  return {
    id,
    host: 'pop.example.org',
    user: id,
    password: `secretsmanager:mail#${id}`,
    every: '1m',
    ...change,
  };
}

async function start(mailboxes: readonly unknown[], document: object = {}) {
  const queue = await startJobsQueue(() => NOW_MS);
  onTestFinished(() => queue.stop());
  const store = memoryStore('archive');
  await store.replace(MAILBOXES_KEY, Buffer.from(JSON.stringify({ v: 1, mailboxes, ...document })), null);
  const lines: object[] = [];
  const figures = new Map<Figure, number>();
  const jobs = sqs({
    queueUrl: queue.url,
    region: 'us-east-1',
    credentials: { accessKeyId: 'AK', secretAccessKey: 'SK' },
    sleep: async () => {},
    random: () => 0,
    limits: { tries: 2 },
  });
  const telemetry = {
    log: (level: string, message: string, fields: object) => lines.push({ level, message, ...fields }),
    count: (figure: Figure, value: number) => figures.set(figure, value),
  };
  const dispatch = (event: unknown = MINUTE, remainingMs = 30_000) =>
    dispatchJobs({ store, jobs, telemetry, now: () => NOW_MS }, event, {
      getRemainingTimeInMillis: () => remainingMs,
    });
  return { queue, store, lines, figures, dispatch };
}

describe('dispatch', () => {
  it('puts each due mailbox into one job, however often it is asked', async () => {
    const ids = Array.from({ length: 100 }, (_, at) => `m${at}`);
    const { queue, dispatch, figures } = await start(ids.map((id) => mailbox(id)));
    const said = await dispatch();
    await dispatch();
    await dispatch({ time: '2026-11-25T12:00:59.9+00:00' });
    const jobs = queue.taken.map(({ body, group }) => ({ job: parseJob(body), group }));
    expect(said).toEqual({ jobs: jobs.length, mailboxes: 100, broken: 0 });
    expect(figures.get('JobsSent')).toBe(jobs.length);
    expect(jobs.flatMap(({ job }) => ('problems' in job ? [] : job.mailboxes)).sort()).toEqual(ids.sort());
    for (const { job, group } of jobs)
      expect(job).toMatchObject({ v: 1, bundle: group, slot: '2026-11-25T12:00:00.000Z' });
  });

  it('takes the present minute where the schedule does not tell its own, and says so', async () => {
    const { queue, dispatch, lines } = await start([mailbox('support')]);
    await dispatch({ time: '<aws.scheduler.scheduled-time>' });
    expect(queue.taken).toMatchObject([{ once: expect.stringContaining('2026-11-25T12:00:00.000Z') }]);
    expect(lines).toMatchObject([{ level: 'warn', message: 'no scheduled time' }]);
  });

  it('dispatches the good mailboxes beside broken ones, and tells of those without their values', async () => {
    const broken = [mailbox('bad', { password: 'hunter2' }), mailbox('twice'), mailbox('twice'), 'nonsense'];
    const { queue, dispatch, lines, figures } = await start([mailbox('support'), ...broken]);
    expect(await dispatch()).toEqual({ jobs: 1, mailboxes: 1, broken: 4 });
    expect(queue.taken.map(({ body }) => parseJob(body))).toMatchObject([{ mailboxes: ['support'] }]);
    expect(figures.get('MailboxesBroken')).toBe(4);
    expect(lines).toMatchObject([{ level: 'error', message: 'mailboxes broken', count: 4 }]);
    const text = JSON.stringify(lines);
    for (const word of ['bad', 'password', 'is used twice', 'mailboxes[4]']) expect(text).toContain(word);
    expect(text).not.toContain('hunter2');
  });

  it('tells a mailbox with very many mistakes in a line that can be read, and soon', async () => {
    const mistakes = Object.fromEntries(Array.from({ length: 50_000 }, (_, at) => [`mistake-${at}`, 1]));
    const { dispatch, lines } = await start([mailbox('support'), mailbox('bad', mistakes)]);
    const beganMs = performance.now();
    expect(await dispatch()).toEqual({ jobs: 1, mailboxes: 1, broken: 1 });
    // Half a second; a minute once, when each mistake copied those before it.
    expect(performance.now() - beganMs).toBeLessThan(15_000);
    expect(JSON.stringify(lines).length).toBeLessThan(10_000);
  });

  it.each<[string, string | null, string]>([
    ['gone', null, 'no mailbox is configured'],
    ['empty', '', 'is not JSON'],
    ['wrong as a whole', JSON.stringify({ v: 1, colour: 'red', mailboxes: [mailbox('a')] }), '"colour"'],
    ['without a good mailbox', JSON.stringify({ v: 1, mailboxes: [mailbox('bad', { port: 0 })] }), 'port'],
  ])(
    'leaves a document that is %s to a person: it rings each minute, and nothing is tried again or left dead',
    async (_what, bytes, words) => {
      const { queue, store, dispatch, lines, figures } = await start([]);
      await store.remove(MAILBOXES_KEY);
      if (bytes !== null) await store.replace(MAILBOXES_KEY, Buffer.from(bytes), null);
      expect(await dispatch()).toEqual({ jobs: 0, mailboxes: 0, broken: 1 });
      expect(queue.taken).toEqual([]);
      expect(figures.get('MailboxesBroken')).toBe(1);
      expect(lines).toMatchObject([
        { level: 'error', message: 'no mailboxes', next: expect.stringContaining('apply') },
      ]);
      expect(JSON.stringify(lines)).toContain(words.replaceAll('"', '\\"'));
    },
  );

  it('fails where the store does not give the document, so that it is tried again', async () => {
    const { dispatch, store } = await start([mailbox('support')]);
    store.read = () =>
      Promise.reject(
        new StoreError('slow down', {
          kind: 'later',
          code: 'E_STORE_THROTTLED',
          operation: 'read',
          key: MAILBOXES_KEY,
        }),
      );
    await expect(dispatch()).rejects.toThrow('slow down');
  });

  it('fails for jobs that the queue does not take, after all others are there', async () => {
    const { queue, dispatch, lines, figures } = await start(
      Array.from({ length: 200 }, (_, at) => mailbox(`m${at}`)),
    );
    const refuse = () => ({ code: 'InternalError', senderFault: false });
    queue.faults.push((_, index) => (index === 0 ? refuse() : null), refuse, refuse);
    await expect(dispatch()).rejects.toMatchObject({ code: 'E_JOBS_UNAVAILABLE' });
    expect(lines).toMatchObject([{ level: 'error', message: 'jobs not sent' }]);
    expect(figures.get('JobsSent')).toBe(queue.taken.length);
    const before = queue.taken.length;
    await dispatch();
    expect(queue.taken.length).toBeGreaterThan(before);
    expect(new Set(queue.taken.map(({ once }) => once)).size).toBe(queue.taken.length);
  });

  it('says what is not sent before its time is over', async () => {
    const { queue, dispatch, lines } = await start([mailbox('support')]);
    // As much as is left for saying it.
    await expect(dispatch(MINUTE, 3_000)).rejects.toMatchObject({ code: 'E_JOBS_UNAVAILABLE' });
    expect(lines).toMatchObject([{ level: 'error', message: 'jobs not sent', count: 1, of: 1 }]);
    await dispatch();
    expect(queue.taken).toHaveLength(1);
  });

  it('sends ten thousand mailboxes within seconds', async () => {
    const { queue, dispatch } = await start(
      Array.from({ length: 10_000 }, (_, at) => mailbox(`mailbox-${at}`, { every: '5m' })),
    );
    const beganMs = performance.now();
    const before = process.memoryUsage().rss;
    const { jobs, mailboxes } = await dispatch();
    const grown = (process.memoryUsage().rss - before) / 1e6;
    console.log(
      `dispatch of 10,000 mailboxes: ${jobs} jobs in ${(performance.now() - beganMs).toFixed(0)} ms, ${grown.toFixed(0)} MB more resident`,
    );
    // Of five minutes, and all that was due in them.
    expect(mailboxes).toBe(10_000);
    expect(queue.taken).toHaveLength(jobs);
    expect(performance.now() - beganMs).toBeLessThan(20_000);
  });
});
