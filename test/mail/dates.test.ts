import { describe, expect, it } from 'vitest';
import { summarize } from '../../lib/mail/headers.ts';

function date(raw: string): [string | null, string | null] {
  const summary = summarize(Buffer.from(`Date: ${raw}\r\n\r\n`, 'latin1'));
  return [summary.date, summary.dateZone];
}

describe('dates with a zone', () => {
  it.each([
    ['Tue, 24 Jul 2007 18:55:07 +0200', '2007-07-24T16:55:07.000Z'],
    ['24 Jul 2007 18:55 -0330', '2007-07-24T22:25:00.000Z'],
    ['Tue,24-Jul-07 18:55:07 GMT', '2007-07-24T18:55:07.000Z'],
    ['Tue, 24 Jul 2007 18:55:07 EST', '2007-07-24T23:55:07.000Z'],
    ['Tue, 24 Jul 2007 18:55:07 pdt', '2007-07-25T01:55:07.000Z'],
    ['24 Jul 07 18:55:07 Z', '2007-07-24T18:55:07.000Z'],
    ['24 Jul 99 18:55:07 UT', '1999-07-24T18:55:07.000Z'],
    ['24 Jul 107 18:55:07 +0000', '2007-07-24T18:55:07.000Z'],
    ['Tue, 24 Jul (summer) 2007 18:55:07 (late) +0200 (CEST)', '2007-07-24T16:55:07.000Z'],
    ['Tue, 24 Jul 2007 18:55:07 +0200 (Mitteleurop\xe4ische Sommerzeit)', '2007-07-24T16:55:07.000Z'],
    ['Tue, 24 Jul 2007 18:55:07 +0200 (GMT+02:00)', '2007-07-24T16:55:07.000Z'],
    ['Tue, 24 Jul 2007 18:55:07 +0200 (unclosed', '2007-07-24T16:55:07.000Z'],
    ['Tue, 24 July 2007 18:55:07 +02:00', '2007-07-24T16:55:07.000Z'],
    ['Tue Jul 24 18:55:07 EDT 2007', '2007-07-24T22:55:07.000Z'],
    ['Tue Jul 24 18:55:07 2007 +0200', '2007-07-24T16:55:07.000Z'],
    ['Tue Jul 24 2007 18:55:07 GMT+0200 (CEST)', '2007-07-24T16:55:07.000Z'],
    ['2007-07-24T18:55:07Z', '2007-07-24T18:55:07.000Z'],
    ['2007-07-24 18:55:07.123456+02:00', '2007-07-24T16:55:07.000Z'],
    ['Thu, 31 Dec 2008 23:59:60 +0000', '2009-01-01T00:00:00.000Z'],
    ['Tue, 29 Feb 2000 00:00:00 +0000', '2000-02-29T00:00:00.000Z'],
    ['Tue , 24 Jul 2007 18 : 55 : 07 +0200', '2007-07-24T16:55:07.000Z'],
    ['Di, 24 Jul 2007 18:55:07 +0200', '2007-07-24T16:55:07.000Z'],
    ['\xd0\x92\xd1\x82, 24 Jul 2007 18:55:07 +0200', '2007-07-24T16:55:07.000Z'],
    ['Tue, 24 Jul 2007 8:5:7 +0200', '2007-07-24T06:05:07.000Z'],
    ['Tue,\r\n 24 Jul 2007\r\n\t18:55:07 +0200', '2007-07-24T16:55:07.000Z'],
  ])('T-04: %j', (raw, expected) => {
    expect(date(raw)).toEqual([expected, 'known']);
  });
});

describe('dates without a zone that means anything are taken for UTC and say so (T-03)', () => {
  it.each([
    'Tue Jul 24 18:55:07 2007',
    'Tue, 24 Jul 2007 18:55:07',
    'Tue, 24 Jul 2007 18:55:07 CEST',
    'Tue, 24 Jul 2007 18:55:07 A',
    'Tue, 24 Jul 2007 18:55:07 (GMT+02:00)',
    '2007-07-24T18:55:07',
  ])('%s', (raw) => {
    expect(date(raw)).toEqual(['2007-07-24T18:55:07.000Z', 'unknown']);
  });

  it('whatever zone this process runs in', () => {
    const before = process.env['TZ'];
    try {
      for (const zone of ['America/New_York', 'Asia/Kathmandu']) {
        process.env['TZ'] = zone;
        expect(date('Tue Jul 24 18:55:07 2007')[0]).toBe('2007-07-24T18:55:07.000Z');
      }
    } finally {
      if (before === undefined) delete process.env['TZ'];
      else process.env['TZ'] = before;
    }
  });
});

describe('what is no date is null, never now, and stays as it was written (T-01)', () => {
  it.each([
    'not a date',
    '',
    'Tue, 31 Feb 2007 18:55:07 +0200',
    'Tue, 24 Jul 2007 25:00:00 +0200',
    'Tue, 24 Jul 2007 18:60:00 +0200',
    'Tue, 24 Jul 2007 06:55:07 PM +0200',
    'Tue, 24 Jul 2007 18:55:070 +0200',
    'Di, 24 Mai 2007 18:55:07 +0200',
    'Tue, 24 Foo 2007 18:55:07 +0200',
    'Tue, 24 Jul 2007 18:55:07 +9900',
    'Tue, 24 Jul 2007 18:55:07 +0260',
    'Tue, 24 Jul 1969 18:55:07 +0000',
    'Thu, 1 Jan 1970 00:00:00 +0100',
    'Fri, 31 Dec 9999 23:59:59 -0100',
    'Tue, 24 Jul 20070 18:55:07 +0000',
    '24/07/2007 18:55:07',
    '2007-13-01T00:00:00Z',
    '1185296107',
  ])('%j', (raw) => {
    const summary = summarize(Buffer.from(`Date: ${raw}\r\n\r\n`, 'latin1'));
    expect(summary).toMatchObject({ date: null, dateZone: null, dateRaw: raw });
  });
});
