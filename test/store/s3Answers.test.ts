/** What S3's answers mean to a part, to reading and to verifying; answers to create, replace and Complete are in answers/. */
import { describe, expect, it } from 'vitest';
import { digestOf } from '../../lib/store/checksum.ts';
import { PART_BYTES, StoreError } from '../../lib/store/port.ts';
import { type S3Answer, s3Error } from '../servers/scriptedS3.ts';
import { contentOf } from './reading.ts';
import {
  begun,
  completed,
  IMPATIENT,
  ok,
  requests,
  requestsOf,
  stopServer,
  stored,
  storeWith,
} from './scriptedStore.ts';
import { bytes, noise, uploaded } from './writing.ts';

const patience = (answers: S3Answer[]) => (answers.includes('silence') ? IMPATIENT : {});
const slowDown = s3Error(503, 'SlowDown');
const four = (answer: S3Answer): S3Answer[] => [answer, answer, answer, answer];

/** What a call came to: its value, or kind and code of its error. */
async function outcomeOf(call: Promise<unknown>): Promise<unknown> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof StoreError) return `${error.kind} ${error.code}`;
    throw error;
  }
}

/** The answers in order, what the port then says, and how many requests it took. */
type Row = [title: string, answers: S3Answer[], outcome: string, tries: number];

describe('a part', () => {
  const rows: Row[] = [
    ['500, then 200', [s3Error(500, 'InternalError'), stored], 'created', 2],
    ['reset, then 200', ['reset', stored], 'created', 2],
    ['503 SlowDown, then 200', [slowDown, stored], 'created', 2],
    ['400 BadDigest', [s3Error(400, 'BadDigest')], 'later E_STORE_DIGEST', 1],
    ['404 NoSuchUpload', [s3Error(404, 'NoSuchUpload')], 'later E_STORE_UNAVAILABLE', 1],
    ['200 without an ETag', [ok()], 'later E_STORE_UPLOAD', 1],
    ['403 AccessDenied', [s3Error(403, 'AccessDenied')], 'person E_STORE_DENIED', 1],
  ];

  it.each(rows)('%s', async (_title, answers, outcome, tries) => {
    // Parts may arrive in any order; the answers are for the first.
    const first = () =>
      requestsOf('UploadPart').filter(({ query }) => query.get('partNumber') === '1').length;
    const store = await storeWith(({ operation, query }) => {
      if (operation === 'CreateMultipartUpload') return begun;
      if (operation === 'CompleteMultipartUpload') return completed;
      if (operation === 'AbortMultipartUpload') return { status: 204 };
      return query.get('partNumber') === '1' ? (answers[first() - 1] ?? 'reset') : stored;
    });
    const { upload, digest } = await uploaded(store, 'mail/a/large.eml', noise(PART_BYTES + 5, 'large'));
    expect(await outcomeOf(upload.complete(digest))).toBe(outcome);
    expect(first()).toBe(tries);
    expect(requestsOf('CompleteMultipartUpload')).toHaveLength(outcome === 'created' ? 1 : 0);
    await upload.abort();
  });

  it('that is under way when the upload is aborted is awaited, and nothing is completed', async () => {
    const store = await storeWith(({ operation }) => {
      if (operation === 'CreateMultipartUpload') return begun;
      return operation === 'AbortMultipartUpload' ? { status: 204 } : 'silence';
    });
    const { upload, digest } = await uploaded(store, 'mail/a/large.eml', noise(PART_BYTES + 5, 'large'));
    await upload.abort();
    expect(requests().at(-1)?.operation).toBe('AbortMultipartUpload');
    await expect(upload.complete(digest)).rejects.toBeInstanceOf(StoreError);
    expect(requestsOf('CompleteMultipartUpload')).toHaveLength(0);
  });
});

