/** What is on record is announced once more under the ids of the first time, slowly, and can be gone on with. */
import { describe, expect, it } from 'vitest';
import type { Publisher } from '../../lib/events/port.ts';
import { type AnnounceOptions, announceAgain } from '../../lib/fetch/announceAgain.ts';
import type { FetchPorts } from '../../lib/fetch/ports.ts';
import { eventId, messageId, messageKey } from '../../lib/mailbox/names.ts';
import { withRecords } from '../../lib/mailbox/records.ts';
import type { StoredRecord } from '../../lib/mailbox/state.ts';
import { StateFile } from '../../lib/mailbox/stateFile.ts';
import { digestOf } from '../../lib/store/checksum.ts';
import { type ObjectStore, StoreError } from '../../lib/store/port.ts';
import { mail } from '../servers/scripted.ts';
import { letter, World } from './world.ts';

type Troubles = Parameters<AnnounceOptions['onTrouble']>[0][];

async function again(world: World, options: Partial<AnnounceOptions> = {}, ports: Partial<FetchPorts> = {}) {
  const before = world.publisher.stored.length;
  const troubles: Troubles = [];
  const report = await announceAgain(
    world.mailbox,
    { ...world.ports, ...ports },
    {
      ...{ messageId: null, sinceMs: null, signal: new AbortController().signal, onProgress: () => {} },
      onTrouble: (trouble) => troubles.push(trouble),
      ...options,
    },
  );
  return { report, troubles, events: world.publisher.stored.slice(before) };
}

const byId = (a: { id: string }, b: { id: string }) => (a.id < b.id ? -1 : 1);

