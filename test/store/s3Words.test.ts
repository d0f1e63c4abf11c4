/** What a person is told of a store that refuses: its own words or HTTP's, and what to do, for refusals of every origin. */
import { describe, expect, it, onTestFinished } from 'vitest';
import { digestOf } from '../../lib/store/checksum.ts';
import { StoreError } from '../../lib/store/port.ts';
import { s3Store } from '../../lib/store/s3.ts';
import { type S3Answer, s3Error, startScriptedS3 } from '../servers/scriptedS3.ts';
import { CREDENTIALS, storeWith } from './scriptedStore.ts';
import { bytes } from './writing.ts';

const mail = bytes('Subject: x\r\n\r\n');
const key = 'mail/a/1.eml';

async function told(answer: S3Answer, operation: 'create' | 'read' | 'verify'): Promise<StoreError> {
  const store = await storeWith(() => answer);
  const calls = {
    create: () => store.create(key, mail, digestOf(mail)),
    read: () => store.read(key),
    verify: () => store.verify(key, digestOf(mail)),
  };
  const outcome: unknown = await calls[operation]().catch((error: unknown) => error);
  if (outcome instanceof StoreError) return outcome;
  throw new Error(`${operation} was not refused: ${outcome}`);
}

/** As nginx and its like answer in the store's place. */
const proxy = (status: number): S3Answer => ({
  status,
  headers: { 'content-type': 'text/html' },
  body: '<html><head><title>of a proxy</title></head><body>Authorization: secret of a proxy</body></html>',
});

describe('a refusal', () => {
  it.each([
    ['create', proxy(413), 'person E_STORE_TOO_LARGE', /413: Payload Too Large\. .*client_max_body_size/],
    ['create', s3Error(400, 'EntityTooLarge'), 'person E_STORE_TOO_LARGE', /words of EntityTooLarge\. /],
    ['create', proxy(302), 'person E_STORE_REGION', /302: Found\. .*endpoint/],
    ['create', proxy(308), 'person E_STORE_REGION', /endpoint/],
    ['create', proxy(401), 'person E_STORE_CREDENTIALS', /401: Unauthorized\. /],
    ['create', proxy(405), 'person E_STORE_REFUSED', /405: Method Not Allowed\. .*endpoint/],
    [
      'create',
      { status: 400, body: 'Client sent an HTTP request to an HTTPS server.\n' },
      'person E_STORE_REFUSED',
      /400: Bad Request\. .*endpoint/,
    ],
    ['create', proxy(502), 'unknown E_STORE_UNKNOWN', /502: Bad Gateway\. .*the next run looks/],
    ['create', proxy(408), 'later E_STORE_UNAVAILABLE', /408: Request Timeout\. /],
    ['create', s3Error(400, 'KMS.DisabledException'), 'person E_STORE_KMS', /enable it/],
    ['create', s3Error(400, 'KMS.ThrottlingException'), 'later E_STORE_UNAVAILABLE', /again/],
    [
      'create',
      s3Error(400, 'InvalidArgument', '', "Unsupported header 'x-amz-checksum-sha256' received"),
      'person E_STORE_UNSUPPORTED',
      /another store/,
    ],
    ['create', s3Error(400, 'XMinioAdminBucketQuotaExceeded'), 'person E_STORE_FULL', /make room/],
    ['read', s3Error(403, 'InvalidObjectState'), 'person E_STORE_ARCHIVED', /restore it/],
    ['read', proxy(200), 'later E_STORE_UNAVAILABLE', /proxy answers/],
    [
      'read',
      { status: 200, headers: { etag: '"e1"', 'last-modified': 'yesterday' }, body: 'x' },
      'later E_STORE_UNAVAILABLE',
      /yesterday\. The next run/,
    ],
    [
      'read',
      { status: 200, headers: { etag: '"e1"', 'content-encoding': 'gzip' }, body: 'x' },
      'later E_STORE_UNAVAILABLE',
      /comes as gzip, .*proxy/,
    ],
    ['verify', { status: 400 }, 'person E_STORE_REFUSED', /400: Bad Request\. .*mailferry probe/],
  ] as const)('to %s: %o is %s', async (operation, answer, error, message) => {
    const { kind, code, message: said } = await told(answer, operation);
    expect(`${kind} ${code}`).toBe(error);
    expect(said).toMatch(message);
    expect(said).not.toMatch(/UnknownError|aws-sdk|Deserialization|of a proxy|[.?!]\. /);
  });

  it('is told without a second full stop behind words that have one', async () => {
    const { message } = await told(s3Error(403, 'AccessDenied', '', 'Access Denied.'), 'create');
    expect(message).toContain('AccessDenied: Access Denied. Access was denied');
  });
});

describe('where no request was sent', () => {
  const refused = async (endpoint: string, credentials: typeof CREDENTIALS = CREDENTIALS) => {
    const store = s3Store({
      ...{ bucket: 'bucket', region: 'eu-central-1', endpoint, forcePathStyle: true, credentials },
      ...{ sleep: async () => {}, random: () => 0 },
    });
    return store.read(key).catch((error: unknown) => error);
  };

  it('a key with a line break in it is named as credentials that are wrong', async () => {
    expect(await refused('http://127.0.0.1:9', { ...CREDENTIALS, accessKeyId: 'AKFORTEST\n' })).toMatchObject(
      { kind: 'person', code: 'E_STORE_CREDENTIALS' },
    );
  });

  it('an endpoint that nobody listens at is waited for, and named as what may be wrong', async () => {
    expect(await refused('http://127.0.0.1:1')).toMatchObject({
      kind: 'later',
      code: 'E_STORE_UNAVAILABLE',
      message: expect.stringContaining('endpoint'),
    });
  });

  it('an endpoint without TLS that is asked for it is not told of as one with a wrong certificate', async () => {
    const server = await startScriptedS3(() => 'reset');
    onTestFinished(() => server.stop());
    expect(await refused(server.endpoint.replace('http:', 'https:'))).toMatchObject({
      ...{ kind: 'person', code: 'E_STORE_TLS' },
      message: expect.stringContaining('begins with http:'),
    });
  });
});
