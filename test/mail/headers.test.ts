import { describe, expect, it } from 'vitest';
import { HEADER_SCAN_BYTES, identifies, summarize } from '../../lib/mail/headers.ts';

/** One character a byte, so that a test can hold any byte. */
function bytes(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}

function subject(raw: string): string | null {
  return summarize(bytes(`Subject: ${raw}\r\n\r\n`)).subject;
}

describe('the header block', () => {
  it('gives every field of an ordinary message', () => {
    const header = [
      'Received: from a by b; Tue, 24 Jul 2007 18:55:08 +0200',
      'From: Ada Lovelace <ada@example.org>',
      'To: team@example.org, "Babbage, Charles" <cb@example.org>',
      'CC: c@example.org',
      'Reply-To: desk@example.org',
      'SUBJECT: =?utf-8?Q?Gr=C3=BC=C3=9Fe?=',
      'Date: Tue, 24 Jul 2007 18:55:07 +0200',
      'Message-ID: <1@example.org>',
      'In-Reply-To: Your message of Monday <0@example.org>',
      'References: <a@example.org>',
      '\t<b@example.org>',
      'List-Id: "The list" <list.example.org>',
      'Auto-Submitted: Auto-Replied; owner-email="a@b"',
    ];
    expect(summarize(bytes(`${header.join('\r\n')}\r\n\r\nCc: body@example.org`))).toEqual({
      from: [{ name: 'Ada Lovelace', address: 'ada@example.org' }],
      to: [
        { name: null, address: 'team@example.org' },
        { name: 'Babbage, Charles', address: 'cb@example.org' },
      ],
      cc: [{ name: null, address: 'c@example.org' }],
      replyTo: [{ name: null, address: 'desk@example.org' }],
      subject: 'Grüße',
      date: '2007-07-24T16:55:07.000Z',
      dateRaw: 'Tue, 24 Jul 2007 18:55:07 +0200',
      dateZone: 'known',
      messageId: '1@example.org',
      inReplyTo: ['0@example.org'],
      references: ['a@example.org', 'b@example.org'],
      listId: 'list.example.org',
      autoSubmitted: 'auto-replied',
    });
  });

  it('is null in every field where there is none, and never today', () => {
    for (const message of ['', '\r\n', 'no colon here\r\n\r\nSubject: body', '\0\xff']) {
      expect(new Set(Object.values(summarize(bytes(message))))).toEqual(new Set([null]));
    }
  });

  it.each(['\r\n\r\n', '\n\n', '\r\n\n', '\n\r\n'])('ends at the first empty line (%j)', (end) => {
    expect(summarize(bytes(`Subject: head${end}Date: Tue, 24 Jul 2007 18:55:07 Z\r\n\r\n`))).toMatchObject({
      subject: 'head',
      date: null,
    });
  });

  it('does not end at a line of blanks, which continues a field', () => {
    const summary = summarize(bytes('Subject: a\r\n \t\r\n b\r\nTo: x@y.z\r\n\r\n'));
    expect(summary.to).toHaveLength(1);
    expect(summary.subject).toMatch(/^a\s+b$/);
  });

  it.each(['From x@y Mon Jul 24 18:55:07 2007\n', '>From x@y Mon Jul 24 18:55:07 2007\r\n'])(
    'passes over an mbox line first (M-22): %j',
    (line) => {
      expect(summarize(bytes(`${line}From: a@b.c\r\nSubject: s\r\n\r\n`))).toMatchObject({
        from: [{ name: null, address: 'a@b.c' }],
        subject: 's',
      });
    },
  );

  it('takes the first of repeated fields, with its own continuations only', () => {
    const summary = summarize(bytes('Subject: one\r\nFrom: a@b.c\r\nSubject: two\r\n three\r\n\r\n'));
    expect(summary.subject).toBe('one');
  });

  it('reads fields with blanks before the colon, and goes on after a line that is none', () => {
    const summary = summarize(bytes('Subject : s\r\nnonsense\r\n of two lines\r\nTo: a@b.c\r\n\r\n'));
    expect(summary).toMatchObject({ subject: 's', to: [{ name: null, address: 'a@b.c' }] });
  });

  it('tells an empty field from an absent one', () => {
    const summary = summarize(bytes('Subject:\r\nTo: undisclosed-recipients:;\r\nReferences:\r\n\r\n'));
    expect(summary).toMatchObject({ subject: '', to: [], references: [], cc: null, inReplyTo: null });
  });
});

describe('what lies at the end of the scan', () => {
  /** A header whose first HEADER_SCAN_BYTES end with `shown`, and that goes on with `hidden`. */
  function cutAfter(shown: string, hidden: string): Buffer {
    const padding = `X: ${'x'.repeat(HEADER_SCAN_BYTES - shown.length - 5)}\r\n`;
    return bytes(`${padding}${shown}${hidden}\r\n\r\n`);
  }

  it('is never half an address', () => {
    expect(summarize(cutAfter('To: a@b.c, boss@bank.com', '.evil.example')).to).toEqual([
      { name: null, address: 'a@b.c' },
    ]);
  });

  it('is never half an identifier or a date without its zone', () => {
    expect(summarize(cutAfter('Message-ID: abc@de', '.example')).messageId).toBeNull();
    expect(summarize(cutAfter('References: <a@b> <c@d', 'e>')).references).toEqual(['a@b']);
    expect(summarize(cutAfter('Date: Tue, 24 Jul 2007 18:55:07', ' +0200'))).toMatchObject({
      date: null,
      dateRaw: 'Tue, 24 Jul 2007 18:55:07',
    });
  });

  it('is never half a character', () => {
    expect(summarize(cutAfter('Subject: Gr\xc3\xbc\xc3', '\x9fe')).subject).toBe('Grü');
  });

  it('is not looked at beyond', () => {
    const padding = `X: ${'x'.repeat(HEADER_SCAN_BYTES)}\r\n`;
    expect(summarize(bytes(`${padding}Subject: s\r\n\r\n`)).subject).toBeNull();
  });
});

