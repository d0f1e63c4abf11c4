import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { HeaderBlock } from '../../../lib/fetch/headerBlock.ts';
import { chunked, seedsOf } from '../chunking.ts';
import { headerBlockOf } from '../references.ts';
import type { Target } from '../target.ts';

/** The hash that a DELE may rest on is that of the bytes before the first empty line, however they arrive. */
export const headerBlock: Target = {
  name: 'headerBlock',
  seeds: seedsOf(
    'a: b\r\nc: d\r\n\r\nbody\r\n',
    'a: b\n\nbody',
    '\r\nbody',
    'a\r\r\n\r\r\nb',
    'no end\r',
    '\r',
    '',
  ),
  words: ['\r\n', '\r', '\n', '\r\r\n', '\n\n', '\r\n\r\n', 'a: b', ' ', '\0'],
  run(bytes) {
    const { whole, chunks } = chunked(bytes);
    const block = new HeaderBlock();
    for (const chunk of chunks) {
      // Chunks are valid only during the call, so the next one overwrites this one.
      const lent = Buffer.from(chunk);
      block.update(lent);
      lent.fill('!');
    }
    const expected = Buffer.from(headerBlockOf(whole.toString('latin1')), 'latin1');
    assert.equal(block.hash(), createHash('sha256').update(expected).digest('hex').slice(0, 32));
    assert.deepEqual(block.kept(), expected);
  },
};
