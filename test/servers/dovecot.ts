/** A private Dovecot: its own folder, ports, certificate, users and passwords, gone when it is stopped. */
import { type ChildProcess, execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, chown, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { createAuthority, issue } from './certificates.ts';
import { dovecotConfiguration, mailOwner, type Owner } from './dovecotConfiguration.ts';
import { childrenOf, killSessions } from './dovecotProcesses.ts';
import { freePort } from './freePort.ts';
import { greeting } from './greeting.ts';
import { end, spawnTied } from './tied.ts';

/** It greets within 50 ms; on a busy machine it may take a hundred times that. */
const START_TRIES = 200;
const START_WAIT_MS = 50;

/** Between asking for a port and Dovecot's taking it another process may have it. */
const PORT_TRIES = 3;

export interface DovecotOptions {
  /** How many, named u1, u2, …; 1 by default. */
  readonly users?: number;
  /** Lines for dovecot.conf, after all others. */
  readonly options?: readonly string[];
  readonly format?: 'maildir' | 'mdbox';
}

export interface Dovecot {
  /** The certificate's name; it resolves to 127.0.0.1. */
  readonly host: 'localhost';
  /** TLS from the first byte. */
  readonly port: number;
  /** Without TLS; STLS is offered. */
  readonly plainPort: number;
  /** The authority to trust, PEM. */
  readonly ca: string;
  readonly users: readonly { readonly name: string; readonly password: string }[];
  readonly pid: number;
  /** Everything of it is below; it logs into dovecot.log. */
  readonly folder: string;
  /** Delivers messages, in this order after all before them; returns their names as `list` will give them. */
  put(user: string, messages: readonly Uint8Array[]): Promise<readonly string[]>;
  /** The names of the messages that are left, ascending: file names (Maildir) or numbers (mdbox). */
  list(user: string): Promise<readonly string[]>;
  /** SIGKILLs the processes that serve this user's sessions; returns how many. */
  killPop3(user: string): Promise<number>;
  /** SIGKILLs it with all its processes, as when a machine is lost. */
  kill(): Promise<void>;
  /** After `kill`: the same folder, ports, certificate and mail. */
  restart(): Promise<void>;
  log(): Promise<string>;
  /** Ends it with all its processes and removes its folder. */
  stop(): Promise<void>;
}

/** `path` is the program, as the suite's installer found it (MAILFERRY_DOVECOT). */
export async function startDovecot(path: string, options: DovecotOptions = {}): Promise<Dovecot> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await start(path, options);
    } catch (error) {
      if (tries === PORT_TRIES || !String(error).includes('Address already in use')) throw error;
    }
  }
}

async function start(path: string, options: DovecotOptions): Promise<Dovecot> {
  const { format = 'maildir', users: count = 1 } = options;
  const folder = await mkdtemp(join(tmpdir(), 'dovecot-'));
  const owner = mailOwner();
  const users = Array.from({ length: count }, (_, index) => ({
    name: `u${index + 1}`,
    password: randomBytes(18).toString('base64url'),
  }));
  const plainPort = await freePort();
  const tlsPort = await freePort(plainPort);
  const ca = await writeCertificate(folder);
  await writeFile(join(folder, 'users'), users.map(({ name, password }) => `${name}:${password}\n`).join(''));
  const configuration = join(folder, 'dovecot.conf');
  const settings = { folder, plainPort, tlsPort, format, owner, options: options.options ?? [] };
  await writeFile(configuration, dovecotConfiguration(settings));
  await makeMailFolders(folder, owner, users);

  const errors: string[] = [];
  // Before it has read its configuration it writes to stderr, then to its log.
  const log = async () =>
    errors.join('') + (await readFile(join(folder, 'dovecot.log'), 'utf8').catch(() => ''));
  let master: ChildProcess;
  const launch = async () => {
    master = spawnTied([path, '-F', '-c', configuration], 'TERM', { stdio: ['ignore', 'ignore', 'pipe'] });
    master.stderr?.setEncoding('utf8').on('data', (text: string) => void errors.push(text));
    await greeted(plainPort, () => master.exitCode === null && master.signalCode === null);
  };
  const stop = async () => {
    await end(master, 'SIGTERM');
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await launch();
  } catch (error) {
    const words = await log();
    await stop();
    throw new Error(`Dovecot did not start: ${words.trim() || error}`, { cause: error });
  }
  const box = format === 'maildir' ? maildir(folder, owner) : mdbox(configuration);
  return {
    host: 'localhost',
    port: tlsPort,
    plainPort,
    ca,
    users,
    folder,
    get pid() {
      return master.pid ?? -1;
    },
    ...box,
    killPop3: (user) => killSessions(master.pid ?? -1, user),
    async kill() {
      // Stopped, it starts no further ones, and asks for none that died: their numbers stay theirs.
      master.kill('SIGSTOP');
      const children = await childrenOf(master.pid ?? -1);
      for (const { kill } of children) kill();
      await end(master, 'SIGKILL');
      // Their ports are free then.
      await Promise.all(children.map(({ gone }) => gone()));
    },
    restart: launch,
    log,
    stop,
  };
}

