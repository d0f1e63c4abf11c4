/**
 * Odd and hostile mail of our own making, each with what has to come of it. Ids such as M-01 are those of known quirks.
 * Bytes beyond ASCII are written one character each.
 */
import type { ParsedMail, ParsedPart } from '../../lib/mail/documentShape.ts';
import type { UnparsableCode } from '../../lib/mail/parseLimits.ts';

export interface OddMail {
  readonly id: string;
  readonly what: string;
  readonly bytes: () => Buffer;
  readonly gives: Expected;
}

export type Expected =
  | { readonly code: UnparsableCode }
  | {
      readonly mail: Partial<Omit<ParsedMail, 'parts' | 'headers' | 'report'>> & {
        readonly headers?: Partial<ParsedMail['headers']>;
        readonly report?: Partial<NonNullable<ParsedMail['report']>> | null;
        readonly parts?: readonly Partial<ParsedPart>[];
      };
      /** Contents, latin1, in the order of the parts with objects. */
      readonly contents?: readonly string[];
    };

export const HEAD = 'From: Ada <ada@example.org>\r\nTo: support@example.net\r\nMIME-Version: 1.0\r\n';

export function lines(...text: readonly string[]): string {
  return text.join('\r\n');
}

export function mixed(...parts: readonly string[]): string {
  const body = parts.map((part) => `--b\r\n${part}\r\n`).join('');
  return `${HEAD}Content-Type: multipart/mixed; boundary=b\r\n\r\n${body}--b--\r\n`;
}

export function single(type: string, body: string, encoding = '8bit'): string {
  return lines(`${HEAD}Content-Type: ${type}`, `Content-Transfer-Encoding: ${encoding}`, '', body);
}

export function attached(header: string, body = 'x'): string {
  return mixed('\r\nhello', lines(header, '', body));
}

export function odd(id: string, what: string, text: string | (() => string), gives: Expected): OddMail {
  const make = typeof text === 'string' ? () => text : text;
  return { id, what, bytes: () => Buffer.from(make(), 'latin1'), gives };
}

export function text(
  id: string,
  what: string,
  mail: string,
  decoded: string,
  warnings: ParsedMail['warnings'] = [],
) {
  return odd(id, what, mail, { mail: { text: decoded, warnings } });
}

export function named(
  id: string,
  what: string,
  header: string,
  name: string,
  nameRaw: string | null,
): OddMail {
  return odd(id, what, attached(header), {
    mail: { parts: [{ role: 'text' }, { role: 'attachment', name, nameRaw }] },
  });
}

export function oddMail(): readonly OddMail[] {
  return [...structures(), ...bombs(), ...charsets(), ...names(), ...kinds(), ...fields()];
}

