import { randomUUID } from 'node:crypto';
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type BusEntry, type BusSink, startBusSink } from '../servers/busSink.ts';
import { busPublisher } from './busPublisher.ts';
import { headerSummary, manyStored, messageStored } from './samples.ts';

let sink: BusSink;
beforeEach(async () => {
  sink = await startBusSink({ buses: ['mail'] });
});
afterEach(() => sink.stop());

const accepted = { accepted: true };
const uidlOf = (entry: BusEntry): string => JSON.parse(entry.Detail!).uidl;
const arrived = () => sink.accepted.map(uidlOf).sort();

describe('single entries that are refused in a successful answer', () => {
  it('are sent again, and they alone', async () => {
    const { publisher, sleeps } = busPublisher(sink.endpoint);
    const refuse = (...uidls: string[]) =>
      sink.faults.push((entry) =>
        uidls.includes(uidlOf(entry)) ? { code: 'ThrottlingException', message: 'slow' } : undefined,
      );
    refuse('m1', 'm3');
    refuse('m3');
    expect(await publisher.publish(manyStored(5))).toEqual(Array(5).fill(accepted));
    // Each once: what was accepted the first time was not sent again.
    expect(arrived()).toEqual(['m0', 'm1', 'm2', 'm3', 'm4']);
    expect(sleeps).toEqual([100, 200]);
  });

  it('are given up after a bounded number of tries, with the reason, in their place', async () => {
    const { publisher, sleeps } = busPublisher(sink.endpoint, { tries: 3 });
    for (let tries = 0; tries < 9; tries += 1) {
      sink.faults.push((entry) =>
        uidlOf(entry) === 'm1' ? { code: 'InternalFailure', message: 'not now' } : undefined,
      );
    }
    const refused = { accepted: false, reason: 'InternalFailure: not now' };
    expect(await publisher.publish(manyStored(3))).toEqual([accepted, refused, accepted]);
    expect(sink.calls.PutEvents).toBe(3);
    expect(sleeps).toHaveLength(2);
  });

  it('are not sent again where no repeat can help', async () => {
    const { publisher } = busPublisher(sink.endpoint);
    sink.faults.push((_entry, index) =>
      index === 0 ? { code: 'MalformedDetail', message: 'bad' } : undefined,
    );
    const results = await publisher.publish(manyStored(2));
    expect(results).toEqual([{ accepted: false, reason: 'MalformedDetail: bad' }, accepted]);
    expect(sink.calls.PutEvents).toBe(1);
  });
});

