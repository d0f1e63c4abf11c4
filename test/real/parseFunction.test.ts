/** The bundled parse function under AWS's runtime, which starts itself again to parse; a real S3 server, and a bus. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mailDocument } from '../../lib/mail/documentShape.ts';
import { eventId, messageKey } from '../../lib/mailbox/names.ts';
import { digestOf } from '../../lib/store/checksum.ts';
import { buildFunctions } from '../../scripts/build.ts';
import { type Runtime, startRuntime } from '../servers/lambdaRuntime.ts';
import { type BucketEnd, startBucket } from './endsFar.ts';
import { needing, PARTS } from './endsParts.ts';

const { missing, title } = needing('a bucket to documents, by the parse function', 'versitygw', 'ric');

const PNG = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');
const GOOD = Buffer.from(
  `From: Ada <ada@example.org>\r\nSubject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?=\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain; charset=iso-2022-jp\r\n\r\n\x1b$B$3$s\x1b(B\r\n--b\r\nContent-Type: image/png; name=p.png\r\nContent-Transfer-Encoding: base64\r\n\r\n${PNG.toString('base64')}\r\n--b--\r\n`,
);
const DEEP = Buffer.from(
  Array.from(
    { length: 2_000 },
    (_, at) => `Content-Type: multipart/mixed; boundary=b${at}\r\n\r\n--b${at}\r\n`,
  ).join(''),
);

describe.skipIf(missing)(title, () => {
  let far: BucketEnd;
  let client: S3Client;
  let folder: string;
  let runtime: Runtime;

  beforeAll(async () => {
    [far, folder] = await Promise.all([startBucket(), mkdtemp(join(tmpdir(), 'function-'))]);
    await buildFunctions(folder);
    const { endpoint, region, accessKey, secretKey } = far.gateway;
    const credentials = { accessKeyId: accessKey, secretAccessKey: secretKey };
    client = new S3Client({ region, endpoint, forcePathStyle: true, credentials });
    runtime = await startRuntime({
      client: PARTS.ric,
      taskRoot: join(folder, 'parse'),
      handler: 'index.handler',
      timeoutMs: 60_000,
      env: {
        ...far.env,
        MAILFERRY_BUCKET: far.bucket,
        MAILFERRY_BUS: 'mail',
        MAILFERRY_PATH_STYLE: 'true',
        MAILFERRY_S3_ENDPOINT: endpoint,
        MAILFERRY_EVENTS_ENDPOINT: far.bus.endpoint,
      },
    });
  });
  afterAll(async () => {
    await runtime?.stop();
    client?.destroy();
    await far?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const put = async (uidl: string, bytes: Buffer) => {
    const key = messageKey('box', uidl);
    await client.send(new PutObjectCommand({ Bucket: far.bucket, Key: key, Body: bytes }));
    const { size, sha256 } = digestOf(bytes);
    const detail = {
      ...{
        v: 1,
        id: eventId('box', uidl, sha256),
        mailbox: 'box',
        uidl,
        bucket: far.bucket,
        key,
        size,
        sha256,
      },
      ...{ announcedSize: size, short: false, storedAt: '2026-03-01T10:00:07.000Z', headers: null },
    };
    const body = JSON.stringify({ source: 'mailferry', 'detail-type': 'Message Stored', detail });
    return { messageId: uidl, body };
  };
  const read = async (key: string) => {
    const { Body } = await client.send(new GetObjectCommand({ Bucket: far.bucket, Key: key }));
    return Buffer.from((await Body?.transformToByteArray()) ?? []);
  };

  it('parses a batch with a hostile mail in it, in one process of Lambda and one for each mail', async () => {
    const Records = [await put('u1', GOOD), await put('deep', DEEP), await put('u2', GOOD)];
    for (const _delivery of ['first', 'second']) {
      const outcome = await runtime.invoke({ Records });
      expect(outcome, runtime.log.slice(-2000)).toMatchObject({ result: { batchItemFailures: [] } });
    }
    expect(runtime.starts).toBe(1);
    const lines = runtime.log.split('\n').filter((line) => line.includes('"messageId"'));
    expect(lines.map((line) => (JSON.parse(line) as { level: string }).level)).toEqual(
      ['first', 'second'].flatMap(() => ['info', 'warn', 'info']),
    );
    const events = await far.events('box');
    const [parsed, unparsable] = events;
    expect(events.map((event) => event['detail-type'])).toEqual(
      ['first', 'second'].flatMap(() => ['Message Parsed', 'Message Unparsable', 'Message Parsed']),
    );
    expect(events.slice(3).map(({ detail }) => detail)).toEqual(
      events.slice(0, 3).map(({ detail }) => detail),
    );
    expect(unparsable?.detail).toMatchObject({ code: 'E_PARSE_DEPTH' });
    const detail = parsed?.detail as { document: string; documentSha256: string };
    const bytes = await read(detail.document);
    expect(digestOf(bytes).sha256).toBe(detail.documentSha256);
    const document = mailDocument.parse(JSON.parse(bytes.toString()));
    expect(document).toMatchObject({ text: 'こん', headers: { subject: 'Grüße' } });
    expect(await read(document.parts[1]?.key ?? '')).toEqual(PNG);
  });
});