describe('read', () => {
  const found = (body: string | Buffer): S3Answer => ok({ etag: '"e1"' }, body);
  const long = Buffer.from(noise(3_000_000, 'long'));
  const rows: Row[] = [
    ['200', [found('abc')], 'abc', 1],
    ['404', [s3Error(404, 'NoSuchKey')], 'null', 1],
    ['500, then 200', [s3Error(500, 'InternalError'), found('abc')], 'abc', 2],
    ['reset, then 200', ['reset', found('abc')], 'abc', 2],
    ['silence, then 200', ['silence', found('abc')], 'abc', 2],
    [
      'a body that breaks off, then 200',
      [{ ...(found('abc') as object), cutAfter: 1 } as S3Answer, found('abc')],
      'abc',
      2,
    ],
    ['200 without an ETag, then with one', [ok({}, 'abc'), found('abc')], 'abc', 2],
    ['an empty ETag for ever', four(ok({ etag: '' }, 'abc')), 'later E_STORE_UNAVAILABLE', 4],
    ['an ETag of quotes for ever', four(ok({ etag: '""' }, 'abc')), 'later E_STORE_UNAVAILABLE', 4],
    [
      'no length for ever',
      four(ok({ etag: '"e1"', 'transfer-encoding': 'chunked' })),
      'later E_STORE_UNAVAILABLE',
      4,
    ],
    ['500 for ever', four(s3Error(500, 'InternalError')), 'later E_STORE_UNAVAILABLE', 4],
    ['403 AccessDenied', [s3Error(403, 'AccessDenied')], 'person E_STORE_DENIED', 1],
    [
      'a long body that breaks off',
      [{ status: 200, headers: { etag: '"e1"' }, body: long, cutAfter: 2_000_000 }],
      'later E_STORE_UNAVAILABLE',
      1,
    ],
  ];

  it.each(rows)('%s', async (_title, answers, outcome, tries) => {
    const store = await storeWith((_, before) => answers[before] ?? 'reset', patience(answers));
    expect(String(await outcomeOf(contentOf(store, 'state/a.json')))).toBe(outcome);
    expect(requestsOf('GetObject')).toHaveLength(tries);
  });
});

describe('verify', () => {
  const body = noise(PART_BYTES + 5, 'verified');
  const digest = digestOf(body);
  const base64 = Buffer.from(digest.sha256, 'hex').toString('base64');
  const other = digestOf(bytes('other'));
  const head = (headers: Record<string, string>): S3Answer =>
    ok({ etag: '"e1"', 'content-length': String(body.length), ...headers });
  const rows: [
    title: string,
    headers: Record<string, string>,
    stored: Uint8Array,
    outcome: string,
    gets: number,
  ][] = [
    [
      'the whole checksum, equal',
      { 'x-amz-checksum-sha256': base64, 'x-amz-checksum-type': 'FULL_OBJECT' },
      body,
      'same',
      0,
    ],
    [
      'the whole checksum, unequal',
      {
        'x-amz-checksum-sha256': Buffer.from(other.sha256, 'hex').toString('base64'),
        'x-amz-checksum-type': 'FULL_OBJECT',
      },
      body,
      'different',
      0,
    ],
    ['the composite, equal', { 'x-amz-checksum-sha256': digest.composite ?? '' }, body, 'same', 0],
    [
      'a composite of other parts',
      { 'x-amz-checksum-sha256': 'AAAA-3', 'x-amz-checksum-type': 'COMPOSITE' },
      body,
      'same',
      1,
    ],
    ['no checksum, the bytes are the same', {}, body, 'same', 1],
    ['no checksum, a byte differs', {}, Buffer.from(body).fill(0x21, 77, 78), 'different', 1],
    ['another size', { 'content-length': '7' }, body, 'different', 0],
    ['no size, as behind some proxies', { 'content-length': '0' }, body, 'same', 1],
    ['no size, and other bytes', { 'content-length': '0' }, bytes('other'), 'different', 1],
  ];

  it.each(rows)('%s', async (_title, headers, content, outcome, gets) => {
    const store = await storeWith(({ operation }) =>
      operation === 'HeadObject' ? head(headers) : ok({ etag: '"e1"' }, Buffer.from(content)),
    );
    expect(await store.verify('mail/a/1.eml', digest)).toBe(outcome);
    expect(requestsOf('HeadObject')[0]?.headers['x-amz-checksum-mode']).toBe('ENABLED');
    expect(requestsOf('GetObject')).toHaveLength(gets);
  });

  it('is absent at 404, and at 403 tells a person that absence may look like this', async () => {
    const absent = await storeWith(() => ({ status: 404 }));
    expect(await absent.verify('mail/a/1.eml', digest)).toBe('absent');
    await stopServer();
    const denied = await storeWith(() => ({ status: 403 }));
    await expect(denied.verify('mail/a/1.eml', digest)).rejects.toMatchObject({
      kind: 'person',
      code: 'E_STORE_DENIED',
      message: expect.stringMatching(/403 for an object that is not there/),
    });
  });

  it('is absent where HEAD finds everything and GET does not', async () => {
    const store = await storeWith(({ operation }) =>
      operation === 'HeadObject' ? ok() : s3Error(404, 'NoSuchKey'),
    );
    expect(await store.verify('mail/a/1.eml', digest)).toBe('absent');
  });

  it('hashes again from the start when the body broke off', async () => {
    const store = await storeWith(({ operation }, before) => {
      if (operation === 'HeadObject') return head({});
      return {
        status: 200,
        headers: { etag: '"e1"' },
        body: Buffer.from(body),
        ...(before === 0 ? { cutAfter: 1000 } : {}),
      };
    });
    expect(await store.verify('mail/a/1.eml', digest)).toBe('same');
    expect(requestsOf('GetObject')).toHaveLength(2);
  });
});
