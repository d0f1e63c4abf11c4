/** The speed table: a Dovecot with the mail, a line to it, and the contestants in turn. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { type Dovecot, startDovecot } from '../../servers/dovecot.ts';
import { end, spawnTied } from '../../servers/tied.ts';
import { startVersitygw, type Versitygw } from '../../servers/versitygw.ts';
import type { Job } from './job.ts';
import { byFile } from './profile.ts';
import { type Contestant, fetchmail, mpop, ours, poplib, rawDrain } from './programs.ts';
import { type Ratio, ratioOf, rounds, type Section } from './table.ts';
import { type Expected, expectedOf, letter, WORKLOADS, type Workload } from './workloads.ts';

export interface BenchOptions {
  readonly dovecot: string;
  /** Paths of what there is. */
  readonly versitygw: string | undefined;
  readonly mpop: string | undefined;
  readonly fetchmail: string | undefined;
  readonly python: string | undefined;
  readonly only: readonly string[];
  readonly without: readonly string[];
  readonly rounds: number | undefined;
  readonly share: number;
  readonly log: (line: string) => void;
}

interface Line {
  readonly name: string;
  /** Each way; null: no proxy. */
  readonly delayMs: number | null;
  /** Pairs, and what is wanted of them. */
  readonly pairs: readonly (readonly [string, string, (number | undefined)?])[];
}

const AGAINST_ALL: Line['pairs'] = ['null', 'folder', 'versitygw'].flatMap((store) =>
  ['raw drain', 'mpop', 'fetchmail', 'poplib'].map((peer) => [`ours, ${store}`, peer] as const),
);

export const LINES: readonly Line[] = [
  {
    name: 'direct',
    delayMs: null,
    pairs: withGoals({ 'ours, null/raw drain': 0.9, 'ours, folder/mpop': 1 }),
  },
  {
    name: '40 ms',
    delayMs: 20,
    pairs: withGoals({ 'ours, null/raw drain': 0.9, 'ours, folder/mpop': 1, 'ours, folder/poplib': 30 }),
  },
  // The proxy must not be what is measured.
  { name: 'proxy without delay', delayMs: 0, pairs: [['raw drain, proxy', 'raw drain']] },
];

function withGoals(goals: Readonly<Record<string, number>>): Line['pairs'] {
  return AGAINST_ALL.map(([first, second]) => [first, second, goals[`${first}/${second}`]] as const);
}

interface Ground {
  readonly server: Dovecot;
  readonly folder: string;
  readonly vgw: Versitygw | undefined;
  readonly options: BenchOptions;
}

export async function benchOn(options: BenchOptions): Promise<readonly Section[]> {
  return onGround(options, async (ground) => {
    const sections: Section[] = [];
    for (const [at, workload] of WORKLOADS.entries()) {
      const lines = LINES.filter(({ name }) => wanted(options, `${workload.name}, ${name}`));
      if (lines.length === 0) continue;
      const expected = await fill(ground, at, workload);
      for (const line of lines) sections.push(await section(ground, { at, workload, expected, line }));
    }
    return sections;
  });
}

function wanted({ only }: BenchOptions, title: string): boolean {
  return only.length === 0 || only.every((text) => title.includes(text));
}

export interface Profiled {
  /** Of the workload and the contestant. */
  readonly title: string;
  /** "share file" lines, the largest first. */
  readonly text: string;
}

/** One of our own runs for each workload under the profiler, without a delay. */
export async function profileOn(
  options: BenchOptions & { profile: 'null' | 'folder' },
): Promise<readonly Profiled[]> {
  return onGround(options, async (ground) => {
    const told: Profiled[] = [];
    for (const [at, workload] of WORKLOADS.entries()) {
      if (!wanted(options, `${workload.name}, direct`)) continue;
      const expected = await fill(ground, at, workload);
      const profiles = await mkdtemp(join(ground.folder, 'profile-'));
      const contestant = ours(options.profile, { profile: profiles });
      await runOnce(ground, contestant, { at, expected, port: ground.server.port });
      told.push({ title: `${workload.name}, ${contestant.name}`, text: await byFile(profiles) });
    }
    return told;
  });
}

