/**
 * Runs a server whose package is unpacked and not installed: in a mount namespace where its root lies over /usr, and a
 * private /etc, /run and /var over those of the machine. All its processes are in one PID namespace, so that none
 * outlives the first one. Linux, as root.
 */
import { type ChildProcess, execFile, execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { VERSIONS_FILE } from '../../scripts/parts/mailServers.ts';
import { greeting } from './greeting.ts';
import { end, spawnTied } from './tied.ts';

const START_TRIES = 400;
const START_WAIT_MS = 50;

/** $1: the unpacked root; $2: the server's folder; then the command. */
const ENTER = `
R=$1; D=$2; shift 2
mount -t overlay overlay -o lowerdir=$R/usr:/usr /usr
mount -t overlay overlay -o lowerdir=$R/etc:/etc,upperdir=$D/etc,workdir=$D/work /etc
mount --bind $D/run /run
mount --bind $D/var /var
exec "$@"`;

const ISOLATED = ['unshare', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc'] as const;

/** Whose mail it is; and nobody else's number on the machine. */
export const OWNER_GID = 65_000;
const FIRST_UID = 65_001;

/** Why this machine cannot run servers so, in words for a title; undefined where it can. */
export function whyNotSideBySide(): string | undefined {
  const probe = 'mkdir $1/u $1/w && mount -t overlay o -o lowerdir=/etc,upperdir=$1/u,workdir=$1/w /etc';
  const script = `D=$(mktemp -d); unshare --mount sh -c '${probe}' probe "$D"; R=$?; rm -rf "$D"; exit $R`;
  try {
    execFileSync('sh', ['-c', script], { stdio: 'pipe' });
    return undefined;
  } catch (error) {
    const { stderr, message } = error as { stderr?: Buffer; message: string };
    const [line = message] = String(stderr ?? '').split('\n');
    return `no overlay in a mount namespace: ${line}`;
  }
}

/** A folder for one server, with what its /etc, /run and /var hold before it starts. */
export interface Place {
  readonly folder: string;
  readonly etc: string;
  readonly run: string;
  readonly var: string;
  /** Below it a home for each user. */
  readonly home: string;
  readonly users: readonly { readonly name: string; readonly password: string; readonly uid: number }[];
}

/** Users u1, u2, …; `daemons`: accounts that the server wants to run as, besides those of the mail's owners. */
export async function makePlace(count: number, daemons: readonly string[]): Promise<Place> {
  const folder = await mkdtemp(join(tmpdir(), 'pop3-'));
  const at = (name: string) => join(folder, name);
  const place: Place = {
    folder,
    etc: at('etc'),
    run: at('run'),
    var: at('var'),
    home: at('home'),
    users: Array.from({ length: count }, (_, index) => ({
      name: `u${index + 1}`,
      password: randomBytes(18).toString('base64url'),
      uid: FIRST_UID + index,
    })),
  };
  const folders = ['etc/pam.d', 'run', 'var/mail', 'var/tmp', 'var/log', 'home', 'work'].map(at);
  for (const each of folders) await mkdir(each, { recursive: true });
  await promisify(execFile)('chmod', ['755', folder]);
  await promisify(execFile)('chmod', ['1777', at('var/mail'), at('var/tmp')]);
  await writeAccounts(place, daemons);
  return place;
}

async function writeAccounts({ etc, home, users }: Place, daemons: readonly string[]): Promise<void> {
  const [passwd, group] = await Promise.all(
    ['/etc/passwd', '/etc/group'].map((file) => readFile(file, 'utf8')),
  );
  const numbered = daemons.map((name, index) => ({ name, uid: daemonUid(users.length, index) }));
  const rows = [
    ...users.map(({ name, uid }) => `${name}:x:${uid}:${OWNER_GID}::${join(home, name)}:/bin/sh`),
    ...numbered.map(({ name, uid }) => `${name}:x:${uid}:${OWNER_GID}::/:/bin/false`),
  ];
  const secrets = users.map(({ name, password }) => `${name}:${crypted(password)}:19000:0:99999:7:::`);
  await writeFile(join(etc, 'passwd'), `${passwd}${rows.join('\n')}\n`);
  await writeFile(join(etc, 'group'), `${group}mailtests:x:${OWNER_GID}:\n`);
  await writeFile(join(etc, 'shadow'), `${secrets.join('\n')}\n`, { mode: 0o600 });
  // Nothing of the machine's own rules, which may ask for modules that the root lacks.
  const rules = 'auth required pam_unix.so\naccount required pam_unix.so\n';
  for (const service of ['popa3d', 'solid-pop3d', 'spop3d', 'pop3', 'pop3d', 'mailutils']) {
    await writeFile(join(etc, 'pam.d', service), rules);
  }
}

/** Of the account `daemons[index]` in a place with so many users. */
export function daemonUid(users: number, index: number): number {
  return FIRST_UID + users + index;
}

/** For /etc/shadow, in SHA-512 crypt. */
export function crypted(password: string): string {
  return execFileSync('openssl', ['passwd', '-6', '-stdin'], { input: password }).toString().trim();
}

export interface SideBySide {
  /** Runs a program of the server's among its processes, as `uid` where given; resolves to its output. */
  run(command: readonly [string, ...string[]], uid?: number): Promise<string>;
  /** What its first process wrote to stdout and stderr. */
  log(): string;
  /** Ends it with all its processes, and removes its folder. */
  stop(): Promise<void>;
}

/** Resolves once `port` greets; rejects with the server's own words where it does not. */
export async function startSideBySide(
  root: string,
  { folder }: Place,
  { command, port }: { readonly command: readonly [string, ...string[]]; readonly port: number },
): Promise<SideBySide> {
  const words: string[] = [];
  const child = spawnTied([...ISOLATED, 'sh', '-ec', ENTER, 'enter', root, folder, ...command], 'KILL', {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => void words.push(text));
  }
  const stop = async () => {
    await end(child, 'SIGKILL');
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    await greeted(port, child);
  } catch (error) {
    await stop();
    throw new Error(`${command[0]} did not start: ${words.join('').trim() || error}`, { cause: error });
  }
  return {
    async run([program, ...args], uid) {
      const who = uid === undefined ? [] : ['--setuid', String(uid), '--setgid', String(OWNER_GID)];
      const into = ['--target', await firstInside(child), '--mount', '--pid', ...who];
      return (await promisify(execFile)('nsenter', [...into, program, ...args])).stdout;
    },
    log: () => words.join(''),
    stop,
  };
}

/** The name and version of a package in an unpacked root. */
export async function versionIn(root: string, name: string): Promise<string> {
  const rows = await readFile(join(root, VERSIONS_FILE), 'utf8').catch(() => '');
  const row = rows.split('\n').find((line) => line.startsWith(`${name} `));
  // "1.0.16-3+b6": Debian's own number says nothing about the server.
  return row?.split(' ')[1]?.replace(/^\d+:/, '').split(/[-+]/)[0] ?? 'of unknown version';
}

/** The process that `unshare` forked into the namespaces. */
async function firstInside({ pid }: ChildProcess): Promise<string> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return children.trim().split(' ')[0] ?? '';
}

async function greeted(port: number, child: ChildProcess): Promise<void> {
  for (let tries = 0; tries < START_TRIES; tries += 1) {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error('it ended');
    if (await greeting(port)) return;
    await sleep(START_WAIT_MS);
  }
  throw new Error(`no greeting within ${START_TRIES * START_WAIT_MS} ms`);
}
