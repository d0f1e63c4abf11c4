/** Answers that EventBridge gives seldom, or should never give. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { batches, MAX_BATCH_BYTES, MAX_BATCH_ENTRIES } from '../../lib/events/eventBridgeEntries.ts';
import { callFailure } from '../../lib/events/eventBridgeErrors.ts';
import { AwsJsonError, startAwsJson } from '../servers/awsJson.ts';
import type { BusEntry } from '../servers/busSink.ts';
import { busPublisher } from './busPublisher.ts';
import { manyStored, messageStored, runFinished } from './samples.ts';

const accepted = { accepted: true };
const uidlOf = (entry: BusEntry): string => JSON.parse(entry.Detail!).uidl;
const ok = (entries: readonly BusEntry[]) => ({
  FailedEntryCount: 0,
  Entries: entries.map((entry) => ({ EventId: uidlOf(entry) })),
});

/** `answer` gets the entries of each PutEvents and the number of calls before it. */
async function scripted(answer: (entries: readonly BusEntry[], call: number) => unknown) {
  const calls: string[][] = [];
  const server = await startAwsJson({
    'AWSEvents.PutEvents': (input) => {
      const entries = input['Entries'] as readonly BusEntry[];
      calls.push(entries.map(uidlOf));
      return answer(entries, calls.length - 1);
    },
  });
  return { endpoint: server.endpoint, calls, [Symbol.asyncDispose]: () => server.stop() };
}

describe('an entry counts as accepted only by an EventId of its own', () => {
  it.each([
    ['no EventId, no ErrorCode', [{ EventId: '1' }, {}, { EventId: '3' }]],
    ['an empty EventId', [{ EventId: '1' }, { EventId: '' }, { EventId: '3' }]],
    [
      'both an EventId and an ErrorCode',
      [{ EventId: '1' }, { EventId: '2', ErrorCode: 'X' }, { EventId: '3' }],
    ],
  ])('%s, though FailedEntryCount is 0', async (_what, Entries) => {
    await using server = await scripted((entries, call) =>
      call === 0 ? { FailedEntryCount: 0, Entries } : ok(entries),
    );
    const { publisher } = busPublisher(server.endpoint);
    expect(await publisher.publish(manyStored(3))).toEqual([accepted, accepted, accepted]);
    expect(server.calls).toEqual([['m0', 'm1', 'm2'], ['m1']]);
  });

  it.each([
    ['fewer entries than were sent', { FailedEntryCount: 0, Entries: [{ EventId: '1' }] }, 1],
    ['no entries', { FailedEntryCount: 0 }, 0],
    ['an empty object', {}, 0],
  ])('%s', async (_what, answer, served) => {
    await using server = await scripted(() => answer);
    const { publisher } = busPublisher(server.endpoint, { tries: 1 });
    const results = await publisher.publish(manyStored(3));
    const missing = { accepted: false, reason: 'EventBridge did not answer for this entry' };
    expect(results).toEqual([...Array(served).fill(accepted), ...Array(3 - served).fill(missing)]);
  });
});

describe('a batch that is refused for one entry', () => {
  it.each([
    [413, 'RequestEntityTooLargeException'],
    [400, 'ValidationException'],
  ])('%i %s: is halved until that entry alone is refused', async (status, type) => {
    await using server = await scripted((entries) => {
      if (entries.map(uidlOf).includes('m6')) throw new AwsJsonError(type, 'too large', status);
      return ok(entries);
    });
    const { publisher, sleeps } = busPublisher(server.endpoint);
    const results = await publisher.publish(manyStored(10));
    expect(results.map((result) => result.accepted)).toEqual(
      Array.from({ length: 10 }, (_, index) => index !== 6),
    );
    expect(results[6]).toMatchObject({
      reason: expect.stringContaining(`answer ${status} ${type}: too large`),
    });
    expect(server.calls.length).toBeLessThan(10);
    expect(sleeps).toEqual([]);
  });

  it('an event that can never fit is not sent, and stops no other', async () => {
    await using server = await scripted(ok);
    const { publisher } = busPublisher(server.endpoint);
    const { detail } = runFinished('r1');
    const message = 'x'.repeat(MAX_BATCH_BYTES);
    const huge = {
      detailType: 'Run Finished',
      detail: { ...detail, error: { ...detail.error, message } },
    } as const;
    const results = await publisher.publish([messageStored('a'), huge, messageStored('b')]);
    expect(results).toEqual([
      accepted,
      { accepted: false, reason: expect.stringContaining('octets') },
      accepted,
    ]);
    expect(server.calls).toEqual([['a', 'b']]);
  });
});

