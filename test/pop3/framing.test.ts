import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BodyFraming, LineFraming } from '../../lib/pop3/framing.ts';
import { leastWorkMs } from '../workMs.ts';

interface Framed {
  /** latin1; what a complete or incomplete body gave. */
  readonly content: string;
  readonly ended: boolean;
  /** A line began with one dot that was not its own stuffing. */
  readonly unstuffed: boolean;
  /** Bytes that are not the body's. */
  readonly rest: string;
}

/** The definition, written as plainly as possible: split at CRLF, stop at ".", drop one leading dot. */
function reference(bytes: string): Framed {
  const lines = bytes.split('\r\n');
  const unfinished = lines.pop() ?? '';
  let content = '';
  let isUnstuffed = false;
  for (const [index, line] of lines.entries()) {
    if (line === '.') {
      const rest = [...lines.slice(index + 1), unfinished].join('\r\n');
      return { content, ended: true, unstuffed: isUnstuffed, rest };
    }
    isUnstuffed ||= hasBareDot(line);
    content += `${withoutDot(line)}\r\n`;
  }
  // A dot, and a CR behind it, may still become the terminator.
  const certain = unfinished === '.' || unfinished === '.\r' ? '' : unfinished;
  isUnstuffed ||= hasBareDot(certain);
  return { content: content + withoutDot(certain), ended: false, unstuffed: isUnstuffed, rest: '' };
}

function hasBareDot(line: string): boolean {
  return line.startsWith('.') && !line.startsWith('..');
}

function withoutDot(line: string): string {
  return line.startsWith('.') ? line.slice(1) : line;
}

function frame(chunks: readonly string[]): Framed {
  const framing = new BodyFraming();
  let content = '';
  let rest = '';
  for (const chunk of chunks) {
    if (framing.ended) {
      rest += chunk;
      continue;
    }
    const bytes = Buffer.from(chunk, 'latin1');
    const before = Buffer.from(bytes);
    content += framing.push(bytes, 0).toString('latin1');
    rest += bytes.toString('latin1', framing.next);
    expect(bytes.equals(before), 'the chunk is not the framing’s to change').toBe(true);
  }
  return { content, ended: framing.ended, unstuffed: framing.unstuffed, rest };
}

function cut(text: string, at: readonly number[]): string[] {
  const edges = [0, ...[...at].sort((a, b) => a - b), text.length];
  return edges.slice(1).map((edge, index) => text.slice(edges[index], edge));
}

const HAZARDS: readonly {
  rows: string;
  name: string;
  wire: string;
  content: string;
  rest?: string;
  unstuffed?: true;
}[] = [
  { rows: 'L-01 R-21', name: 'an empty body', wire: '.\r\n', content: '' },
  { rows: 'R-01', name: 'one line', wire: 'a\r\n.\r\n', content: 'a\r\n' },
  {
    rows: 'R-02',
    name: 'a line that ends in a dot',
    wire: 'see you soon.\r\n.\r\n',
    content: 'see you soon.\r\n',
  },
  { rows: 'R-04', name: 'stuffed lines', wire: '..a\r\n...\r\n..\r\n.\r\n', content: '.a\r\n..\r\n.\r\n' },
  {
    rows: 'R-04',
    name: 'a dot that was not stuffed',
    wire: '.a\r\n.\r\n',
    content: 'a\r\n',
    unstuffed: true,
  },
  { rows: 'R-05', name: 'LF dot CRLF', wire: 'a\n.\r\nb\r\n.\r\n', content: 'a\n.\r\nb\r\n' },
  { rows: 'R-05', name: 'LF dot LF', wire: 'a\n.\nb\r\n.\r\n', content: 'a\n.\nb\r\n' },
  { rows: 'R-05', name: 'CR dot CR LF', wire: 'a\r.\r\nb\r\n.\r\n', content: 'a\r.\r\nb\r\n' },
  { rows: 'R-05', name: 'dot CR without LF', wire: '.\rx\r\n.\r\n', content: '\rx\r\n', unstuffed: true },
  { rows: 'R-05', name: 'dot CR CR LF', wire: '.\r\r\n.\r\n', content: '\r\r\n', unstuffed: true },
  { rows: 'R-05', name: 'dot CR dot', wire: '.\r.\r\n.\r\n', content: '\r.\r\n', unstuffed: true },
  { rows: 'R-05', name: 'dot LF', wire: '.\n.\r\n.\r\n', content: '\n.\r\n', unstuffed: true },
  { rows: 'R-08', name: 'blank lines at the end', wire: 'a\r\n\r\n\r\n.\r\n', content: 'a\r\n\r\n\r\n' },
  { rows: 'R-14', name: 'NUL and 8-bit bytes', wire: '\0\xff\r\n\0.\r\n.\r\n', content: '\0\xff\r\n\0.\r\n' },
  { rows: 'R-03', name: 'bytes behind the dot', wire: 'a\r\n.\r\n+OK', content: 'a\r\n', rest: '+OK' },
  { rows: 'R-03', name: 'a second terminator', wire: '.\r\n.\r\n', content: '', rest: '.\r\n' },
];