async function writeCertificate(folder: string): Promise<string> {
  const authority = await createAuthority();
  const pair = await issue(authority, { names: ['localhost'], ips: ['127.0.0.1'] });
  await writeFile(join(folder, 'server.crt'), pair.cert);
  await writeFile(join(folder, 'server.key'), pair.key, { mode: 0o600 });
  return authority.cert;
}

async function makeMailFolders(
  folder: string,
  owner: Owner,
  users: readonly { readonly name: string }[],
): Promise<void> {
  // Its sign-in and mail processes run as other users and pass through.
  await chmod(folder, 0o755);
  await mkdir(join(folder, 'mail'));
  for (const { name } of users) {
    const home = join(folder, 'mail', name);
    const folders = [
      home,
      join(home, 'Maildir'),
      ...['cur', 'new', 'tmp'].map((sub) => join(home, 'Maildir', sub)),
    ];
    for (const each of folders) {
      await mkdir(each);
      await chown(each, owner.uid, owner.gid);
    }
  }
}

/**
 * Dovecot takes a message's place from the name's time and count, and its two sizes from S= and W= (each bare
 * LF goes out as CRLF); with wrong ones LIST would lie.
 */
function maildir(folder: string, owner: Owner): Pick<Dovecot, 'put' | 'list'> {
  const time = 1_700_000_000;
  let count = 0;
  const of = (user: string) => join(folder, 'mail', user, 'Maildir');
  return {
    async put(user, messages) {
      const names: string[] = [];
      for (const bytes of messages) {
        count += 1;
        const order = String(count).padStart(9, '0');
        const name = `${time + count}.M${order}P1.test,S=${bytes.length},W=${bytes.length + bareLineFeeds(bytes)}`;
        const building = join(of(user), 'tmp', name);
        await writeFile(building, bytes);
        await chown(building, owner.uid, owner.gid);
        await rename(building, join(of(user), 'cur', `${name}:2,`));
        names.push(name);
      }
      return names;
    },
    async list(user) {
      const found = await Promise.all(['cur', 'new'].map((sub) => readdir(join(of(user), sub))));
      return found
        .flat()
        .map((file) => file.replace(/:2,.*$/, ''))
        .sort();
    },
  };
}

function bareLineFeeds(bytes: Uint8Array): number {
  let count = 0;
  for (let at = bytes.indexOf(10); at !== -1; at = bytes.indexOf(10, at + 1)) {
    if (bytes[at - 1] !== 13) count += 1;
  }
  return count;
}

/** QUIRK: an mdbox stores CRCRLF as CRLF; what a session gives is then not what was put. */
function mdbox(configuration: string): Pick<Dovecot, 'put' | 'list'> {
  const doveadm = async (args: readonly string[], input?: Uint8Array): Promise<string> => {
    const running = promisify(execFile)('doveadm', ['-c', configuration, ...args]);
    running.child.stdin?.end(input);
    return (await running).stdout;
  };
  const list = async (user: string) => {
    const rows = await doveadm(['search', '-u', user, 'mailbox', 'INBOX', 'ALL']);
    return rows
      .split('\n')
      .filter(Boolean)
      .map((row) => row.split(' ').at(-1) ?? '');
  };
  return {
    async put(user, messages) {
      const before = new Set(await list(user));
      for (const bytes of messages) await doveadm(['save', '-u', user, '-m', 'INBOX'], bytes);
      return (await list(user)).filter((name) => !before.has(name));
    },
    list,
  };
}

async function greeted(port: number, alive: () => boolean): Promise<void> {
  for (let tries = 0; tries < START_TRIES && alive(); tries += 1) {
    if (await greeting(port)) return;
    await sleep(START_WAIT_MS);
  }
  throw new Error(alive() ? `no greeting within ${START_TRIES * START_WAIT_MS} ms` : 'it ended');
}
