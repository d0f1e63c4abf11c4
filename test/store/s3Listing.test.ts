/** Listings that are none, are of something else, or never end: each an error, since what is not listed counts as gone. */
import { describe, expect, it } from 'vitest';
import { probe } from '../../lib/store/abilities.ts';
import type { ObjectStore } from '../../lib/store/port.ts';
import { type S3Answer, s3Error } from '../servers/scriptedS3.ts';
import { ok, requestsOf, stored, storeWith } from './scriptedStore.ts';

const PREFIX = 'mail/a/';

interface Page {
  readonly keys: readonly string[];
  /** Where it goes on; absent: nowhere. */
  readonly next?: string;
}

function page({ keys, next }: Page, isTruncated = next !== undefined): S3Answer {
  const rows = keys.map((key) => `<Contents><Key>${key}</Key><Size>3</Size></Contents>`).join('');
  const token = next === undefined ? '' : `<NextContinuationToken>${next}</NextContinuationToken>`;
  return ok(
    {},
    `<ListBucketResult><IsTruncated>${isTruncated}</IsTruncated>${token}${rows}</ListBucketResult>`,
  );
}

/** More than any script has, so that one without end is seen and not waited for. */
const MOST = 50;

async function keysOf(store: ObjectStore): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of store.list(PREFIX)) if (keys.push(key) > MOST) throw new Error('without end');
  return keys;
}

const html = (status: number): S3Answer => ({ status, body: '<html><body>console</body></html>' });

describe('a listing', () => {
  const unfit = { kind: 'person', code: 'E_STORE_UNSUPPORTED' };
  const later = { kind: 'later', code: 'E_STORE_UNAVAILABLE' };

  it.each([
    ['that says more follows and not where', page({ keys: ['mail/a/1.eml'] }, true), /not where/, unfit],
    ['that goes on at the same place for ever', page({ keys: [], next: 't' }), /not where/, unfit],
    [
      'of what was not asked for',
      page({ keys: ['mail/b/1.eml'] }),
      /mail\/b\/1\.eml, which begins with something else/,
      unfit,
    ],
    ['with keys in the form of URLs', page({ keys: ['mail%2Fa%2F1.eml'] }), /something else/, unfit],
    ['that is a web page', html(200), /no listing/, later],
    ['that is empty', ok(), /no listing/, later],
    ['that is no XML', ok({}, '{"keys": []}'), /proxy/, later],
    ['that is not found, though the bucket is', s3Error(404, 'NoSuchKey'), /endpoint/, later],
  ] as const)('%s is none', async (_title, answer, message, error) => {
    const store = await storeWith(() => answer);
    await expect(keysOf(store)).rejects.toMatchObject({
      ...error,
      message: expect.stringMatching(message),
    });
  });

  it('that shows the same page under ever new tokens is none', async () => {
    const store = await storeWith((_, before) => page({ keys: ['mail/a/1.eml'], next: `t${before}` }));
    await expect(keysOf(store)).rejects.toMatchObject(unfit);
    expect(requestsOf('ListObjectsV2')).toHaveLength(2);
  });

  it('of nothing is one, however little it says', async () => {
    const store = await storeWith(() => ok({}, '<ListBucketResult><Name>bucket</Name></ListBucketResult>'));
    expect(await keysOf(store)).toEqual([]);
  });

  it('has each object once, and no folder of a console', async () => {
    const pages = [
      page({ keys: ['mail/a/', 'mail/a/1.eml', 'mail/a/1.eml'], next: 't' }),
      page({ keys: [], next: 'u' }),
      page({ keys: ['mail/a/2.eml'] }),
    ];
    const store = await storeWith((_, before) => pages[before] ?? 'reset');
    expect(await keysOf(store)).toEqual(['mail/a/1.eml', 'mail/a/2.eml']);
  });
});

it('the probe removes nothing of a store that lists what was not asked for', async () => {
  const store = await storeWith(({ operation }) => {
    if (operation === 'ListObjectsV2') return page({ keys: ['mail/a/1.eml', 'state/a.json'] });
    return operation === 'PutObject' ? stored : s3Error(404, 'NoSuchKey');
  });
  await probe(store, { random: Math.random }).catch(() => {});
  expect(requestsOf('ListObjectsV2')).not.toHaveLength(0);
  expect(requestsOf('DeleteObject')).toHaveLength(0);
});

it('the probe writes nothing where it could find nothing again to remove it', async () => {
  const store = await storeWith(({ operation }) =>
    operation === 'ListObjectsV2' ? s3Error(404, 'NoSuchKey') : stored,
  );
  await expect(probe(store, { random: Math.random })).rejects.toMatchObject({ operation: 'list' });
  expect(requestsOf('PutObject')).toHaveLength(0);
});
