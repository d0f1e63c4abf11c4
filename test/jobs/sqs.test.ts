import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { QueuedJob } from '../../lib/jobs/port.ts';
import { type SqsLimits, sqs } from '../../lib/jobs/sqs.ts';
import { callError } from '../../lib/jobs/sqsErrors.ts';
import { type JobsQueue, type QueueFault, startJobsQueue, UNKNOWN_RECEIPT } from '../servers/jobsQueue.ts';

const WITHIN_MS = 30_000;

async function start(limits: Partial<SqsLimits> = {}) {
  const queue = await startJobsQueue();
  onTestFinished(() => queue.stop());
  return { queue, jobs: jobsOf(queue.url, limits) };
}

function jobsOf(queueUrl: string, limits: Partial<SqsLimits> = {}) {
  return sqs({
    queueUrl,
    region: 'us-east-1',
    credentials: { accessKeyId: 'AK', secretAccessKey: 'only-for-this-test' },
    sleep: async () => {},
    random: () => 0,
    limits,
  });
}

function many(count: number): QueuedJob[] {
  return Array.from({ length: count }, (_, at) => ({
    body: `{"n":${at}}`,
    group: `g${at % 7}`,
    once: `o${at}`,
  }));
}

const bodies = (queue: JobsQueue) => queue.taken.map(({ body }) => body).sort();

