/** The contract and the probe on other kinds of buckets, and on another server, than s3.test.ts has. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  HeadObjectCommand,
  ListObjectVersionsCommand,
  PutBucketVersioningCommand,
  PutObjectLockConfigurationCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deletesAllowed, probe } from '../../lib/store/abilities.ts';
import { digestOf } from '../../lib/store/checksum.ts';
import { type ObjectStore, PART_BYTES } from '../../lib/store/port.ts';
import { s3Store } from '../../lib/store/s3.ts';
import type { S3Options } from '../../lib/store/s3Calls.ts';
import { startMinio } from '../servers/minio.ts';
import type { S3Server } from '../servers/s3Process.ts';
import { startVersitygw } from '../servers/versitygw.ts';
import { objectStoreContract } from './contract.ts';
import { contentOf } from './reading.ts';
import { bytes, noise, uploaded } from './writing.ts';

/** QUIRK: versitygw 1.8.0 answers 412 to a create over a deletion's marker, and replaces under the version before it. */
const MARKS = 'versitygw';

/** A locked bucket keeps versions, too: where time is short it is enough. */
type BucketKind = 'plain' | 'versioned' | 'locked' | 'lockable';

const SERVERS = [
  {
    name: 'versitygw',
    variable: 'MAILFERRY_VERSITYGW',
    start: (path: string, folder: string) => startVersitygw(path, folder, { versions: true }),
    kinds: ['locked'],
  },
  {
    name: 'MinIO',
    variable: 'MAILFERRY_MINIO',
    start: startMinio,
    kinds: ['plain', 'versioned', 'locked'],
  },
] as const;

for (const { name, variable, start, kinds } of SERVERS) {
  const binary = process.env[variable];
  const why = name === 'MinIO' ? 'not built for `npm test`, see `npm run proof -- stores`' : 'not installed';
  if (!binary) {
    it.skip(`S3, skipped: ${name} ${why} (${variable})`, () => {});
    continue;
  }

  describe(`S3 (${name})`, { timeout: 60_000 }, () => {
    let folder: string;
    let server: S3Server;
    let client: S3Client;
    let buckets = 0;

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'mailferry-s3-'));
      server = await start(binary, folder);
      client = new S3Client(connection());
    });
    afterAll(async () => {
      client?.destroy();
      await server?.stop();
      await rm(folder, { recursive: true, force: true });
    });

    const connection = () => ({
      region: server.region,
      endpoint: server.endpoint,
      forcePathStyle: true,
      credentials: { accessKeyId: server.accessKey, secretAccessKey: server.secretKey },
    });
    const made = async (kind: BucketKind): Promise<string> => {
      buckets += 1;
      const Bucket = `${kind}-${buckets}`;
      await client.send(
        new CreateBucketCommand({
          Bucket,
          ...(kind.startsWith('lock') ? { ObjectLockEnabledForBucket: true } : {}),
        }),
      );
      if (kind === 'versioned')
        await client.send(
          new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Enabled' } }),
        );
      if (kind === 'locked')
        await client.send(
          new PutObjectLockConfigurationCommand({
            Bucket,
            ObjectLockConfiguration: {
              ObjectLockEnabled: 'Enabled',
              Rule: { DefaultRetention: { Mode: 'COMPLIANCE', Days: 1 } },
            },
          }),
        );
      return Bucket;
    };
    const store = (bucket: string, objectLock?: S3Options['objectLock']): ObjectStore =>
      s3Store({
        ...{ bucket, ...connection(), ...(objectLock && { objectLock }) },
        ...{ sleep: async (ms) => void (await sleep(ms)), random: Math.random },
      });

    for (const kind of kinds) {
      objectStoreContract(
        `a ${kind} bucket of ${name}’s`,
        async () => store(await made(kind)),
        name === MARKS,
      );

      it(`has every ability in a ${kind} bucket, so that deletes are allowed`, async () => {
        const abilities = await probe(store(await made(kind)), { random: Math.random });
        expect(abilities.reasons).toEqual({});
        expect(deletesAllowed(abilities)).toBe(true);
      });
    }

    it('keeps each mail by a retention of its own, and lets the state go', async () => {
      const Bucket = await made('lockable');
      const objectLock = { mode: 'COMPLIANCE', days: 1, now: Date.now } as const;
      const kept = store(Bucket, objectLock);
      const [small, large] = [bytes('kept'), noise(PART_BYTES + 1, 'kept')];
      const keys = ['mail/support/1.eml', 'mail/support/2.eml'] as const;
      expect(await kept.create(keys[0], small, digestOf(small))).toBe('created');
      const { upload, digest } = await uploaded(kept, keys[1], large);
      expect(await upload.complete(digest)).toBe('created');
      expect(await kept.replace('state/support.json', bytes('{}'), null)).not.toBe('conflict');
      const versionOf = async (Key: string) => {
        const { Versions = [] } = await client.send(new ListObjectVersionsCommand({ Bucket, Prefix: Key }));
        return { Bucket, Key, VersionId: Versions[0]?.VersionId };
      };
      for (const Key of keys) {
        const head = await client.send(new HeadObjectCommand({ Bucket, Key }));
        expect(head.ObjectLockMode).toBe('COMPLIANCE');
        const leftMs = (head.ObjectLockRetainUntilDate?.getTime() ?? 0) - Date.now();
        expect(leftMs).toBeGreaterThan(23 * 3_600_000);
        await expect(client.send(new DeleteObjectCommand(await versionOf(Key)))).rejects.toThrow();
      }
      expect(await contentOf(kept, keys[1])).toEqual(large);
      await client.send(new DeleteObjectCommand(await versionOf('state/support.json')));
      expect(await kept.read('state/support.json')).toBeNull();
    });

    it('says so where mail is to be kept and the bucket has no Object Lock', async () => {
      const kept = store(await made('plain'), { mode: 'COMPLIANCE', days: 1, now: Date.now });
      const body = bytes('kept');
      await expect(kept.create('mail/support/1.eml', body, digestOf(body))).rejects.toMatchObject({
        ...{ kind: 'person', code: 'E_STORE_NO_LOCK' },
      });
    });

    it('keeps what is under Object Lock, whoever would delete it', async () => {
      const Bucket = await made('locked');
      const kept = store(Bucket);
      const body = bytes('kept');
      const Key = 'mail/support/1.eml';
      expect(await kept.create(Key, body, digestOf(body))).toBe('created');
      const { Versions = [] } = await client.send(new ListObjectVersionsCommand({ Bucket, Prefix: Key }));
      expect(Versions).toHaveLength(1);
      const VersionId = Versions[0]?.VersionId;
      // MinIO says 400.
      await expect(client.send(new DeleteObjectCommand({ Bucket, Key, VersionId }))).rejects.toMatchObject({
        $metadata: { httpStatusCode: name === 'MinIO' ? 400 : 403 },
      });
      expect(await contentOf(kept, Key)).toEqual(body);
    });
  });
}
