import assert from 'node:assert/strict';
import { MAX_ADDRESSES } from '../../../lib/mail/addressList.ts';
import { identifies, MAX_REFERENCES, MAX_SUMMARY_JSON_BYTES, summarize } from '../../../lib/mail/headers.ts';
import { MAX_VALUE_CODE_POINTS } from '../../../lib/mail/values.ts';
import type { Target } from '../target.ts';

/** Any bytes give a summary within its bounds, of text that may stand anywhere, and only the header decides it. */
export const headers: Target = {
  name: 'headers',
  seeds: [
    'From: Ada <ada@example.org>\r\nTo: a@b, "c, d" <e@f> (g)\r\nSubject: Hello\r\nDate: Tue, 24 Nov 2026 09:00:00 +0000\r\nMessage-ID: <a@b>\r\n\r\nbody',
    'from : =?utf-8?q?J=C3=BCrgen?= <j@e.org>\nSubject: =?iso-8859-1?b?R3L832U=?=\n =?x?q?=ff?=\nDate: Tue Nov 24 09:00:00 2026\n\n',
    'Cc: friends: a@b, c@d;, <@x,@y:z@w>, "\\"q\\"" <"l l"@[1.2.3.4]>\r\nReply-To: undisclosed:;\r\n\r\n',
    'References: <a@b> <c@d>\r\n\t<e@f>\r\nIn-Reply-To: a@b c@d\r\nList-Id: X <x.example>\r\nAuto-Submitted: auto-replied; owner=x\r\nReceived: by x\r\n\r\n',
    'From x Tue\r\nSubject: \xc3\xbc\xff\0\r\nDate: 2007-07-24T18:55:07Z\r\n\r\n',
    'Date: 24-Jul-07 18.55 EST (Sommerzeit\r\nDate: x\r\n',
  ].map((text) => Buffer.from(text, 'latin1')),
  words: [
    ...[
      'From:',
      'To:',
      'Cc:',
      'Reply-To:',
      'Subject:',
      'Date:',
      'Message-ID:',
      'In-Reply-To:',
      'References:',
    ],
    ...['List-Id:', 'Auto-Submitted:', 'Received:', '\r\n', '\r\n ', '\n\t', '\r', '\0', '\r\n\r\n'],
    ...['<', '>', ',', ':', ';', '"', '\\', '(', ')', '[', ']', '@', '.', 'a@b.c', '<a@b>', 'x@[::1]'],
    ...[
      '=?utf-8?Q?a=40b?=',
      '=?utf-8?B?8J+YgA==?=',
      '=?utf-16le?B?ANg=?=',
      '=?iso-2022-jp?B?GyRC?=',
      '=?',
      '?=',
    ],
    ...[
      '\xf0\x9f\x98\x80',
      '\xed\xa0\x80',
      '\xc2\x85',
      '\xff',
      '+1400',
      '-0000',
      'GMT+0200',
      '31 Feb 1999',
      '23:59:60',
    ],
  ],
  run(bytes) {
    const summary = summarize(bytes);
    const json = JSON.stringify(summary);
    assert.ok(Buffer.byteLength(json) <= MAX_SUMMARY_JSON_BYTES);
    for (const text of stringsIn(summary)) checkText(text);
    for (const list of [summary.from, summary.to, summary.cc, summary.replyTo]) {
      assert.ok((list?.length ?? 0) <= MAX_ADDRESSES);
      for (const { address } of list ?? []) assert.match(address, /^[^@].*@[^@]|^".*"@[^@]/s);
    }
    for (const list of [summary.inReplyTo, summary.references])
      assert.ok((list?.length ?? 0) <= MAX_REFERENCES);
    assert.equal(summary.date === null, summary.dateZone === null);
    if (summary.date !== null) assert.equal(new Date(summary.date).toISOString(), summary.date);
    checkOnlyHeader(bytes, json);
  },
};

function stringsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(stringsIn) : [];
}

function checkText(text: string): void {
  assert.ok(text.isWellFormed() && !/\p{Cc}/u.test(text), JSON.stringify(text));
  assert.ok(Array.from(text).length <= MAX_VALUE_CODE_POINTS);
}

/** Neither what follows the first empty line, nor what lies around the bytes in memory, changes the answer. */
function checkOnlyHeader(bytes: Buffer, json: string): void {
  const end = /(^|\n)\r?\n/.exec(bytes.toString('latin1'));
  if (end === null) return;
  const before = Buffer.from('Subject: before\r\n');
  const header = bytes.subarray(0, end.index + (end[1]?.length ?? 0));
  const around = Buffer.concat([before, header, Buffer.from('\r\nTo: behind@example.org\r\n')]);
  const same = around.subarray(before.length);
  assert.equal(JSON.stringify(summarize(same)), json);
  assert.equal(identifies(same), identifies(bytes));
}
