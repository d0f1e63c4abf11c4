import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunReport } from '../../lib/fetch/report.ts';
import type { StoreSettings } from '../../lib/mailbox/settings.ts';
import { type Command, installCommand } from '../real/endsCommand.ts';
import { needing, PARTS } from '../real/endsParts.ts';
import { end, spawnTied } from '../servers/tied.ts';
import { startVersitygw } from '../servers/versitygw.ts';

const MB = 1024 * 1024;
const SMALL_BYTES = 10 * MB;
const LARGE_BYTES = 1024 * MB;

/** What an allocator may keep back; a hundredth of the larger message would be more. */
const FLAT_BYTES = 64 * MB;

interface Served {
  readonly port: number;
  readonly ca: string;
  readonly user: string;
  readonly password: string;
  stop(): Promise<void>;
}

async function serve(octets: number): Promise<Served> {
  const script = fileURLToPath(new URL('serve.ts', import.meta.url));
  const child = spawnTied([process.execPath, script, String(octets)], 'KILL', {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  if (child.stdout === null) throw new Error('no stdout');
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
  return { ...(JSON.parse(line) as Omit<Served, 'stop'>), stop: () => end(child, 'SIGKILL') };
}

let command: Command;
let folder: string;

beforeAll(async () => {
  command = await installCommand();
  folder = await mkdtemp(join(tmpdir(), 'large-'));
});

afterAll(async () => {
  await command.stop();
  await rm(folder, { recursive: true, force: true });
});

interface Fetched {
  readonly report: RunReport | undefined;
  readonly peakBytes: number;
}

async function fetchOne(octets: number, store: StoreSettings, env: Record<string, string>): Promise<Fetched> {
  const server = await serve(octets);
  const peakFile = join(folder, `peak-${octets}-${Object.keys(store)[0]}`);
  try {
    const { report, words } = await command.fetch({
      mailbox: { id: `of-${octets}`, port: server.port, user: server.user, delete: 'when-stored' },
      password: server.password,
      ca: server.ca,
      store,
      events: { file: join(folder, `events-${octets}.ndjson`) },
      env: { ...env, PEAK_FILE: peakFile },
      preload: fileURLToPath(new URL('peak.mjs', import.meta.url)),
      timeLimitSeconds: 600,
    });
    expect(report, words).toMatchObject({ error: null, bytesStored: octets, deletions: { committed: 1 } });
    return { report, peakBytes: 1024 * Number(await readFile(peakFile, 'utf8')) };
  } finally {
    await server.stop();
  }
}

async function isFlat(what: string, store: StoreSettings, env: Record<string, string> = {}): Promise<void> {
  const small = await fetchOne(SMALL_BYTES, store, env);
  const large = await fetchOne(LARGE_BYTES, store, env);
  const inMb = (bytes: number) => `${Math.round(bytes / MB)} MB`;
  const seconds = (large.report?.durationMs ?? 0) / 1000;
  console.log(
    `${what}: peak of resident memory ${inMb(small.peakBytes)} for a message of 10 MB, ${inMb(large.peakBytes)} for one of 1 GB (${seconds.toFixed(1)} s)`,
  );
  expect(large.peakBytes).toBeLessThan(small.peakBytes + FLAT_BYTES);
}

describe('a message of 1 GB', () => {
  it('goes into a folder in the memory that one of 10 MB needs', () =>
    isFlat('folder', { folder: join(folder, 'store') }));
});

const gateway = needing('a message of 1 GB', 'versitygw');

describe.skipIf(gateway.missing)(gateway.title, () => {
  it('goes into a bucket in the memory that one of 10 MB needs', async () => {
    const server = await startVersitygw(PARTS.versitygw, join(folder, 'gateway'));
    try {
      const { endpoint, region, accessKey, secretKey } = server;
      const credentials = { accessKeyId: accessKey, secretAccessKey: secretKey };
      const client = new S3Client({ endpoint, region, credentials, forcePathStyle: true });
      await client.send(new CreateBucketCommand({ Bucket: 'large' }));
      client.destroy();
      await isFlat(
        'bucket',
        { bucket: 'large', region, endpoint, pathStyle: true },
        {
          AWS_ACCESS_KEY_ID: accessKey,
          AWS_SECRET_ACCESS_KEY: secretKey,
        },
      );
    } finally {
      await server.stop();
    }
  });
});