function structures(): readonly OddMail[] {
  const inner = 'Subject: inner\r\nDate: not a date\r\n\r\nthe forwarded one';
  return [
    odd(
      'M-01',
      'a boundary that never comes',
      lines(`${HEAD}Content-Type: multipart/mixed; boundary=b`, '', '--other', '', 'lost', '--other--', ''),
      {
        mail: {
          text: null,
          parts: [],
          warnings: [
            { code: 'no-content', part: null },
            { code: 'unclosed', part: null },
          ],
        },
      },
    ),
    odd(
      'M-01',
      'a multipart without a boundary',
      lines(`${HEAD}Content-Type: multipart/mixed`, '', 'lost', ''),
      {
        mail: { text: null, parts: [], warnings: [{ code: 'no-content', part: null }] },
      },
    ),
    odd(
      'M-02',
      'an end that is missing',
      lines(
        `${HEAD}Content-Type: multipart/mixed; boundary=b`,
        '',
        '--b',
        '',
        'kept',
        '--b',
        'Content-Type: image/png',
        '',
        'PNG',
      ),
      {
        mail: {
          text: 'kept',
          parts: [{ role: 'text' }, { type: 'image/png' }],
          warnings: [{ code: 'unclosed', part: null }],
        },
        contents: ['PNG'],
      },
    ),
    odd(
      'M-09',
      'a forwarded message without a name, inline, with a nonsense Date',
      mixed('\r\nsee below', lines('Content-Type: message/rfc822', 'Content-Disposition: inline', '', inner)),
      {
        mail: {
          text: 'see below',
          parts: [{ role: 'text' }, { role: 'attachment', name: 'message-2.eml', nameRaw: null }],
        },
        contents: [inner],
      },
    ),
    odd(
      'M-16',
      'octets that no string survives',
      lines(
        `${HEAD}Content-Type: application/octet-stream`,
        'Content-Transfer-Encoding: binary',
        '',
        '\x00\xff\xfe\x80\r\n\x1b',
      ),
      {
        mail: { text: null },
        contents: ['\x00\xff\xfe\x80\r\n\x1b'],
      },
    ),
    odd(
      'M-17',
      'three parts that nobody asks for',
      mixed('Content-Type: image/png\r\n\r\n1', 'Content-Type: image/png\r\n\r\n2', '\r\nend'),
      {
        mail: { text: 'end', parts: [{ part: '1' }, { part: '2' }, { part: '3' }] },
        contents: ['1', '2'],
      },
    ),
    odd(
      'M-22',
      'the line of an mbox first',
      `From ada@example.org Mon Nov 23 09:00:00 2026\r\n${lines(`${HEAD}Subject: kept`, '', 'body')}`,
      {
        mail: {
          text: 'body',
          headers: { subject: 'kept', from: [{ name: 'Ada', address: 'ada@example.org' }] },
        },
      },
    ),
    odd(
      'M-30',
      'base64 that is broken in the middle',
      single('application/x', 'QUJD!!!\r\nREVG=\r\n=AA', 'base64'),
      { mail: { text: null } },
    ),
    odd('own', 'nothing at all', '', { mail: { text: '', parts: [{ role: 'text' }] } }),
    odd('own', 'a header and no body', 'Subject: alone\r\n', { mail: { headers: { subject: 'alone' } } }),
    odd(
      'own',
      'HTML alone, untouched',
      single('text/html; charset=iso-8859-1', '<b onclick=x>\xe9</b>\r\n'),
      {
        mail: { text: null, parts: [{ role: 'html', charset: 'iso-8859-1', name: null }] },
        contents: ['<b onclick=x>\xe9</b>\r\n'],
      },
    ),
    odd(
      'own',
      'text, HTML and its picture',
      lines(
        `${HEAD}Content-Type: multipart/related; boundary=r`,
        '',
        '--r',
        'Content-Type: multipart/alternative; boundary=a',
        '',
        '--a',
        'Content-Type: text/plain',
        '',
        'plain',
        '--a',
        'Content-Type: text/html',
        '',
        '<img src="cid:p@x">',
        '--a--',
        '--r',
        'Content-Type: image/gif',
        'Content-ID: <p@x>',
        'Content-Disposition: inline; filename=p.gif',
        '',
        'GIF',
        '--r--',
        '',
      ),
      {
        mail: {
          text: 'plain',
          parts: [
            { part: '1.1', role: 'text' },
            { part: '1.2', role: 'html' },
            {
              part: '2',
              role: 'attachment',
              name: 'p.gif',
              contentId: 'p@x',
              related: true,
              disposition: 'inline',
            },
          ],
        },
        contents: ['<img src="cid:p@x">', 'GIF'],
      },
    ),
    odd(
      'own',
      'a text file that is shown inline is an attachment all the same',
      mixed(
        '\r\nhello',
        lines('Content-Type: text/plain; name=log.txt', 'Content-Disposition: inline', '', 'log'),
      ),
      {
        mail: { text: 'hello', parts: [{ role: 'text' }, { role: 'attachment', name: 'log.txt' }] },
        contents: ['log'],
      },
    ),
    odd('own', 'two texts', mixed('\r\none', '\r\ntwo'), { mail: { text: 'one\ntwo' } }),
    odd(
      'own',
      'an inner multipart that swallows',
      lines(
        `${HEAD}Content-Type: multipart/mixed; boundary=out`,
        '',
        '--out',
        'Content-Type: multipart/mixed; boundary=in',
        '',
        '--in',
        '',
        'within',
        '--out',
        '',
        'behind',
        '--out--',
        '',
      ),
      { mail: { text: 'within\nbehind' } },
    ),
  ];
}

