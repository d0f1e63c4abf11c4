import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deletesAllowed, probe } from '../../lib/store/abilities.ts';
import { digestOf } from '../../lib/store/checksum.ts';
import type { ObjectStore } from '../../lib/store/port.ts';
import { s3Store } from '../../lib/store/s3.ts';
import { startVersitygw, type Versitygw } from '../servers/versitygw.ts';
import { objectStoreContract } from './contract.ts';
import { contentOf, keysOf } from './reading.ts';
import { bytes, noise } from './writing.ts';

const binary = process.env['MAILFERRY_VERSITYGW'];
const title = binary ? 'S3 (versitygw)' : 'S3, skipped: versitygw not installed (MAILFERRY_VERSITYGW)';

describe.skipIf(!binary)(title, { timeout: 60_000 }, () => {
  let folder: string;
  let server: Versitygw;
  let buckets = 0;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'mailferry-versitygw-'));
    server = await startVersitygw(binary ?? '', folder);
  });

  afterAll(async () => {
    await server?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const connection = () => ({
    region: server.region,
    endpoint: server.endpoint,
    forcePathStyle: true,
    credentials: { accessKeyId: server.accessKey, secretAccessKey: server.secretKey },
  });

  function store(bucket: string, overrides: Partial<Parameters<typeof s3Store>[0]> = {}): ObjectStore {
    return s3Store({
      bucket,
      ...connection(),
      sleep: async (ms) => void (await sleep(ms)),
      random: Math.random,
      ...overrides,
    });
  }

  async function emptyBucket(): Promise<string> {
    buckets += 1;
    const client = new S3Client(connection());
    await client.send(new CreateBucketCommand({ Bucket: `bucket-${buckets}` }));
    client.destroy();
    return `bucket-${buckets}`;
  }

  objectStoreContract('the S3 store', async () => store(await emptyBucket()));

  it('has every ability, so that deletes are allowed', async () => {
    const abilities = await probe(store(await emptyBucket()), { random: Math.random });
    expect(abilities.reasons).toEqual({});
    expect(deletesAllowed(abilities)).toBe(true);
  });

  it('keeps what it acknowledged through kill -9 of the server', async () => {
    const kept = store(await emptyBucket());
    const body = bytes('kept');
    expect(await kept.create('mail/kept/1.eml', body, digestOf(body))).toBe('created');
    await server.kill();
    await expect(kept.read('mail/kept/1.eml')).rejects.toMatchObject({ kind: 'later' });
    await server.restart();
    expect(await contentOf(kept, 'mail/kept/1.eml')).toEqual(body);
  });

  it('shows nothing of a PUT that was cut off in its body, and says that it cannot know', async () => {
    const bucket = await emptyBucket();
    const cutting = await cutAfter(2_000_000, Number(new URL(server.endpoint).port));
    const body = noise(4_000_000, 'cut');
    const cut = store(bucket, { endpoint: cutting.endpoint }).create('mail/cut/1.eml', body, digestOf(body));
    await expect(cut).rejects.toMatchObject({ kind: 'unknown' });
    await cutting.stop();
    expect(await store(bucket).verify('mail/cut/1.eml', digestOf(body))).toBe('absent');
    expect(await keysOf(store(bucket), 'mail/')).toEqual([]);
  });

  it('tells a person that there is no such bucket', async () => {
    const wrong = store('no-such-bucket');
    const refused = { kind: 'person', code: 'E_STORE_NO_BUCKET' };
    await expect(wrong.create('mail/x.eml', bytes('x'), digestOf(bytes('x')))).rejects.toMatchObject(refused);
    await expect(wrong.replace('state/x.json', bytes('x'), null)).rejects.toMatchObject(refused);
    await expect(wrong.read('state/x.json')).rejects.toMatchObject(refused);
  });

  it('tells a person that the credentials are wrong, and shows none of them', async () => {
    const secretAccessKey = server.secretKey.split('').reverse().join('');
    const wrong = store(await emptyBucket(), {
      credentials: { accessKeyId: server.accessKey, secretAccessKey },
    });
    const error = await wrong.replace('state/x.json', bytes('x'), null).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ kind: 'person', code: 'E_STORE_CREDENTIALS' });
    expect(JSON.stringify(error) + String(error)).not.toContain(secretAccessKey);
  });
});

/** A line to the server's port that breaks once so many bytes went up. */
async function cutAfter(bytesUp: number, port: number): Promise<{ endpoint: string; stop(): Promise<void> }> {
  const proxy = createServer((client) => {
    const upstream = connect(port, '127.0.0.1');
    let up = 0;
    client.on('data', (chunk) => {
      up += chunk.length;
      if (up < bytesUp) upstream.write(chunk);
      else client.destroy();
    });
    client.on('close', () => upstream.destroy()).on('error', () => {});
    upstream.on('error', () => {});
    upstream.pipe(client);
  }).listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  const address = proxy.address();
  if (typeof address !== 'object' || address === null) throw new Error('no port');
  return {
    endpoint: `http://127.0.0.1:${address.port}`,
    async stop() {
      proxy.close();
      await once(proxy, 'close');
    },
  };
}