describe('a body', () => {
  it.each(HAZARDS)(
    'is the same at every split into two and three: $name ($rows)',
    ({ wire, content, rest = '', unstuffed = false }) => {
      const expected = { content, ended: true, unstuffed, rest };
      expect(reference(wire)).toEqual(expected);
      for (let first = 0; first <= wire.length; first++) {
        expect(frame(cut(wire, [first]))).toEqual(expected);
        for (let second = first; second <= wire.length; second++) {
          expect(frame(cut(wire, [first, second]))).toEqual(expected);
        }
      }
      expect(frame([...wire])).toEqual(expected);
    },
  );

  it.each(HAZARDS)('is not ended by any shorter prefix: $name ($rows)', ({ wire, rest = '' }) => {
    for (let length = 0; length < wire.length - rest.length; length++) {
      expect(frame([wire.slice(0, length)]).ended).toBe(false);
      expect(frame([...wire.slice(0, length)]).ended).toBe(false);
    }
  });

  it('is what the definition says, for any bytes in any chunks', () => {
    const hostile = fc.array(fc.constantFrom('\r', '\n', '.', 'a', '\r\n', '\r\n.', '\r\n..', '\0', '\xff'), {
      maxLength: 60,
    });
    const anything = fc
      .uint8Array({ maxLength: 200 })
      .map((bytes) => [Buffer.from(bytes).toString('latin1')]);
    const cuts = fc.array(fc.nat(240), { maxLength: 12 });
    fc.assert(
      fc.property(fc.oneof(hostile, anything), cuts, (parts, at) => {
        const wire = parts.join('');
        const chunks = cut(
          wire,
          at.map((place) => place % (wire.length + 1)),
        );
        expect(frame(chunks)).toEqual(reference(wire));
      }),
      { numRuns: 5000 },
    );
  });

  it('knows nothing of the bytes in a chunk before its own', () => {
    const framing = new BodyFraming();
    framing.push(Buffer.from('a'), 0);
    expect(framing.push(Buffer.from('\r\n'), 1).toString('latin1')).toBe('\n');
    framing.push(Buffer.from('.\r\n'), 0);
    expect(framing.ended).toBe(false);
  });

  it('gives the chunk itself where nothing has to be taken out of it', () => {
    const chunk = Buffer.from('ordinary\r\nlines\r\n', 'latin1');
    const content = new BodyFraming().push(chunk, 0);
    expect(content.buffer).toBe(chunk.buffer);
    expect(content.byteOffset).toBe(chunk.byteOffset);
  });

  it('passes 16 MB in chunks of one byte, and work per byte does not grow', () => {
    const bytes = 16 * 1024 * 1024;
    const framing = new BodyFraming();
    const chunk = Buffer.from('x');
    let passed = 0;
    for (let count = 0; count < bytes; count++) passed += framing.push(chunk, 0).length;
    expect(passed).toBe(bytes);
    expect(framing.ended).toBe(false);
  });

  it('costs about eight times as much when it is eight times as long, whatever the chunks', () => {
    for (const [line, size] of [
      ['..\r\n', 64 * 1024],
      ['a.\r\n', 7],
      ['x', 64 * 1024],
    ] as const) {
      // Quadratic work would be a factor of 64; the rest is what the machine's noise may add.
      const once = leastMs(line, size, 1 << 19);
      const more = leastMs(line, size, 8 << 19);
      expect(more).toBeLessThan(once * 32 + 5);
    }
  });
});

function leastMs(line: string, size: number, total: number): number {
  const chunk = Buffer.alloc(Math.ceil(size / line.length) * line.length, line);
  return leastWorkMs(() => {
    const framing = new BodyFraming();
    for (let passed = 0; passed < total; passed += chunk.length) framing.push(chunk, 0);
  });
}

describe('a line', () => {
  const lineOf = (chunks: readonly string[], max = 16) => {
    const framing = new LineFraming(max);
    for (const [index, chunk] of chunks.entries()) {
      const bytes = Buffer.from(chunk, 'latin1');
      const at = framing.push(bytes, 0);
      if (framing.line !== null || framing.tooLong) {
        const rest = chunk.slice(at) + chunks.slice(index + 1).join('');
        return {
          line: framing.line?.toString('latin1') ?? null,
          rest,
          tooLong: framing.tooLong,
          bareLf: framing.bareLf,
        };
      }
    }
    return { line: null, rest: '', tooLong: false, bareLf: framing.bareLf };
  };

  it.each([
    { wire: '+OK\r\n', line: '+OK', bareLf: false, rest: '' },
    { wire: '\r\n', line: '', bareLf: false, rest: '' },
    { wire: 'a\rb\r\nnext', line: 'a\rb', bareLf: false, rest: 'next' },
    { wire: 'a\nb\r\n.\r\n', line: 'a\nb', bareLf: true, rest: '.\r\n' },
    { wire: '\n\r\r\n', line: '\n\r', bareLf: true, rest: '' },
  ])('ends at CRLF at every split: case %#', ({ wire, line, bareLf, rest }) => {
    for (let first = 0; first <= wire.length; first++) {
      for (let second = first; second <= wire.length; second++) {
        expect(lineOf(cut(wire, [first, second]))).toEqual({ line, rest, tooLong: false, bareLf });
      }
    }
    expect(lineOf([...wire])).toMatchObject({ line, bareLf });
  });

  it('may have exactly its limit, and not one byte more', () => {
    expect(lineOf([`${'x'.repeat(16)}\r\n`]).line).toBe('x'.repeat(16));
    expect(lineOf([`${'x'.repeat(17)}\r\n`])).toMatchObject({ line: null, tooLong: true });
    expect(lineOf([...'x'.repeat(100)])).toMatchObject({ line: null, tooLong: true });
  });
});
