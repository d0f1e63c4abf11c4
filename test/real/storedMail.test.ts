/** announce, verify and export on a bucket, each as a process: a real S3 server, a bus. */
import { createHash } from 'node:crypto';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { EXIT } from '../../bin/exitCodes.ts';
import { messageKey } from '../../lib/mailbox/names.ts';
import { messages, server, startMailferry, workFolder } from '../bin/harness.ts';
import { bytesOf, mail } from '../servers/scripted.ts';
import { startBucket } from './endsFar.ts';
import { storedEvents } from './endsLedger.ts';
import { needing } from './endsParts.ts';

const { missing, title } = needing('stored mail in a bucket', 'versitygw');

describe.skipIf(missing)(title, () => {
  it('is announced again, verified, and exported', async () => {
    const far = await startBucket();
    onTestFinished(() => far.stop());
    // In parts, and with no SHA-256 that the store could be asked for.
    const large = mail('large', `Subject: large\r\n\r\n${`From ${'x'.repeat(70)}\r\n`.repeat(150_000)}`);
    const mails = [...messages(12), large];
    const pop3 = await server({ messages: mails });
    const { host, port, user, ca, password } = pop3;
    const cwd = await workFolder();
    const mailbox = { id: 'support', host, port, user, ca, password: 'env:PASSWORD' };
    await far.put('config/mailboxes.json', { v: 1, mailboxes: [mailbox] });
    const bus = { AWS_ENDPOINT_URL_EVENTBRIDGE: far.bus.endpoint };
    const env = { ...far.env, ...bus, PASSWORD: password, AWS_REGION: 'us-east-1' };
    const bucket = ['--bucket', far.bucket, '--endpoint', far.gateway.endpoint];
    const run = (...argv: string[]) => startMailferry([...argv, ...bucket], { cwd, env }).ended;
    const lines = (stdout: string) =>
      stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line));

    expect(await run('fetch', '--bus', 'mail')).toMatchObject({ code: EXIT.done });
    const first = storedEvents(await far.events('support'));
    expect(first).toHaveLength(13);

    expect(await run('announce', 'support', '--bus', 'elsewhere')).toMatchObject({ code: EXIT.person });
    const announced = await run('announce', 'support', '--bus', 'mail', '--json');
    expect(announced.code, announced.stdout).toBe(EXIT.done);
    expect(lines(announced.stdout)).toMatchObject([{ announced: 13, leftSince: null }]);
    const again = storedEvents(await far.events('support')).slice(13);
    const byId = (a: { id: string }, b: { id: string }) => (a.id < b.id ? -1 : 1);
    expect(again.sort(byId)).toEqual(first.sort(byId));

    const healthy = await run('verify', '--json');
    expect(healthy.code, healthy.stdout).toBe(EXIT.done);
    expect(lines(healthy.stdout)).toMatchObject([
      { onRecord: 13, same: 13, listed: { messages: 13, onRecord: { keep: 13 } } },
    ]);

    expect(await run('export', '--maildir', 'box')).toMatchObject({ code: EXIT.done });
    const box = join(cwd, 'box', 'new');
    const exported = await Promise.all((await readdir(box)).map((name) => readFile(join(box, name))));
    expect(exported.map(checksum).sort()).toEqual(mails.map((one) => checksum(bytesOf(one))).sort());

    // versitygw keeps objects as files: somebody with the disk in his hands.
    const path = (uidl: string) => join(far.folder, 'data', far.bucket, messageKey('support', uidl));
    await rm(path('m1'));
    await writeFile(path('m2'), 'Subject: forged\r\n\r\n');
    const damaged = await run('verify', '--no-server', '--json');
    expect(damaged.code).toBe(EXIT.messages);
    expect(
      lines(damaged.stdout)
        .slice(0, -1)
        .map(({ kind, uidl }) => [kind, uidl])
        .sort(),
    ).toEqual([
      ['gone', 'm1'],
      ['other bytes', 'm2'],
    ]);
  });
});

function checksum(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
