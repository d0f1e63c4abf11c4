/** A person deploys, mail goes through, deploys again and removes. Shown on an emulator: see emulator.ts for what that leaves open. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { testChain } from './chain.ts';
import { DEPLOY_MS, type Deployment, deploy, EMULATED, until } from './deployment.ts';
import { partsOf } from './parts.ts';
import { inTree } from './service.ts';

const parts = partsOf(process.env);
const title = typeof parts === 'string' ? `a deployment, ${parts}` : 'a deployment';

/** The schedule's first minute, and the ten seconds in which the emulator sees that it has come; some more on a busy machine. */
const CALLED_MS = 90_000;

describe.skipIf(typeof parts === 'string')(title, () => {
  let made: Deployment;

  beforeAll(async () => {
    if (typeof parts !== 'string') made = await deploy(parts, { rights: false });
  }, DEPLOY_MS);
  afterAll(() => made?.stop());

  testChain(() => made);

  it('is not deployed again where nothing has changed', async () => {
    const words = await made.service.osls(['deploy', ...EMULATED], made.emulator.env);
    expect(words).toContain('No changes to deploy');
  });

  it('is called by the schedule', { timeout: 2 * CALLED_MS }, async () => {
    // The one call of testChain's own.
    const own = inTree('dispatch') ? 1 : 0;
    const called = async () => ((await made.calls('dispatch')) > own ? true : undefined);
    await until('a call by the schedule', called, CALLED_MS);
  });

  it('is removed, all but the mail', async () => {
    await made.service.osls(['remove', ...EMULATED], made.emulator.env);
    expect((await made.keys('mail/')).length).toBeGreaterThanOrEqual(3);
    const queues = await made.emulator.call('sqs', { target: 'AmazonSQS.ListQueues', body: {} });
    expect(JSON.stringify(queues)).not.toContain('mailferry-');
  });
});