describe('announcing again', () => {
  it('says the very same as the first time', async () => {
    const long = mail(
      'long',
      `Subject: long\r\nX: ${'x'.repeat(70_000)}\r\nFrom: late@example.org\r\n\r\nbody\r\n`,
    );
    const world = new World({
      messages: [
        mail('a', letter('a')),
        mail('b', letter('b')),
        mail('none', '\r\n'),
        long,
        mail('twin', letter('1')),
        mail('twin', letter('2')),
      ],
    });
    await world.run();
    const first = world.publisher.stored;
    expect(first).toHaveLength(6);
    const store: ObjectStore = {
      ...world.store,
      async read(key) {
        const object = await world.store.read(key);
        return object && { ...object, chunks: inPieces(object.chunks) };
      },
    };
    const { report, events } = await again(world, {}, { store });
    expect(report).toEqual({ announced: 6, unreadable: 0, refused: 0, leftSinceMs: null, error: null });
    expect(events.sort(byId)).toEqual([...first].sort(byId));
    expect(world.publisher.proved).toBeGreaterThan(0);
  });

  it('leaves the header summary out where the settings say so now', async () => {
    const world = new World({ messages: [mail('a', letter('a'))] });
    await world.run();
    Object.assign(world.mailbox, { headerSummary: false });
    const { events } = await again(world);
    expect(events).toEqual([{ ...world.publisher.stored[0], headers: null }]);
  });

  it('makes the summary that an unfinished attempt went without', async () => {
    const world = new World({ messages: [mail('a', letter('a'))] });
    const mute: Publisher = {
      durable: true,
      prove: async () => {},
      publish: () => Promise.reject(new Error('killed')),
    };
    await world.run({}, { publisher: mute });
    await world.run();
    const [first] = world.publisher.stored;
    expect(first?.headers).toBeNull();
    const { events } = await again(world);
    expect(events).toMatchObject([{ id: first?.id, headers: { subject: 'a' } }]);
  });

  it('takes those since a time, or one of them', async () => {
    const world = new World({ messages: [mail('old', letter('old'))] });
    await world.run();
    world.skewMs = 3_600_000;
    const laterMs = world.clock.now();
    world.server.messages.push(mail('new', letter('new')));
    await world.run();
    expect((await again(world, { sinceMs: laterMs })).events).toMatchObject([{ uidl: 'new' }]);
    const one = messageId(world.mailbox.id, 'old');
    expect((await again(world, { messageId: one })).events).toMatchObject([{ uidl: 'old' }]);
    expect((await again(world, { messageId: one, sinceMs: laterMs })).events).toEqual([]);
  });

  it('tells of objects that are gone or others, and goes on', async () => {
    const world = new World({ messages: ['a', 'b', 'c', 'd'].map((name) => mail(name, letter(name))) });
    await world.run();
    const { id } = world.mailbox;
    await world.store.remove(messageKey(id, 'a'));
    await world.store.remove(messageKey(id, 'b'));
    const other = Buffer.from('Subject: other\r\n\r\n');
    await world.store.create(messageKey(id, 'b'), other, digestOf(other));
    const store: ObjectStore = {
      ...world.store,
      read: (key) => (key === messageKey(id, 'c') ? Promise.reject(denied(key)) : world.store.read(key)),
    };
    const { report, events, troubles } = await again(world, {}, { store });
    expect(report).toMatchObject({ announced: 1, unreadable: 3, refused: 0, leftSinceMs: null, error: null });
    expect(events).toMatchObject([{ uidl: 'd' }]);
    expect(troubles.map(({ uidl, code }) => [uidl, code]).sort()).toEqual([
      ['a', 'E_MESSAGE_GONE'],
      ['b', 'E_MESSAGE_OTHER_BYTES'],
      ['c', 'E_STORE_DENIED'],
    ]);
  });

  it('says from when on to go on where the bus refuses some', async () => {
    const world = new World({ messages: [mail('first', letter('first'))] });
    await world.run();
    world.skewMs = 60_000;
    world.server.messages.push(mail('bad', letter('bad')), mail('good', letter('good')));
    await world.run();
    world.publisher.refuse = (event) =>
      event.detailType === 'Message Stored' && event.detail.uidl === 'bad' ? 'no room' : null;
    const { report, troubles, events } = await again(world);
    expect(report).toMatchObject({ announced: 2, refused: 1, error: null });
    expect(troubles).toMatchObject([{ uidl: 'bad', code: 'E_EVENTS_REFUSED' }]);
    world.publisher.refuse = () => null;
    const rest = await again(world, { sinceMs: report.leftSinceMs });
    expect(rest.events.map(({ uidl }) => uidl)).toContain('bad');
    expect([...events, ...rest.events].map(({ uidl }) => uidl)).toEqual(
      expect.arrayContaining(['first', 'bad', 'good']),
    );
    expect(rest.events.map(({ uidl }) => uidl)).not.toContain('first');
  });

  it('uses the UIDL of the first time where the server has given another since', async () => {
    const traced = (name: string) => `Received: by mx.example.org; ${name}\r\n${letter(name)}`;
    const world = new World({ messages: [mail('before', traced('x'))] });
    await world.run();
    world.server.messages.splice(0, 1, mail('after', traced('x')));
    await world.run();
    const head = await world.head();
    const [renamed] = head.records.filter(({ under }) => under === 'before');
    expect(renamed?.uidl).toBe('after');
    const state = await StateFile.open(world.store, world.mailbox.id, world.clock);
    // Weeks later the first record is dropped.
    await state.commit((now) => ({
      ...now,
      records: now.records.filter(({ under }) => under !== undefined),
    }));
    const { events } = await again(world);
    expect(events.map(({ id, uidl, key }) => ({ id, uidl, key }))).toEqual(
      world.publisher.stored.slice(0, 1).map(({ id, uidl, key }) => ({ id, uidl, key })),
    );
  });

  it('tells what keeps it from beginning', async () => {
    const world = new World({ messages: [mail('a', letter('a'))] });
    await world.run();
    const prove = () => Promise.reject(new Error('no bus'));
    const publisher: Publisher = { durable: true, prove, publish: (some) => world.publisher.publish(some) };
    const { report, events } = await again(world, {}, { publisher });
    expect(report.error).toMatchObject({ message: expect.stringContaining('no bus') });
    expect(events).toEqual([]);
  });
});

