/** A person deploys, mail goes through, deploys again and removes. Shown on an emulator: see emulator.ts for what that leaves open. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { testChain } from './chain.ts';
import { DEPLOY_MS, type Deployment, deploy, EMULATED } from './deployment.ts';
import { partsOf } from './parts.ts';

const parts = partsOf(process.env);
const title = typeof parts === 'string' ? `a deployment, ${parts}` : 'a deployment';

describe.skipIf(typeof parts === 'string')(title, () => {
  let made: Deployment;

  beforeAll(async () => {
    if (typeof parts !== 'string') made = await deploy(parts, { rights: false });
  }, DEPLOY_MS);
  afterAll(() => made?.stop());

  // First: the schedule’s minute comes meanwhile.
  it('is not deployed again where nothing has changed', async () => {
    const words = await made.service.osls(['deploy', ...EMULATED], made.emulator.env);
    expect(words).toContain('No changes to deploy');
  });

  testChain(() => made, 'schedule');

  it('is removed, all but the mail', async () => {
    await made.service.osls(['remove', ...EMULATED], made.emulator.env);
    expect(await made.keys('mail/')).toHaveLength(3);
    const queues = await made.emulator.call('sqs', { target: 'AmazonSQS.ListQueues', body: {} });
    expect(JSON.stringify(queues)).not.toContain('mailferry-');
  });
});
