/** Everything that one row needs, started for it alone: a POP3 server, a far end, the programs, and their pace. */
import { type BucketEnd, type FarEnd, type FolderEnd, startBucket, startFolder } from '../real/endsFar.ts';
import type { Oracle } from '../real/endsLedger.ts';
import { PARTS } from '../real/endsParts.ts';
import { type Dovecot, startDovecot } from '../servers/dovecot.ts';
import { startMinio } from '../servers/minio.ts';
import { recordRetr } from '../servers/recordRetr.ts';
import type { S3Server } from '../servers/s3Process.ts';
import {
  commandProgram,
  functionProgram,
  type Installed,
  type Process,
  type Program,
  RUN_SECONDS,
} from './programs.ts';
import { MINIO, type Row } from './rows.ts';
import { startTap, type Tap } from './tap.ts';

export interface Ground {
  readonly row: Row;
  readonly near: Dovecot;
  readonly far: FarEnd;
  readonly tap: Tap;
  /** Undefined where the store is a folder. */
  readonly store: S3Server | undefined;
  /** The row's own program, or, for a mailbox that it leaves alone because it is backed off, the command. */
  start(user: string): Promise<Process>;
  /** The command, which waits for no back-off, and with more time than any run needs. */
  startAtLeisure(user: string): Promise<Process>;
  /** What RETR gives now, by UIDL, to a reader that is not ours. */
  record(user: string): Promise<Oracle>;
  /** Ends all its processes and removes its folders. */
  stop(): Promise<void>;
  /** Ends all its processes; says where its folders are. */
  keep(): Promise<readonly string[]>;
}

const DOVECOT_OPTIONS = [
  // UIDLs are the names of the server's files: what is left can be read in its folder, even while it is dead.
  'pop3_uidl_format = %g',
  // A process for each session that is there already and serves more than one: half of a small run is signing in.
  'service pop3 {',
  '  process_min_avail = 4',
  '  service_count = 100',
  '}',
];

/** More than a trial has steps: no message is set aside, and each must arrive in the end. */
const ATTEMPTS = 20;

/** The probe of a store moves 40 MB. */
const LEISURE_SECONDS = 60;

/** `users`: u1, u2, … */
export async function startGround(row: Row, users: number, installed: Installed): Promise<Ground> {
  const [near, far] = await Promise.all([
    startDovecot(PARTS.dovecot, { users, options: DOVECOT_OPTIONS }),
    startFar(row),
  ]);
  const tap = await startTap(near);
  const mailbox = (user: string) => ({
    ...{ id: user, host: 'localhost', port: tap.port, ca: tap.ca, user },
    ...{ delete: row.policy, attempts: ATTEMPTS },
  });
  const passwords = Object.fromEntries(near.users.map(({ name, password }) => [name, password]));
  const fetching = (user: string) => ({
    ...{ mailbox: mailbox(user), password: passwords[user] ?? '', ca: tap.ca },
    ...placesOf(far),
  });
  const command = commandProgram(installed, { fetching, timeLimitSeconds: RUN_SECONDS });
  const atLeisure = commandProgram(installed, { fetching, timeLimitSeconds: LEISURE_SECONDS });
  const program =
    row.program === 'function' && 'bucket' in far
      ? await functionProgram(installed, {
          ...{ far, passwords },
          mailboxes: near.users.map(({ name }) => mailbox(name)),
        })
      : command;
  const end = async () => {
    await program.stop();
    await tap.stop();
  };
  return {
    ...{ row, near, far, tap, store: 'gateway' in far ? far.gateway : undefined },
    start: async (user) => (await willing(program, { command, far }, user)).start(user),
    startAtLeisure: atLeisure.start,
    record: (user) =>
      recordRetr({
        host: near.host,
        port: near.port,
        ca: near.ca,
        name: user,
        password: passwords[user] ?? '',
      }),
    async stop() {
      await end();
      await near.stop();
      await far.stop();
    },
    async keep() {
      await end();
      await near.kill();
      if ('gateway' in far) {
        await far.gateway.kill();
        await far.bus.stop();
      }
      return [near.folder, far.folder];
    },
  };
}

function startFar({ far }: Row): Promise<FolderEnd | BucketEnd> {
  if (far === 'folder') return startFolder();
  return far === 'minio' ? startBucket((folder) => startMinio(MINIO, folder)) : startBucket();
}

function placesOf(far: FolderEnd | BucketEnd) {
  if ('eventsFile' in far) return { store: { folder: far.folder }, events: { file: far.eventsFile } };
  const { region, endpoint } = far.gateway;
  return {
    store: { bucket: far.bucket, region, endpoint, pathStyle: true },
    events: { bus: 'mail', region, endpoint: far.bus.endpoint },
    env: far.env,
  };
}

interface Others {
  readonly command: Program;
  readonly far: FarEnd;
}

async function willing(program: Program, { command, far }: Others, user: string): Promise<Program> {
  if (program === command) return command;
  // Without a state nobody has failed yet.
  const head = await far.head(user).catch(() => null);
  return head?.backOff ? command : program;
}