describe('the SQS queue', () => {
  it('takes jobs in tens, each with its group, and a repeat once', async () => {
    const { queue, jobs } = await start({ inFlight: 1 });
    expect(await jobs.send(many(25), WITHIN_MS)).toEqual([]);
    expect(queue.calls.SendMessageBatch).toBe(3);
    expect(queue.taken.map(({ body, group, once }) => ({ body, group, once }))).toEqual(many(25));
    expect(await jobs.send(many(26), WITHIN_MS)).toEqual([]);
    expect(queue.taken).toHaveLength(26);
    expect(queue.repeats).toHaveLength(25);
    expect(await jobs.send([], WITHIN_MS)).toEqual([]);
  });

  it.each<[string, QueueFault]>([
    ['an answer is lost', 'lost'],
    ['a call is lost', 'dropped'],
    ['it is throttled', { status: 400, type: 'RequestThrottled' }],
    ['SQS fails', { status: 503, type: 'ServiceUnavailable' }],
    [
      'some entries fail',
      (_, index) => (index % 2 === 0 ? { code: 'InternalError', senderFault: false } : null),
    ],
  ])('where %s, has each job once all the same', async (_what, fault) => {
    const { queue, jobs } = await start();
    queue.faults.push(fault, fault);
    expect(await jobs.send(many(12), WITHIN_MS)).toEqual([]);
    expect(bodies(queue)).toEqual(
      many(12)
        .map(({ body }) => body)
        .sort(),
    );
  });

  it('is told of every job that was not taken, once the tries are over', async () => {
    const { queue, jobs } = await start({ tries: 2, inFlight: 1 });
    const refuse: QueueFault = ({ body }) =>
      body === '{"n":3}' ? { code: 'InternalError', senderFault: false } : null;
    queue.faults.push(refuse, refuse);
    const unsent = await jobs.send(many(10), WITHIN_MS);
    expect(unsent).toMatchObject([
      { job: { once: 'o3' }, error: { kind: 'later', code: 'E_JOBS_UNAVAILABLE' } },
    ]);
    expect(queue.calls.SendMessageBatch).toBe(2);
  });

  it('does not repeat what is the sender’s fault, and says what SQS says', async () => {
    const { queue, jobs } = await start();
    const [bad, ...good] = many(10);
    const unsent = await jobs.send([{ ...bad!, group: 'with space' }, ...good], WITHIN_MS);
    expect(unsent).toMatchObject([
      { job: { once: 'o0' }, error: { kind: 'person', code: 'E_JOBS_REFUSED' } },
    ]);
    expect(unsent[0]?.error.message).toContain('InvalidParameterValue');
    expect(queue.calls.SendMessageBatch).toBe(1);
  });

  it('stops at what a person must mend, and names the next step', async () => {
    const { queue } = await start();
    const jobs = jobsOf(queue.url.replace('jobs.fifo', 'other.fifo'), { inFlight: 1 });
    const unsent = await jobs.send(many(100), WITHIN_MS);
    expect(unsent).toHaveLength(100);
    expect(unsent[99]?.error).toMatchObject({ kind: 'person', code: 'E_JOBS_NO_QUEUE' });
    expect(unsent[99]?.error.message).toContain('MAILFERRY_QUEUE_URL');
    queue.faults.push({ status: 403, type: 'AccessDenied' });
    expect((await jobsOf(queue.url).send(many(1), WITHIN_MS))[0]?.error.code).toBe('E_JOBS_DENIED');
  });

  it('that does not answer costs no more time than there is', async () => {
    const silent = createServer(() => {});
    await once(silent.listen(0, '127.0.0.1'), 'listening');
    onTestFinished(() => void silent.close());
    const { port } = silent.address() as AddressInfo;
    const jobs = jobsOf(`http://127.0.0.1:${port}/000000000000/jobs.fifo`);
    for (const withinMs of [300, 0, -1]) {
      const beganMs = performance.now();
      const unsent = await jobs.send(many(100), withinMs);
      // One call alone may take five seconds.
      expect(performance.now() - beganMs).toBeLessThan(withinMs + 2_500);
      expect(unsent.map(({ error }) => error.code)).toEqual(Array(100).fill('E_JOBS_UNAVAILABLE'));
    }
  });

  it('gives a job again when it is asked to, and says why where it does not', async () => {
    const { queue, jobs } = await start();
    expect(await jobs.comeAgain('a receipt', 60_000)).toBeNull();
    expect(queue.changes).toEqual([{ receipt: 'a receipt', seconds: 60 }]);
    const refusal = await jobs.comeAgain(UNKNOWN_RECEIPT, 60_000);
    expect(refusal).toMatchObject({ kind: 'person', code: 'E_JOBS_REFUSED' });
    expect(refusal?.message).toContain('ChangeMessageVisibility on');
  });

  it('never carries a credential in an error', async () => {
    const { queue } = await start();
    await queue.stop();
    const [unsent] = await jobsOf(queue.url, { tries: 1 }).send(many(1), WITHIN_MS);
    expect(unsent?.error.kind).toBe('later');
    expect(`${unsent?.error.stack}${JSON.stringify(unsent?.error.cause)}`).not.toContain(
      'only-for-this-test',
    );
  });

  it('has each job once or tells of it, whatever happens to the calls', async () => {
    const { queue, jobs } = await start({ tries: 3 });
    const fault = fc.constantFrom<QueueFault>(
      'lost',
      'dropped',
      { status: 500, type: 'InternalError' },
      (_, index) => (index === 1 ? { code: 'ServiceUnavailable', senderFault: false } : null),
    );
    let round = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fault, { maxLength: 6 }),
        fc.integer({ min: 1, max: 25 }),
        async (faults, count) => {
          round += 1;
          queue.faults.splice(0, Infinity, ...faults);
          const sent = many(count).map((job) => ({ ...job, once: `${round}-${job.once}` }));
          const unsent = new Set((await jobs.send(sent, WITHIN_MS)).map(({ job }) => job.once));
          const taken = queue.taken
            .filter(({ once }) => once.startsWith(`${round}-`))
            .map(({ once }) => once);
          expect(new Set(taken).size).toBe(taken.length);
          for (const { once } of sent) expect(taken.includes(once) || unsent.has(once)).toBe(true);
        },
      ),
      { numRuns: 30 },
    );
  });
});

it('a refusal is told with one full stop behind words that have their own', () => {
  const refusal = Object.assign(new Error('You may not.'), { $metadata: { httpStatusCode: 400 } });
  expect(callError(refusal, 'SendMessageBatch', 'jobs').message).toMatch(/You may not\. [A-Z]/);
});
