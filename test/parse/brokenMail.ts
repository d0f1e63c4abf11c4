/** Mail that breaks the rules as the wild breaks them, and is read all the same. */
import type { ParsedMail } from '../../lib/mail/documentShape.ts';
import { attached, HEAD, lines, mixed, named, type OddMail, odd, single, text } from './oddMail.ts';

export function brokenMail(): readonly OddMail[] {
  return [...headers(), ...unended(), ...charsets(), ...encodings(), ...parts(), ...answers(), ...reports()];
}

const AT = { name: null, address: 'a@b.c' };

function header(id: string, what: string, mail: string, found: Partial<ParsedMail['headers']>): OddMail {
  return odd(id, what, mail, { mail: { headers: found } });
}

function headers(): readonly OddMail[] {
  return [
    header('own', 'a byte order mark first', lines('\xef\xbb\xbfSubject: s', 'From: a@b.c', '', 'x'), {
      subject: 's',
      from: [AT],
    }),
    header(
      'own',
      'a byte order mark before a later field',
      lines('X: y', '\xef\xbb\xbfSubject: s', '', 'x'),
      {
        subject: 's',
      },
    ),
    odd('own', 'a byte order mark before the type', '\xef\xbb\xbfContent-Type: text/html\r\n\r\n<b>', {
      mail: { text: null, parts: [{ role: 'html' }] },
      contents: ['<b>'],
    }),
    header(
      'RFC 5322 4.5.3',
      'destinations in several fields, but one Subject',
      lines(
        'To: a@b.c',
        'Cc:',
        'To:',
        ' d@e.f',
        'Subject: one',
        'Cc: a@b.c',
        'Subject: two',
        'From: a@b.c',
        'From: x@y.z',
        '',
        '',
      ),
      { to: [AT, { name: null, address: 'd@e.f' }], cc: [AT], subject: 'one', from: [AT] },
    ),
    header(
      'bpo-35805',
      'identifiers folded into encoded words',
      lines(
        'Message-ID: =?utf-8?q?=3Cm=40x=3E?=',
        'References: <1@x>',
        ' =?utf-8?q?=3C2=40x=3E_?=',
        ' =?utf-8?q?=3C3=40x=3E?=',
        'In-Reply-To: =?utf-8?q?=3C3=40x=3E?=',
        '',
        '',
      ),
      { messageId: 'm@x', references: ['1@x', '2@x', '3@x'], inReplyTo: ['3@x'] },
    ),
    header(
      'own',
      'what looks like a word within an identifier',
      lines('Message-ID: <=?utf-8?Q?a?=@x>', '', ''),
      {
        messageId: '=?utf-8?Q?a?=@x',
      },
    ),
    header(
      'own',
      'a question mark within an encoded word',
      lines('Subject: =?utf-8?Q?what=3F_really??= =?utf-8?Q?_yes?=', '', ''),
      {
        subject: 'what? really? yes',
      },
    ),
    header('own', 'GB18030 that is labelled GB2312', lines('Subject: =?gb2312?B?gTCJOA==?=', '', ''), {
      subject: 'ß',
    }),
    header(
      'own',
      'a quote that does not close',
      lines('From: "Ada <a@b.c>', 'To: Ada \\"A\\" <a@b.c>, a@b.c', '', ''),
      {
        from: [{ name: 'Ada', address: 'a@b.c' }],
        to: [{ name: 'Ada \\A"', address: 'a@b.c' }, AT],
      },
    ),
  ];
}

function unended(): readonly OddMail[] {
  const head = lines('Subject: s', 'From: a@b.c');
  const part = (header: string) => lines('--b', header);
  const mail = (id: string, what: string, bytes: string, found: string, contents: readonly string[] = []) =>
    odd(id, what, bytes, { mail: { text: found, warnings: [] }, contents });
  return [
    mail('own', 'text at once behind the header', `${head}\r\nHello,\r\nit burns\r\n`, 'Hello,\nit burns\n'),
    mail('own', 'blanks in the empty line', `${head}\r\n  \r\nHello\r\n`, 'Hello\n'),
    mail(
      'own',
      'each line ends in CR CR LF',
      `${head}\r\n\r\nHello\r\n`.replaceAll('\r\n', '\r\r\n'),
      '\n\nHello\n\n',
    ),
    mail('own', 'no header at all', 'Hello there', 'Hello there'),
    mail(
      'own',
      'no header at all, behind the line of an mbox',
      'From a@b.c Mon Nov 23 09:00:00 2026\nHello there\n',
      'Hello there\n',
    ),
    odd('own', 'a header that is all of it, and odd', 'Subject: s\r\n folded\r\nX-\xe9: y\r\n', {
      mail: { text: '', headers: { subject: 's folded' } },
    }),
    mail(
      'own',
      'parts whose headers run into what they hold',
      lines(
        `${HEAD}Content-Type: multipart/mixed; boundary=b`,
        '',
        part('one'),
        part('Content-Type: text/plain'),
        'two',
        part(''),
        'three',
        '--b--',
        '',
      ),
      'one\ntwo\nthree',
    ),
    mail(
      'own',
      'parts within parts, without any empty line',
      lines(
        `${HEAD}Content-Type: multipart/mixed; boundary=b`,
        'preamble',
        part('Content-Type: multipart/mixed; boundary=c'),
        '.',
        '--c',
        'Content-Type: image/png',
        '.PNG',
        '--c',
        'one',
        '--c--',
        part('two'),
        '--b--',
      ),
      'one\ntwo',
      ['.PNG'],
    ),
    odd(
      'own',
      'lines that are no fields in a header that ends',
      lines('Content-Type: text/plain;', 'charset=utf-8', 'Subject: s', '', 'Hello'),
      { mail: { text: 'Hello', headers: { subject: 's' } } },
    ),
    odd(
      'M-06',
      'such parts, too many and too deep',
      () => `${'Content-Type: multipart/mixed; boundary=b\r\n.\r\n--b\r\n'.repeat(2_000)}x`,
      {
        code: 'E_PARSE_PARTS',
      },
    ),
  ];
}