async function onGround<T>(options: BenchOptions, work: (ground: Ground) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'mailferry-bench-'));
  // A message that was seen gets no other name then, so that the first run is as any other.
  const server = await startDovecot(options.dovecot, {
    users: WORKLOADS.length,
    options: ['pop3_no_flag_updates = yes'],
  });
  let vgw: Versitygw | undefined;
  try {
    if (options.versitygw) vgw = await startVersitygw(options.versitygw, join(folder, 'versitygw'));
    await writeFile(join(folder, 'ca.pem'), server.ca);
    return await work({ server, folder, vgw, options });
  } finally {
    await vgw?.stop();
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function fill({ server, options }: Ground, at: number, workload: Workload): Promise<Expected> {
  const count = Math.ceil(workload.messages / options.share);
  const letters = Array.from({ length: count }, (_, number) => letter(number + 1, workload.octets));
  await server.put(`u${at + 1}`, letters);
  return expectedOf(letters);
}

interface Task {
  readonly at: number;
  readonly workload: Workload;
  readonly expected: Expected;
  readonly line: Line;
}

async function section(ground: Ground, { at, workload, expected, line }: Task): Promise<Section> {
  const { options, server } = ground;
  const title = `${workload.name}, ${line.name}`;
  const proxy = line.delayMs === null ? undefined : await startProxy(server.port, line.delayMs);
  const port = proxy?.port ?? server.port;
  const fields = line.delayMs === 0 ? [rawDrain, { ...rawDrain, name: 'raw drain, proxy' }] : field(ground);
  try {
    const times = await rounds(fields, options.rounds ?? workload.rounds, async (contestant) => {
      const direct = line.delayMs === 0 && contestant === rawDrain;
      return runOnce(ground, contestant, { at, expected, port: direct ? server.port : port }).catch(
        (error) => {
          throw new Error(`${title}, ${contestant.name}: ${error instanceof Error ? error.message : error}`, {
            cause: error,
          });
        },
      );
    });
    options.log(`${title}: done`);
    const ratios = line.pairs.map(([first, second, goal]) => ratioOf(times, [first, second], goal));
    return { title, ratios: ratios.filter((ratio): ratio is Ratio => ratio !== undefined) };
  } finally {
    if (proxy) await end(proxy.child, 'SIGKILL');
  }
}

function field(ground: Ground): readonly Contestant[] {
  const { options, vgw } = ground;
  return [
    rawDrain,
    ours('null'),
    ...(options.mpop ? [mpop(options.mpop)] : []),
    ours('folder'),
    ...(options.fetchmail ? [fetchmail(options.fetchmail)] : []),
    ...(vgw ? [ours('s3', { s3: () => newBucket(vgw) })] : []),
    ...(options.python ? [poplib(options.python)] : []),
  ].filter(({ name }) => !options.without.some((text) => name.includes(text)));
}

interface Once {
  readonly at: number;
  readonly expected: Expected;
  readonly port: number;
}

async function runOnce(
  ground: Ground,
  contestant: Contestant,
  { at, expected, port }: Once,
): Promise<number> {
  const { server, folder } = ground;
  const user = server.users[at];
  if (!user) throw new Error('There is a user for each workload.');
  const own = await mkdtemp(join(folder, 'run-'));
  const job: Job = {
    host: server.host,
    port,
    user: user.name,
    password: user.password,
    caFile: join(folder, 'ca.pem'),
    folder: own,
  };
  try {
    return (await contestant.fetch(job, expected)).ms;
  } finally {
    await rm(own, { recursive: true, force: true });
    await emptied(join(folder, 'versitygw', 'data'));
  }
}

/** Buckets are folders there, and nothing in them is needed again; it works in the folder itself. */
async function emptied(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  for (const name of names) await rm(join(folder, name), { recursive: true, force: true });
}

let buckets = 0;

async function newBucket({ endpoint, region, accessKey, secretKey }: Versitygw) {
  const bucket = `bench-${++buckets}`;
  const credentials = { accessKeyId: accessKey, secretAccessKey: secretKey };
  const client = new S3Client({ region, endpoint, forcePathStyle: true, credentials });
  await client.send(new CreateBucketCommand({ Bucket: bucket }));
  client.destroy();
  return { endpoint, region, accessKey, secretKey, bucket };
}

async function startProxy(target: number, delayMs: number): Promise<{ child: ChildProcess; port: number }> {
  const file = fileURLToPath(new URL('delayProxy.ts', import.meta.url));
  const child = spawnTied([process.execPath, file, String(target), String(delayMs)], 'KILL', {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(createInterface({ input: stdoutOf(child) }), 'line')) as [string];
  return { child, port: Number(line) };
}

function stdoutOf({ stdout }: ChildProcess) {
  if (stdout === null) throw new Error('It has no stdout.');
  return stdout;
}
