/** Runs over one mailbox at the same instant: they may waste work, and lose nothing and store nothing twice. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventBridge } from '../../lib/events/eventBridge.ts';
import { ndjsonFile } from '../../lib/events/ndjson.ts';
import { ByteBudget } from '../../lib/fetch/byteBudget.ts';
import type { FetchPorts } from '../../lib/fetch/ports.ts';
import { runMailbox } from '../../lib/fetch/run.ts';
import { systemClock } from '../../lib/fetch/systemClock.ts';
import { type Mailbox, parseSettingsFile } from '../../lib/mailbox/settings.ts';
import { dialTls } from '../../lib/pop3/dial.ts';
import { Secret, type Secrets } from '../../lib/secrets/port.ts';
import { folderStore } from '../../lib/store/folder.ts';
import { s3Store } from '../../lib/store/s3.ts';
import { type BucketEnd, type FarEnd, type FolderEnd, startBucket, startFolder } from '../real/endsFar.ts';
import { type NearEnd, passwordOf, startMail } from '../real/endsMail.ts';
import { needing } from '../real/endsParts.ts';
import { tokensByReference } from '../secrets/tokensByReference.ts';
import { letter } from './mailForTrials.ts';
import { comeToRest } from './rest.ts';

const ROUNDS = 50;
const MESSAGES = 6;

const folders = needing(`two runs at once into a folder, ${ROUNDS} times`, 'dovecot');
const buckets = needing(`two runs at once into a bucket, ${ROUNDS} times`, 'dovecot', 'versitygw');

type Ends = Pick<FetchPorts, 'store' | 'publisher'>;

describe.each([
  { ...folders, start: startFolder, ends: (far: FarEnd) => inFolder(far as FolderEnd) },
  { ...buckets, start: startBucket, ends: (far: FarEnd) => inBucket(far as BucketEnd) },
])('$title', ({ missing, title, start, ends }) => {
  let near: NearEnd;
  let far: FarEnd;

  beforeAll(async () => {
    if (missing) return;
    [near, far] = await Promise.all([startMail(ROUNDS), start()]);
  });
  afterAll(async () => {
    await near?.server.stop();
    await far?.stop();
  });

  /** Everything its own, as in a process of its own. */
  const run = (user: string) => {
    const secret = new Secret(passwordOf(near.server, user));
    const secrets: Secrets = { read: async () => secret };
    const ports: FetchPorts = {
      ...ends(far),
      dial: dialTls({ timer: systemClock }),
      secrets,
      tokens: tokensByReference(secrets),
      clock: systemClock,
      // What the store is able to has its own tests.
      trust: async () => ({ deletes: true, reason: '' }),
      inFlight: new ByteBudget(64 * 1024 * 1024),
    };
    const deadlineMs = Date.now() + 30_000;
    return runMailbox(mailboxOf(near, user), ports, { deadlineMs, suspects: 'after', honourBackOff: false });
  };

  it.skipIf(missing)('loses nothing, stores nothing twice, deletes what is stored alone', async () => {
    let repeated = 0;
    let runs = 0;
    for (const { name: user } of near.server.users) {
      await near.server.put(
        user,
        Array.from({ length: MESSAGES }, (_, index) => letter(`${user}-${index}`, 2000)),
      );
      const oracle = await near.oracle(user);
      await Promise.all([run(user), run(user)]);
      const again = async () => {
        runs += 1;
        expect((await run(user)).error).toBeNull();
      };
      // Each of the two may announce each message once.
      const disturbed = { user, oracle, run: again, maxRepeats: MESSAGES };
      repeated += (await comeToRest({ near, far }, disturbed)).repeated;
    }
    console.log(
      `${title}: ${ROUNDS * MESSAGES} messages, ${repeated} announced twice, ${runs} runs to finish`,
    );
  });
});

function mailboxOf({ server: { port, ca } }: NearEnd, user: string): Mailbox {
  const given = {
    id: user,
    host: 'localhost',
    port,
    ca,
    user,
    password: 'env:PASSWORD',
    delete: 'when-stored',
  };
  const [mailbox] = parseSettingsFile({ store: { folder: 'mail' }, mailboxes: [given] }, 'test').mailboxes;
  if (!mailbox) throw new Error('no mailbox');
  return mailbox;
}

function inFolder({ folder, eventsFile }: FolderEnd): Ends {
  return { store: folderStore(folder, systemClock), publisher: ndjsonFile(eventsFile) };
}

const chance = { sleep: (ms: number) => sleep(ms), random: Math.random };

function inBucket({ bucket, gateway, bus }: BucketEnd): Ends {
  const { endpoint, region, accessKey, secretKey } = gateway;
  const credentials = { accessKeyId: accessKey, secretAccessKey: secretKey };
  return {
    store: s3Store({ bucket, region, endpoint, credentials, forcePathStyle: true, ...chance }),
    publisher: eventBridge({
      bus: 'mail',
      region,
      credentials,
      endpoint: bus.endpoint,
      now: Date.now,
      ...chance,
    }),
  };
}