function charsets(): readonly OddMail[] {
  const guessed = [{ code: 'charset', part: '1' }] as const;
  const label = (
    what: string,
    charset: string,
    bytes: string,
    found: string,
    is: readonly [] | typeof guessed = guessed,
  ) => text('own', what, single(`text/plain; charset=${charset}`, bytes), found, [...is]);
  return [
    label('UTF-8 with its mark', 'utf-8', '\xef\xbb\xbfcaf\xc3\xa9', 'café', []),
    label('UTF-8 that is called ASCII', 'us-ascii', 'caf\xc3\xa9', 'café'),
    label('what Windows wrote, called ASCII', 'US-ASCII', 'caf\xe9 \x96', 'café –'),
    label('ASCII', 'ascii', 'a+b~c', 'a+b~c', []),
    label('octets of which nobody knows what they are', 'unknown-8bit', 'caf\xe9', 'café'),
    label('the same, and UTF-8', 'x-user-defined', 'caf\xc3\xa9', 'café'),
    label('HZ', 'hz-gb-2312', '~{<:Ky2;~}~~hi~\n!~{<:\nhi', '己所不~hi!己\nhi', []),
    label('ISO-2022-KR', 'iso-2022-kr', '\x1b$)C\x0eGQ1[\x0f hi \x0eGQ\nhi', '한글 hi 한\nhi', []),
    label('ISO-2022-KR that is cut off', 'iso-2022-kr', '\x1b$)C\x0eG', '\ufffd'),
    label('ISO-2022-CN, which nothing reads', 'iso-2022-cn', '\x1b$)A\x0e=;\x0f', '$)A=;'),
    label('GB18030 that is called GB2312', 'gb2312', '\xc4\xe3\x81\x30\x89\x38', '你ß', []),
  ];
}

function encodings(): readonly OddMail[] {
  const encoded = (encoding: string, body: string, found: string) =>
    odd(
      'own',
      `an encoding written ${encoding}`,
      attached(`Content-Type: image/png\r\nContent-Transfer-Encoding: ${encoding}`, body),
      {
        mail: { parts: [{}, { type: 'image/png' }] },
        contents: [found],
      },
    );
  return [
    encoded('base64;', 'UE5H', 'PNG'),
    encoded('"Base64"', 'UE5H', 'PNG'),
    encoded('quoted-printable; x=y', 'P=4eG', 'PNG'),
    encoded('base64x', 'UE5H', 'UE5H'),
    encoded('x-base64', 'UE5H', 'UE5H'),
  ];
}

function parts(): readonly OddMail[] {
  const role = (id: string, what: string, fields: string, found: Partial<ParsedMail['parts'][number]>) =>
    odd(id, what, attached(fields), { mail: { parts: [{}, found] } });
  return [
    odd('RFC 2045 5.2', 'a type without a subtype', single('text', 'hello'), { mail: { text: 'hello' } }),
    odd('own', 'parameters behind a blank', single('text/html charset=utf-8', '<b>'), {
      mail: { parts: [{ role: 'html', type: 'text/html' }] },
    }),
    odd('own', 'parameters behind a comma', single('text/plain, charset=utf-8', 'x'), {
      mail: { text: 'x', parts: [{ role: 'text', type: 'text/plain' }] },
    }),
    role(
      'RFC 2183 2.8',
      'a disposition that nobody knows',
      'Content-Type: text/plain\r\nContent-Disposition: form-data',
      {
        role: 'attachment',
        disposition: 'form-data',
      },
    ),
    role('own', 'an empty disposition', 'Content-Type: text/html\r\nContent-Disposition:', { role: 'html' }),
    odd('own', 'a file alone, of no type', single('application/octet-stream; name=a.html', '<b>'), {
      mail: { text: null, parts: [{ role: 'attachment', type: 'application/octet-stream', name: 'a.html' }] },
    }),
    odd(
      'RFC 8551 3.10',
      'S/MIME by its name',
      single('application/octet-stream; name=smime.p7m', 'MIIB', 'base64'),
      {
        mail: { smime: 'unknown' },
      },
    ),
    odd(
      'own',
      'a boundary in text',
      lines(`${HEAD}Content-Type: text/plain; boundary=b`, '', '--b', '', 'one'),
      {
        mail: { warnings: [{ code: 'unclosed', part: null }] },
      },
    ),
    named(
      'M-10',
      'a device with a blank',
      'Content-Disposition: attachment; filename="con .txt"',
      '_con .txt',
      'con .txt',
    ),
    named(
      'M-10',
      'a device of another digit',
      "Content-Disposition: attachment; filename*=utf-8''LPT%C2%B9.txt",
      '_LPT¹.txt',
      'LPT¹.txt',
    ),
    odd(
      'own',
      'a part of no octets and one of a line end',
      mixed('Content-Type: image/png\r\n\r\n', 'Content-Type: image/png\r\n\r\n\r\n'),
      {
        mail: {},
        contents: ['', '\r\n'],
      },
    ),
  ];
}

