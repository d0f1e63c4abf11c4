import { describe, expect, it } from 'vitest';
import { MAX_DEPTH, MAX_HEADER_BYTES, MAX_PARTS, UnparsableError } from '../../lib/mail/parseLimits.ts';
import { Structure } from '../../lib/mail/structure.ts';
import { leastWorkMs } from '../workMs.ts';

function scanned(text: string, chunkBytes = 64 * 1024): Structure {
  const bytes = Buffer.from(text, 'latin1');
  const structure = new Structure();
  for (let at = 0; at < bytes.length; at += chunkBytes) structure.update(bytes.subarray(at, at + chunkBytes));
  structure.end();
  return structure;
}

function verdict(text: string, chunkBytes?: number): string {
  try {
    const { hasBody, unclosed } = scanned(text, chunkBytes);
    return `${hasBody ? 'body' : 'no body'}, ${unclosed ? 'unclosed' : 'closed'}`;
  } catch (error) {
    if (error instanceof UnparsableError) return error.code;
    throw error;
  }
}

const multipart = (boundary: string) => `Content-Type: multipart/mixed; boundary=${boundary}\r\n\r\n`;
const nested = (depth: number) =>
  Array.from({ length: depth }, (_, at) => `${multipart(`b${at}`)}--b${at}\r\n`).join('');
const siblings = (count: number) => `${multipart('b')}${'--b\r\n\r\nx\r\n'.repeat(count)}--b--\r\n`;

describe('the skeleton of a message', () => {
  it.each([
    ['as many parts as may be', siblings(MAX_PARTS - 1), 'body, closed'],
    ['one more', siblings(MAX_PARTS), 'E_PARSE_PARTS'],
    ['as deep as may be', nested(MAX_DEPTH), 'body, unclosed'],
    ['one deeper', nested(MAX_DEPTH + 1), 'E_PARSE_DEPTH'],
    [
      'multiparts one after another are not deep',
      `${multipart('b')}${`--b\r\n${multipart('c')}--c\r\n\r\nx\r\n--c--\r\n`.repeat(200)}--b--\r\n`,
      'body, closed',
    ],
    ['a header as large as may be', `X: ${'x'.repeat(MAX_HEADER_BYTES - 7)}\r\n\r\n`, 'no body, closed'],
    ['one octet more', `X: ${'x'.repeat(MAX_HEADER_BYTES - 6)}\r\n\r\n`, 'E_PARSE_HEADERS'],
    ['bare line feeds', siblings(MAX_PARTS).replaceAll('\r', ''), 'E_PARSE_PARTS'],
    ['blanks behind the boundary', siblings(MAX_PARTS).replaceAll('--b\r', '--b \t \r'), 'E_PARSE_PARTS'],
    [
      'a comment in the Content-Type',
      `Content-Type: multipart/mixed; boundary=b (c)\r\n\r\n${'--b\r\n\r\n'.repeat(MAX_PARTS)}`,
      'E_PARSE_PARTS',
    ],
    [
      'a folded Content-Type',
      `Content-Type: multipart/mixed;\r\n\tboundary="b"\r\n\r\n${'--b\r\n\r\n'.repeat(MAX_PARTS)}`,
      'E_PARSE_PARTS',
    ],
    [
      'a boundary in RFC 2231',
      `Content-Type: multipart/mixed; boundary*0=b; boundary*1=c\r\n\r\n${'--bc\r\n\r\n'.repeat(MAX_PARTS)}`,
      'E_PARSE_PARTS',
    ],
    [
      'parts behind the end are none',
      `${multipart('b')}--b--\r\n${'--b\r\n\r\n'.repeat(MAX_PARTS)}`,
      'body, closed',
    ],
    ['nothing', '', 'no body, closed'],
  ])('%s', (_what, text, expected) => {
    expect(verdict(text)).toBe(expected);
    // In whatever pieces it comes.
    for (const chunkBytes of [1, 3, 1000]) expect(verdict(text, chunkBytes)).toBe(expected);
  });

  it.each([
    ['one long line', (length: number) => `\r\n${'x'.repeat(length)}`],
    ['lines of dashes', (length: number) => `${nested(60)}\r\n${'--\r\n'.repeat(length / 4)}`],
    ['blanks', (length: number) => `${multipart('b')}--${' '.repeat(length)}x\r\n`],
    ['empty lines', (length: number) => `\r\n${'\n'.repeat(length)}`],
  ])('costs twice the time for twice the octets: %s', (_what, make) => {
    const [half, whole] = [make(500_000), make(1_000_000)];
    expect(leastWorkMs(() => scanned(whole))).toBeLessThan(3.5 * leastWorkMs(() => scanned(half)) + 10);
  });
});
