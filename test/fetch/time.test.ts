import { describe, expect, it } from 'vitest';
import { StoreError } from '../../lib/store/port.ts';
import { mail } from '../servers/scripted.ts';
import { SimulatedProcess } from './process.ts';
import { letter, World } from './world.ts';

const five = () => ['a', 'b', 'c', 'd', 'e'].map((name) => mail(name, letter(name)));

/** Long enough for the work itself on a busy machine, short enough to wait for. */
const SPAN_MS = 2_000;

describe('a run whose time is short', () => {
  it.each(['GREETING', 'CAPA', 'USER', 'PASS', 'UIDL', 'LIST', 'RETR'])(
    'ends in time though the server falls silent at %s, with what was stored on record',
    async (verb) => {
      const silence = { verb, cutAt: 0, ending: 'stall' } as const;
      const world = new World({
        messages: five(),
        faults: [verb === 'RETR' ? { ...silence, uidl: 'd' } : silence],
        settings: { delete: 'when-stored' },
      });
      const deadlineMs = world.clock.now() + SPAN_MS;
      const report = await world.run({ deadlineMs });
      // A timer may fire late on a busy machine; that the run ends by itself is the point.
      expect(report.startedAtMs + report.durationMs).toBeLessThan(deadlineMs + SPAN_MS);
      expect(report.outcome).not.toBe('done');
      expect(new Set((await world.head()).records.map(({ uidl }) => uidl))).toEqual(
        new Set(world.publisher.stored.map(({ uidl }) => uidl)),
      );
      const { listed, ...classes } = report.counts;
      expect(Object.values(classes).reduce((sum, count) => sum + count, 0)).toBe(listed);
    },
  );

  it('ends in time though the store never answers', async () => {
    const world = new World({ messages: five() });
    const store = { ...world.store, create: () => new Promise<never>(() => {}) };
    const report = await world.run({ deadlineMs: world.clock.now() + SPAN_MS }, { store });
    expect(report).toMatchObject({ outcome: 'failed', error: { code: 'E_RUN_DEADLINE' } });
  });

  it('ends in time though the bus never answers', async () => {
    const world = new World({ messages: five() });
    const publisher = { durable: true, prove: async () => {}, publish: () => new Promise<never>(() => {}) };
    const report = await world.run({ deadlineMs: world.clock.now() + SPAN_MS }, { publisher });
    expect(report).toMatchObject({ outcome: 'failed', error: { code: 'E_RUN_DEADLINE' } });
  });

  it('leaves the message that took its time to be tried alone, and blames it only for half a run', async () => {
    const world = new World({
      messages: five(),
      faults: [{ verb: 'RETR', uidl: 'a', cutAt: 3, ending: 'stall' }],
    });
    for (let run = 0; run < 5; run += 1) await world.run({ deadlineMs: world.clock.now() + SPAN_MS / 4 });
    const head = await world.head();
    expect(head.records.map(({ uidl }) => uidl).sort()).toEqual(['b', 'c', 'd', 'e']);
    expect(head.failures).toMatchObject([{ uidl: 'a' }]);
  });
});

describe('a request to end', () => {
  it.each(['GREETING', 'PASS', 'UIDL'])('hangs up at once while the server is silent at %s', async (verb) => {
    const world = new World({ messages: five(), faults: [{ verb, cutAt: 0, ending: 'stall' }] });
    const abort = new AbortController();
    const running = world.run({ signal: abort.signal });
    await new Promise((resolve) => setImmediate(resolve));
    abort.abort();
    expect(await running).toMatchObject({ outcome: 'more', error: { code: 'E_RUN_ABORTED' } });
    expect((await world.head()).backOff).toBeNull();
    expect(world.publisher.accepted).toEqual([]);
  });

  it('puts on record what is stored, and begins nothing new', async () => {
    const abort = new AbortController();
    const messages = Array.from({ length: 200 }, (_, nth) => mail(`m${nth}`, letter(`m${nth}`)));
    const world = new World({ messages, settings: { delete: 'when-stored' } });
    const report = await world.run({
      signal: abort.signal,
      onProgress: ({ stored }) => {
        if (stored > 20) abort.abort();
      },
    });
    expect(report).toMatchObject({ outcome: 'more', error: { code: 'E_RUN_ABORTED' } });
    expect(report.counts.stored).toBeGreaterThan(20);
    expect(report.counts.notReached).toBeGreaterThan(0);
    expect(report.counts.stored + report.counts.notReached).toBe(200);
    expect(report.deletions.committed).toBe(report.counts.stored);
    expect((await world.head()).intents).toEqual([]);
  });
});

