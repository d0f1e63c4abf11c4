/** The two programs as they are installed, each run in a process that can be stopped and killed. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RunReport } from '../../lib/fetch/report.ts';
import { buildFunctions } from '../../scripts/build.ts';
import { type Command, type Fetching, installCommand } from '../real/endsCommand.ts';
import type { BucketEnd } from '../real/endsFar.ts';
import { NO_ERROR } from '../real/endsFunction.ts';
import { PARTS } from '../real/endsParts.ts';
import { startJobsQueue } from '../servers/jobsQueue.ts';
import { type Runtime, startRuntime } from '../servers/lambdaRuntime.ts';
import { startSecretVault } from '../servers/secretVault.ts';

/** Of a run: long enough for each mailbox here, short enough to wait until a dead run's intents may be judged. */
export const RUN_SECONDS = 5;

/** What the handler keeps back of the function's time for its answer. */
const ANSWER_SECONDS = 3;

export interface Ended {
  /** By a signal. */
  readonly killed: boolean;
  /** Undefined where the process did not come to it. */
  readonly report: RunReport | undefined;
  /** What it said, for a person. */
  readonly words: string;
}

export interface Process {
  readonly pid: number;
  readonly ended: Promise<Ended>;
}

export interface Program {
  /** A run over one mailbox, in a process that does nothing else meanwhile. */
  start(user: string): Promise<Process>;
  stop(): Promise<void>;
}

/** Both programs, bundled once for all rounds. */
export interface Installed {
  readonly command: Command;
  /** The bundled handler's folder. */
  readonly taskRoot: string;
  /** Node keeps compiled code between processes here, so that less of the time goes into starting them. */
  readonly env: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

export async function install(): Promise<Installed> {
  const folder = await mkdtemp(join(tmpdir(), 'programs-'));
  const [command] = await Promise.all([installCommand(), buildFunctions(folder)]);
  return {
    command,
    taskRoot: join(folder, 'fetch'),
    env: { NODE_COMPILE_CACHE: join(folder, 'cache') },
    async stop() {
      await command.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export interface CommandOptions {
  /** What each user's settings file says. */
  readonly fetching: (user: string) => Fetching;
  readonly timeLimitSeconds: number;
}

export function commandProgram({ command, env }: Installed, options: CommandOptions): Program {
  return {
    async start(user) {
      const { fetching, timeLimitSeconds } = options;
      const given = fetching(user);
      const { pid, ended } = await command.start({
        ...given,
        timeLimitSeconds,
        env: { ...env, ...given.env },
      });
      const told = ended.then(({ signal, report, words }) => ({ killed: signal !== null, report, words }));
      return { pid, ended: told };
    },
    async stop() {},
  };
}

export interface FunctionOptions {
  readonly far: BucketEnd;
  /** Entries of config/mailboxes.json; the password of each is its id's in the vault. */
  readonly mailboxes: readonly { readonly id: string }[];
  readonly passwords: Readonly<Record<string, string>>;
}

/** As many sandboxes as are ever busy at once; each keeps its process until that is killed, as Lambda does. */
export async function functionProgram(installed: Installed, options: FunctionOptions): Promise<Program> {
  const { far, mailboxes, passwords } = options;
  const vault = await startSecretVault({ mailboxes: JSON.stringify(passwords) });
  const queue = await startJobsQueue();
  await far.put('config/mailboxes.json', {
    v: 1,
    mailboxes: mailboxes.map((one) => ({ password: `secretsmanager:mailboxes#${one.id}`, ...one })),
  });
  const sandbox = () =>
    startRuntime({
      client: PARTS.ric,
      taskRoot: installed.taskRoot,
      handler: 'index.handler',
      timeoutMs: (RUN_SECONDS + ANSWER_SECONDS) * 1000,
      env: {
        ...installed.env,
        ...far.env,
        MAILFERRY_BUCKET: far.bucket,
        MAILFERRY_BUS: 'mail',
        MAILFERRY_QUEUE_URL: queue.url,
        // Idle runs are reported, too.
        POWERTOOLS_LOG_LEVEL: 'DEBUG',
        MAILFERRY_PATH_STYLE: 'true',
        MAILFERRY_PRIVATE_ADDRESSES: 'true',
        MAILFERRY_S3_ENDPOINT: far.gateway.endpoint,
        MAILFERRY_EVENTS_ENDPOINT: far.bus.endpoint,
        MAILFERRY_SECRETS_ENDPOINT: vault.endpoint,
      },
    });
  const runtimes: Runtime[] = [];
  const busy = new Set<Runtime>();
  let jobs = 0;

  /** Busy before anybody else can see it. */
  const taken = async (): Promise<Runtime> => {
    const idle = runtimes.find((one) => !busy.has(one));
    const runtime = idle ?? (await sandbox());
    busy.add(runtime);
    if (idle === undefined) runtimes.push(runtime);
    return runtime;
  };
  return {
    async start(user) {
      const runtime = await taken();
      jobs += 1;
      const messageId = `job-${jobs}`;
      const job = { v: 1, bundle: 'bundle', slot: new Date().toISOString(), mailboxes: [user] };
      const invoke = (id: string, body: string) =>
        runtime.invoke({
          Records: [{ messageId: id, receiptHandle: id, attributes: { ApproximateReceiveCount: '1' }, body }],
        });
      const withSuspects = async () => {
        let outcome = await invoke(messageId, JSON.stringify(job));
        while (!('killed' in outcome)) {
          const next = queue.next();
          if (next === undefined) break;
          outcome = await invoke(next.messageId, next.body);
          // What died is found again by the next job.
          queue.done(next);
        }
        return outcome;
      };
      const ended = withSuspects().then((outcome): Ended => {
        busy.delete(runtime);
        const words = runtime.log.slice(-2000);
        return { killed: 'killed' in outcome, report: reportIn(runtime.log, messageId), words };
      });
      return { pid: runtime.pid ?? -1, ended };
    },
    async stop() {
      for (const runtime of runtimes) await runtime.stop();
      await vault.stop();
      await queue.stop();
    },
  };
}

/** The line that the function logged for this job's run. */
function reportIn(log: string, messageId: string): RunReport | undefined {
  const line = log
    .split('\n')
    .findLast((one) => one.includes('"message":"run"') && one.includes(`"messageId":"${messageId}"`));
  const [json] = /\{.*\}\s*$/.exec(line ?? '') ?? [];
  return json === undefined ? undefined : { ...NO_ERROR, ...(JSON.parse(json) as Omit<RunReport, 'error'>) };
}
