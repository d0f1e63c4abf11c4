/** Work grows with the input and no faster, for whatever the fuzzer found worth keeping, said over and over. */
import { describe, expect, it } from 'vitest';
import { HeaderBlock } from '../../lib/fetch/headerBlock.ts';
import { summarize } from '../../lib/mail/headers.ts';
import { escapeBytes } from '../../lib/pop3/escape.ts';
import { BodyFraming } from '../../lib/pop3/framing.ts';
import { Listing } from '../../lib/pop3/listing.ts';
import { parseRow, parseStatus } from '../../lib/pop3/replies.ts';
import { readCorpus } from './corpus.ts';
import { TARGETS } from './targets/all.ts';

const KiB = 1024;

/** So short that neither the collector nor another process comes between, and long enough that quadratic work shows. */
const CASES: readonly { corpus: string; bytes: number; work: (bytes: Buffer) => unknown }[] = [
  { corpus: 'framing', bytes: 8 * KiB, work: (bytes) => new BodyFraming().push(bytes, 0) },
  { corpus: 'framing', bytes: 8 * KiB, work: (bytes) => inPiecesOf(3, bytes, new BodyFraming()) },
  { corpus: 'headerBlock', bytes: 8 * KiB, work: (bytes) => new HeaderBlock().update(bytes) },
  { corpus: 'headers', bytes: 8 * KiB, work: summarize },
  {
    corpus: 'replies',
    bytes: 8 * KiB,
    work: (bytes) => new Listing({ lineBytes: 1100, rows: 9 }, () => {}).push(bytes),
  },
  {
    corpus: 'replies',
    bytes: 8 * KiB,
    work: (bytes) => [parseStatus(bytes), parseRow(bytes), escapeBytes(bytes)],
  },
];

function inPiecesOf(size: number, bytes: Buffer, framing: BodyFraming): void {
  for (let at = 0; at < bytes.length && !framing.ended; at += size)
    framing.push(bytes.subarray(at, at + size), 0);
}

/** Twice is linear; four times would be quadratic. */
const MOST = 3;

/** Added to both sides: a factor says nothing of microseconds. */
const NOISE_MS = 0.1;

/** So many pairs are measured before a factor is believed to be too large; far fewer where it is clearly not. */
const PAIRS = 40;
const FEW = 5;

/** How many times as long `twice` takes as `once`: by the median pair, or by the fastest of each, if that is less. */
function factor(once: Buffer, twice: Buffer, work: (bytes: Buffer) => unknown): number {
  const pairs: { readonly single: number; readonly double: number }[] = [];
  const told = () =>
    Math.min(
      median(pairs.map(({ single, double }) => double / single)),
      Math.min(...pairs.map(({ double }) => double)) / Math.min(...pairs.map(({ single }) => single)),
    );
  while (pairs.length < FEW || (told() >= MOST && pairs.length < PAIRS)) {
    // One behind the other, so that whatever slows the machine slows both.
    const single = elapsedMs(() => work(once)) + NOISE_MS;
    pairs.push({ single, double: elapsedMs(() => work(twice)) + NOISE_MS });
  }
  return told();
}

function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.POSITIVE_INFINITY;
}

/** Of three. */
function elapsedMs(work: () => unknown): number {
  const times = [1, 2, 3].map(() => {
    const began = performance.now();
    work();
    return performance.now() - began;
  });
  return Math.min(...times);
}

describe('twice the input takes less than three times as long', () => {
  it.each(CASES)('$corpus, $bytes bytes: case %#', ({ corpus, bytes, work }) => {
    const seeds = TARGETS.find(({ name }) => name === corpus)?.seeds ?? [];
    for (const input of [...seeds, ...readCorpus(corpus)]) {
      if (input.length === 0) continue;
      const [once, twice] = [Buffer.alloc(bytes, input), Buffer.alloc(2 * bytes, input)];
      expect(factor(once, twice, work), input.toString('base64')).toBeLessThan(MOST);
    }
  });
});
