/**
 * Ceph's S3 gateway, lax where S3 is strict, over the smallest cluster that there is: a monitor and one OSD, whose disk
 * is a file. Its quirks stand in test/real/cephRgw.test.ts.
 */
import { type ChildProcess, execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdir, open, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from './freePort.ts';
import { type S3Server, startS3Server } from './s3Process.ts';
import { end, spawnTied } from './tied.ts';

/** A cluster takes some ten seconds to be there, and another ten to believe that its OSD was killed. */
const PATIENCE_MS = 120_000;

/** Of the sparse file that is the disk. */
const DISK_BYTES = 4 * 2 ** 30;

const run = promisify(execFile);

/** `radosgw` as the installer found it (MAILFERRY_RGW), with Ceph's other programs beside it. */
export async function startCephRgw(radosgw: string, folder: string): Promise<S3Server> {
  const cluster = await newCluster(dirname(radosgw), folder);
  await cluster.start();
  try {
    const keys = await cluster.newUser();
    const gateway = await startS3Server(
      {
        name: 'Ceph RGW',
        command: ({ address }) => [
          radosgw,
          ...['-f', '-c', cluster.conf, '-n', 'client.rgw.a'],
          `--rgw-frontends=beast endpoint=${address}`,
        ],
        env: () => ({}),
        healthPath: '/',
        startMs: PATIENCE_MS,
      },
      folder,
    );
    return served(gateway, cluster, keys);
  } catch (error) {
    await cluster.kill();
    throw error;
  }
}

/** Killed and started as one. */
function served(gateway: S3Server, cluster: Cluster, keys: Keys): S3Server {
  const kill = async () => {
    await Promise.all([gateway.kill(), cluster.kill()]);
  };
  return {
    ...keys,
    endpoint: gateway.endpoint,
    region: gateway.region,
    get pid() {
      return gateway.pid;
    },
    kill,
    // QUIRK: asked to end in good order it may take a minute and a half.
    stop: kill,
    async restart() {
      await cluster.start();
      await gateway.restart();
    },
  };
}

interface Keys {
  readonly accessKey: string;
  readonly secretKey: string;
}

interface Cluster {
  readonly conf: string;
  start(): Promise<void>;
  kill(): Promise<void>;
  newUser(): Promise<Keys>;
}

async function newCluster(programs: string, folder: string): Promise<Cluster> {
  const fsid = randomUUID();
  const osd = randomUUID();
  const monitor = `v2:127.0.0.1:${await freePort()}/0`;
  const conf = join(folder, 'ceph.conf');
  const call = async (program: string, ...args: string[]) =>
    (await run(join(programs, program), args, { timeout: PATIENCE_MS, env: {} })).stdout;
  await mkdir(join(folder, 'mon'));
  await mkdir(join(folder, 'osd'));
  await writeFile(conf, configuration({ folder, fsid, monitor }));
  const map = join(folder, 'monmap');
  const features = ['--enable-all-features', '--set-min-mon-release', 'pacific'];
  await call('monmaptool', '--create', '--addv', 'a', `[${monitor}]`, '--fsid', fsid, ...features, map);
  await call('ceph-mon', '--mkfs', '-i', 'a', '--monmap', map, '-c', conf);

  const children: ChildProcess[] = [];
  const daemon = async (program: string, id: string) => {
    const log = await open(join(folder, `${program}.log`), 'a');
    const command = [join(programs, program), '-f', '-i', id, '-c', conf] as const;
    children.push(spawnTied(command, 'KILL', { env: {}, stdio: ['ignore', log.fd, log.fd] }));
    await log.close();
  };
  let isMade = false;
  return {
    conf,
    async start() {
      await daemon('ceph-mon', 'a');
      if (!isMade) {
        await call('ceph', '-c', conf, 'osd', 'new', osd);
        await call('ceph-osd', '--mkfs', '-i', '0', '--osd-uuid', osd, '-c', conf);
        isMade = true;
      }
      await daemon('ceph-osd', '0');
    },
    async kill() {
      await Promise.all(children.splice(0).map((child) => end(child, 'SIGKILL')));
    },
    async newUser() {
      const named = ['--uid=test', '--display-name=test'];
      const said = await call('radosgw-admin', '-c', conf, '-n', 'client.rgw.a', 'user', 'create', ...named);
      const [keys] = JSON.parse(said).keys;
      return { accessKey: keys.access_key, secretKey: keys.secret_key };
    },
  };
}

interface Place {
  readonly folder: string;
  readonly fsid: string;
  readonly monitor: string;
}

function configuration({ folder, fsid, monitor }: Place): string {
  const settings = {
    fsid,
    mon_host: monitor,
    public_addr: '127.0.0.1',
    cluster_addr: '127.0.0.1',
    auth_cluster_required: 'none',
    auth_service_required: 'none',
    auth_client_required: 'none',
    // QUIRK: without sign-in the gateway is refused for ever (-13) unless this is so.
    ms_mon_client_mode: 'crc',
    run_dir: folder,
    admin_socket: `${folder}/$name.asok`,
    log_file: `${folder}/$name.log`,
    mon_cluster_log_file: `${folder}/cluster.log`,
    crash_dir: folder,
    mon_data: `${folder}/mon`,
    osd_data: `${folder}/osd`,
    osd_objectstore: 'bluestore',
    bluestore_block_size: DISK_BYTES,
    osd_memory_target: 939_524_096,
    // One OSD has each object once, and that is enough.
    osd_crush_chooseleaf_type: 0,
    osd_pool_default_size: 1,
    osd_pool_default_min_size: 1,
    osd_pool_default_pg_num: 4,
    osd_pool_default_pg_autoscale_mode: 'off',
    mon_allow_pool_size_one: true,
    // It refuses writes on a disk that is nearly full otherwise, whoever filled it.
    mon_data_avail_crit: 1,
    mon_data_avail_warn: 1,
    rgw_data: folder,
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name} = ${value}`);
  return `[global]\n${lines.join('\n')}\n`;
}
