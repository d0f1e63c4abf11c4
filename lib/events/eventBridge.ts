import {
  DescribeEventBusCommand,
  EventBridgeClient,
  type EventBridgeClientConfig,
} from '@aws-sdk/client-eventbridge';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { batches, MAX_BATCH_BYTES, toEntry } from './eventBridgeEntries.ts';
import { callFailure } from './eventBridgeErrors.ts';
import {
  callOptions,
  failureIn,
  type Item,
  newItem,
  type PutOptions,
  results,
  settle,
  type Verdict,
} from './eventBridgePut.ts';
import type { Publisher } from './port.ts';

export interface EventBridgeOptions {
  /** A bus's name or ARN. */
  readonly bus: string;
  /** Default: the SDK's chain. */
  readonly region?: string;
  /** For stand-ins of AWS: an http or https URL. */
  readonly endpoint?: string;
  /** Default: the SDK's chain (environment, files, role). */
  readonly credentials?: NonNullable<EventBridgeClientConfig['credentials']>;
  readonly limits?: Partial<EventBridgeLimits>;
  readonly sleep: (ms: number) => Promise<void>;
  /** In [0, 1). */
  readonly random: () => number;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

/** Each is a bound that the SDK does not set by itself. */
export interface EventBridgeLimits {
  /** Reaching EventBridge and TLS. Within a region this takes milliseconds. */
  readonly connectMs: number;
  /** One call, its answer included; PutEvents answers in tens of milliseconds. */
  readonly requestMs: number;
  /** All calls of one publish() or prove(): a run must have time left to commit and QUIT. */
  readonly publishMs: number;
  /** Calls for one batch at most; those after the first carry only what was not accepted. */
  readonly tries: number;
  /** Back-off before the second try at most, doubled for each further one; the wait is random below it. */
  readonly backOffMs: number;
  readonly maxBackOffMs: number;
  /** Batches at once: 40 entries, far below the 400 to 10,000 a second that the regions allow. */
  readonly inFlight: number;
}

const LIMITS: EventBridgeLimits = {
  connectMs: 3_000,
  requestMs: 10_000,
  publishMs: 45_000,
  tries: 5,
  backOffMs: 200,
  maxBackOffMs: 3_000,
  inFlight: 4,
};

/** How long a bus that was seen is taken to exist. */
const PROOF_MS = 5 * 60_000;

/**
 * Events on an EventBridge bus. Accepted means: EventBridge gave this entry an EventId. Any loss of an answer is
 * met by sending again, so an event may arrive twice, with the same `detail.id`.
 */
export function eventBridge(options: EventBridgeOptions): Publisher {
  const { bus, sleep, random } = options;
  const limits = { ...LIMITS, ...options.limits };
  const client = makeClient(options, limits);
  const backOff = (tries: number) =>
    sleep(random() * Math.min(limits.maxBackOffMs, limits.backOffMs * 2 ** (tries - 1)));
  const putOptions = () => ({
    client,
    bus,
    tries: limits.tries,
    backOff,
    callMs: limits.requestMs,
    abortSignal: AbortSignal.timeout(limits.publishMs),
  });
  let provedAtMs = Number.NEGATIVE_INFINITY;

  return {
    durable: true,
    async prove() {
      const startedMs = options.now();
      if (startedMs - provedAtMs < PROOF_MS) return;
      await describe(putOptions());
      provedAtMs = startedMs;
    },
    async publish(events) {
      const items = events.map((event) => newItem(toEntry(event, bus)));
      const sendable = items.filter(({ entry }) => entry.bytes <= MAX_BATCH_BYTES);
      await settleAll(batches(sendable), putOptions(), limits.inFlight);
      return results(items);
    },
  };
}

/** Rejects with PublisherError unless EventBridge says that the bus exists. */
async function describe(options: PutOptions): Promise<void> {
  const { client, bus, tries: maxTries, backOff, abortSignal } = options;
  for (let tries = 1; ; tries += 1) {
    try {
      await client.send(new DescribeEventBusCommand({ Name: bus }), callOptions(options));
      return;
    } catch (error) {
      const failure = callFailure(error, `DescribeEventBus on ${bus}`);
      if (failure.class !== 'later' || tries >= maxTries || abortSignal.aborted) throw failure.error;
    }
    await backOff(tries);
  }
}

/**
 * A few batches at once. Once one was not served at all, those not yet begun are not sent: they would meet the
 * same, each at the cost of all its tries.
 */
async function settleAll(
  all: readonly (readonly Item[])[],
  putOptions: PutOptions,
  inFlight: number,
): Promise<void> {
  const queue = all.values();
  let stopped: Verdict | undefined;
  const work = async () => {
    for (const batch of queue) {
      if (stopped === undefined) await settle(batch, putOptions);
      else for (const item of batch) item.verdict = stopped;
      stopped ??= batch.map(({ verdict }) => verdict).find(failureIn);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, work));
}

function makeClient(options: EventBridgeOptions, limits: EventBridgeLimits): EventBridgeClient {
  const agent = { keepAlive: true, maxSockets: limits.inFlight };
  return new EventBridgeClient({
    maxAttempts: 1,
    requestHandler: new NodeHttpHandler({
      connectionTimeout: limits.connectMs,
      requestTimeout: limits.requestMs,
      throwOnRequestTimeout: true,
      httpAgent: agent,
      httpsAgent: agent,
    }),
    ...(options.region === undefined ? {} : { region: options.region }),
    ...(options.endpoint === undefined ? {} : { endpoint: options.endpoint }),
    ...(options.credentials === undefined ? {} : { credentials: options.credentials }),
  });
}