describe('batches in flight', () => {
  it('are four at most, and their results keep the order of the events', async () => {
    let inFlight = 0;
    let most = 0;
    const held: (() => void)[] = [];
    await using server = await scripted(async (entries, call) => {
      inFlight += 1;
      most = Math.max(most, inFlight);
      // The first four are held until all are there, and answered last one first.
      if (call < 3) await new Promise<void>((release) => held.push(release));
      else for (const release of held.splice(0).reverse()) release();
      inFlight -= 1;
      const odd = (entry: BusEntry) => Number(uidlOf(entry).slice(1)) % 7 === 0;
      return {
        Entries: entries.map((entry) => (odd(entry) ? { ErrorCode: 'MalformedDetail' } : { EventId: '1' })),
      };
    });
    const { publisher } = busPublisher(server.endpoint);
    const results = await publisher.publish(manyStored(95));
    expect(results.map((result) => result.accepted)).toEqual(
      Array.from({ length: 95 }, (_, index) => index % 7 !== 0),
    );
    expect(most).toBe(4);
    expect(server.calls).toHaveLength(10);
  });
});

describe('silence', () => {
  it('ends a call, which is repeated', async () => {
    await using server = await scripted((entries, call) =>
      call === 0 ? new Promise(() => {}) : ok(entries),
    );
    const { publisher } = busPublisher(server.endpoint, { requestMs: 100 });
    expect(await publisher.publish(manyStored(1))).toEqual([accepted]);
    expect(server.calls).toHaveLength(2);
  });

  it('in the middle of an answer ends the call too', async () => {
    let calls = 0;
    const server = createServer((request, response) => {
      calls += 1;
      request.resume().on('end', () => {
        response.writeHead(200, { 'Content-Type': 'application/x-amz-json-1.1' });
        if (calls === 1) response.write('{"Entries":[');
        else response.end('{"Entries":[{"EventId":"1"}]}');
      });
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    try {
      const { port } = server.address() as AddressInfo;
      const { publisher } = busPublisher(`http://127.0.0.1:${port}`, { requestMs: 200 });
      expect(await publisher.publish(manyStored(1))).toEqual([accepted]);
      expect(calls).toBe(2);
    } finally {
      server.closeAllConnections();
      await once(server.close(), 'close');
    }
  });

  it('ends a publish, however many tries are left', async () => {
    await using server = await scripted(() => new Promise(() => {}));
    const { publisher, sleeps } = busPublisher(server.endpoint, { publishMs: 150, tries: 1000 });
    await expect(publisher.publish(manyStored(50))).rejects.toMatchObject({ kind: 'later' });
    expect(server.calls).toHaveLength(4);
    expect(sleeps).toEqual([]);
  });
});

describe('an answer that is not EventBridge', () => {
  it.each([
    [200, '<html>Please sign in to this network</html>', 'later'],
    [200, '{"Entries":[{"EventId":', 'later'],
    [502, '<html>Bad gateway</html>', 'later'],
    [403, '<html>Forbidden by proxy</html>', 'person'],
  ])('%i %s: nothing is accepted, and it is for %s', async (status, body, kind) => {
    const server = createServer((request, response) => {
      request.resume().on('end', () => response.writeHead(status, { 'Content-Type': 'text/html' }).end(body));
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    try {
      const { port } = server.address() as AddressInfo;
      const { publisher } = busPublisher(`http://127.0.0.1:${port}`, { tries: 2 });
      await expect(publisher.publish(manyStored(2))).rejects.toMatchObject({
        name: 'PublisherError',
        kind,
        message: expect.not.stringContaining('$response'),
      });
    } finally {
      server.closeAllConnections();
      await once(server.close(), 'close');
    }
  });
});

describe('making batches', () => {
  it('keeps every event, the order and both limits, and wastes no call', () => {
    const item = fc.nat(MAX_BATCH_BYTES).map((bytes) => ({ entry: { request: {}, bytes } }));
    const small = fc.nat(40_000).map((bytes) => ({ entry: { request: {}, bytes } }));
    const size = (batch: readonly { entry: { bytes: number } }[]) =>
      batch.reduce((sum, { entry }) => sum + entry.bytes, 0);
    fc.assert(
      fc.property(fc.array(fc.oneof(item, small), { maxLength: 60 }), (items) => {
        const made = batches(items);
        expect(made.flat()).toEqual(items);
        for (const [index, batch] of made.entries()) {
          expect(batch.length).toBeGreaterThan(0);
          expect(batch.length).toBeLessThanOrEqual(MAX_BATCH_ENTRIES);
          expect(size(batch)).toBeLessThanOrEqual(MAX_BATCH_BYTES);
          const next = made[index + 1]?.[0];
          if (next && batch.length < MAX_BATCH_ENTRIES) {
            expect(size([...batch, next])).toBeGreaterThan(MAX_BATCH_BYTES);
          }
        }
      }),
    );
  });
});

it('a refusal is told with one full stop behind words that have their own', () => {
  const refusal = Object.assign(new Error('You may not.'), { $metadata: { httpStatusCode: 400 } });
  expect(callFailure(refusal, 'PutEvents on mail').error.message).toContain('You may not. Check the bus');
});
