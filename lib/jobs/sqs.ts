import {
  ChangeMessageVisibilityCommand,
  SendMessageBatchCommand,
  SQSClient,
  type SQSClientConfig,
} from '@aws-sdk/client-sqs';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import type { Jobs, JobsError, QueuedJob, Unsent } from './port.ts';
import { callError, entryError } from './sqsErrors.ts';

export interface SqsOptions {
  /** Of a FIFO queue; requests go to its host, so that a stand-in needs no endpoint. */
  readonly queueUrl: string;
  /** Default: the SDK's chain. */
  readonly region?: string;
  /** Default: the SDK's chain (environment, files, role). */
  readonly credentials?: NonNullable<SQSClientConfig['credentials']>;
  readonly limits?: Partial<SqsLimits>;
  readonly sleep: (ms: number) => Promise<void>;
  /** In [0, 1). */
  readonly random: () => number;
}

/** Each is a bound that the SDK does not set by itself. */
export interface SqsLimits {
  readonly connectMs: number;
  /** One call, its answer included; SQS answers in tens of milliseconds. */
  readonly requestMs: number;
  /** A call behind which a function has little time left, and which it can do without. */
  readonly comeAgainMs: number;
  /** Calls for one batch at most; those after the first carry only what was not taken. */
  readonly tries: number;
  /** Back-off before the second try at most, doubled for each further one; the wait is random below it. */
  readonly backOffMs: number;
  /** Batches at once: eighty jobs, a quarter of what a queue takes in a second without high throughput. */
  readonly inFlight: number;
}

const LIMITS: SqsLimits = {
  connectMs: 3_000,
  requestMs: 5_000,
  comeAgainMs: 2_000,
  tries: 4,
  backOffMs: 200,
  inFlight: 8,
};

/** SendMessageBatch takes no more; ten jobs of fifty mailboxes are 35 KB, far below its limit of bytes. */
const BATCH = 10;

/** A FIFO queue of SQS. Nothing is sent before the first `send`. */
export function sqs(options: SqsOptions): Jobs {
  return new Sqs(options);
}

class Sqs implements Jobs {
  readonly #options: SqsOptions;
  readonly #limits: SqsLimits;
  readonly #client: SQSClient;

  constructor(options: SqsOptions) {
    this.#options = options;
    this.#limits = { ...LIMITS, ...options.limits };
    this.#client = clientOf(options, this.#limits);
  }

  /** Once one batch met what only a person can mend, those not yet begun are not sent: they would meet the same. */
  async send(jobs: readonly QueuedJob[], withinMs: number): Promise<readonly Unsent[]> {
    const signal = AbortSignal.timeout(Math.max(0, Math.ceil(withinMs)));
    const unsent: Unsent[] = [];
    const batches = batchesOf(jobs).values();
    let stopped: JobsError | undefined;
    const work = async () => {
      for (const batch of batches) {
        const left = stopped
          ? withError(batch, stopped)
          : await this.#settle(batch, signal, (error) => {
              stopped = error;
            });
        unsent.push(...left);
      }
    };
    await Promise.all(Array.from({ length: this.#limits.inFlight }, work));
    return unsent;
  }

  async comeAgain(ReceiptHandle: string, afterMs: number): Promise<JobsError | null> {
    const { queueUrl: QueueUrl } = this.#options;
    const VisibilityTimeout = Math.ceil(afterMs / 1000);
    try {
      const command = new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle, VisibilityTimeout });
      await this.#client.send(command, { abortSignal: AbortSignal.timeout(this.#limits.comeAgainMs) });
      return null;
    } catch (error) {
      return callError(error, 'ChangeMessageVisibility', QueueUrl);
    }
  }

  async #settle(
    batch: readonly QueuedJob[],
    signal: AbortSignal,
    stop: (error: JobsError) => void,
  ): Promise<readonly Unsent[]> {
    const { sleep, random } = this.#options;
    const refused: Unsent[] = [];
    let open = batch;
    for (let tries = 1; ; tries += 1) {
      const { unsent, failure } = await this.#put(open, signal);
      const again = unsent.filter(({ error }) => error.kind === 'later');
      refused.push(...unsent.filter(({ error }) => error.kind === 'person'));
      if (failure?.kind === 'person') stop(failure);
      if (again.length === 0 || tries >= this.#limits.tries || signal.aborted) return [...refused, ...again];
      await sleep(random() * this.#limits.backOffMs * 2 ** (tries - 1));
      open = again.map(({ job }) => job);
    }
  }

  /** `failure`: of the whole call. */
  async #put(
    jobs: readonly QueuedJob[],
    signal: AbortSignal,
  ): Promise<{ readonly unsent: readonly Unsent[]; readonly failure?: JobsError }> {
    const { queueUrl } = this.#options;
    const Entries = jobs.map(({ body, group, once }, at) => ({
      Id: String(at),
      MessageBody: body,
      MessageGroupId: group,
      MessageDeduplicationId: once,
    }));
    try {
      // The handler's own timeout ends with the head of an answer: a body that stalls is cut by this.
      const abortSignal = AbortSignal.any([signal, AbortSignal.timeout(this.#limits.requestMs)]);
      const answer = await this.#client.send(new SendMessageBatchCommand({ QueueUrl: queueUrl, Entries }), {
        abortSignal,
      });
      const taken = new Set((answer.Successful ?? []).map(({ Id }) => Id));
      const failed = new Map((answer.Failed ?? []).map((entry) => [entry.Id, entry]));
      return {
        unsent: jobs.flatMap((job, at) =>
          taken.has(String(at)) ? [] : [{ job, error: entryError(failed.get(String(at)), queueUrl) }],
        ),
      };
    } catch (error) {
      const failure = callError(error, 'SendMessageBatch', queueUrl);
      return { unsent: withError(jobs, failure), failure };
    }
  }
}

function withError(jobs: readonly QueuedJob[], error: JobsError): readonly Unsent[] {
  return jobs.map((job) => ({ job, error }));
}

function batchesOf(jobs: readonly QueuedJob[]): readonly (readonly QueuedJob[])[] {
  return Array.from({ length: Math.ceil(jobs.length / BATCH) }, (_, at) =>
    jobs.slice(at * BATCH, (at + 1) * BATCH),
  );
}

function clientOf(options: SqsOptions, limits: SqsLimits): SQSClient {
  const agent = { keepAlive: true, maxSockets: limits.inFlight };
  return new SQSClient({
    // The URL's own host; the SDK would use it, too, and say so at each call.
    endpoint: new URL(options.queueUrl).origin,
    // Our own tries use the clock and randomness that are passed in.
    maxAttempts: 1,
    requestHandler: new NodeHttpHandler({
      connectionTimeout: limits.connectMs,
      requestTimeout: limits.requestMs,
      throwOnRequestTimeout: true,
      httpAgent: agent,
      httpsAgent: agent,
    }),
    ...(options.region === undefined ? {} : { region: options.region }),
    ...(options.credentials === undefined ? {} : { credentials: options.credentials }),
  });
}
