/** The bundled handler under AWS's own runtime client, fed with jobs as the queue gives them. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RunReport } from '../../lib/fetch/report.ts';
import type { Mailbox } from '../../lib/mailbox/settings.ts';
import { buildFunctions } from '../../scripts/build.ts';
import { type JobsQueue, type QueuedMessage, startJobsQueue } from '../servers/jobsQueue.ts';
import {
  type Ending,
  type Outcome,
  type Runtime,
  type RuntimeOptions,
  type Sandbox,
  startRuntime,
} from '../servers/lambdaRuntime.ts';
import { type SecretVault, startSecretVault } from '../servers/secretVault.ts';
import type { BucketEnd } from './endsFar.ts';
import { PARTS } from './endsParts.ts';

export interface FunctionOptions {
  readonly far: BucketEnd;
  /** Mailboxes by id, each with its password. */
  readonly mailboxes: readonly (Partial<Mailbox> &
    Pick<Mailbox, 'id' | 'port' | 'user'> & { readonly secret: string })[];
  /** In place of the real ends' own, for a gate before them. */
  readonly s3Endpoint?: string;
  readonly eventsEndpoint?: string;
  readonly timeoutMs?: number;
}

export type FetchFunction = Functions<Outcome, Runtime>;

export interface Functions<O extends Ending, S extends Sandbox<O>> {
  readonly runtime: S;
  readonly queue: JobsQueue;
  /** One job for one mailbox, and those that it puts into the queue, until one does not end well. */
  fetch(mailbox: string): Promise<O>;
  /** A minute of the schedule, by the other function. */
  dispatch(time: string): Promise<O>;
  /** The next job of the queue, if it has one: taken off it unless the function died or wants it again. */
  work(): Promise<O | undefined>;
  /** The last run's report of this mailbox, as the function logged it. */
  report(mailbox: string): RunReport | undefined;
  stop(): Promise<void>;
}

/** In the sandbox of the tests, whose Runtime API is ours. */
export function startFunction(options: FunctionOptions): Promise<FetchFunction> {
  return startFunctionIn(startRuntime, options);
}

export async function startFunctionIn<O extends Ending, S extends Sandbox<O>>(
  start: (options: RuntimeOptions) => Promise<S>,
  options: FunctionOptions,
): Promise<Functions<O, S>> {
  const { far, mailboxes, timeoutMs = 60_000 } = options;
  const folder = await mkdtemp(join(tmpdir(), 'function-'));
  await buildFunctions(folder);
  const secrets = Object.fromEntries(mailboxes.map(({ id, secret }) => [id, secret]));
  const vault: SecretVault = await startSecretVault({ mailboxes: JSON.stringify(secrets) });
  await far.put('config/mailboxes.json', {
    v: 1,
    mailboxes: mailboxes.map(({ secret: _, ...mailbox }) => ({
      host: 'localhost',
      password: `secretsmanager:mailboxes#${mailbox.id}`,
      ...mailbox,
    })),
  });
  const queue = await startJobsQueue();
  const common = {
    ...far.env,
    MAILFERRY_BUCKET: far.bucket,
    MAILFERRY_QUEUE_URL: queue.url,
    MAILFERRY_PATH_STYLE: 'true',
    MAILFERRY_S3_ENDPOINT: options.s3Endpoint ?? far.gateway.endpoint,
  };
  const dispatcher = await start({
    client: PARTS.ric,
    taskRoot: join(folder, 'dispatch'),
    handler: 'index.handler',
    timeoutMs: 30_000,
    env: common,
  });
  const runtime = await start({
    client: PARTS.ric,
    taskRoot: join(folder, 'fetch'),
    handler: 'index.handler',
    timeoutMs,
    env: {
      ...common,
      // Idle runs are reported, too.
      POWERTOOLS_LOG_LEVEL: 'DEBUG',
      MAILFERRY_BUS: 'mail',
      MAILFERRY_PRIVATE_ADDRESSES: 'true',
      MAILFERRY_EVENTS_ENDPOINT: options.eventsEndpoint ?? far.bus.endpoint,
      MAILFERRY_SECRETS_ENDPOINT: vault.endpoint,
    },
  });
  let jobs = 0;
  const invoke = ({ messageId, body }: Pick<QueuedMessage, 'messageId' | 'body'>) =>
    runtime.invoke({
      Records: [{ messageId, receiptHandle: messageId, attributes: { ApproximateReceiveCount: '1' }, body }],
    });
  const work = async () => {
    const message = queue.next();
    if (message === undefined) return undefined;
    const outcome = await invoke(message);
    if (isWell(outcome)) queue.done(message);
    else queue.back(message);
    return outcome;
  };
  return {
    runtime,
    queue,
    work,
    dispatch: (time) => dispatcher.invoke({ time }),
    async fetch(mailbox) {
      jobs += 1;
      const job = { v: 1, bundle: 'bundle', slot: new Date().toISOString(), mailboxes: [mailbox] };
      let outcome = await invoke({ messageId: `job-${jobs}`, body: JSON.stringify(job) });
      while (isWell(outcome)) {
        const next = queue.next();
        if (next === undefined) break;
        outcome = await invoke(next);
        // What died is found again by the next job.
        queue.done(next);
      }
      return outcome;
    },
    report(mailbox) {
      const reports = runtime.log.split('\n').flatMap((line) => {
        const [json] = /\{.*\}\s*$/.exec(line) ?? [];
        if (!json?.includes('"message":"run"')) return [];
        return [{ ...NO_ERROR, ...(JSON.parse(json) as Omit<RunReport, 'error'>) }];
      });
      return reports.findLast((report) => report.mailbox === mailbox);
    },
    async stop() {
      await runtime.stop();
      await dispatcher.stop();
      await queue.stop();
      await vault.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** The logger leaves out what is null. */
export const NO_ERROR = { error: null } as const;

function isWell(outcome: Ending): boolean {
  if (!('result' in outcome)) return false;
  const { batchItemFailures } = outcome.result as { batchItemFailures: readonly unknown[] };
  return batchItemFailures.length === 0;
}