function bombs(): readonly OddMail[] {
  const nested = (depth: number) =>
    `${HEAD}${Array.from({ length: depth }, (_, at) => `Content-Type: multipart/mixed; boundary=b${at}\r\n\r\n--b${at}\r\n`).join('')}\r\ndeep\r\n`;
  const parts = (count: number) => mixed(...Array.from({ length: count }, () => '\r\nx'));
  return [
    odd('M-05', 'one header field of 3 MB', () => `X: ${'x'.repeat(3e6)}\r\n\r\nbody`, {
      code: 'E_PARSE_HEADERS',
    }),
    odd('M-05', '100,000 short header lines', () => `${'X: y\r\n'.repeat(100_000)}\r\nbody`, {
      code: 'E_PARSE_HEADERS',
    }),
    odd(
      'M-05',
      '30,000 encoded words',
      () => `Subject: ${'=?utf-8?Q?=C3=A9?=\r\n '.repeat(30_000)}\r\n\r\nbody`,
      { code: 'E_PARSE_HEADERS' },
    ),
    odd('M-05', 'a part with such a header', () => mixed(`X: ${'x'.repeat(3e5)}\r\n\r\nbody`), {
      code: 'E_PARSE_HEADERS',
    }),
    odd(
      'M-05',
      '250 KB of encoded words, which are not too many',
      () => `Subject: ${'=?utf-8?Q?=C3=A9?=\r\n '.repeat(11_000)}\r\n\r\nbody`,
      {
        mail: { text: 'body', headers: { subject: 'é'.repeat(1000) } },
      },
    ),
    odd('M-06', '3,000 parts', () => parts(3_000), { code: 'E_PARSE_PARTS' }),
    odd('M-06', '900 parts', () => parts(900), { mail: { text: 'x\n'.repeat(900).slice(0, -1) } }),
    odd('M-06', 'multiparts 2,000 deep', () => nested(2_000), { code: 'E_PARSE_DEPTH' }),
    odd('M-06', 'multiparts 60 deep', () => nested(60), {
      mail: { text: 'deep\n', warnings: [{ code: 'unclosed', part: null }] },
    }),
    odd('M-07', '10,000 addresses', () => `To: ${'a@b.c,'.repeat(10_000)}\r\n\r\nbody`, {
      mail: { headers: { to: Array.from({ length: 1_000 }, () => ({ name: null, address: 'a@b.c' })) } },
    }),
    odd('M-07', '20,000 groups', () => `To: ${'g:'.repeat(20_000)}a@b.c;\r\n\r\nbody`, {
      mail: { headers: { to: [{ name: null, address: 'a@b.c' }] } },
    }),
    odd(
      'M-08',
      'flowed text of 2 MB without an end of line',
      () => single('text/plain; format=flowed', 'www.example.org/?a=b& '.repeat(90_000)),
      {
        mail: { warnings: [{ code: 'text-cut', part: '1' }], parts: [{ role: 'text', hasObject: true }] },
        contents: ['www.example.org/?a=b& '.repeat(90_000)],
      },
    ),
    odd(
      'own',
      'base64 of 8 MB in one line',
      () => single('application/zip', Buffer.alloc(6 * 1024 * 1024, 'z').toString('base64'), 'base64'),
      {
        mail: { parts: [{ type: 'application/zip' }] },
        contents: ['z'.repeat(6 * 1024 * 1024)],
      },
    ),
    odd(
      'own',
      'quoted-printable that is all soft breaks',
      () => single('text/plain', '=\r\n'.repeat(200_000), 'quoted-printable'),
      { mail: { text: '' } },
    ),
    odd(
      'own',
      'lines that look like the boundary',
      () => mixed(`\r\n${'--\r\n--b-\r\n--bb\r\n-- b\r\n'.repeat(20_000)}`),
      { mail: { warnings: [] } },
    ),
    odd(
      'own',
      'a boundary of 200 KB',
      () =>
        `Content-Type: multipart/mixed; boundary="${'b'.repeat(2e5)}"\r\n\r\n--${'b'.repeat(2e5)}\r\n\r\nbody\r\n`,
      { mail: { text: 'body\n' } },
    ),
  ];
}

