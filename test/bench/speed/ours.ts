/** One run of the product over one mailbox, wired as the command wires it. It is given a job with a store. */
import { readFileSync, writeFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ndjsonFile } from '../../../lib/events/ndjson.ts';
import type { Publisher } from '../../../lib/events/port.ts';
import { ByteBudget } from '../../../lib/fetch/byteBudget.ts';
import { runMailbox } from '../../../lib/fetch/run.ts';
import { systemClock } from '../../../lib/fetch/systemClock.ts';
import { parseSettingsFile } from '../../../lib/mailbox/settings.ts';
import { dialTls } from '../../../lib/pop3/dial.ts';
import { Secret, type Secrets } from '../../../lib/secrets/port.ts';
import { folderStore } from '../../../lib/store/folder.ts';
import type { ObjectStore } from '../../../lib/store/port.ts';
import { s3Store } from '../../../lib/store/s3.ts';
import { tokensByReference } from '../../secrets/tokensByReference.ts';
import { type Fetched, JOB, type OursJob } from './job.ts';
import { nullStore } from './nullStore.ts';

const HOUR_MS = 3_600_000;

/** As the command has it. */
const IN_FLIGHT_BYTES = 64 * 1024 * 1024;

const job = JSON.parse(process.env[JOB] ?? '') as OursJob;
const ACCEPTING: Publisher = {
  durable: true,
  prove: async () => {},
  publish: async (events) => events.map(() => ({ accepted: true })),
};

function storeOf(): ObjectStore {
  if (job.store === 'null') return nullStore('null').store;
  if (job.store === 'folder') return folderStore(join(job.folder, 'store'), { random: Math.random });
  if (!job.s3) throw new Error('A job for S3 names its server.');
  const { endpoint, region, bucket, accessKey, secretKey } = job.s3;
  const credentials = { accessKeyId: accessKey, secretAccessKey: secretKey };
  const chance = { sleep: async (ms: number) => void (await sleep(ms)), random: Math.random };
  return s3Store({ bucket, region, endpoint, forcePathStyle: true, credentials, ...chance });
}

const [mailbox] = parseSettingsFile(
  {
    store: { folder: 'unused' },
    mailboxes: [
      {
        id: 'bench',
        host: job.host,
        port: job.port,
        user: job.user,
        password: 'env:UNUSED',
        ca: readFileSync(job.caFile, 'utf8'),
      },
    ],
  },
  'bench',
).mailboxes;
if (!mailbox) throw new Error('no mailbox');

const secrets: Secrets = { read: async () => new Secret(job.password) };

const profiler = job.profile === undefined ? null : new Session();
profiler?.connect();
await profiler?.post('Profiler.enable');
await profiler?.post('Profiler.start');
const began = performance.now();
const report = await runMailbox(
  mailbox,
  {
    dial: dialTls({ timer: systemClock }),
    store: storeOf(),
    publisher: job.store === 'null' ? ACCEPTING : ndjsonFile(join(job.folder, 'events.ndjson')),
    secrets,
    tokens: tokensByReference(secrets),
    clock: systemClock,
    trust: async () => ({ deletes: false, reason: 'nothing is deleted here' }),
    inFlight: new ByteBudget(IN_FLIGHT_BYTES),
  },
  { deadlineMs: Date.now() + HOUR_MS, suspects: 'after', honourBackOff: false },
);
const ms = performance.now() - began;
if (profiler !== null && job.profile !== undefined) {
  const { profile } = await profiler.post('Profiler.stop');
  writeFileSync(join(job.profile, 'run.cpuprofile'), JSON.stringify(profile));
}
if (report.outcome !== 'done') {
  console.error(`ours: ${report.outcome} ${JSON.stringify(report.error ?? report.messages)}`);
  process.exit(1);
}
const fetched: Fetched = { ms, messages: report.counts.stored, octets: report.bytesStored };
console.log(JSON.stringify(fetched));
process.exit(0);
