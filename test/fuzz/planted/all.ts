import assert from 'node:assert/strict';
import { chunked, seedsOf } from '../chunking.ts';
import { checkPrototypes } from '../prototypes.ts';
import { bodyOf } from '../references.ts';
import type { Target } from '../target.ts';
import { bodyByChunk, endless, magic, merge } from './parsers.ts';

/** What the fuzzer must find, to be believed when it finds nothing. */
export const PLANTED: readonly Target[] = [
  {
    name: 'planted-terminator',
    seeds: seedsOf('a\r\n..b\r\n.\r\n').slice(0, 1),
    words: ['\r\n', '.'],
    run(bytes) {
      const { whole, chunks } = chunked(bytes);
      const { content, ended, rest } = bodyOf(whole.toString('latin1'));
      if (ended && rest === '') assert.equal(bodyByChunk(chunks), content);
    },
  },
  {
    name: 'planted-magic',
    seeds: [Buffer.from('{"v": 1}')],
    words: ['v'],
    run: magic,
  },
  {
    name: 'planted-pollution',
    json: true,
    seeds: [Buffer.from('{"store": {"folder": "x"}}')],
    words: ['x'],
    run(bytes) {
      let value: unknown;
      try {
        value = JSON.parse(bytes.toString('utf8'));
      } catch {
        return;
      }
      merge({ store: {} }, value);
      checkPrototypes();
    },
  },
  {
    name: 'planted-endless',
    seeds: [Buffer.from('a(\x02)b')],
    words: ['('],
    run: (bytes) => void endless(bytes),
  },
];
