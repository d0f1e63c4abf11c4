import { describe, expect, it } from 'vitest';
import { digestOf } from '../../lib/store/checksum.ts';
import { memoryStore } from '../../lib/store/memory.ts';
import { type ObjectStore, StoreError, type StoreErrorKind } from '../../lib/store/port.ts';
import { completeSettled, createSettled } from '../../lib/store/settle.ts';
import { contentOf } from './reading.ts';
import { bytes, uploaded } from './writing.ts';

const key = 'mail/a/1.eml';
const mine = bytes('mine');
const other = bytes('other');

const failure = (kind: StoreErrorKind, operation = 'create') =>
  new StoreError(`made to fail: ${kind}`, { kind, code: `E_STORE_TEST_${kind}`, operation, key });

/** What happens at each try: the write itself and what is said of it; and what other hands do before the look. */
interface Try {
  readonly writes?: boolean;
  readonly says: 'truth' | 'exists' | StoreErrorKind;
  readonly meanwhile?: 'removed' | 'taken by other bytes';
  readonly lookFails?: StoreErrorKind;
}

function scripted(tries: readonly Try[]): { store: ObjectStore; tried: () => number } {
  const memory = memoryStore('scripted');
  let tried = 0;
  const store: ObjectStore = {
    ...memory,
    async create(at, body, digest) {
      const step = tries[tried];
      tried += 1;
      if (step === undefined) throw new Error('one try too many');
      const truth = step.writes === false ? undefined : await memory.create(at, body, digest);
      if (step.meanwhile === 'removed') await memory.remove(at);
      if (step.meanwhile === 'taken by other bytes') await memory.create(at, other, digestOf(other));
      if (step.says === 'truth') return truth ?? 'exists';
      if (step.says === 'exists') return 'exists';
      throw failure(step.says);
    },
    async verify(at, digest) {
      const lookFails = tries[tried - 1]?.lookFails;
      if (lookFails) throw failure(lookFails, 'verify');
      return memory.verify(at, digest);
    },
  };
  return { store, tried: () => tried };
}

describe('createSettled', () => {
  const rows: [title: string, tries: Try[], outcome: string][] = [
    ['takes a plain success', [{ says: 'truth' }], 'created'],
    ['knows its own success reported as "exists"', [{ says: 'exists' }], 'same'],
    ['knows a success whose answer was lost', [{ says: 'unknown' }], 'same'],
    [
      'tries again when an unknown write left nothing',
      [{ writes: false, says: 'unknown' }, { says: 'truth' }],
      'created',
    ],
    [
      'sees other bytes that came first',
      [{ writes: false, says: 'unknown', meanwhile: 'taken by other bytes' }],
      'different',
    ],
    [
      'tries again when what existed was removed',
      [{ says: 'exists', meanwhile: 'removed' }, { says: 'truth' }],
      'created',
    ],
    [
      'gives up on a key that is taken and empty',
      [
        { says: 'exists', meanwhile: 'removed' },
        { says: 'exists', meanwhile: 'removed' },
        { says: 'exists', meanwhile: 'removed' },
      ],
      'later E_STORE_UNSETTLED',
    ],
    [
      'leaves unknown what stays unknown',
      [
        { writes: false, says: 'unknown' },
        { writes: false, says: 'unknown' },
        { writes: false, says: 'unknown' },
      ],
      'unknown E_STORE_TEST_unknown',
    ],
    ['passes on that nothing was done', [{ writes: false, says: 'later' }], 'later E_STORE_TEST_later'],
    ['passes on what a person must do', [{ writes: false, says: 'person' }], 'person E_STORE_TEST_person'],
    [
      'does not call "not done" what an earlier try may yet do',
      [
        { writes: false, says: 'unknown' },
        { writes: false, says: 'later' },
      ],
      'unknown E_STORE_UNSETTLED',
    ],
    [
      'stays unknown when the look fails',
      [{ says: 'unknown', lookFails: 'later' }],
      'unknown E_STORE_UNSETTLED',
    ],
    [
      'tells the person when the look is denied',
      [{ says: 'unknown', lookFails: 'person' }],
      'person E_STORE_TEST_person',
    ],
    [
      'is later when it cannot look at what exists',
      [{ says: 'exists', lookFails: 'later' }],
      'later E_STORE_TEST_later',
    ],
  ];

  it.each(rows)('%s', async (_title, tries, outcome) => {
    const { store, tried } = scripted(tries);
    const said = await createSettled(store, key, mine, digestOf(mine)).catch(
      (error: StoreError) => `${error.kind} ${error.code}`,
    );
    expect(said).toBe(outcome);
    expect(tried()).toBe(tries.length);
    if (said === 'created' || said === 'same') expect(await contentOf(store, key)).toEqual(mine);
  });

  it('lets a programming error pass', async () => {
    await expect(createSettled(memoryStore('x'), '../x', mine, digestOf(mine))).rejects.toBeInstanceOf(
      TypeError,
    );
  });
});

describe('completeSettled', () => {
  async function begin(
    completing: (complete: () => Promise<'created' | 'exists'>) => Promise<'created' | 'exists'>,
  ) {
    const store = memoryStore('x');
    const { upload, digest } = await uploaded(store, key, mine);
    let aborts = 0;
    const wrapped = {
      ...upload,
      complete: () => completing(() => upload.complete(digest)),
      abort: async () => {
        aborts += 1;
        await upload.abort();
      },
    };
    return { store, upload: wrapped, digest, aborts: () => aborts };
  }

  it('keeps the upload that became the object', async () => {
    const { store, upload, digest, aborts } = await begin((complete) => complete());
    expect(await completeSettled(upload, store, key, digest)).toBe('created');
    expect(aborts()).toBe(0);
  });

  it('knows a completion whose answer was lost', async () => {
    const { store, upload, digest, aborts } = await begin(async (complete) => {
      await complete();
      throw failure('unknown', 'complete');
    });
    expect(await completeSettled(upload, store, key, digest)).toBe('same');
    expect(aborts()).toBe(1);
    expect(await contentOf(store, key)).toEqual(mine);
  });

  it('frees the upload and stays unknown when nothing is there: its bytes are not tried twice', async () => {
    let completions = 0;
    const { store, upload, digest, aborts } = await begin(async () => {
      completions += 1;
      throw failure('unknown', 'complete');
    });
    await expect(completeSettled(upload, store, key, digest)).rejects.toMatchObject({ kind: 'unknown' });
    expect([completions, aborts()]).toEqual([1, 1]);
  });

  it('completes again when what existed was removed in between', async () => {
    let completions = 0;
    const { store, upload, digest } = await begin(async (complete) => {
      completions += 1;
      return completions === 1 ? 'exists' : complete();
    });
    expect(await completeSettled(upload, store, key, digest)).toBe('created');
  });

  it('frees the upload when it was refused', async () => {
    const { store, upload, digest, aborts } = await begin(async () => {
      throw failure('later', 'complete');
    });
    await expect(completeSettled(upload, store, key, digest)).rejects.toMatchObject({ kind: 'later' });
    expect(aborts()).toBe(1);
  });
});