describe('whole calls that fail', () => {
  it.each([
    { status: 400, type: 'ThrottlingException' },
    { status: 429, type: 'TooManyRequestsException' },
    { status: 500, type: 'InternalException' },
    { status: 503, type: 'ServiceUnavailable' },
    'dropped',
  ] as const)('are repeated: %o', async (fault) => {
    const { publisher } = busPublisher(sink.endpoint);
    sink.faults.push(fault, fault);
    expect(await publisher.publish(manyStored(2))).toEqual([accepted, accepted]);
    expect(sink.calls.PutEvents).toBe(3);
    expect(arrived()).toEqual(['m0', 'm1']);
  });

  it('may have been served: the event then arrives twice with one id', async () => {
    const { publisher } = busPublisher(sink.endpoint);
    sink.faults.push('lost');
    expect(await publisher.publish([messageStored('a')])).toEqual([accepted]);
    const ids = sink.accepted.map((entry) => JSON.parse(entry.Detail!).id);
    expect(ids).toEqual(Array(2).fill(messageStored('a').detail.id));
  });

  it('are repeated a bounded number of times, waits growing to a bound; then it is for later', async () => {
    const { publisher, sleeps } = busPublisher(sink.endpoint, { tries: 4, maxBackOffMs: 300 });
    sink.faults.push(...Array(9).fill({ status: 500, type: 'InternalException' }));
    await expect(publisher.publish(manyStored(2))).rejects.toMatchObject({
      name: 'PublisherError',
      kind: 'later',
      code: 'E_EVENTS_UNAVAILABLE',
      message: expect.stringContaining(
        'PutEvents on mail: answer 500 InternalException: refused by the test',
      ),
    });
    expect(sink.calls.PutEvents).toBe(4);
    expect(sleeps).toEqual([100, 150, 150]);
  });

  it('say what was accepted before', async () => {
    const { publisher } = busPublisher(sink.endpoint, { inFlight: 1, tries: 1 });
    sink.faults.push(() => undefined, { status: 500, type: 'InternalException' });
    const results = await publisher.publish(manyStored(35));
    expect(results.map((result) => result.accepted)).toEqual([
      ...Array(10).fill(true),
      ...Array(25).fill(false),
    ]);
    // The third and fourth batch would have met the same.
    expect(sink.calls.PutEvents).toBe(2);
  });

  it.each([
    ['AccessDeniedException', 'E_EVENTS_DENIED', 'Allow events:PutEvents on this bus'],
    ['ExpiredTokenException', 'E_EVENTS_CREDENTIALS', 'Give valid AWS credentials'],
    ['SomethingNewException', 'E_EVENTS_REFUSED', 'Check the bus'],
  ])('are for a person, at once: %s', async (type, code, next) => {
    const { publisher, sleeps } = busPublisher(sink.endpoint, { inFlight: 1 });
    sink.faults.push(...Array(9).fill({ status: 400, type }));
    const message = expect.stringContaining(next);
    await expect(publisher.publish(manyStored(30))).rejects.toMatchObject({ kind: 'person', code, message });
    expect(sink.calls.PutEvents).toBe(1);
    expect(sleeps).toEqual([]);
  });

  it('show no credential, however deep one looks into the error', async () => {
    const { publisher, credentials } = busPublisher(sink.endpoint);
    sink.faults.push({ status: 400, type: 'AccessDeniedException' });
    const error = await publisher.publish(manyStored(1)).catch((reason: unknown) => reason);
    const shown = inspect(error, { depth: Number.POSITIVE_INFINITY, showHidden: true });
    expect(shown).toContain('AccessDeniedException');
    for (const secret of Object.values(credentials)) expect(shown).not.toContain(secret);
  });
});

describe('batches', () => {
  it('stay below 256 KB in UTF-8, whatever the characters', async () => {
    const { publisher } = busPublisher(sink.endpoint);
    // 90 KB each, half as many characters; the sink refuses a call above the limit.
    const wide = (name: string) => messageStored(name, headerSummary({ subject: 'ü'.repeat(45_000) }));
    const results = await publisher.publish(['a', 'b', 'c', 'd', 'e'].map(wide));
    expect(results).toEqual(Array(5).fill(accepted));
    expect(sink.calls.PutEvents).toBe(3);
  });
});

describe('prove', () => {
  it('sends a person to a bus that does not exist, though PutEvents would call it a success', async () => {
    const { publisher } = busPublisher(sink.endpoint);
    sink.buses.delete('mail');
    await expect(publisher.prove()).rejects.toMatchObject({
      kind: 'person',
      code: 'E_EVENTS_NO_BUS',
      message: expect.stringMatching(/mail does not exist.* Create the event bus/),
    });
    await publisher.publish(manyStored(1));
    expect(sink.vanished).toHaveLength(1);
  });

  it('asks again once five minutes have passed, and after a failure', async () => {
    const { publisher, clock } = busPublisher(sink.endpoint);
    await publisher.prove();
    clock.nowMs = 5 * 60_000 - 1;
    await publisher.prove();
    expect(sink.calls.DescribeEventBus).toBe(1);
    clock.nowMs += 1;
    sink.buses.delete('mail');
    await expect(publisher.prove()).rejects.toMatchObject({ kind: 'person' });
    sink.buses.add('mail');
    await publisher.prove();
    expect(sink.calls.DescribeEventBus).toBe(3);
  });

  it('is for later where nobody answers', async () => {
    const { publisher, sleeps } = busPublisher(sink.endpoint, { tries: 2 });
    await sink.stop();
    const gone = {
      kind: 'later',
      code: 'E_EVENTS_UNAVAILABLE',
      message: expect.stringContaining('ECONNREFUSED'),
    };
    await expect(publisher.prove()).rejects.toMatchObject(gone);
    await expect(publisher.publish([messageStored(randomUUID())])).rejects.toMatchObject(gone);
    expect(sleeps).toHaveLength(2);
    sink = await startBusSink();
  });
});
