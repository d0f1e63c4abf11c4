/** The mail of `npm run demo`: a dozen messages, each with something that a careless client gets wrong. */
import { randomBytes } from 'node:crypto';
import { generatedMail, mail, type ScriptedMessage } from '../test/servers/scripted.ts';

export interface DemoMessage {
  readonly what: string;
  readonly message: ScriptedMessage;
}

function headers(number: number, subject: string, more = ''): string {
  return [
    `From: Ada Lovelace <ada${number}@example.org>`,
    'To: support@example.org',
    `Subject: ${subject}`,
    `Date: Tue, 24 Nov 2026 09:${String(number).padStart(2, '0')}:00 +0000`,
    `Message-ID: <demo-${number}@example.org>`,
    `${more}\r\n`,
  ].join('\r\n');
}

const utf8 = (text: string) => Buffer.from(text, 'utf8');

function withAttachment(number: number): string {
  const lines =
    randomBytes(30_000)
      .toString('base64')
      .match(/.{1,76}/g) ?? [];
  const type = 'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="edge"\r\n';
  return [
    `${headers(number, 'Invoice attached', type)}--edge`,
    'Content-Type: text/plain\r\n\r\nPlease find it attached.\r\n--edge',
    'Content-Type: application/pdf; name="invoice.pdf"',
    'Content-Disposition: attachment; filename="invoice.pdf"',
    `Content-Transfer-Encoding: base64\r\n\r\n${lines.join('\r\n')}\r\n--edge--\r\n`,
  ].join('\r\n');
}

/** Subjects are our own; nothing is quoted from real mail. */
export function demoMail(): readonly DemoMessage[] {
  const body = (number: number, subject: string, text: string, more = '') =>
    utf8(`${headers(number, subject, more)}${text}\r\n`);
  const messages: readonly [string, Buffer | string][] = [
    ['a plain ticket', body(1, 'The printer is on fire', 'Hello,\r\nthe printer is on fire.')],
    [
      'an encoded subject',
      body(
        2,
        '=?UTF-8?B?R3LDvMOfZSBhdXMgS8O2bG4g8J+YgA==?=',
        'Schöne Grüße!',
        'Content-Type: text/plain; charset=utf-8\r\n',
      ),
    ],
    ['a raw UTF-8 subject', body(3, 'Bestellung für 東京', 'こんにちは')],
    ['lines of dots', body(4, 'Dots', '.\r\n..\r\n...\r\n.hidden\r\n.\r\nafter the dots')],
    ['a forged reply inside', body(5, 'Not the end', 'text\r\n.\r\n+OK 1 messages\r\n-ERR no such message')],
    ['an attachment', withAttachment(6)],
    ['bare line feeds', body(7, 'From an old script', 'one\ntwo\n.three\n')],
    [
      '8-bit bytes and NUL',
      Buffer.concat([
        utf8(headers(8, 'Bytes')),
        Buffer.from(Array.from({ length: 256 }, (_, at) => (at === 10 || at === 13 ? 32 : at))),
      ]),
    ],
    ['no headers at all', '\r\nonly a body\r\n'],
    ['an empty message', ''],
  ];
  return [
    ...messages.map(([what, content], at) => ({ what, message: mail(`demo-${at + 1}`, content) })),
    { what: '300 kB', message: generatedMail('demo-11', 300_000) },
    { what: '9 MB, stored in pieces as it arrives', message: generatedMail('demo-12', 9_000_000) },
  ];
}