function answers(): readonly OddMail[] {
  const kind = (id: string, fields: string, is: ParsedMail['kind']) =>
    odd(id, fields, `${fields}\r\n\r\nx`, { mail: { kind: is } });
  return [
    kind('RFC 3834', 'Auto-Submitted: "auto-replied"', 'auto-generated'),
    kind('RFC 3834', 'Auto-Submitted:', 'auto-generated'),
    kind('RFC 3834', 'Auto-Submitted: auto-replied, auto-generated', 'auto-reply'),
    kind('RFC 3834', 'Auto-Submitted: (by a rule) auto-replied', 'auto-reply'),
    kind('RFC 3834', 'Auto-Submitted: (by hand) no', 'mail'),
    kind('own', 'X-Autoreply: no', 'mail'),
    kind('own', 'X-Autoreply-From: a@b.c', 'auto-reply'),
    kind('own', 'X-Auto-Reply: yes', 'auto-reply'),
    kind('own', 'Precedence: auto-reply', 'auto-reply'),
    kind('own', 'Precedence: bulk', 'mail'),
    kind('MS-OXCMAIL', 'X-Auto-Response-Suppress: DR, OOF, AutoReply', 'auto-generated'),
    kind('MS-OXCMAIL', 'X-Auto-Response-Suppress: DR, RN', 'mail'),
    kind('own', 'From: MAILER-DAEMON@mx.example.org\r\nSubject: failure notice', 'bounce'),
    kind('own', 'From: MAILER-DAEMON <ada@example.org>', 'mail'),
  ];
}

function reports(): readonly OddMail[] {
  const report = (what: string, type: string, part: string, found: Parameters<typeof odd>[3]) =>
    odd(
      'own',
      what,
      lines(`${HEAD}Content-Type: ${type}; boundary=b`, '', '--b', '', 'words', '--b', part, '--b--', ''),
      found,
    );
  const status = (...fields: readonly string[]) =>
    lines(
      'Content-Type: message/delivery-status',
      '',
      'Reporting-MTA: dns; mx',
      '',
      'Final-Recipient: rfc822; a@b.c',
      ...fields,
    );
  const read = lines(
    'Content-Type: message/disposition-notification',
    '',
    'Original-Message-ID: <m@x>',
    'Disposition: x; displayed',
  );
  return [
    report('a bounce that does not say what report it is', 'multipart/report', status('Action: failed'), {
      mail: { kind: 'bounce', report: { type: 'delivery-status' } },
    }),
    report('a read report that does not', 'multipart/report', read, {
      mail: { kind: 'read-report', report: { type: 'disposition-notification', originalMessageId: 'm@x' } },
    }),
    report('a read report in a multipart/mixed', 'multipart/mixed', read, { mail: { kind: 'read-report' } }),
    report(
      'a complaint that does not',
      'multipart/report',
      'Content-Type: message/feedback-report\r\n\r\nFeedback-Type: abuse',
      {
        mail: { kind: 'complaint', report: { type: 'feedback-report' } },
      },
    ),
    report(
      'a status of no recipient among other parts',
      'multipart/mixed',
      'Content-Type: message/delivery-status\r\n\r\nX: y',
      {
        mail: { kind: 'mail', report: null },
      },
    ),
    report(
      'a failure without an action',
      'multipart/report; report-type=delivery-status',
      status('Status: 5.1.1'),
      {
        mail: { kind: 'bounce' },
      },
    ),
    report(
      'a failure in other words',
      'multipart/report; report-type=delivery-status',
      status('Action: failure'),
      {
        mail: { kind: 'bounce' },
      },
    ),
    report(
      'a delay without an action',
      'multipart/report; report-type=delivery-status',
      status('Status: 4.4.7'),
      {
        mail: { kind: 'delivery-report' },
      },
    ),
  ];
}
