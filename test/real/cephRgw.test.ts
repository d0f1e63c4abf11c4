/**
 * A lax store, as providers run it: Ceph RGW 16.2. What it lacks is measured, and a mailbox that deletes is fetched into
 * it all the same.
 *
 * QUIRK: of If-Match it knows only an ETag without its quotes; Complete ignores its condition; and in a bucket that keeps
 * versions If-None-Match is ignored, and no If-Match ever holds.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CreateBucketCommand, PutBucketVersioningCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EXIT } from '../../bin/exitCodes.ts';
import { type ObjectStore, PART_BYTES } from '../../lib/store/port.ts';
import { s3Store } from '../../lib/store/s3.ts';
import { messages, reportsIn, server, startMailferry, workFolder } from '../bin/harness.ts';
import { startCephRgw } from '../servers/cephRgw.ts';
import { bytesOf, generatedMail, mail, type ScriptedMessage } from '../servers/scripted.ts';
import { contentOf, keysOf } from '../store/reading.ts';
import { type BucketEnd, startBucket } from './endsFar.ts';
import { repeats, storedEvents } from './endsLedger.ts';
import { needing, PARTS } from './endsParts.ts';

const { missing, title } = needing('Ceph RGW (see `npm run proof -- stores`)', 'rgw');

const VERSIONED = 'versioned';

/** One that goes up in parts, and one with all that a line can have. */
const held: readonly ScriptedMessage[] = [
  ...messages(3),
  mail('wild', Buffer.from('Subject: wild\r\n\r\n..\0\xff\xfe\n\r.\r\n...\r\n', 'latin1')),
  generatedMail('large', PART_BYTES + 5_000),
];

const COMPLETE = /Racing completions of uploads: \d+ of \d+ were told that they had won\./;
const NO_SWAP = /refuses to replace it even under the ETag that it says it has.*nothing can be fetched/;