function charsets(): readonly OddMail[] {
  const guessed = [{ code: 'charset', part: '1' }] as const;
  return [
    text(
      'M-13',
      'windows-1252',
      single('text/plain; charset=windows-1252', '\x93caf\xe9\x94 \x80'),
      '“café” €',
    ),
    text('M-13', 'CP-850 and its dash', single('text/plain; charset=CP-850', '\x81'), 'ü'),
    text(
      'M-13',
      'a template that nobody filled in',
      single('text/plain; charset=%CHARSET', 'caf\xc3\xa9'),
      'café',
      [...guessed],
    ),
    text('M-13', 'an unknown label over ASCII', single('text/plain; charset=x-foo', 'plain'), 'plain'),
    text(
      'M-13',
      'an unknown label over other bytes',
      single('text/plain; charset=x-foo', 'caf\xe9'),
      'café',
      [...guessed],
    ),
    text(
      'M-13',
      'UTF-7, which may hide markup',
      single('text/plain; charset=utf-7', '+ADw-script+AD4-'),
      '+ADw-script+AD4-',
      [...guessed],
    ),
    text('M-13', '"unicode"', single('text/plain; charset=unicode', 'caf\xc3\xa9'), 'café', [...guessed]),
    text(
      'M-13',
      'quoted-printable in the label',
      single('text/plain; charset=3DUTF-8', 'caf\xc3\xa9'),
      'café',
      [...guessed],
    ),
    text('M-13', 'no label, UTF-8', single('text/plain', 'caf\xc3\xa9'), 'café'),
    text('M-13', 'no label, not UTF-8', single('text/plain', 'caf\xe9 \x96'), 'café –', [...guessed]),
    text('M-14', 'ISO-2022-JP', single('text/plain; charset=ISO-2022-JP', '\x1b$B$3$s\x1b(B'), 'こん'),
    text(
      'M-14',
      'GB18030 with four octets',
      single('text/plain; charset=GB18030', '\xc4\xe3\x81\x30\x89\x38'),
      '你ß',
    ),
    text('M-14', 'KS_C_5601-1987', single('text/plain; charset=ks_c_5601-1987', '\xc7\xd1'), '한'),
    text('M-14', 'Shift_JIS', single('text/plain; charset=Shift_JIS', '\x82\xb1'), 'こ'),
    text('M-14', 'Big5', single('text/plain; charset=big5', '\xa7A'), '你'),
    text('M-14', 'KOI8-R', single('text/plain; charset=koi8-r', '\xf0\xd2'), 'Пр'),
    text('M-14', 'UTF-16 with its mark', single('text/plain; charset=utf-16', '\xff\xfe\xa4\x00h\x00'), '¤h'),
    text(
      'M-15',
      'a multibyte character that is cut off',
      single('text/plain; charset=utf-8', 'caf\xc3'),
      'caf\ufffd',
      [...guessed],
    ),
    text(
      'M-27',
      'NUL and other controls',
      single('text/plain; charset=utf-8', 'a\x00b\x1b[31m\tc\rd\x7f'),
      'ab[31m\tc\nd',
    ),
    odd(
      'M-14',
      'an escape that is split over encoded words',
      lines('Subject: =?ISO-2022-JP?B?GyRCJDM=?= =?ISO-2022-JP?B?JHMbKEI=?=', '', ''),
      { mail: { headers: { subject: 'こん' } } },
    ),
    text(
      'own',
      'flowed text',
      single('text/plain; format=flowed', 'one \r\nparagraph\r\n-- \r\nsig'),
      'one paragraph\n-- \nsig',
    ),
    text(
      'own',
      'flowed text whose blanks go',
      single('text/plain; format=flowed; delsp=yes', 'a  \r\nb'),
      'a b',
    ),
  ];
}

