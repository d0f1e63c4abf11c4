/** One pass under AWS's own interface emulator: the schedule, a job, the whole corpus, and a second one in a warm process. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startEmulated } from '../servers/interfaceEmulator.ts';
import type { Ending, Sandbox } from '../servers/lambdaRuntime.ts';
import { type BucketEnd, startBucket } from './endsFar.ts';
import { type Functions, startFunctionIn } from './endsFunction.ts';
import { repeats, unfinished, violations } from './endsLedger.ts';
import { type NearEnd, passwordOf, startMail, wholeCorpus } from './endsMail.ts';
import { needing, PARTS } from './endsParts.ts';

const { missing, title } = needing(
  'the functions under the interface emulator',
  'dovecot',
  'versitygw',
  'ric',
  'rie',
);

const TIMEOUT_MS = 60_000;

describe.skipIf(missing)(title, () => {
  let near: NearEnd;
  let far: BucketEnd;
  let functions: Functions<Ending, Sandbox>;

  beforeAll(async () => {
    [near, far] = await Promise.all([startMail(1), startBucket()]);
    const { port, ca } = near.server;
    const secret = passwordOf(near.server, 'u1');
    const mailboxes = [{ id: 'u1', port, ca, user: 'u1', delete: 'when-stored' as const, secret }];
    functions = await startFunctionIn<Ending, Sandbox>((options) => startEmulated(PARTS.rie, options), {
      ...{ far, mailboxes, timeoutMs: TIMEOUT_MS },
    });
  });
  afterAll(async () => {
    await functions?.stop();
    await near?.server.stop();
    await far?.stop();
  });

  it('carry the whole corpus by the schedule, byte for byte, and go on in the same process', async () => {
    const messages = wholeCorpus();
    await near.server.put('u1', messages);
    const oracle = await near.oracle('u1');
    expect(await functions.dispatch(new Date().toISOString())).toMatchObject({
      result: { jobs: 1, mailboxes: 1, broken: 0 },
    });
    expect(await functions.work(), functions.runtime.log.slice(-2000)).toEqual({
      result: { batchItemFailures: [] },
    });
    expect(functions.report('u1')).toMatchObject({ outcome: 'done', counts: { stored: messages.length } });
    const left = new Set((await near.oracle('u1')).keys());
    const after = { objects: await far.objects('u1'), events: await far.events('u1'), left };
    expect([...violations(oracle, after), ...unfinished(oracle, after)]).toEqual([]);
    expect(after.objects.size).toBe(messages.length);
    expect(repeats(after.events)).toBe(0);

    expect(await functions.fetch('u1')).toEqual({ result: { batchItemFailures: [] } });
    expect(functions.report('u1')).toMatchObject({ outcome: 'done', counts: { stored: 0 } });
    expect(functions.runtime.log.match(/INIT START/g)).toHaveLength(1);
  });
});
