import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_ADDRESSES, parseAddresses } from '../../lib/mail/addressList.ts';
import { parseDate } from '../../lib/mail/dateField.ts';
import {
  HEADER_SCAN_BYTES,
  type HeaderSummary,
  identifies,
  MAX_REFERENCES,
  MAX_SUMMARY_JSON_BYTES,
  summarize,
} from '../../lib/mail/headers.ts';
import { messageIds } from '../../lib/mail/ids.ts';
import { MAX_VALUE_CODE_POINTS, readable } from '../../lib/mail/values.ts';
import { leastWorkMs } from '../workMs.ts';

const FIELDS = [
  'From',
  'To',
  'Cc',
  'Reply-To',
  'Subject',
  'Date',
  'Message-ID',
  'In-Reply-To',
  'References',
  'List-Id',
  'Auto-Submitted',
];

function strings(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(strings) : [];
}

function expectWithinCaps(summary: HeaderSummary): void {
  for (const text of strings(summary)) {
    expect(text.isWellFormed()).toBe(true);
    expect(text).not.toMatch(/\p{Cc}/u);
    expect(Array.from(text).length).toBeLessThanOrEqual(MAX_VALUE_CODE_POINTS);
  }
  for (const list of [summary.from, summary.to, summary.cc, summary.replyTo]) {
    expect(list?.length ?? 0).toBeLessThanOrEqual(MAX_ADDRESSES);
    for (const { address } of list ?? []) expect(address).toMatch(/^[^\n]+@[^\n]+$/);
  }
  for (const list of [summary.inReplyTo, summary.references]) {
    expect(list?.length ?? 0).toBeLessThanOrEqual(MAX_REFERENCES);
  }
  expect(summary.date === null).toBe(summary.dateZone === null);
  if (summary.date !== null) expect(new Date(summary.date).toISOString()).toBe(summary.date);
  expect(Buffer.byteLength(JSON.stringify(summary))).toBeLessThanOrEqual(MAX_SUMMARY_JSON_BYTES);
}

describe('any bytes at all', () => {
  it('give a summary within its caps', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2000 }), (bytes) => {
        expectWithinCaps(summarize(bytes));
        identifies(bytes);
      }),
      { numRuns: 300 },
    );
  });

  it('in every field, made of what means something there, give a summary within its caps', () => {
    const piece = fc.constantFrom(
      ...[
        'a@b.c',
        '<',
        '>',
        ',',
        ':',
        ';',
        '"',
        '\\',
        '(',
        ')',
        '[',
        ']',
        '@',
        '.',
        ' ',
        '\t',
        '\0',
        '\r',
        '\r\n ',
      ],
      ...[
        '=?utf-8?Q?a=40b?=',
        '=?utf-8?B?8J+YgA==?=',
        '=?utf-16le?B?ANg=?=',
        '=?x?Q?=FF?=',
        '=?',
        '?=',
        '=?utf-8?b?',
      ],
      ...[
        '\xf0\x9f\x98\x80',
        '\xed\xa0\x80',
        '\xff',
        '24 Jul 2007 ',
        '18:55:07',
        '+0200',
        'Tue',
        '-',
        '2007',
      ],
    );
    const body = fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join(''));
    fc.assert(
      fc.property(fc.tuple(...FIELDS.map(() => body)), (bodies) => {
        const header = FIELDS.map((name, index) => `${name}: ${bodies[index]}\r\n`).join('');
        expectWithinCaps(summarize(Buffer.from(`${header}\r\n`, 'latin1')));
      }),
      { numRuns: 300 },
    );
  });

  it('never give an address that an encoded word said', () => {
    const encoded = fc
      .string({ maxLength: 30 })
      .map((text) => `=?utf-8?B?${Buffer.from(`${text}boss@bank.com`).toString('base64')}?=`);
    const around = fc.constantFrom('', ' ', ',', '"', '<', '>', ' <a@evil.x>', ':', ';', '(', ')', '@evil.x');
    fc.assert(
      fc.property(fc.tuple(around, encoded, around, encoded, around), (parts) => {
        for (const { address } of parseAddresses(parts.join(''), false))
          expect(address).not.toContain('bank');
      }),
      { numRuns: 500 },
    );
  });
});

describe('the bound on the whole', () => {
  it('holds for headers that fill every field with what grows most', () => {
    const share = Math.floor(HEADER_SCAN_BYTES / FIELDS.length) - 32;
    for (const [unit, before, after] of [
      ['=?windows-874?Q?=E0=E0=E0=E0=E0=E0=E0=E0=E0=E0=E0=E0?= ', '', ' <a@b.c>,'],
      ['\\"\\\\', '"', '" <a@b.c>,'],
      ['\xf0\x9f\x98\x80', '', ' <a@b.c>,'],
      ['\xf0\x9f\x98\x80', '<', '@b>'],
      ['x@y.z,', '', ''],
      ['<"@y> ', '', ''],
    ] as const) {
      for (const repeats of [1, 5, 100, 1000]) {
        const item = before + unit.repeat(repeats) + after;
        const body = item.repeat(Math.max(1, Math.floor(share / item.length))).slice(0, share);
        const header = FIELDS.map((name) => `${name}: ${body}\r\n`).join('');
        expectWithinCaps(summarize(Buffer.from(`${header}\r\n`, 'latin1')));
      }
    }
  });
});