describe('announcing many again', () => {
  const COUNT = 1000;
  const body = Buffer.from('Subject: one of many\r\n\r\n');
  const records: StoredRecord[] = Array.from({ length: COUNT }, (_, nth) => ({
    uidl: `many-${nth}`,
    size: body.length,
    headerHash: '0'.repeat(32),
    octets: body.length,
    sha256: digestOf(Buffer.from(String(nth))).sha256,
    storedMs: 1_764_000_000_000 + nth,
  }));

  /** Records in segments, one of them there twice, and all objects alike. */
  async function withMany() {
    const world = new World();
    const state = await StateFile.open(world.store, world.mailbox.id, world.clock);
    for (let at = 0; at < COUNT; at += 128)
      await state.commit((head) => withRecords(head, records.slice(Math.max(0, at - 1), at + 128)));
    expect(state.head.segments.length).toBeGreaterThan(0);
    const pauses: number[] = [];
    const clock = {
      ...world.clock,
      after(ms: number, fire: () => void) {
        pauses.push(ms);
        queueMicrotask(fire);
        return () => {};
      },
    };
    let reading = 0;
    let mostReading = 0;
    const store: ObjectStore = {
      ...world.store,
      async read(key) {
        if (key.startsWith('state/')) return world.store.read(key);
        reading += 1;
        mostReading = Math.max(mostReading, reading);
        await Promise.resolve();
        reading -= 1;
        return { version: '', size: body.length, storedMs: null, chunks: once() };
      },
    };
    return { world, store, clock, pauses, mostReading: () => mostReading };
  }

  async function* once() {
    yield body;
  }

  const ids = new Set(records.map(({ uidl, sha256 }) => eventId('inbox', uidl, sha256)));

  it('has each once, in batches, not faster than consumers bear', async () => {
    const { world, store, clock, pauses, mostReading } = await withMany();
    const sizes: number[] = [];
    const publisher = {
      ...world.publisher,
      prove: async () => {},
      publish: async (events: readonly object[]) => {
        sizes.push(events.length);
        return events.map(() => ({ accepted: true }) as const);
      },
    };
    const { report } = await again(world, {}, { store, clock, publisher });
    expect(report).toMatchObject({ announced: COUNT, error: null, leftSinceMs: null });
    expect(Math.max(...sizes)).toBe(50);
    expect(mostReading()).toBeLessThanOrEqual(8);
    // The first batch waits for nothing; the clock of this test stands still but for the time that passes.
    expect(pauses.length).toBeGreaterThanOrEqual(COUNT / 50 - 2);
    expect(Math.min(...pauses)).toBeGreaterThan(0);
    expect(Math.max(...pauses)).toBeLessThanOrEqual(500);
  });

  it.each(['interrupted', 'the bus fails', 'the store fails'] as const)(
    'goes on where it stopped: %s',
    async (how) => {
      const { world, store, clock } = await withMany();
      const stop = new AbortController();
      let failing = false;
      const publisher = {
        durable: true,
        prove: async () => {},
        publish(events: Parameters<typeof world.publisher.publish>[0]) {
          if (failing && how === 'the bus fails') return Promise.reject(new Error('away'));
          const answers = world.publisher.publish(events);
          if (world.publisher.accepted.length >= 300) {
            failing = true;
            if (how === 'interrupted') stop.abort();
          }
          return answers;
        },
      };
      const brittle: ObjectStore = {
        ...store,
        read: (key) =>
          failing && how === 'the store fails' && key.startsWith('mail/')
            ? Promise.reject(denied(key))
            : store.read(key),
      };
      const first = await again(world, { signal: stop.signal }, { store: brittle, clock, publisher });
      expect(first.report.announced).toBe(300);
      expect(first.report.error === null).toBe(how === 'interrupted');
      const { leftSinceMs } = first.report;
      expect(leftSinceMs).not.toBeNull();
      const rest = await again(world, { sinceMs: leftSinceMs }, { store, clock });
      expect(rest.report.announced).toBeLessThan(COUNT);
      expect(new Set(world.publisher.stored.map(({ id }) => id))).toEqual(ids);
    },
  );
});

async function* inPieces(chunks: AsyncIterable<Uint8Array>) {
  for await (const chunk of chunks)
    for (let at = 0; at < chunk.length; at += 5) yield chunk.subarray(at, at + 5);
}

function denied(key: string): StoreError {
  return new StoreError(`read ${key}: access denied`, {
    ...{ kind: 'person', code: 'E_STORE_DENIED', operation: 'read', key },
  });
}
