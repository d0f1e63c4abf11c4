/** Records of the parse queue, with a store in memory; the bundle itself runs in test/real. */
import type { SQSEvent, SQSRecord } from 'aws-lambda';
import { describe, expect, it } from 'vitest';
import { parseJobs } from '../../functions/parseJobs.ts';
import type { MailferryEvent, MessageStored } from '../../lib/events/shapes.ts';
import { systemClock } from '../../lib/fetch/systemClock.ts';
import { eventId, messageKey } from '../../lib/mailbox/names.ts';
import { type ParsePorts, ParserError } from '../../lib/parse/ports.ts';
import { digestOf } from '../../lib/store/checksum.ts';
import { memoryStore } from '../../lib/store/memory.ts';
import { type ObjectStore, StoreError } from '../../lib/store/port.ts';
import { inThisProcess } from '../parse/parsing.ts';

const GOOD = Buffer.from('Subject: good\r\nFrom: a@example.org\r\n\r\nbody');
const BOMB = Buffer.from(`X: ${'x'.repeat(300_000)}`);

function stored(uidl: string, bytes: Uint8Array, changes: Partial<MessageStored> = {}) {
  const { size, sha256 } = digestOf(bytes);
  return {
    v: 1,
    id: eventId('box', uidl, sha256),
    mailbox: 'box',
    uidl,
    bucket: 'archive',
    key: messageKey('box', uidl),
    size,
    sha256,
    announcedSize: size,
    short: false,
    storedAt: '2026-03-01T10:00:07.000Z',
    headers: null,
    ...changes,
  };
}

/** As EventBridge puts it into a queue. */
function body(detail: object, changes: object = {}): string {
  const envelope = { version: '0', id: 'x', account: '000000000000', region: 'eu-central-1', resources: [] };
  return JSON.stringify({
    ...envelope,
    ...{ source: 'mailferry', 'detail-type': 'Message Stored', time: '2026-03-01T10:00:07Z', detail },
    ...changes,
  });
}

async function world(changes: Partial<ParsePorts> = {}, remainingMs: readonly number[] = [120_000]) {
  const store = memoryStore('archive', () => Date.parse('2026-03-01T10:00:00Z'));
  for (const [uidl, bytes] of [
    ['u1', GOOD],
    ['bomb', BOMB],
    ['u2', GOOD],
  ] as const)
    await store.create(messageKey('box', uidl), bytes, digestOf(bytes));
  const events: MailferryEvent[] = [];
  const lines: string[] = [];
  const publisher: ParsePorts['publisher'] = {
    durable: true,
    prove: async () => {},
    publish: async (some) => {
      events.push(...some);
      return some.map(() => ({ accepted: true }));
    },
  };
  const ports = { store, publisher, parser: inThisProcess, ...changes };
  const remaining = [...remainingMs];
  const context = { getRemainingTimeInMillis: () => remaining.shift() ?? remainingMs.at(-1) ?? 0 };
  return {
    events,
    lines,
    keys: async () => {
      const found: string[] = [];
      for await (const { key } of store.list('parsed/')) found.push(key);
      return found;
    },
    async parse(...bodies: readonly string[]): Promise<readonly string[]> {
      const event: SQSEvent = {
        Records: bodies.map((text, at) => ({ messageId: `m${at}`, body: text }) as SQSRecord),
      };
      const answer = await parseJobs(
        { ports, clock: systemClock, log: (line) => lines.push(line) },
        event,
        context,
      );
      return answer.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier);
    },
  };
}

