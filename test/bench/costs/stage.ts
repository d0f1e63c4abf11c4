/** The three functions as they are deployed, under AWS's runtime client, with a meter before all that they call. */
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildFunctions } from '../../../scripts/build.ts';
import { type BucketEnd, startBucket } from '../../real/endsFar.ts';
import { type JobsQueue, startJobsQueue } from '../../servers/jobsQueue.ts';
import { type Runtime, startRuntime } from '../../servers/lambdaRuntime.ts';
import { type ScriptedMessage, type ScriptedServer, startScripted } from '../../servers/scripted.ts';
import { startSecretVault } from '../../servers/secretVault.ts';
import { startTcpProxy } from '../../servers/tcpProxy.ts';
import { startVersitygw } from '../../servers/versitygw.ts';
import { type HttpMeter, NO_REQUESTS, type Requests, startHttpMeter } from './httpMeter.ts';

/** What one call of a function took. */
export interface Work extends Readonly<Requests> {
  readonly wallMs: number;
  /** Of its process and its children. */
  readonly cpuMs: number;
  /** What it wrote, and what Lambda writes of each call. */
  readonly logBytes: number;
}

/** As serverless.yml has them. */
export const MEMORY_MB = { dispatch: 512, fetch: 512, parse: 1769 } as const;

export type FunctionName = keyof typeof MEMORY_MB;

/** Added to every request within the region, and to every byte's way to and from the mail server. */
export interface Latencies {
  readonly awsMs: number;
  readonly pop3EachWayMs: number;
}

export interface CostStage {
  readonly far: BucketEnd;
  readonly queue: JobsQueue;
  readonly server: ScriptedServer;
  /** As settings have it: one of the maildrop where nothing is new, or of the one that `server.messages` is. */
  mailbox(nth: number, maildrop: 'idle' | 'new'): MailboxSettings;
  /** Throws unless it ended well. */
  call(name: FunctionName, event: unknown): Promise<Work>;
  stop(): Promise<void>;
}

export interface MailboxSettings {
  readonly id: string;
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
}

export interface StageParts {
  readonly versitygw: string;
  readonly ric: string;
}

/** So many passwords fit into one secret of 64 KB, with room to spare. */
const MAILBOXES_A_SECRET = 1000;

/** A user of the server's. */
const IDLE = 'idle';

/** START, END and REPORT with their ids. */
const PLATFORM_LOG_BYTES = 350;