describe('the bound on a list', () => {
  it('keeps its first entries where decoding makes three octets of each', () => {
    const thai = `=?windows-874?B?${Buffer.alloc(999, 0xa1).toString('base64')}?=`;
    const entries = Array.from({ length: 45 }, (_, index) => `${thai} <${index}@b.c>`);
    const header = Buffer.from(`To: ${entries.join(',')}\r\n\r\n`);
    expect(header.length).toBeLessThan(HEADER_SCAN_BYTES);
    const summary = summarize(header);
    expect(entries.length * 999 * 3).toBeGreaterThan(MAX_SUMMARY_JSON_BYTES);
    expect(summary.to?.map(({ address }) => address)).toEqual(['0@b.c', '1@b.c', '2@b.c', '3@b.c']);
    expectWithinCaps(summary);
  });

  it('keeps the last of the references', () => {
    const ids = Array.from({ length: 60 }, (_, index) => `${index}-${'x'.repeat(900)}@b`);
    const summary = summarize(Buffer.from(`References: ${ids.map((id) => `<${id}>`).join(' ')}\r\n\r\n`));
    expect(summary.references).toEqual(ids.slice(-13));
    expectWithinCaps(summary);
  });
});

/** Each is as long as it is told to be, and is parsed to its end. */
const BOMBS: readonly [name: string, make: (length: number) => string, parse: (text: string) => unknown][] = [
  ['groups', (n) => 'g:'.repeat(n / 2), addresses],
  ['nested comments', (n) => '('.repeat(n), addresses],
  ['closed comments', (n) => '()'.repeat(n / 2), addresses],
  ['quotes', (n) => '"a" '.repeat(n / 4), addresses],
  ['escapes in a quote', (n) => `"${'\\"'.repeat(n / 2)}`, addresses],
  ['brackets', (n) => '<'.repeat(n), addresses],
  ['empty brackets', (n) => '<>'.repeat(n / 2), addresses],
  ['routes', (n) => `<${'@a,'.repeat(n / 3)}`, addresses],
  ['joined atoms', (n) => 'a. '.repeat(n / 3), addresses],
  ['glued words', (n) => 'a""'.repeat(n / 3), addresses],
  ['at signs', (n) => '@'.repeat(n), addresses],
  ['bare words', (n) => 'a '.repeat(n / 2), addresses],
  ['addresses of which none is one', (n) => 'a@b@c,'.repeat(n / 6), addresses],
  ['domain literals', (n) => 'a@['.repeat(n / 3), addresses],
  ['openings of encoded words in names', (n) => '=?a'.repeat(n / 3), addresses],
  ['encoded words', (n) => '=?utf-8?Q?a?= '.repeat(n / 14), readable],
  ['openings of encoded words', (n) => '=?'.repeat(n / 2), readable],
  ['question marks', (n) => `=?${'?'.repeat(n)}`, readable],
  ['blanks between encoded words', (n) => `=?a?Q?b?=${' '.repeat(n)}c`, readable],
  ['escape sequences in encoded words', (n) => '=?iso-2022-jp?B?GyRC?= '.repeat(n / 23), readable],
  ['brackets of identifiers', (n) => '<'.repeat(n), (text) => messageIds(text, false)],
  ['identifiers', (n) => '<a>'.repeat(n / 3), (text) => messageIds(text, false)],
];

function addresses(text: string): unknown {
  return parseAddresses(text, false);
}

describe('a header bomb costs time in proportion to its length (M-07)', () => {
  it.each(BOMBS)('%s', (_, make, parse) => {
    const fastest = (kb: number) => {
      const text = make(kb * 1024);
      return leastWorkMs(() => parse(text));
    };
    // Four times the length: linear is 4, quadratic 16 and far more than the few ms for the clock and collector.
    expect(fastest(256)).toBeLessThan(10 * fastest(64) + 10);
  });

  it('of a whole message, not even that: beyond the scan nothing is read', () => {
    for (const body of ['a@b.c,'.repeat(100_000), 'g:'.repeat(20_000), ' \r\n'.repeat(500_000)]) {
      const message = Buffer.from(`To: ${body}\r\n\r\n`);
      const whole = summarize(message);
      expect(whole).toEqual(summarize(message.subarray(0, HEADER_SCAN_BYTES)));
      expect(whole.to?.length).toBe(body.startsWith('a@b.c') ? MAX_ADDRESSES : 0);
    }
  });

  it('of the longest Date that is looked at stays small', () => {
    const dates = ['1 ', ' ', 'a', '1 Jan ', '1 Jan 2000 ', 'Jan '].map((unit) =>
      unit.repeat(MAX_VALUE_CODE_POINTS).slice(0, MAX_VALUE_CODE_POINTS),
    );
    const spaced = `1${' '.repeat(480)}Jan${' '.repeat(480)}`;
    for (const text of [...dates, spaced]) expect(parseDate(text)).toBeNull();
    expect(leastWorkMs(() => parseDate(spaced))).toBeLessThan(
      50 * leastWorkMs(() => parseDate(`${'x'.repeat(1000)}`)) + 5,
    );
  });
});
