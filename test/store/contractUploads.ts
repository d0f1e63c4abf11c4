/** The contract's part on uploads: sizes around a part, visibility, races of completions, settling. */
import { expect, it } from 'vitest';
import { digestOf } from '../../lib/store/checksum.ts';
import { type Digest, PART_BYTES } from '../../lib/store/port.ts';
import { completeSettled, createSettled } from '../../lib/store/settle.ts';
import { contentOf, keysOf, type MakeStore, tally } from './reading.ts';
import { bytes, noise, uploaded } from './writing.ts';

export function uploads(makeStore: MakeStore): void {
  const sizes: [string, number][] = [
    ['nothing', 0],
    ['one byte', 1],
    ['exactly one part', PART_BYTES],
    ['one byte more than a part', PART_BYTES + 1],
    ['exactly two parts', 2 * PART_BYTES],
    ['three parts and a bit', 3 * PART_BYTES + 12_345],
  ];

  it.each(sizes)('uploads %s, byte for byte, and knows it again', async (_title, size) => {
    const store = await makeStore();
    const key = `mail/uploads/size-${size}.eml`;
    const body = noise(size, key);
    const { upload, digest } = await uploaded(store, key, body);
    expect(digest).toEqual(digestOf(body));
    expect(await upload.complete(digest)).toBe('created');
    await upload.abort();
    expect((await contentOf(store, key))?.equals(body)).toBe(true);
    expect(await store.verify(key, digest)).toBe('same');
    // The same bytes, known without their composite: the store's checksum does not help, reading does.
    expect(await store.verify(key, { size: digest.size, sha256: digest.sha256 })).toBe('same');
    const other = Buffer.concat([body.subarray(1), bytes('?')]);
    if (size > 0) expect(await store.verify(key, digestOf(other))).toBe('different');
    expect(await store.verify(key, digestOf(bytes('short')))).toBe('different');
  });

  it.each([0, 10, PART_BYTES + 99])(
    'shows nothing of an upload of %i bytes, under way or aborted',
    async (size) => {
      const store = await makeStore();
      const key = `mail/uploads/aborted-${size}.eml`;
      const { upload, digest } = await uploaded(store, key, noise(size, key));
      expect(await store.read(key)).toBeNull();
      expect(await keysOf(store, 'mail/uploads/abo')).toEqual([]);
      expect(await store.verify(key, digest)).toBe('absent');
      await upload.abort();
      await upload.abort();
      await expect(upload.complete(digest)).rejects.toMatchObject({ kind: 'later' });
      expect(await store.read(key)).toBeNull();
      expect(await keysOf(store, 'mail/uploads/abo')).toEqual([]);
    },
  );

  it('has one winner of racing completions, whose bytes are the object', async () => {
    const store = await makeStore();
    const key = 'mail/uploads/race.eml';
    const racers = await Promise.all(
      [0, 1, 2, 3].map((racer) => uploaded(store, key, noise(PART_BYTES + racer, `race ${racer}`))),
    );
    const outcomes = await Promise.all(racers.map(({ upload, digest }) => upload.complete(digest)));
    expect(tally(outcomes)).toEqual(
      new Map([
        ['created', 1],
        ['exists', 3],
      ]),
    );
    const verdicts = await Promise.all(racers.map(({ digest }) => store.verify(key, digest)));
    expect(verdicts.map((verdict) => verdict === 'same')).toEqual(outcomes.map((one) => one === 'created'));
    await Promise.all(racers.map(({ upload }) => upload.abort()));
    expect(await store.verify(key, winnersDigest(racers, outcomes))).toBe('same');
  });

  it('does not complete over an object, and may be told so twice', async () => {
    const store = await makeStore();
    const key = 'mail/uploads/taken.eml';
    await store.create(key, bytes('first'), digestOf(bytes('first')));
    const { upload, digest } = await uploaded(store, key, noise(PART_BYTES + 7, key));
    expect(await upload.complete(digest)).toBe('exists');
    expect(await upload.complete(digest)).toBe('exists');
    await upload.abort();
    expect(await contentOf(store, key)).toEqual(bytes('first'));
  });

  it('refuses to complete under a digest of other bytes', async () => {
    const store = await makeStore();
    for (const size of [100, PART_BYTES + 100]) {
      const key = `mail/uploads/corrupt-${size}.eml`;
      const { upload } = await uploaded(store, key, noise(size, 'as sent'));
      await expect(upload.complete(digestOf(noise(size, 'as hashed')))).rejects.toMatchObject({
        kind: 'later',
        code: 'E_STORE_DIGEST',
      });
      await upload.abort();
      expect(await store.read(key)).toBeNull();
    }
  });

  it('settles repeats by looking: same bytes are the same, others are different', async () => {
    const store = await makeStore();
    const small = bytes('a small mail');
    expect(await createSettled(store, 'mail/settled/a.eml', small, digestOf(small))).toBe('created');
    expect(await createSettled(store, 'mail/settled/a.eml', small, digestOf(small))).toBe('same');
    const other = bytes('b small mail');
    expect(await createSettled(store, 'mail/settled/a.eml', other, digestOf(other))).toBe('different');
    const key = 'mail/settled/large.eml';
    const outcomes: string[] = [];
    for (const seed of ['one', 'one', 'two']) {
      const { upload, digest } = await uploaded(store, key, noise(PART_BYTES + 1, seed));
      outcomes.push(await completeSettled(upload, store, key, digest));
    }
    expect(outcomes).toEqual(['created', 'same', 'different']);
  });
}

function winnersDigest(racers: readonly { digest: Digest }[], outcomes: readonly string[]): Digest {
  const winner = racers[outcomes.indexOf('created')];
  if (winner === undefined) throw new Error('nobody won');
  return winner.digest;
}
