/** The ends that functions have in common: the bucket, the bus and the queue of jobs. Nothing is sent before they are first used. */
import { setTimeout as sleep } from 'node:timers/promises';
import { eventBridge } from '../lib/events/eventBridge.ts';
import type { Publisher } from '../lib/events/port.ts';
import { systemClock } from '../lib/fetch/systemClock.ts';
import type { Jobs } from '../lib/jobs/port.ts';
import { sqs } from '../lib/jobs/sqs.ts';
import type { ObjectStore } from '../lib/store/port.ts';
import { s3Store } from '../lib/store/s3.ts';
import type { Environment, QueueEnvironment, StoreEnvironment } from './environment.ts';

/** For whoever waits and tries again. */
export const chance = { sleep: (ms: number) => sleep(ms), random: systemClock.random };

export function storeOf({ bucket, region, s3Endpoint, pathStyle, lock }: StoreEnvironment): ObjectStore {
  return s3Store({
    bucket,
    region,
    forcePathStyle: pathStyle,
    ...(s3Endpoint === undefined ? {} : { endpoint: s3Endpoint }),
    ...(lock && { objectLock: { ...lock, now: systemClock.now } }),
    ...chance,
  });
}

export function jobsOf({ queueUrl, region }: StoreEnvironment & QueueEnvironment): Jobs {
  return sqs({ queueUrl, region, ...chance });
}

export function busOf({ bus, region, eventsEndpoint }: Environment): Publisher {
  return eventBridge({
    bus,
    region,
    ...(eventsEndpoint === undefined ? {} : { endpoint: eventsEndpoint }),
    now: systemClock.now,
    ...chance,
  });
}
