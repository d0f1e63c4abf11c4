/** The one place where a function's environment becomes ports. Nothing is sent before it is first used. */
import { ByteBudget } from '../lib/fetch/byteBudget.ts';
import type { FetchPorts } from '../lib/fetch/ports.ts';
import { systemClock } from '../lib/fetch/systemClock.ts';
import { dialTls } from '../lib/pop3/dial.ts';
import { secretsByScheme } from '../lib/secrets/byScheme.ts';
import { saverByScheme } from '../lib/secrets/saverByScheme.ts';
import { secretsManager } from '../lib/secrets/secretsManager.ts';
import { accessTokens } from '../lib/secrets/tokens.ts';
import { busOf, chance, storeOf } from './ends.ts';
import type { Environment } from './environment.ts';
import { storeTrust } from './trust.ts';

/** All mailboxes of a job together; the smallest function that fetches has 512 MB. */
const IN_FLIGHT_BYTES = 64 * 1024 * 1024;

export function wire(environment: Environment): FetchPorts {
  const { region, s3Endpoint, secretsEndpoint } = environment;
  const store = storeOf(environment);
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
    publisher: busOf(environment),
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
