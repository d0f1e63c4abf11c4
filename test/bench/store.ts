/**
 * How many small messages a second each store takes: node test/bench/store.ts [FOLDER]. Prints, asserts nothing.
 * With MAILFERRY_VERSITYGW set to the binary, S3 too. FOLDER decides the disk; by default it is the system's
 * temporary folder.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { Digester, digestOf } from '../../lib/store/checksum.ts';
import { folderStore } from '../../lib/store/folder.ts';
import { memoryStore } from '../../lib/store/memory.ts';
import { type ObjectStore, PART_BYTES } from '../../lib/store/port.ts';
import { s3Store } from '../../lib/store/s3.ts';
import { startVersitygw } from '../servers/versitygw.ts';
import { noise } from '../store/writing.ts';

const MESSAGES = 3000;
const MESSAGE_BYTES = 4096;
const LARGE_BYTES = 12 * PART_BYTES;

async function creates(store: ObjectStore, atOnce: number): Promise<string> {
  const bodies = Array.from({ length: MESSAGES }, (_, number) => noise(MESSAGE_BYTES, `${atOnce} ${number}`));
  const cpu = process.cpuUsage();
  const began = performance.now();
  let next = 0;
  const worker = async () => {
    for (let body = bodies[next]; body !== undefined; body = bodies[next]) {
      next += 1;
      await store.create(`mail/bench-${atOnce}/${next}.eml`, body, digestOf(body));
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  const seconds = (performance.now() - began) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  const cpuMs = (user + system) / 1000 / MESSAGES;
  return `${Math.round(MESSAGES / seconds)}/s, ${cpuMs.toFixed(2)} ms CPU each`;
}

async function large(store: ObjectStore): Promise<string> {
  const chunk = Buffer.from(noise(64 * 1024, 'large'));
  const cpu = process.cpuUsage();
  const began = performance.now();
  const digester = new Digester();
  const upload = await store.upload('mail/bench/large.eml');
  for (let sent = 0; sent < LARGE_BYTES; sent += chunk.length) {
    digester.update(chunk);
    await upload.write(chunk);
  }
  await upload.complete(digester.digest());
  const seconds = (performance.now() - began) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  const mb = LARGE_BYTES / 1e6;
  return `${Math.round(mb / seconds)} MB/s, ${((user + system) / 1000 / mb).toFixed(1)} ms CPU a MB`;
}

async function report(name: string, store: ObjectStore): Promise<void> {
  await creates(store, 4);
  for (const atOnce of [1, 16]) {
    console.log(`${name}: ${MESSAGE_BYTES}-byte creates, ${atOnce} at once: ${await creates(store, atOnce)}`);
  }
  console.log(`${name}: one upload of ${LARGE_BYTES / 1e6} MB: ${await large(store)}`);
}

const folder = await mkdtemp(join(process.argv[2] ?? tmpdir(), 'mailferry-bench-'));
try {
  await report('memory', memoryStore('bench'));
  await report('folder', folderStore(join(folder, 'store'), { random: Math.random }));
  const binary = process.env['MAILFERRY_VERSITYGW'];
  if (binary) {
    const server = await startVersitygw(binary, join(folder, 'versitygw'));
    const connection = {
      region: server.region,
      endpoint: server.endpoint,
      forcePathStyle: true,
      credentials: { accessKeyId: server.accessKey, secretAccessKey: server.secretKey },
    };
    await new S3Client(connection).send(new CreateBucketCommand({ Bucket: 'bench' }));
    const wait = async (ms: number) => void (await sleep(ms));
    await report(
      'S3 (versitygw)',
      s3Store({ bucket: 'bench', ...connection, sleep: wait, random: Math.random }),
    );
    await server.stop();
  } else {
    console.log('S3: skipped, MAILFERRY_VERSITYGW is not set');
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}