function names(): readonly OddMail[] {
  const file = (value: string) =>
    `Content-Type: application/pdf\r\nContent-Disposition: attachment; ${value}`;
  const long = `${'ä'.repeat(3_000)}.pdf`;
  const cut = `${'ä'.repeat(125)}.pdf`;
  return [
    named('M-10', 'a path', file('filename="../../etc/passwd"'), 'passwd', '../../etc/passwd'),
    named('M-10', 'a path of Windows', file('filename="C:\\\\temp\\\\a.exe"'), 'a.exe', 'C:\\temp\\a.exe'),
    named(
      'M-10',
      'NUL and line ends',
      file("filename*=utf-8''a%00%0d%0aX-Evil:%20y.pdf"),
      'aX-Evil_ y.pdf',
      'a\ufffd\ufffd\ufffdX-Evil: y.pdf',
    ),
    named('M-10', 'nothing', file('filename=""'), 'part-2.pdf', null),
    named('M-10', 'dots alone', file('filename="..."'), 'part-2.pdf', '...'),
    named('M-10', 'a device', file('filename="con.pdf"'), '_con.pdf', 'con.pdf'),
    named(
      'M-10',
      'an extension that reads backwards',
      file("filename*=utf-8''a%E2%80%AEfdp.exe"),
      'afdp.exe',
      'a\u202efdp.exe',
    ),
    named(
      'M-10',
      '6,000 octets',
      file(`filename*=utf-8''${encodeURIComponent(long)}`),
      cut,
      `${'ä'.repeat(1000)}`,
    ),
    named(
      'M-11',
      'continuations out of order',
      file("filename*1*=%A9.pdf;\r\n filename*0*=utf-8''caf%C3"),
      'café.pdf',
      'café.pdf',
    ),
    named(
      'M-11',
      'an encoded word without quotes',
      file('filename==?utf-8?Q?caf=C3=A9.pdf?='),
      'café.pdf',
      'café.pdf',
    ),
    named('M-11', 'GB18030 in RFC 2231', file("filename*=gb18030''%C4%E3.pdf"), '你.pdf', '你.pdf'),
    named(
      'M-11',
      'the name of the Content-Type',
      'Content-Type: application/pdf; name="=?utf-8?B?Y2Fmw6k=?=.pdf"',
      'café.pdf',
      'café.pdf',
    ),
  ];
}

function kinds(): readonly OddMail[] {
  const report = (type: string, ...parts: readonly string[]) =>
    lines(
      `${HEAD}Content-Type: multipart/report; report-type=${type}; boundary=b`,
      '',
      '--b',
      '',
      'words',
      ...parts.flatMap((part) => ['--b', part]),
      '--b--',
      '',
    );
  const status = lines(
    'Content-Type: message/delivery-status',
    '',
    'Reporting-MTA: dns; mx.example.org',
    '',
    'Final-Recipient: rfc822; <gone@example.org>',
    'Action: failed',
    'Status: 5.1.1 (no such user)',
    'Diagnostic-Code: smtp; 550 5.1.1 =?utf-8?Q?caf=C3=A9?=',
  );
  const failed = {
    recipient: 'gone@example.org',
    originalRecipient: null,
    action: 'failed',
    status: '5.1.1',
    diagnostic: '550 5.1.1 café',
  };
  const smime = (id: string, type: string, is: ParsedMail['smime']) =>
    odd(id, type, single(type, 'MIIB', 'base64'), { mail: { smime: is } });
  return [
    odd('M-18', 'winmail.dat', attached('Content-Type: application/ms-tnef; name=winmail.dat'), {
      mail: { tnef: true, parts: [{}, { name: 'winmail.dat' }] },
    }),
    smime('M-19', 'application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m', 'encrypted'),
    smime('M-19', 'application/x-pkcs7-mime; smime-type=signed-data', 'signed'),
    smime('M-19', 'application/pkcs7-mime', 'unknown'),
    odd(
      'M-19',
      'clear-signed',
      lines(
        `${HEAD}Content-Type: multipart/signed; protocol="application/pkcs7-signature"; boundary=b`,
        '',
        '--b',
        '',
        'hello',
        '--b',
        'Content-Type: application/pkcs7-signature; name=smime.p7s',
        'Content-Transfer-Encoding: base64',
        '',
        'MIIB',
        '--b--',
        '',
      ),
      {
        mail: { smime: 'signed', text: 'hello', parts: [{}, { name: 'smime.p7s' }] },
      },
    ),
    odd(
      'RFC 3464',
      'a bounce',
      report(
        'delivery-status',
        status,
        lines('Content-Type: text/rfc822-headers', '', 'Subject: x', 'Message-ID: <lost@example.org>'),
      ),
      {
        mail: {
          kind: 'bounce',
          report: { type: 'delivery-status', recipients: [failed], originalMessageId: 'lost@example.org' },
        },
      },
    ),
    odd('RFC 3464', 'a delay', report('delivery-status', status.replace('failed', 'delayed')), {
      mail: { kind: 'delivery-report' },
    }),
    odd('RFC 3464', 'the parts of a bounce in a multipart/mixed', mixed('\r\nwords', status), {
      mail: { kind: 'bounce', report: { type: 'delivery-status', recipients: [failed] } },
    }),
    odd(
      'RFC 3464',
      '10,000 recipients',
      () =>
        report(
          'delivery-status',
          `${status}\r\n${'\r\nFinal-Recipient: rfc822; x@y.z\r\nAction: failed\r\n'.repeat(10_000)}`,
        ),
      {
        mail: {
          kind: 'bounce',
          report: {
            recipients: [
              failed,
              ...Array.from({ length: 99 }, () => ({
                ...failed,
                recipient: 'x@y.z',
                status: null,
                diagnostic: null,
              })),
            ],
          },
        },
      },
    ),
    odd(
      'RFC 8098',
      'a read report',
      report(
        'disposition-notification',
        lines(
          'Content-Type: message/disposition-notification',
          '',
          'Original-Message-ID: <read@example.org>',
          'Disposition: manual-action/MDN-sent-manually; displayed',
        ),
      ),
      {
        mail: {
          kind: 'read-report',
          report: { type: 'disposition-notification', recipients: [], originalMessageId: 'read@example.org' },
        },
      },
    ),
    odd(
      'own',
      'a bounce of Exim',
      lines('X-Failed-Recipients: gone@example.org', 'Auto-Submitted: auto-replied', '', 'failed'),
      { mail: { kind: 'bounce', report: null } },
    ),
    odd(
      'RFC 3834',
      'an answer while away',
      lines('Auto-Submitted: Auto-Replied (vacation)', 'Return-Path: <>', '', 'away'),
      { mail: { kind: 'auto-reply', headers: { autoSubmitted: 'auto-replied', returnPath: '' } } },
    ),
    odd('RFC 3834', 'a machine', lines('Auto-Submitted: auto-generated', '', 'disk full'), {
      mail: { kind: 'auto-generated' },
    }),
    odd('RFC 3834', 'a person', lines('Auto-Submitted: no', '', 'hello'), { mail: { kind: 'mail' } }),
    odd('own', 'a mark older than RFC 3834', lines('Precedence: auto_reply', '', 'away'), {
      mail: { kind: 'auto-reply', headers: { precedence: 'auto_reply' } },
    }),
  ];
}

