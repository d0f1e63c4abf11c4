/** A person deploys, mail goes through, deploys again and removes. Shown on an emulator: see emulator.ts for what that leaves open. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { testChain } from './chain.ts';
import { type Deployment, deploy, EMULATED, until } from './deployment.ts';
import { partsOf } from './parts.ts';
import { inTree } from './service.ts';

const parts = partsOf(process.env);
const title = typeof parts === 'string' ? `a deployment, ${parts}` : 'a deployment';

/** The schedule's first minute, and what the emulator takes to see that it has come. */
const MINUTE_MS = 120_000;

describe.skipIf(typeof parts === 'string')(title, () => {
  let made: Deployment;

  beforeAll(async () => {
    if (typeof parts !== 'string') made = await deploy(parts, { rights: false });
  }, MINUTE_MS);
  afterAll(() => made?.stop());

  testChain(() => made);

  it('is not deployed again where nothing has changed', async () => {
    const words = await made.service.osls(['deploy', ...EMULATED], made.emulator.env);
    expect(words).toContain('No changes to deploy');
  });

  it('is called by the schedule', { timeout: MINUTE_MS }, async () => {
    // The one call of testChain's own.
    const own = inTree('dispatch') ? 1 : 0;
    const called = async () => ((await made.calls('dispatch')) > own ? true : undefined);
    await until('a call by the schedule', called, MINUTE_MS);
  });

  it('is removed, all but the mail', async () => {
    await made.service.osls(['remove', ...EMULATED], made.emulator.env);
    expect((await made.keys('mail/')).length).toBeGreaterThanOrEqual(3);
    const queues = await made.emulator.call('sqs', { target: 'AmazonSQS.ListQueues', body: {} });
    expect(JSON.stringify(queues)).not.toContain('mailferry-');
  });
});