export async function startStage(
  parts: StageParts,
  given: {
    readonly latencies: Latencies;
    readonly mailboxes: number;
    readonly messages: readonly ScriptedMessage[];
  },
): Promise<CostStage> {
  const { latencies, mailboxes, messages } = given;
  const folder = await mkdtemp(join(tmpdir(), 'costs-'));
  await buildFunctions(folder);
  const far = await startBucket((at) => startVersitygw(parts.versitygw, at));
  const queue = await startJobsQueue();
  const server = await startScripted({ users: { [IDLE]: messages } });
  const line = await startTcpProxy(server);
  line.plan = { latencyMs: latencies.pop3EachWayMs };
  const passwords = { idle: server.mailboxes.get(IDLE)?.password ?? '', new: server.password };
  const vault = await startSecretVault(secretsOf(mailboxes, passwords));
  await writeFile(join(folder, 'ca.pem'), server.ca);

  const requests: Requests = { ...NO_REQUESTS };
  const meters: HttpMeter[] = [];
  const metered = async (target: string) => {
    const meter = await startHttpMeter(target, { requests, latencyMs: latencies.awsMs });
    meters.push(meter);
    return meter.endpoint;
  };
  const queueUrl = new URL(queue.url);
  const env = {
    ...far.env,
    MAILFERRY_BUCKET: far.bucket,
    MAILFERRY_BUS: 'mail',
    MAILFERRY_PATH_STYLE: 'true',
    MAILFERRY_PRIVATE_ADDRESSES: 'true',
    MAILFERRY_S3_ENDPOINT: await metered(far.gateway.endpoint),
    MAILFERRY_EVENTS_ENDPOINT: await metered(far.bus.endpoint),
    MAILFERRY_SECRETS_ENDPOINT: await metered(vault.endpoint),
    MAILFERRY_QUEUE_URL: `${await metered(queueUrl.origin)}${queueUrl.pathname}`,
    // As `caBundle` does it: the authority in each mailbox's settings would be most of what dispatch and fetch read.
    NODE_EXTRA_CA_CERTS: join(folder, 'ca.pem'),
    POWERTOOLS_SERVICE_NAME: 'mailferry-prod',
  };
  const runtimeOf = (name: FunctionName) =>
    startRuntime({
      client: parts.ric,
      taskRoot: join(folder, name),
      handler: 'index.handler',
      timeoutMs: 300_000,
      memoryMb: MEMORY_MB[name],
      env,
    });
  const runtimes: Readonly<Record<FunctionName, Runtime>> = {
    dispatch: await runtimeOf('dispatch'),
    fetch: await runtimeOf('fetch'),
    parse: await runtimeOf('parse'),
  };
  return {
    ...{ far, queue, server },
    mailbox: (nth, maildrop) => ({
      ...{ id: idOf(nth), host: 'localhost', port: line.port },
      user: maildrop === 'idle' ? IDLE : server.user,
      password: `secretsmanager:${secretOf(nth)}#${maildrop === 'idle' ? idOf(nth) : 'new'}`,
    }),
    async call(name, event) {
      Object.assign(requests, NO_REQUESTS);
      const runtime = runtimes[name];
      const before = { cpuMs: cpuMsOf(runtime.pid), log: runtime.log.length };
      const begun = performance.now();
      const outcome = await runtime.invoke(event);
      const wallMs = performance.now() - begun;
      const failures = 'result' in outcome ? failuresIn(outcome.result) : [outcome];
      if (failures.length > 0)
        throw new Error(`${name}: ${JSON.stringify(failures)}\n${runtime.log.slice(-2000)}`);
      return {
        ...requests,
        wallMs,
        cpuMs: cpuMsOf(runtime.pid) - before.cpuMs,
        logBytes: runtime.log.length - before.log + PLATFORM_LOG_BYTES,
      };
    },
    async stop() {
      for (const runtime of Object.values(runtimes)) await runtime.stop();
      for (const meter of meters) await meter.stop();
      await line.stop();
      await server.close();
      await vault.stop();
      await queue.stop();
      await far.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function failuresIn(result: unknown): readonly unknown[] {
  return result !== null && typeof result === 'object' && 'batchItemFailures' in result
    ? (result.batchItemFailures as readonly unknown[])
    : [];
}

function idOf(nth: number): string {
  return `m${nth}`;
}

function secretOf(nth: number): string {
  return `mailferry/passwords-${Math.floor(nth / MAILBOXES_A_SECRET)}`;
}

/** A password for each mailbox, as a person would keep them, and that of new mail in each secret. */
function secretsOf(
  mailboxes: number,
  passwords: { readonly idle: string; readonly new: string },
): Readonly<Record<string, string>> {
  const secrets: Record<string, Record<string, string>> = {};
  for (let nth = 0; nth < mailboxes; nth += 1) {
    const secret = secrets[secretOf(nth)] ?? { new: passwords.new };
    secret[idOf(nth)] = passwords.idle;
    secrets[secretOf(nth)] = secret;
  }
  return Object.fromEntries(Object.entries(secrets).map(([name, keys]) => [name, JSON.stringify(keys)]));
}

/** The kernel's clock ticks are of 10 ms, whatever the machine (proc_pid_stat(5)). */
const TICK_MS = 10;

/** Of a process and the children that it has waited for; 0 while there is none. */
function cpuMsOf(pid: number | undefined): number {
  if (pid === undefined) return 0;
  const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  // The name, in brackets, may have spaces; utime is the 14th field, the 12th behind it.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks) * TICK_MS, 0);
}
