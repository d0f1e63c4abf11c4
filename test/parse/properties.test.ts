import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fileName, rawName } from '../../lib/mail/fileName.ts';
import { UNPARSABLE } from '../../lib/mail/parseLimits.ts';
import { messageKey } from '../../lib/mailbox/names.ts';
import { parseStored } from '../../lib/parse/parseStored.ts';
import { digestOf } from '../../lib/store/checksum.ts';
import { memoryStore } from '../../lib/store/memory.ts';
import { brokenMail } from './brokenMail.ts';
import { oddMail } from './oddMail.ts';
import { inThisProcess } from './parsing.ts';

const KEY = /^parsed\/box\/\d{4}\/\d\d\/\d\d\/[0-9a-f]{32}\/(?:document\.json|[0-9a-f]{64})$/;

const SEEDS = [...oddMail(), ...brokenMail()]
  .map(({ bytes }) => bytes())
  .filter(({ length }) => length < 3_000);

/** Bytes of no meaning, pieces of mail, and odd mail that was bitten. */
const anyMail = fc.oneof(
  fc.uint8Array({ maxLength: 400 }),
  fc
    .array(
      fc.constantFrom(
        ...[
          '\r\n',
          '\n',
          '\r',
          '--b',
          '--b--',
          ' ',
          '\t',
          ';',
          '=',
          '"',
          '=?utf-8?B?',
          '?=',
          'Content-Type: ',
          'multipart/mixed',
        ],
        ...[
          '; boundary=b',
          'text/plain',
          '; charset=',
          'message/rfc822',
          'Content-Transfer-Encoding: base64',
          'QUJD',
          '\x00',
          '\xff',
        ],
        ...['Content-Disposition: attachment; filename*=', "utf-8''%00", 'To: ', '<a@b>', ',', 'Date: '],
      ),
      { maxLength: 40 },
    )
    .map((pieces) => Buffer.from(pieces.join(''), 'latin1')),
  fc
    .tuple(fc.constantFrom(...SEEDS), fc.nat(), fc.nat({ max: 60 }), fc.uint8Array({ maxLength: 20 }))
    .map(([seed, at, cut, put]) => {
      const from = at % (seed.length + 1);
      return Buffer.concat([seed.subarray(0, from), put, seed.subarray(from + cut)]);
    }),
);

interface Filed {
  readonly events: unknown[];
  readonly objects: ReadonlyMap<string, string>;
}

async function filed(bytes: Uint8Array, times: number): Promise<Filed> {
  const store = memoryStore('archive', () => 1_790_000_000_000);
  const key = messageKey('box', 'u1');
  await store.create(key, bytes, digestOf(bytes));
  const events: unknown[] = [];
  const ports = {
    store,
    parser: inThisProcess,
    publisher: {
      durable: true,
      prove: async () => {},
      publish: async (some: readonly unknown[]) => {
        events.push(...some);
        return some.map(() => ({ accepted: true }) as const);
      },
    },
  };
  const mail = { mailbox: 'box', key, sha256: digestOf(bytes).sha256, storedMs: null };
  for (let time = 0; time < times; time += 1) await parseStored(mail, ports);
  const objects = new Map<string, string>();
  for await (const { key: found } of store.list('parsed/')) {
    const chunks: Uint8Array[] = [];
    for await (const chunk of (await store.read(found))?.chunks ?? []) chunks.push(chunk);
    objects.set(found, Buffer.concat(chunks).toString('latin1'));
  }
  return { events, objects };
}

describe('any bytes at all', () => {
  it('give a document or a reason, the same each time, under keys of digits and hex', async () => {
    await fc.assert(
      fc.asyncProperty(anyMail, async (bytes) => {
        const once = await filed(bytes, 1);
        const twice = await filed(bytes, 2);
        expect(twice.events).toEqual([...once.events, ...once.events]);
        expect(twice.objects).toEqual(once.objects);
        for (const key of once.objects.keys()) expect(key).toMatch(KEY);
        const [event] = once.events as [{ detailType: string; detail: { code?: string; document?: string } }];
        if (event.detailType === 'Message Unparsable') {
          expect(Object.keys(UNPARSABLE)).toContain(event.detail.code);
          expect(once.objects.size).toBe(0);
        } else expect(once.objects.has(event.detail.document ?? '')).toBe(true);
      }),
      { numRuns: 150 },
    );
  });
});

describe('a name that a sender chose', () => {
  it('does not end in a blank where it is cut', () => {
    expect(fileName(`${'\u{10000}'.repeat(63)}   ${'b'.repeat(20)}`, 'application/pdf', '2')).toMatch(
      /\u{10000}$/u,
    );
  });

  it('becomes one that any file system takes, whatever it is', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'binary' }),
          fc.string({ unit: 'grapheme', minLength: 90, maxLength: 120 }),
        ),
        (given) => {
          const name = fileName(given, 'application/pdf', '2');
          expect(name).not.toBe('');
          expect(name).not.toMatch(/[/\\<>:"|?*\p{Cc}]|^[. ]|[. ]$/u);
          expect(Buffer.byteLength(name)).toBeLessThanOrEqual(255);
          expect(name.isWellFormed()).toBe(true);
          // Once clean it stays as it is.
          expect(fileName(name, 'application/pdf', '2')).toBe(name);
          expect(rawName(given).isWellFormed()).toBe(true);
        },
      ),
    );
  });
});