describe('texts', () => {
  it.each([
    ['=?utf-8?B?R3LDvMOfZQ==?=', 'Grüße'],
    ['=?iso-2022-jp?B?GyRCRnxLXBsoQg==?=', '日本'],
    ['=?iso-2022-jp?B?GyRCRnw=?=\r\n =?iso-2022-jp?B?S1wbKEI=?=', '日本'],
    ['=?gb18030?B?1tDOxA==?=', '中文'],
    ['=?ks_c_5601-1987?B?x9GxuQ==?=', '한국'],
    ['=?utf-8?Q?a?= =?utf-8?Q?b?= c', 'ab c'],
    ['=?utf-8*en?Q?a=20b?=', 'a b'],
    ['=?no-such-charset?Q?abc?=', 'abc'],
  ])('decodes encoded words (M-11, M-14): %s', (raw, text) => {
    expect(subject(raw)).toBe(text);
  });

  it('reads raw 8-bit as UTF-8 where it is valid, else as ISO 8859-1', () => {
    expect(subject('Gr\xc3\xbc\xc3\x9fe')).toBe('Grüße');
    expect(subject('Gr\xfc\xdfe')).toBe('Grüße');
  });

  it('have no controls, before and after decoding (M-27)', () => {
    expect(subject('a\0b\x1b[31m\tc\x7f =?utf-8?Q?d=00=0D=0Ae?=')).toBe('ab[31m c de');
  });

  it('keep what looks like a marker of the decoder of words', () => {
    expect(subject('=?utf-8?Q?a?= b__\0JOIN\0__c')).toBe('a b__JOIN__c');
  });

  it('are cut by code points, and never within one', () => {
    const emoji = Buffer.from('😀'.repeat(1001)).toString('latin1');
    expect(subject(emoji)).toBe('😀'.repeat(1000));
    expect(subject(`a${emoji}`)).toBe(`a${'😀'.repeat(999)}`);
    expect(subject('x'.repeat(1001))).toBe('x'.repeat(1000));
  });

  it('have no lone surrogates, whatever an encoded word decodes to', () => {
    expect(subject('=?utf-16be?B?2AA=?= =?utf-8?B?7aCA?=')?.isWellFormed()).toBe(true);
  });
});

describe('identifiers', () => {
  it.each([
    ['<a@b>', 'a@b'],
    ['comment <a@b> more', 'a@b'],
    ['<long\r\n part@b>', 'longpart@b'],
    ['bare@b', 'bare@b'],
    ['not one id@b', null],
    ['<>', null],
    ['<a@b', null],
    [`<${'x'.repeat(1001)}@b>`, null],
  ])('are what stands in brackets, or the one bare word: %j', (raw, id) => {
    expect(summarize(bytes(`Message-ID: ${raw}\r\n\r\n`)).messageId).toBe(id);
  });

  it('in lists are bracketed, or all of them bare', () => {
    const references = (raw: string) => summarize(bytes(`References: ${raw}\r\n\r\n`)).references;
    expect(references('<a@b><c@d> phrase <e@f>')).toEqual(['a@b', 'c@d', 'e@f']);
    expect(references('a@b c@d')).toEqual(['a@b', 'c@d']);
    expect(references('Message of Monday from a@b')).toEqual([]);
  });

  it('of a long thread are the last hundred, in order', () => {
    const all = Array.from({ length: 150 }, (_, index) => `${index}@b`);
    const header = bytes(`References: ${all.map((id) => `<${id}>`).join('\r\n ')}\r\n\r\n`);
    expect(summarize(header).references).toEqual(all.slice(50));
  });

  it('reads a List-Id and an Auto-Submitted keyword, or nothing', () => {
    const read = (list: string, auto: string) => {
      const { listId, autoSubmitted } = summarize(
        bytes(`List-Id: ${list}\r\nAuto-Submitted: ${auto}\r\n\r\n`),
      );
      return [listId, autoSubmitted];
    };
    expect(read('a list <l.example>', 'no')).toEqual(['l.example', 'no']);
    expect(read('l.example', 'auto-generated (cron)')).toEqual(['l.example', 'auto-generated']);
    expect(read('two words', '?')).toEqual([null, null]);
  });
});

describe('identifies', () => {
  it.each([
    ['Message-ID: <a@b>\r\n\r\n', true],
    ['received: from a\r\n\r\n', true],
    ['Message-ID:\r\n <a@b>\r\n\r\n', true],
    ['Subject: s\r\n\r\nMessage-ID: <a@b>', false],
    ['Message-ID: \r\n\r\n', false],
    ['X-Message-ID: <a@b>\r\n\r\n', false],
    ['', false],
  ])('%j: %s', (header, expected) => {
    expect(identifies(bytes(header))).toBe(expected);
  });
});
