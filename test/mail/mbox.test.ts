/** What is quoted for an mbox can be undone, byte for byte, however the message comes in. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromLine, MboxQuoting } from '../../lib/mail/mbox.ts';

function quoted(chunks: readonly Uint8Array[]): Buffer {
  const quoting = new MboxQuoting();
  return Buffer.concat([...chunks.map((chunk) => quoting.update(chunk)), quoting.end()]);
}

/** As the rule is written, on the whole at once. */
function byRule(text: string): string {
  const body = text === '' || text.endsWith('\n') ? text : `${text}\n`;
  return `${body.replace(/^(>*From )/gm, '>$1')}\n`;
}

const undone = (text: string) => text.replace(/^>(>*From )/gm, '$1');

/** Text that is nearly always about to be "From ". */
const pieces = fc.array(
  fc.constantFrom(
    'From ',
    'From',
    'F',
    'Fro',
    'm ',
    '>',
    '>>>',
    '\n',
    '\r\n',
    'x',
    ' ',
    'From x\r\n',
    '\xff',
  ),
  { maxLength: 30 },
);
const cuts = fc.array(fc.nat({ max: 120 }), { maxLength: 8 });

function cut(bytes: Buffer, at: readonly number[]): Buffer[] {
  const places = [...new Set([0, ...at.map((one) => Math.min(one, bytes.length)), bytes.length])].sort(
    (a, b) => a - b,
  );
  return places.slice(1).map((end, index) => bytes.subarray(places[index], end));
}

describe('quoting for an mbox', () => {
  it('is that of the rule, however the message is cut', () => {
    fc.assert(
      fc.property(pieces, cuts, (parts, at) => {
        const text = parts.join('');
        const bytes = Buffer.from(text, 'latin1');
        expect(quoted(cut(bytes, at)).toString('latin1')).toBe(byRule(text));
      }),
      { numRuns: 500 },
    );
  });

  it('can be undone, whatever the bytes', () => {
    const ended = fc
      .uint8Array({ maxLength: 200 })
      .map((bytes) => Buffer.concat([bytes, Buffer.from('\r\n')]));
    fc.assert(
      fc.property(ended, pieces, cuts, (bytes, parts, at) => {
        const message = Buffer.concat([bytes, Buffer.from(`${parts.join('')}\n`, 'latin1')]);
        // JavaScript's "m" flag takes a lone CR for the end of a line, and mboxes do not.
        fc.pre(!/\r(?!\n)/.test(message.toString('latin1')));
        const text = quoted(cut(message, at)).toString('latin1');
        expect(undone(text)).toBe(`${message.toString('latin1')}\n`);
        expect(text).not.toMatch(/^From /m);
      }),
      { numRuns: 300 },
    );
  });

  it('takes no CR alone for the end of a line, and changes none', () => {
    expect(quoted([Buffer.from('a\rFrom b\r\n')]).toString()).toBe('a\rFrom b\r\n\n');
  });

  it('holds nothing back of a line of quotes, however long', () => {
    const quoting = new MboxQuoting();
    const run = Buffer.alloc(1_000_000, '>');
    expect(quoting.update(run)).toHaveLength(run.length);
    expect(quoting.update(Buffer.from('From x\n')).toString()).toBe('>From x\n');
    expect(quoting.end().toString()).toBe('\n');
  });

  it('ends a last line that has no end, and an empty message', () => {
    expect(quoted([Buffer.from('Fro')]).toString()).toBe('Fro\n\n');
    expect(quoted([]).toString()).toBe('\n');
  });
});

describe('the line before a message', () => {
  const atMs = Date.parse('2026-11-05T04:03:02.999Z');
  const cases = [
    ['Return-Path: <ada@example.org>\r\n\r\n', 'ada@example.org'],
    ['return-path:bob@example.org\n\n', 'bob@example.org'],
    ['Received: x\r\nReturn-Path:\r\n <folded@example.org>\r\n\r\n', 'folded@example.org'],
    ['Return-Path: <>\r\n\r\n', 'MAILER-DAEMON'],
    ['Subject: none\r\n\r\nReturn-Path: <body@example.org>\r\n', 'MAILER-DAEMON'],
    ['Return-Path: <two words@example.org>\r\n\r\n', 'MAILER-DAEMON'],
    ['Return-Path: <a@b>\x07\r\n\r\n', 'MAILER-DAEMON'],
    [`Return-Path: <${'x'.repeat(300)}@example.org>\r\n\r\n`, 'MAILER-DAEMON'],
    ['', 'MAILER-DAEMON'],
  ] as const;
  it.each(cases)('says who sent %j, and when it was stored', (header, sender) => {
    expect(fromLine(Buffer.from(header), atMs)).toBe(`From ${sender} Thu Nov  5 04:03:02 2026\n`);
  });
});
