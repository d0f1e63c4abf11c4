/** The one place where the command's settings become ports. */
import type { Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { storeTrust } from '../functions/trust.ts';
import { eventBridge } from '../lib/events/eventBridge.ts';
import { ndjsonFile, ndjsonStream } from '../lib/events/ndjson.ts';
import { type Publisher, PublisherError } from '../lib/events/port.ts';
import { ByteBudget } from '../lib/fetch/byteBudget.ts';
import type { FetchPorts } from '../lib/fetch/ports.ts';
import { systemClock } from '../lib/fetch/systemClock.ts';
import type { StoreSettings } from '../lib/mailbox/settings.ts';
import { dialTls } from '../lib/pop3/dial.ts';
import { secretsByScheme } from '../lib/secrets/byScheme.ts';
import { environmentSecrets } from '../lib/secrets/environment.ts';
import { fileSaver, fileSecrets } from '../lib/secrets/file.ts';
import type { SecretSaver, Secrets } from '../lib/secrets/port.ts';
import { saverByScheme } from '../lib/secrets/saverByScheme.ts';
import { secretsManager } from '../lib/secrets/secretsManager.ts';
import type { TokenRequestOptions } from '../lib/secrets/tokenRequests.ts';
import { accessTokens } from '../lib/secrets/tokens.ts';
import { folderStore } from '../lib/store/folder.ts';
import type { ObjectStore } from '../lib/store/port.ts';
import { s3Store } from '../lib/store/s3.ts';
import type { Settings } from './settings.ts';
import type { Host } from './terminal.ts';

/** All mailboxes together: a few windows of 8 MB each, and what the store holds back when it is slow. */
const IN_FLIGHT_BYTES = 64 * 1024 * 1024;

export interface Wired extends FetchPorts {
  /** What refresh tokens are put back with. */
  readonly saver: SecretSaver;
}

/** Nothing is opened or sent yet. */
export function wire(settings: Settings, host: Pick<Host, 'env' | 'stdout'>): Wired {
  const store = storeOf(settings.store);
  const endpoint = 'bucket' in settings.store ? settings.store.endpoint : undefined;
  const { secrets, saver } = secretsOf(settings, host.env);
  return {
    // Whoever runs the command reaches with it what they reach without it: a server at home, or on this machine.
    dial: dialTls({ timer: systemClock, reach: 'any' }),
    store,
    publisher: publisherOf(settings, host.stdout),
    secrets,
    saver,
    tokens: accessTokens({
      ...{ secrets, saver, now: systemClock.now, sleep: chance.sleep },
      requests: TOKEN_REQUESTS,
      commands: { env: host.env, cwd: settings.base },
    }),
    clock: systemClock,
    trust: storeTrust(store, { endpoint, clock: systemClock }),
    inFlight: new ByteBudget(IN_FLIGHT_BYTES),
  };
}

/** As with mail servers: whoever runs the command reaches them anyway. */
export const TOKEN_REQUESTS: TokenRequestOptions = { reach: 'any' };

const chance = { sleep: (ms: number) => sleep(ms), random: systemClock.random };

const LOCK_MODES = { compliance: 'COMPLIANCE', governance: 'GOVERNANCE' } as const;

export function storeOf(store: StoreSettings): ObjectStore {
  if ('folder' in store) return folderStore(store.folder, systemClock);
  const { bucket, region, endpoint, pathStyle, objectLock: lock } = store;
  return s3Store({
    bucket,
    region: resolved(region),
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(pathStyle === undefined ? {} : { forcePathStyle: pathStyle }),
    ...(lock && { objectLock: { mode: LOCK_MODES[lock.mode], days: lock.days, now: systemClock.now } }),
    ...chance,
  });
}

function publisherOf({ events }: Settings, stdout: Writable): Publisher {
  if (events === null) return NOWHERE;
  if ('file' in events) return ndjsonFile(events.file);
  if ('stdout' in events) return ndjsonStream(stdout);
  const { bus, region, endpoint } = events;
  return eventBridge({
    bus,
    region: resolved(region),
    ...(endpoint === undefined ? {} : { endpoint }),
    now: systemClock.now,
    ...chance,
  });
}

interface Kept {
  readonly secrets: Secrets;
  readonly saver: SecretSaver;
}

/** Of commands that announce nothing. */
const NOWHERE: Publisher = {
  durable: false,
  prove: () => Promise.reject(nowhere()),
  publish: () => Promise.reject(nowhere()),
};

function nowhere(): PublisherError {
  const facts = { kind: 'person', code: 'E_EVENTS_NO_BUS' } as const;
  return new PublisherError('No place for events was named. Name one with --bus.', facts);
}

/** Without a bucket's region the SDK looks for one in its own places, when a secret is first read. */
function secretsOf({ base, store }: Settings, env: Host['env']): Kept {
  const region = 'bucket' in store ? store.region : undefined;
  const manager = secretsManager({
    ...(region === undefined ? {} : { region }),
    now: systemClock.now,
    ...chance,
  });
  return {
    secrets: secretsByScheme({
      env: environmentSecrets(env),
      file: fileSecrets(base),
      secretsmanager: manager,
    }),
    saver: saverByScheme({ file: fileSaver(base, systemClock.nonce), secretsmanager: manager }),
  };
}

function resolved(region: string | undefined): string {
  if (region === undefined) throw new Error('Settings that were loaded have their regions.');
  return region;
}
