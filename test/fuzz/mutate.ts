import { mutatedJson } from './mutateJson.ts';
import type { Random } from './random.ts';
import { MAX_INPUT_BYTES, type Target } from './target.ts';

/** At most 2 to this power changes at once: most inputs stay near their parent, some go far. */
const STACKED_POWER = 4;

/** How often one piece may be said over. */
const REPEATS = 64;
const REPEATED_BYTES = 16;

const EDGES = [0x00, 0x09, 0x0a, 0x0d, 0x20, 0x22, 0x2e, 0x30, 0x39, 0x7f, 0x80, 0xff];

/** A changed copy of one of `corpus`, which has at least one; those found last have gone farthest, and come oftener. */
export function mutated(target: Target, corpus: readonly Buffer[], random: Random): Buffer {
  const at = Math.max(random.below(corpus.length), random.below(corpus.length));
  const parent = corpus[at] ?? random.pick(corpus);
  if (target.json && random.below(2) === 0) return mutatedJson(parent, random).subarray(0, MAX_INPUT_BYTES);
  let bytes = parent;
  for (let left = 2 ** random.below(STACKED_POWER + 1); left > 0; left -= 1) {
    bytes = changed(bytes, { target, corpus, random });
  }
  return bytes.subarray(0, MAX_INPUT_BYTES);
}

interface Means {
  readonly target: Target;
  readonly corpus: readonly Buffer[];
  readonly random: Random;
}

/** Always a copy. */
function changed(bytes: Buffer, { target, corpus, random }: Means): Buffer {
  const at = random.below(bytes.length + 1);
  const length = lengthWithin(bytes.length - at, random);
  const piece = bytes.subarray(at, at + length);
  switch (random.below(11)) {
    case 0:
      return withByte(bytes, at, (byte) => byte ^ (1 << random.below(8)));
    case 1:
      return withByte(bytes, at, () => random.pick(EDGES));
    case 2:
      return withByte(bytes, at, () => random.below(256));
    case 3:
      return withByte(bytes, at, (byte) => byte + random.below(9) - 4);
    case 4:
      return replaced(bytes, at, length, Buffer.alloc(0));
    case 5:
      return replaced(bytes, random.below(bytes.length + 1), 0, piece);
    case 6: {
      const said = Array.from({ length: random.below(REPEATS) }, () => piece.subarray(0, REPEATED_BYTES));
      return replaced(bytes, at, 0, Buffer.concat(said));
    }
    case 7:
      return replaced(bytes, at, 0, Buffer.of(random.below(256)));
    case 8:
      return replaced(bytes, at, 0, Buffer.from(random.pick(target.words), 'latin1'));
    case 9: {
      const word = Buffer.from(random.pick(target.words), 'latin1');
      return replaced(bytes, at, word.length, word);
    }
    default: {
      // The beginning of one and the end of another, or of nothing.
      const other = random.pick([...corpus.slice(-8), Buffer.alloc(0)]);
      return replaced(bytes, at, bytes.length, other.subarray(random.below(other.length + 1)));
    }
  }
}

/** Short ones as often as long ones. */
function lengthWithin(most: number, random: Random): number {
  return Math.min(most, 1 + random.below(random.pick([2, 8, 64, most + 1])));
}

function withByte(bytes: Buffer, at: number, change: (byte: number) => number): Buffer {
  const copy = Buffer.from(bytes);
  const byte = copy[at];
  if (byte !== undefined) copy[at] = change(byte) & 0xff;
  return copy;
}

function replaced(bytes: Buffer, at: number, length: number, piece: Buffer): Buffer {
  return Buffer.concat([bytes.subarray(0, at), piece, bytes.subarray(at + length)]);
}
