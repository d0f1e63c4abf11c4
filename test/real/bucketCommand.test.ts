/** The command on a bucket, as a process: the mailboxes that the bucket names, a real S3 server, a bus. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { EXIT } from '../../bin/exitCodes.ts';
import { messages, reportsIn, server, startMailferry, workFolder } from '../bin/harness.ts';
import { startBucket } from './endsFar.ts';
import { storedEvents } from './endsLedger.ts';
import { needing } from './endsParts.ts';

const { missing, title } = needing('the command on a bucket', 'versitygw');

describe.skipIf(missing)(title, () => {
  it('writes its mailboxes, fetches them, tells of them, and tries the store', async () => {
    const far = await startBucket();
    onTestFinished(() => far.stop());
    const pop3 = await server({ messages: messages(3) });
    const { host, port, user, ca, password } = pop3;
    const cwd = await workFolder();
    const mailbox = { id: 'support', host, port, user, ca, password: 'env:PASSWORD', delete: 'when-stored' };
    await writeFile(join(cwd, 'mailboxes.yaml'), JSON.stringify({ mailboxes: [mailbox] }));
    const env = {
      ...far.env,
      PASSWORD: password,
      AWS_REGION: 'us-east-1',
      AWS_ENDPOINT_URL_EVENTBRIDGE: far.bus.endpoint,
    };
    const bucket = ['--bucket', far.bucket, '--endpoint', far.gateway.endpoint];
    const run = (...argv: string[]) => startMailferry([...argv, ...bucket], { cwd, env }).ended;

    expect(await run('status')).toMatchObject({
      code: EXIT.usage,
      stderr: expect.stringContaining('apply FILE'),
    });
    expect(await run('mailboxes', 'apply', 'mailboxes.yaml', '--yes')).toMatchObject({ code: EXIT.done });
    const fetched = await run('fetch', '--bus', 'mail', '--json');
    expect(fetched.code, fetched.stderr).toBe(EXIT.done);
    expect(reportsIn(fetched.stdout)).toMatchObject([
      { mailbox: 'support', counts: { stored: 3 }, deletions: { committed: 3 } },
    ]);
    expect((await far.objects('support')).size).toBe(3);
    expect(storedEvents(await far.events('support'))).toHaveLength(3);
    expect(JSON.parse((await run('status', '--json')).stdout)).toMatchObject({ mailbox: 'support' });
    const probed = await run('probe', '--json');
    expect(JSON.parse(probed.stdout)).toMatchObject({ place: far.bucket, deletes: true });
    expect(probed.code).toBe(EXIT.done);
  });
});