function fields(): readonly OddMail[] {
  const list = lines(
    'List-Id: "The list" <list.example.org>',
    'List-Unsubscribe: <mailto:off@example.org>, <https://example.org/off>',
    'List-Unsubscribe-Post: List-Unsubscribe=One-Click',
    'List-Post: NO',
    '',
    'x',
  );
  const header = (id: string, what: string, mail: string, headers: Partial<ParsedMail['headers']>) =>
    odd(id, what, mail, { mail: { headers } });
  return [
    header(
      'M-24',
      'a name that looks like an address',
      lines('From: =?utf-8?Q?boss=40bank.com?= <a@evil.example>', '', ''),
      { from: [{ name: 'boss@bank.com', address: 'a@evil.example' }] },
    ),
    header(
      'M-27',
      'a Subject with NUL and half a pair',
      lines('Subject: a\x00b =?utf-16be?B?2D0=?=', '', ''),
      { subject: 'ab \ufffd' },
    ),
    header('T-01', 'a Date that is none', lines('Date: not a date', '', ''), {
      date: null,
      dateRaw: 'not a date',
      dateZone: null,
    }),
    header('T-03', 'a Date without a zone', lines('Date: Tue Jul 24 18:55:07 2007', '', ''), {
      date: '2007-07-24T18:55:07.000Z',
      dateZone: 'unknown',
    }),
    header('T-07', 'a Date in the year 9999', lines('Date: Fri, 31 Dec 9999 23:59:59 +0000', '', ''), {
      date: '9999-12-31T23:59:59.000Z',
    }),
    header(
      'own',
      'a thread',
      lines('Message-ID: <3@x>', 'In-Reply-To: <2@x>', 'References: <1@x>', ' <2@x>', '', ''),
      { messageId: '3@x', inReplyTo: ['2@x'], references: ['1@x', '2@x'] },
    ),
    header('RFC 2369', 'a mailing list', list, {
      list: {
        id: 'list.example.org',
        unsubscribe: ['mailto:off@example.org', 'https://example.org/off'],
        oneClick: true,
        post: [],
        help: null,
        subscribe: null,
        owner: null,
        archive: null,
      },
    }),
  ];
}