describe.skipIf(missing)(title, { timeout: 5 * 60_000 }, () => {
  let far: BucketEnd;

  beforeAll(async () => {
    far = await startBucket((folder) => startCephRgw(PARTS.rgw, folder));
    const { endpoint, region, accessKey, secretKey } = far.gateway;
    const credentials = { accessKeyId: accessKey, secretAccessKey: secretKey };
    const client = new S3Client({ endpoint, region, forcePathStyle: true, credentials });
    await client.send(new CreateBucketCommand({ Bucket: VERSIONED }));
    const VersioningConfiguration = { Status: 'Enabled' } as const;
    await client.send(new PutBucketVersioningCommand({ Bucket: VERSIONED, VersioningConfiguration }));
    client.destroy();
  }, 5 * 60_000);
  afterAll(() => far?.stop());

  /** A mailbox that deletes, and the command on it. */
  async function ferry(id: string, bucket: string, mails: readonly ScriptedMessage[]) {
    const pop3 = await server({ messages: [...mails] });
    const { host, port, user, ca, password } = pop3;
    const cwd = await workFolder();
    const settings = {
      store: { bucket, endpoint: far.gateway.endpoint, region: far.gateway.region, pathStyle: true },
      events: { bus: 'mail', endpoint: far.bus.endpoint, region: far.gateway.region },
      mailboxes: [{ id, host, port, user, ca, password: 'env:PASSWORD', delete: 'when-stored' }],
    };
    await writeFile(join(cwd, 'mailferry.yaml'), JSON.stringify(settings));
    const env = { ...far.env, PASSWORD: password };
    return { pop3, run: (...argv: string[]) => startMailferry(argv, { cwd, env }).ended };
  }

  const store = (bucket: string): ObjectStore => {
    const { endpoint, region, accessKey, secretKey } = far.gateway;
    const credentials = { accessKeyId: accessKey, secretAccessKey: secretKey };
    const waits = { sleep: async (ms: number) => void (await sleep(ms)), random: Math.random };
    return s3Store({ bucket, endpoint, region, forcePathStyle: true, credentials, ...waits });
  };

  const probed = async (bucket: string) => {
    const { run } = await ferry('probed', bucket, []);
    const { code, stdout } = await run('probe', '--json');
    expect(code).toBe(EXIT.person);
    return JSON.parse(stdout);
  };

  const sorted = (bodies: Iterable<Uint8Array>) =>
    [...bodies].map((body) => Buffer.from(body)).sort(Buffer.compare);

  it('lacks one ability in a plain bucket: Complete ignores its condition', async () => {
    expect(await probed(far.bucket)).toEqual({
      ...{ place: far.bucket, deletes: false },
      ...{ create: true, replace: true, complete: false, checksums: true, invisibleAborts: true },
      reasons: { complete: expect.stringMatching(COMPLETE) },
    });
  });

  it('lacks every condition in a bucket that keeps versions', async () => {
    expect(await probed(VERSIONED)).toEqual({
      ...{ place: VERSIONED, deletes: false },
      ...{ create: false, replace: false, complete: false, checksums: true, invisibleAborts: true },
      reasons: {
        create: expect.stringMatching(/Racing creates: \d+ of \d+ were told that they had won\./),
        replace: expect.stringMatching(NO_SWAP),
        complete: expect.stringMatching(COMPLETE),
      },
    });
  });

  it('gets all mail of a mailbox that deletes, byte for byte; nothing is deleted, and the run says why', async () => {
    const { pop3, run } = await ferry('support', far.bucket, held);
    const fetched = await run('fetch', '--json');
    expect(fetched.code, fetched.stderr).toBe(EXIT.done);
    const [report] = reportsIn(fetched.stdout);
    expect(report).toMatchObject({
      counts: { listed: held.length, stored: held.length },
      deletions: { requested: 0, committed: 0 },
    });
    expect(report?.notes).toEqual([expect.stringMatching(/not deleted from the server/)]);
    expect(report?.notes[0]).toMatch(COMPLETE);
    expect(pop3.messages).toHaveLength(held.length);
    expect(sorted((await far.objects('support')).values())).toEqual(sorted(held.map(bytesOf)));
    expect(storedEvents(await far.events('support'))).toHaveLength(held.length);

    const again = await run('fetch', '--json');
    expect(reportsIn(again.stdout)).toMatchObject([
      { counts: { alreadyStored: held.length }, deletions: { requested: 0 } },
    ]);
    expect(storedEvents(await far.events('support'))).toHaveLength(held.length);
    expect(pop3.messages).toHaveLength(held.length);
  });

  it('keeps what it acknowledged through kill -9 of all its processes', async () => {
    const { run } = await ferry('killed', far.bucket, held);
    expect((await run('fetch')).code).toBe(EXIT.done);
    await far.gateway.kill();
    await far.gateway.restart();
    const verified = await run('verify', '--json');
    expect(verified.code, verified.stdout).toBe(EXIT.done);
    expect(sorted((await far.objects('killed')).values())).toEqual(sorted(held.map(bytesOf)));
    expect(reportsIn((await run('fetch', '--json')).stdout)).toMatchObject([
      { counts: { alreadyStored: held.length } },
    ]);
  });

  /** QUIRK: a replacement that another overtakes is answered 412, or 500. */
  it('is no harm to runs at once', async () => {
    const many = messages(60);
    const { pop3, run } = await ferry('overlap', far.bucket, many);
    await Promise.all([1, 2, 3].map(() => run('fetch')));
    const rest = await run('fetch', '--json');
    expect(rest.code, rest.stdout).toBe(EXIT.done);
    expect(sorted((await far.objects('overlap')).values())).toEqual(sorted(many.map(bytesOf)));
    const events = await far.events('overlap');
    expect(storedEvents(events).length - repeats(events)).toBe(many.length);
    expect(pop3.messages).toHaveLength(many.length);
  });

  it('cannot be used where its bucket keeps versions: what was stored is whole, nothing is deleted, and the run says why', async () => {
    const { pop3, run } = await ferry('refused', VERSIONED, held);
    const fetched = await run('fetch', '--json');
    expect(fetched.code, fetched.stdout).toBe(EXIT.person);
    const [report] = reportsIn(fetched.stdout);
    expect(report).toMatchObject({
      outcome: 'failed',
      counts: { listed: held.length },
      deletions: { requested: 0, committed: 0 },
      error: { code: 'E_STORE_UNSUPPORTED', kind: 'person', message: expect.stringMatching(NO_SWAP) },
    });
    expect(pop3.messages).toHaveLength(held.length);
    const bodies = sorted(held.map(bytesOf));
    for (const key of await keysOf(store(VERSIONED), 'mail/refused/'))
      expect(bodies).toContainEqual(await contentOf(store(VERSIONED), key));
  });
});
