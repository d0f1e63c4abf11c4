/** What the S3 store sends, and what it never shows. */
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { digestOf } from '../../lib/store/checksum.ts';
import { PART_BYTES } from '../../lib/store/port.ts';
import { type S3Answer, s3Error } from '../servers/scriptedS3.ts';
import {
  begun,
  CREDENTIALS,
  completed,
  ok,
  requests,
  requestsOf,
  stopServer,
  stored,
  storeWith,
} from './scriptedStore.ts';
import { bytes, noise, uploaded } from './writing.ts';

describe('what goes over the wire', () => {
  it('is one conditional, checksummed PUT for a small message, with nothing from it in the headers', async () => {
    const store = await storeWith(() => stored);
    const body = bytes('Subject: secret plans\r\nMessage-ID: <id@example.com>\r\n\r\nbody\r\n');
    const digest = digestOf(body);
    await store.create('mail/a/1.eml', body, digest);
    expect(requests()).toHaveLength(1);
    const [put] = requestsOf('PutObject');
    expect(put?.body).toEqual(body);
    expect(put?.headers).toMatchObject({
      'if-none-match': '*',
      'content-length': String(body.length),
      'content-type': 'message/rfc822',
      'content-disposition': 'attachment',
      'x-amz-checksum-sha256': Buffer.from(digest.sha256, 'hex').toString('base64'),
      'x-amz-content-sha256': digest.sha256,
    });
    const headers = JSON.stringify(put?.headers);
    expect(headers).not.toMatch(/x-amz-meta|secret plans|example\.com|100-continue|aws-chunked|crc/i);
  });

  it('asks for the retention of a mail, sent whole or in parts, and of nothing else', async () => {
    const now = () => Date.parse('2026-03-01T12:00:00Z');
    const lock = { mode: 'COMPLIANCE', days: 30, now } as const;
    const answer = ({ operation }: { operation: string }) => {
      if (operation === 'CreateMultipartUpload') return begun;
      return operation === 'CompleteMultipartUpload' ? completed : stored;
    };
    const store = await storeWith(answer, {}, { objectLock: lock });
    const small = bytes('Subject: x\r\n\r\n');
    await store.create('mail/a/1.eml', small, digestOf(small));
    const { upload, digest } = await uploaded(store, 'mail/a/2.eml', noise(PART_BYTES + 1, 'lock'));
    await upload.complete(digest);
    await store.create('state/a/1-x.ndjson.gz', small, digestOf(small));
    await store.replace('state/a.json', bytes('{}'), null);
    const locked = requests().filter(({ headers }) => 'x-amz-object-lock-mode' in headers);
    expect(locked.map(({ operation }) => operation)).toEqual(['PutObject', 'CreateMultipartUpload']);
    for (const { headers } of locked) {
      expect(headers['x-amz-object-lock-mode']).toBe('COMPLIANCE');
      expect(Date.parse(String(headers['x-amz-object-lock-retain-until-date']))).toBe(
        Date.parse('2026-03-31T12:00:00Z'),
      );
    }
  });

  it('that a bucket without Object Lock refuses is told as that', async () => {
    const lock = { mode: 'GOVERNANCE', days: 1, now: Date.now } as const;
    const refusal = s3Error(400, 'InvalidRequest', '', 'Bucket is missing Object Lock Configuration');
    const store = await storeWith(() => refusal, {}, { objectLock: lock });
    const small = bytes('Subject: x\r\n\r\n');
    await expect(store.create('mail/a/1.eml', small, digestOf(small))).rejects.toMatchObject({
      ...{ kind: 'person', code: 'E_STORE_NO_LOCK' },
      message: expect.stringContaining('missing Object Lock Configuration'),
    });
  });

  it('is JSON for a document, created under If-None-Match', async () => {
    const store = await storeWith(() => stored);
    await store.replace('state/a.json', bytes('{}'), null);
    expect(requestsOf('PutObject')[0]?.headers).toMatchObject({
      'if-none-match': '*',
      'content-type': 'application/json',
    });
  });

  it('is an ETag as it came, and no look, where the store knows it again', async () => {
    const store = await storeWith(() => stored);
    await store.replace('state/a.json', bytes('{}'), '"e0"');
    expect(requests().map(({ headers }) => headers['if-match'])).toEqual(['"e0"']);
  });

  it('is an ETag without its quotes where the store is found to know it so, the next time at once', async () => {
    const refused = s3Error(412, 'PreconditionFailed');
    const store = await storeWith(({ operation, headers }) => {
      if (operation === 'HeadObject') return ok({ etag: '"e0"' });
      return headers['if-match'] === 'e0' ? ok({ etag: '"e1"' }) : refused;
    });
    expect(await store.replace('state/a.json', bytes('{}'), '"e0"')).toBe('"e1"');
    expect(await store.replace('state/a.json', bytes('{}'), '"e0"')).toBe('"e1"');
    expect(requests().map(({ operation, headers }) => headers['if-match'] ?? operation)).toEqual([
      '"e0"',
      'HeadObject',
      'e0',
      'e0',
    ]);
  });

  it('is never a weak ETag, as proxies make them, which would meet no condition', async () => {
    const store = await storeWith(({ headers }) =>
      headers['if-match'] === '"e0"' ? stored : s3Error(412, 'PreconditionFailed'),
    );
    expect(await store.replace('state/a.json', bytes('{}'), 'W/"e0"')).toBe('"e1"');
    expect(requests()).toHaveLength(1);
  });

  it.each(['refused', 'silent', 'another'])('is no second form where the look is %s', async (look) => {
    const store = await storeWith(({ operation }) => {
      if (operation !== 'HeadObject') return s3Error(412, 'PreconditionFailed');
      return (
        { refused: s3Error(403, 'AccessDenied'), silent: ok(), another: ok({ etag: '"e1"' }) }[look] ??
        'reset'
      );
    });
    expect(await store.replace('state/a.json', bytes('{}'), '"e0"')).toBe('conflict');
    expect(requestsOf('PutObject')).toHaveLength(1);
  });

  it('is parts of one size, each with its SHA-256, and all of them named at the end', async () => {
    const body = noise(2 * PART_BYTES + 3, 'wire');
    const store = await storeWith(({ operation }) => {
      if (operation === 'CreateMultipartUpload') return begun;
      return operation === 'UploadPart' ? stored : completed;
    });
    const { upload, digest } = await uploaded(store, 'mail/a/1.eml', body);
    await upload.complete(digest);
    expect(requestsOf('CreateMultipartUpload')[0]?.headers).toMatchObject({
      'x-amz-checksum-algorithm': 'SHA256',
      'x-amz-checksum-type': 'COMPOSITE',
      'content-type': 'message/rfc822',
    });
    const parts = requestsOf('UploadPart').sort(
      (a, b) => Number(a.query.get('partNumber')) - Number(b.query.get('partNumber')),
    );
    expect(parts.map((part) => part.body.length)).toEqual([PART_BYTES, PART_BYTES, 3]);
    expect(Buffer.concat(parts.map((part) => part.body)).equals(body)).toBe(true);
    const [complete] = requestsOf('CompleteMultipartUpload');
    for (const part of parts) {
      const { sha256 } = digestOf(part.body);
      expect(part.headers['x-amz-content-sha256']).toBe(sha256);
      expect(String(complete?.body)).toContain(Buffer.from(sha256, 'hex').toString('base64'));
    }
    expect(complete?.headers['x-amz-mp-object-size']).toBe(String(body.length));
  });

  it('is the checksum that was given, signed as it is: the store compares it with the bytes', async () => {
    const store = await storeWith(() => stored);
    const { sha256 } = digestOf(bytes('other'));
    await store.create('mail/a/1.eml', bytes('x'), { size: 1, sha256 });
    expect(requestsOf('PutObject')[0]?.headers['x-amz-content-sha256']).toBe(sha256);
  });

  it('holds the writer back while two parts are unanswered', async () => {
    let answerAll = () => {};
    const answered = new Promise<void>((resolve) => {
      answerAll = resolve;
    });
    let twoCame = () => {};
    const twoThere = new Promise<void>((resolve) => {
      twoCame = resolve;
    });
    const store = await storeWith(async ({ operation }) => {
      if (operation === 'CreateMultipartUpload') return begun;
      if (operation !== 'UploadPart') return completed;
      if (requestsOf('UploadPart').length >= 2) twoCame();
      await answered;
      return stored;
    });
    let written = false;
    const writing = uploaded(store, 'mail/a/1.eml', noise(6 * PART_BYTES, 'slow')).then((upload) => {
      written = true;
      return upload;
    });
    await twoThere;
    expect(written).toBe(false);
    expect(requestsOf('UploadPart')).toHaveLength(2);
    answerAll();
    const { upload, digest } = await writing;
    expect(await upload.complete(digest)).toBe('created');
    expect(requestsOf('UploadPart')).toHaveLength(6);
  });
});

