/** The bundled handler, its sandbox killed at every step of its way from Dovecot to a bucket and a bus. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BucketEnd, startBucket } from '../real/endsFar.ts';
import { type FetchFunction, startFunction } from '../real/endsFunction.ts';
import { type NearEnd, passwordOf, startMail } from '../real/endsMail.ts';
import { needing } from '../real/endsParts.ts';
import { type HttpGate, startHttpGate } from './httpGate.ts';
import { type Pop3Gate, startPop3Gate } from './pop3Gate.ts';
import { POP3_STEPS, S3_STEPS, titled } from './steps.ts';
import { type Fate, Trap } from './trap.ts';
import { attempt, Tally } from './trial.ts';

const parts = ['dovecot', 'versitygw', 'ric'] as const;
const { missing, title } = needing('the function, killed on its way to a bucket', ...parts);

const STEPS = [...POP3_STEPS, ...S3_STEPS];

describe.skipIf(missing)(title, () => {
  let near: NearEnd;
  let far: BucketEnd;
  let gate: Pop3Gate;
  let storeGate: HttpGate;
  let busGate: HttpGate;
  let fetcher: FetchFunction;
  let users = 0;
  const tally = new Tally();

  beforeAll(async () => {
    [near, far] = await Promise.all([startMail(STEPS.length + 1), startBucket()]);
    gate = await startPop3Gate(near.server);
    storeGate = await startHttpGate(far.gateway.endpoint);
    busGate = await startHttpGate(far.bus.endpoint);
    const { port, ca } = gate;
    const mailboxes = near.server.users.map(({ name }) => ({
      ...{ id: name, port, ca, user: name, delete: 'when-stored' as const },
      secret: passwordOf(near.server, name),
    }));
    const { endpoint: s3Endpoint } = storeGate;
    fetcher = await startFunction({ far, mailboxes, s3Endpoint, eventsEndpoint: busGate.endpoint });
  });
  afterAll(async () => {
    await fetcher?.stop();
    await Promise.all([gate?.stop(), storeGate?.stop(), busGate?.stop()]);
    await near?.server.stop();
    await far?.stop();
    console.log(tally.told(title));
  });

  const run = async (user: string) => {
    const outcome = await fetcher.fetch(user);
    expect(outcome, fetcher.runtime.log.slice(-2000)).toMatchObject({ result: { batchItemFailures: [] } });
    expect(fetcher.report(user)).toMatchObject({
      outcome: 'done',
      error: null,
      counts: { failed: 0, setAside: 0 },
    });
  };
  const tried = async (maxRepeats: number, killed: (user: string) => Promise<void>) => {
    users += 1;
    const user = `u${users}`;
    const trial = { user, maxRepeats, run: () => run(user), killed: () => killed(user) };
    return attempt({ near, far, gate }, trial);
  };

  it('does it all in one run when nobody kills it', async () => {
    // Also finds out once what the store is able to, so that no trial's run has that on its way.
    expect(await tried(0, run)).toMatchObject({ repeated: 0 });
  });

  it.each(titled(STEPS))('%s', async (name, step) => {
    const count = await tried(step.repeats, async (user) => {
      const trap = new Trap(step.at, async (): Promise<Fate> => {
        await fetcher.runtime.kill();
        return 'gone';
      });
      for (const each of [gate, storeGate, busGate]) each.trap = trap;
      expect(await fetcher.fetch(user)).toMatchObject({ killed: 'exit', signal: 'SIGKILL' });
      for (const each of [gate, storeGate, busGate]) each.trap = null;
      expect(trap.struck).toBe(1);
    });
    tally.add(name, count);
  });
});
