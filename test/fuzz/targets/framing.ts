import assert from 'node:assert/strict';
import { BodyFraming, LineFraming } from '../../../lib/pop3/framing.ts';
import { chunked, seedsOf } from '../chunking.ts';
import { type BodyTold, bodyOf, type LineTold, lineOf } from '../references.ts';
import type { Target } from '../target.ts';

/** Small, so that lines over the limit are short as well. */
const MAX_LINE_BYTES = 24;

/** Lines and bodies are what the reference says, whatever the bytes and however they are cut. */
export const framing: Target = {
  name: 'framing',
  seeds: seedsOf(
    '.\r\n',
    'a\r\n..b\r\n.\r\n+OK\r\n',
    'a\n.\r\nb\r.\r\n.\rc\r\n.\r\n',
    '\0\xff\r\n..\r\n...\r\n.\r',
    `${'x'.repeat(40)}\r\n${'y'.repeat(24)}\r\n`,
  ),
  words: [
    '\r\n.\r\n',
    '\r\n..',
    '\r\n.',
    '.\r\n',
    '.\r',
    '\r\n',
    '\r',
    '\n',
    '.',
    '..',
    '\r\r\n',
    '\0',
    '\xff',
  ],
  run(bytes) {
    const { whole, chunks } = chunked(bytes);
    const wire = whole.toString('latin1');
    assert.deepEqual(framedBody(chunks), bodyOf(wire));
    assert.deepEqual(framedLines(chunks), linesOf(wire));
    assert.equal(whole.toString('latin1'), wire, 'the framing changed a chunk');
  },
};

function framedBody(chunks: readonly Buffer[]): BodyTold {
  const framing = new BodyFraming();
  let [content, rest] = ['', ''];
  for (const chunk of chunks) {
    if (framing.ended) {
      rest += chunk.toString('latin1');
      continue;
    }
    content += framing.push(chunk, 0).toString('latin1');
    rest += chunk.toString('latin1', framing.next);
  }
  return { content, ended: framing.ended, rest };
}

type Line = Omit<LineTold, 'rest'>;

/** All lines, up to one that is too long, and what is left behind the last. */
function framedLines(chunks: readonly Buffer[]): readonly Line[] {
  const framing = new LineFraming(MAX_LINE_BYTES);
  const lines: Line[] = [];
  let open = false;
  for (const chunk of chunks) {
    for (let at = 0; at < chunk.length; ) {
      at = framing.push(chunk, at);
      const { line, tooLong, bareLf } = framing;
      open = line === null;
      if (!open || tooLong) lines.push({ line: line?.toString('latin1') ?? null, tooLong, bareLf });
      if (tooLong) return lines;
    }
  }
  if (open) lines.push({ line: null, tooLong: false, bareLf: framing.bareLf });
  return lines;
}

function linesOf(wire: string): readonly Line[] {
  const lines: Line[] = [];
  for (let left = wire; left !== ''; ) {
    const { rest, ...line } = lineOf(left, MAX_LINE_BYTES);
    lines.push(line);
    if (line.line === null) break;
    left = rest;
  }
  return lines;
}