describe('each timeout alone', () => {
  it.each([{ requestMs: 300 }, { silenceMs: 300 }, { operationMs: 300 }])(
    '%o ends a call that is never answered',
    async (limits) => {
      const store = await storeWith(() => 'silence', limits);
      await expect(store.replace('state/a.json', bytes('{}'), null)).rejects.toMatchObject({
        kind: 'unknown',
      });
      expect(requests()).toHaveLength(1);
    },
  );
});

describe('an error', () => {
  it('shows no token, signature or key, in whatever way it is printed', async () => {
    const echoed = s3Error(400, 'ExpiredToken', `<Token-0>${CREDENTIALS.sessionToken}</Token-0>`);
    const store = await storeWith(() => echoed);
    const error = await store.replace('state/a.json', bytes('{}'), null).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      kind: 'person',
      code: 'E_STORE_CREDENTIALS',
      operation: 'replace',
      key: 'state/a.json',
    });
    const printed = inspect(error, { depth: Number.POSITIVE_INFINITY, showHidden: true, getters: true });
    expect(printed).toContain('words of ExpiredToken');
    expect(printed).not.toContain('Signature=');
    for (const secret of Object.values(CREDENTIALS)) expect(printed).not.toContain(secret);
  });

  it('names where nobody listens as something that passes, and says nothing was done', async () => {
    const store = await storeWith(() => stored);
    await stopServer();
    const refused = store.replace('state/a.json', bytes('{}'), null);
    await expect(refused).rejects.toMatchObject({ kind: 'later', code: 'E_STORE_UNAVAILABLE' });
  });
});

it('lists page by page and asks again for a page that failed', async () => {
  const page = (keys: string[], next?: string): S3Answer =>
    ok(
      {},
      `<ListBucketResult><IsTruncated>${next !== undefined}</IsTruncated>${
        next === undefined ? '' : `<NextContinuationToken>${next}</NextContinuationToken>`
      }${keys.map((key) => `<Contents><Key>${key}</Key><Size>3</Size></Contents>`).join('')}</ListBucketResult>`,
    );
  const answers = [page(['mail/a/1.eml'], 't1'), s3Error(500, 'InternalError'), page(['mail/a/2.eml'])];
  const store = await storeWith((_, before) => answers[before] ?? 'reset');
  const listed: unknown[] = [];
  for await (const entry of store.list('mail/a/')) listed.push(entry);
  expect(listed).toEqual([
    { key: 'mail/a/1.eml', size: 3 },
    { key: 'mail/a/2.eml', size: 3 },
  ]);
  expect(requestsOf('ListObjectsV2').map(({ query }) => query.get('continuation-token'))).toEqual([
    null,
    't1',
    't1',
  ]);
});
