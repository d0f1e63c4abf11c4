/** Runs a contestant once and says what it did; one that failed or fetched less is an error and not a fast run. */
import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type Fetched, JOB, type Job, type OursJob } from './job.ts';
import { type Expected, MARK } from './workloads.ts';

const run = promisify(execFile);
const MAX_WORDS_BYTES = 1024 * 1024;

/** No run of the table takes longer, not even one message at a time over the delayed line. */
const RUN_MS = 20 * 60_000;

export interface Contestant {
  readonly name: string;
  /** Absent for what cannot be there on this machine. */
  readonly fetch: (job: Job, expected: Expected) => Promise<Fetched>;
}

const here = (name: string) => fileURLToPath(new URL(name, import.meta.url));

/** A program that prints its own figures as its last line. */
async function telling(
  command: readonly [string, ...string[]],
  job: Job,
  expected: Expected,
): Promise<Fetched> {
  const [program, ...args] = command;
  // Not as an argument, which every user of the machine can read.
  const env = { ...process.env, [JOB]: JSON.stringify(job) };
  const { stdout } = await run(program, args, { env, maxBuffer: MAX_WORDS_BYTES, timeout: RUN_MS });
  const fetched = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Fetched;
  same(fetched, expected.messages, expected.octets);
  return fetched;
}

function same(fetched: Fetched, messages: number, octets: number): void {
  if (fetched.messages === messages && fetched.octets === octets) return;
  throw new Error(
    `fetched ${fetched.messages} messages and ${fetched.octets} octets instead of ${messages} and ${octets}`,
  );
}

export const rawDrain: Contestant = {
  name: 'raw drain',
  fetch: (job, expected) => telling([process.execPath, here('drain.ts')], job, expected),
};

/** `python` is 3.9 or newer. */
export function poplib(python: string): Contestant {
  return {
    name: 'poplib',
    fetch: (job, expected) => telling([python, here('oneByOne.py')], job, expected),
  };
}

/** `profile`: a folder, as in the job. */
export function ours(
  store: OursJob['store'],
  { s3, profile }: { readonly s3?: () => Promise<OursJob['s3']>; readonly profile?: string } = {},
): Contestant {
  return {
    name: `ours, ${store === 's3' ? 'versitygw' : store}`,
    async fetch(job, expected) {
      const server = await s3?.();
      const more = { ...(server ? { s3: server } : {}), ...(profile ? { profile } : {}) };
      const whole: OursJob = { ...job, store, ...more };
      return telling([process.execPath, here('ours.ts')], whole, expected);
    },
  };
}

/** Its pipelining is left as it comes: it asks CAPA. */
export function mpop(path: string): Contestant {
  return {
    name: 'mpop',
    async fetch(job, expected) {
      const maildir = join(job.folder, 'Maildir');
      for (const sub of ['cur', 'new', 'tmp']) await mkdir(join(maildir, sub), { recursive: true });
      const rc = join(job.folder, 'mpoprc');
      const lines = [
        ...['account default', `host ${job.host}`, `port ${job.port}`],
        ...[`user ${job.user}`, `password ${job.password}`, 'auth user'],
        ...['tls on', 'tls_starttls off', `tls_trust_file ${job.caFile}`],
        ...['keep on', `uidls_file ${join(job.folder, 'uidls')}`],
        ...['received_header off', `delivery maildir ${maildir}`],
      ];
      await writeFile(rc, `${lines.join('\n')}\n`, { mode: 0o600 });
      const ms = await timed([path, '-C', rc, '-q']);
      const { messages, octets } = await inFolder(join(maildir, 'new'));
      same({ ms, messages, octets }, expected.messages, expected.octetsWithLf);
      return { ms, messages, octets };
    },
  };
}

/** One `cat` a message, as its manual has an MDA; it can write no file by itself. */
export function fetchmail(path: string): Contestant {
  return {
    name: 'fetchmail',
    async fetch(job, expected) {
      const file = join(job.folder, 'mbox');
      const rc = join(job.folder, 'fetchmailrc');
      const text = `set no bouncemail
set pidfile "${join(job.folder, 'pid')}"
set idfile "${join(job.folder, 'ids')}"
poll ${job.host} service ${job.port} protocol pop3 user "${job.user}" password "${job.password}" is root here
  ssl sslcertck sslcertfile "${job.caFile}" keep fetchall no rewrite mda "cat >> ${file}"
`;
      await writeFile(rc, text, { mode: 0o600 });
      const ms = await timed([path, '--fetchmailrc', rc, '--nodetach', '--invisible', '--silent']);
      const bytes = await readFile(file);
      const messages = countOf(bytes, `\n${MARK}`);
      // It may add lines of its own to a header, and takes none away.
      const octets = Math.min(bytes.length, expected.octetsWithLf);
      same({ ms, messages, octets }, expected.messages, expected.octetsWithLf);
      return { ms, messages, octets };
    },
  };
}

async function timed([program, ...args]: readonly [string, ...string[]]): Promise<number> {
  const began = performance.now();
  await run(program, args, { maxBuffer: MAX_WORDS_BYTES, timeout: RUN_MS });
  return performance.now() - began;
}

async function inFolder(folder: string): Promise<{ messages: number; octets: number }> {
  const names = await readdir(folder);
  let octets = 0;
  for (const name of names) octets += (await readFile(join(folder, name))).length;
  return { messages: names.length, octets };
}

function countOf(bytes: Buffer, mark: string): number {
  let count = 0;
  for (let at = bytes.indexOf(mark); at !== -1; at = bytes.indexOf(mark, at + 1)) count += 1;
  return count;
}