describe('a batch of messages', () => {
  it('is parsed one by one; a hostile one harms no other, and none is delivered again', async () => {
    const { parse, events, keys } = await world();
    expect(
      await parse(body(stored('u1', GOOD)), body(stored('bomb', BOMB)), body(stored('u2', GOOD))),
    ).toEqual([]);
    expect(events.map(({ detailType }) => detailType)).toEqual([
      'Message Parsed',
      'Message Unparsable',
      'Message Parsed',
    ]);
    expect(await keys()).toHaveLength(2);
  });

  it('may hold the same message twice, and may come twice', async () => {
    const { parse, events, keys } = await world();
    const one = body(stored('u1', GOOD));
    expect(await parse(one, one)).toEqual([]);
    expect(await parse(one)).toEqual([]);
    expect(await keys()).toHaveLength(1);
    expect(new Set(events.map(({ detail }) => detail.id)).size).toBe(1);
  });

  it.each([
    ['no JSON', '{'],
    ['another event', body(stored('u1', GOOD), { 'detail-type': 'Run Finished' })],
    ['another source', body(stored('u1', GOOD), { source: 'somebody' })],
    ['another version', body({ ...stored('u1', GOOD), v: 2 })],
    ['a key that is no message’s', body(stored('u1', GOOD, { key: 'state/box.json' }))],
    [
      'a key of another mailbox',
      body(stored('u1', GOOD, { key: messageKey('other', 'u1').replace('box', 'other') })),
    ],
  ])('goes on behind a record that is %s, which fails alone', async (_what, malformed) => {
    const { parse, events, lines } = await world();
    expect(await parse(malformed, body(stored('u2', GOOD)))).toEqual(['m0']);
    expect(events).toHaveLength(1);
    expect(lines[0]).toContain('not a Message Stored');
  });

  it('takes an event of a later version of Mailferry, which may have fields more', async () => {
    const { parse, events } = await world();
    const headers = { subject: 'good', priority: 'high' };
    const later = { ...stored('u1', GOOD), labels: ['inbox'], headers };
    expect(await parse(body(later, { 'replay-name': 'again' }))).toEqual([]);
    expect(events.map(({ detailType }) => detailType)).toEqual(['Message Parsed']);
  });

  it.each([
    ['a hash that is none', { sha256: 'x' }],
    ['a date that is none', { storedAt: 'yesterday' }],
    ['no key', { key: undefined }],
    ['a mailbox beyond its letters', { mailbox: '../box' }],
  ])('refuses %s', async (_what, change) => {
    const { parse, events } = await world();
    expect(await parse(body({ ...stored('u1', GOOD), ...change }))).toEqual(['m0']);
    expect(events).toEqual([]);
  });

  it('passes over a message of another bucket', async () => {
    const { parse, events, lines } = await world();
    expect(await parse(body(stored('u1', GOOD, { bucket: 'another' } as Partial<MessageStored>)))).toEqual(
      [],
    );
    expect(events).toEqual([]);
    expect(lines[0]).toContain('another bucket');
  });

  it('leaves what it has no time for to another delivery, except the first', async () => {
    const { parse, events } = await world({}, [39_999]);
    expect(await parse(body(stored('u1', GOOD)), body(stored('u2', GOOD)))).toEqual(['m1']);
    expect(events).toHaveLength(1);
  });

  it('answers for what it did though the bus falls silent, before it is killed', async () => {
    let told = 0;
    const publisher: ParsePorts['publisher'] = {
      durable: true,
      prove: async () => {},
      publish: (some) => {
        told += 1;
        return told > 1 ? new Promise(() => {}) : Promise.resolve(some.map(() => ({ accepted: true })));
      },
    };
    // Of the second record: enough to begin, and then so much is left.
    const { parse, lines } = await world({ publisher }, [120_000, 120_000, 2_100, 30_000]);
    const [one, other] = [body(stored('u1', GOOD)), body(stored('u2', GOOD))];
    expect(await parse(one, other, one)).toEqual(['m1', 'm2']);
    expect(lines.map((line) => (JSON.parse(line) as { message: string }).message)).toEqual([
      'parsed',
      'left for another delivery: the time was up',
      'left for another delivery: no time',
    ]);
  });

  it('fails what another delivery may help: the store, the bus, a parser that does not start', async () => {
    const broken: ObjectStore = {
      ...memoryStore('archive'),
      read: async (key) => {
        throw new StoreError('unavailable', {
          kind: 'later',
          code: 'E_STORE_UNAVAILABLE',
          operation: 'read',
          key,
        });
      },
    };
    const refusing: ParsePorts['publisher'] = {
      durable: true,
      prove: async () => {},
      publish: async (some) => some.map(() => ({ accepted: false, reason: 'no' })),
    };
    const parser: ParsePorts['parser'] = {
      parse: async () => {
        throw new ParserError('cannot be started');
      },
    };
    for (const [changes, words] of [
      [{ store: broken }, 'E_STORE_UNAVAILABLE'],
      [{ publisher: refusing }, 'not parsed'],
      [{ parser }, 'cannot be started'],
    ] as const) {
      const { parse, lines, events } = await world(changes);
      expect(await parse(body(stored('u1', GOOD)))).toEqual(['m0']);
      expect(lines.join()).toContain(words);
      expect(events).toEqual([]);
    }
  });

  it('says nothing of what is in the mail', async () => {
    const { parse, lines, events } = await world();
    await parse(body(stored('u1', GOOD)));
    for (const text of [...lines, JSON.stringify(events)]) {
      expect(text).not.toContain('a@example.org');
      expect(text).not.toContain('good');
    }
  });
});
