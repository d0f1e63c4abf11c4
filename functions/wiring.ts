/** The one place where a function's environment becomes ports. Nothing is sent before it is first used. */
import { setTimeout as sleep } from 'node:timers/promises';
import { eventBridge } from '../lib/events/eventBridge.ts';
import { ByteBudget } from '../lib/fetch/byteBudget.ts';
import type { FetchPorts } from '../lib/fetch/ports.ts';
import { systemClock } from '../lib/fetch/systemClock.ts';
import type { Jobs } from '../lib/jobs/port.ts';
import { sqs } from '../lib/jobs/sqs.ts';
import { dialTls } from '../lib/pop3/dial.ts';
import { secretsByScheme } from '../lib/secrets/byScheme.ts';
import { saverByScheme } from '../lib/secrets/saverByScheme.ts';
import { secretsManager } from '../lib/secrets/secretsManager.ts';
import { accessTokens } from '../lib/secrets/tokens.ts';
import type { ObjectStore } from '../lib/store/port.ts';
import { s3Store } from '../lib/store/s3.ts';
import type { Environment, QueueEnvironment, StoreEnvironment } from './environment.ts';
import { storeTrust } from './trust.ts';

/** All mailboxes of a job together; the smallest function that fetches has 512 MB. */
const IN_FLIGHT_BYTES = 64 * 1024 * 1024;

const chance = { sleep: (ms: number) => sleep(ms), random: systemClock.random };

export function wireStore({ bucket, region, pathStyle, s3Endpoint }: StoreEnvironment): ObjectStore {
  return s3Store({
    bucket,
    region,
    forcePathStyle: pathStyle,
    ...(s3Endpoint === undefined ? {} : { endpoint: s3Endpoint }),
    ...chance,
  });
}

export function wireJobs({ queueUrl, region }: StoreEnvironment & QueueEnvironment): Jobs {
  return sqs({ queueUrl, region, ...chance });
}

export function wire(environment: Environment): FetchPorts {
  const { bus, region, s3Endpoint, eventsEndpoint, secretsEndpoint } = environment;
  const store = wireStore(environment);
  // Neither env: nor file: a function's environment can be read by whoever may describe the function.
  const manager = secretsManager({
    region,
    ...(secretsEndpoint === undefined ? {} : { endpoint: secretsEndpoint }),
    now: systemClock.now,
    ...chance,
  });
  const secrets = secretsByScheme({ secretsmanager: manager });
  const reach = environment.privateAddresses ? 'private' : 'public';
  return {
    // Whoever may write config/mailboxes.json must not reach what only this function can.
    dial: dialTls({ timer: systemClock, reach }),
    store,
    publisher: eventBridge({
      bus,
      region,
      ...(eventsEndpoint === undefined ? {} : { endpoint: eventsEndpoint }),
      now: systemClock.now,
      ...chance,
    }),
    secrets,
    tokens: accessTokens({
      ...{ secrets, now: systemClock.now, sleep: chance.sleep },
      saver: saverByScheme({ secretsmanager: manager }),
      requests: { reach },
      commands: null,
    }),
    clock: systemClock,
    trust: storeTrust(store, { endpoint: s3Endpoint, clock: systemClock }),
    inFlight: new ByteBudget(IN_FLIGHT_BYTES),
  };
}
