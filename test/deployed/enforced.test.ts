/** The same mail, where the roles are enforced as AWS does: what is not in the list of rights is refused. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { testChain } from './chain.ts';
import { DEPLOY_MS, type Deployment, deploy, until } from './deployment.ts';
import { partsOf } from './parts.ts';

const parts = partsOf(process.env);
const title =
  typeof parts === 'string'
    ? `a deployment with enforced roles, ${parts}`
    : 'a deployment with enforced roles';

describe.skipIf(typeof parts === 'string')(title, () => {
  let made: Deployment;

  beforeAll(async () => {
    if (typeof parts !== 'string') made = await deploy(parts, { rights: true });
  }, DEPLOY_MS);
  afterAll(() => made?.stop());

  testChain(() => made, 'call');

  it('may not read a secret beyond its prefix, and says so', async () => {
    const { dovecot, secrets, setSecret, apply, job, events, keys } = made;
    const { host, port, ca, users } = dovecot;
    await setSecret(secrets.elsewhere, { u2: users[1]!.password });
    const password = `secretsmanager:${secrets.elsewhere}#u2`;
    await apply([{ id: 'curious', host, port, ca, user: 'u2', password, every: '1d' }]);
    await job('curious');
    const failing = await until('an event', async () =>
      (await events()).find(
        (event) => event['detail-type'] === 'Mailbox Failing' && event.detail['mailbox'] === 'curious',
      ),
    );
    expect(failing.detail).toMatchObject({ kind: 'person', phase: 'secret' });
    expect(await keys('mail/curious/')).toEqual([]);
  });
});