describe('a store that fails', () => {
  it('is no message’s fault: nothing is counted, and the next run stores all', async () => {
    const world = new World({ messages: five(), settings: { delete: 'when-stored' } });
    const down = async () => {
      throw new StoreError('The store is down.', {
        kind: 'later',
        code: 'E_STORE_UNAVAILABLE',
        operation: 'create',
        key: '',
      });
    };
    for (let run = 0; run < 5; run += 1) {
      const report = await world.run({}, { store: { ...world.store, create: down } });
      expect(report).toMatchObject({ outcome: 'failed', error: { phase: 'store', kind: 'later' } });
    }
    expect((await world.head()).failures).toEqual([]);
    await world.run();
    expect(world.server.messages).toHaveLength(0);
  });

  it('backs the mailbox off, and a run that honours that leaves it alone until then', async () => {
    const world = new World({
      messages: five(),
      faults: [{ verb: 'PASS', reply: '-ERR [SYS/TEMP] later\r\n', times: 2 }],
    });
    await world.run({ honourBackOff: true });
    expect(await world.run({ honourBackOff: true })).toMatchObject({ outcome: 'waiting', signIns: 0 });
    world.skewMs += 2 * 3_600_000;
    await world.run({ honourBackOff: true });
    world.skewMs += 4 * 3_600_000;
    expect(await world.run({ honourBackOff: true })).toMatchObject({
      outcome: 'done',
      counts: { stored: 5 },
    });
    expect((await world.head()).backOff).toBeNull();
  });
});

describe('a secret that was changed', () => {
  it('is read afresh once after a refused sign-in, and one that was not is not tried again', async () => {
    const world = new World({ messages: five() });
    const reads: boolean[] = [];
    const { Secret } = await import('../../lib/secrets/port.ts');
    const secrets = (stale: string, current: string) => ({
      read: async (_: string, fresh: boolean) => {
        reads.push(fresh);
        return new Secret(fresh ? current : stale);
      },
    });
    const report = await world.run({}, { secrets: secrets('old', world.server.password) });
    expect(report).toMatchObject({ outcome: 'done', signIns: 2 });
    expect(reads).toEqual([false, true]);
    const refused = await world.run({}, { secrets: secrets('wrong', 'wrong') });
    expect(refused).toMatchObject({
      outcome: 'failed',
      signIns: 1,
      error: { kind: 'person', phase: 'sign-in' },
    });
  });
});

describe('a process', () => {
  it('is alone with a suspect: nothing else is in flight while one is tried', async () => {
    const world = new World({ messages: five(), settings: { pipelining: false } });
    await new SimulatedProcess(world, {
      mishap: 'kill before',
      when: (name) => name === 'send RETR 4',
    }).run();
    world.skewMs += 120_000;
    const process = new SimulatedProcess(world, { mishap: 'kill before', when: () => false });
    await process.run();
    const retrievals = process.trace.filter((name) => /^send RETR/.test(name));
    expect(retrievals.length).toBeGreaterThan(0);
    for (const [at, name] of process.trace.entries()) {
      if (!/^send RETR/.test(name)) continue;
      const next = process.trace.findIndex((later, index) => index > at && /^send RETR/.test(later));
      if (next === -1) continue;
      const between = process.trace.slice(at, next);
      expect(between.filter((one) => one === 'publish')).toHaveLength(1);
      expect(between.filter((one) => one === 'replace').length).toBeGreaterThanOrEqual(2);
    }
  });
});
