/**
 * c13: a run that was thought dead and goes on. It is held at each step, another process does everything and ends,
 * and then it goes on from where it was.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Command, type Fetching, installCommand } from '../real/endsCommand.ts';
import { type BucketEnd, startBucket } from '../real/endsFar.ts';
import { type NearEnd, passwordOf, startMail } from '../real/endsMail.ts';
import { needing } from '../real/endsParts.ts';
import { type HttpGate, startHttpGate } from './httpGate.ts';
import { trialMail } from './mailForTrials.ts';
import { type Pop3Gate, startPop3Gate } from './pop3Gate.ts';
import { comeToRest } from './rest.ts';
import { POP3_STEPS, S3_STEPS, titled } from './steps.ts';
import { type Fate, Trap } from './trap.ts';

const { missing, title } = needing(
  'a command that is held while another does it all',
  'dovecot',
  'versitygw',
);

const STEPS = [...POP3_STEPS, ...S3_STEPS];

describe.skipIf(missing)(title, () => {
  let near: NearEnd;
  let far: BucketEnd;
  let gate: Pop3Gate;
  let storeGate: HttpGate;
  let busGate: HttpGate;
  let command: Command;
  let users = 0;
  let repeated = 0;

  beforeAll(async () => {
    [near, far, command] = await Promise.all([startMail(STEPS.length + 1), startBucket(), installCommand()]);
    gate = await startPop3Gate(near.server);
    storeGate = await startHttpGate(far.gateway.endpoint);
    busGate = await startHttpGate(far.bus.endpoint);
    // What the store is able to is found out once, and kept in it.
    await near.server.put('u1', trialMail('u1'));
    expect(await command.fetch(fetching('u1', 'gated'))).toMatchObject({ code: 0 });
    users += 1;
  });
  afterAll(async () => {
    await command?.stop();
    await Promise.all([gate?.stop(), storeGate?.stop(), busGate?.stop()]);
    await near?.server.stop();
    await far?.stop();
    console.log(`${title}: ${users - 1} mailboxes, ${repeated} announcements repeated`);
  });

  const fetching = (user: string, way: 'gated' | 'straight'): Fetching => {
    const { port, ca } = way === 'gated' ? gate : near.server;
    const { region } = far.gateway;
    // One store, one name: what it was found able to is kept under its endpoint.
    const bus = way === 'gated' ? busGate.endpoint : far.bus.endpoint;
    const store = { bucket: far.bucket, region, pathStyle: true, endpoint: storeGate.endpoint };
    return {
      mailbox: { id: user, port, user, delete: 'when-stored' },
      ...{ password: passwordOf(near.server, user), ca, store, env: far.env },
      events: { bus: 'mail', region, endpoint: bus },
    };
  };

  it.each(titled(STEPS))('%s', async (_, { at }) => {
    users += 1;
    const user = `u${users}`;
    const messages = trialMail(user);
    await near.server.put(user, messages);
    const oracle = await near.oracle(user);
    const run = async () => {
      const { report, words } = await command.fetch(fetching(user, 'straight'));
      expect(report?.error, words).toBeNull();
    };
    const trap = new Trap(at, async (): Promise<Fate> => {
      await run();
      return 'on';
    });
    for (const each of [gate, storeGate, busGate]) each.trap = trap;
    const { signal, words } = await command.fetch(fetching(user, 'gated'));
    for (const each of [gate, storeGate, busGate]) each.trap = null;
    expect(signal, words).toBeNull();
    expect(trap.struck).toBe(1);
    // Each of the two may announce each message once.
    const disturbed = { user, oracle, run, maxRepeats: messages.length };
    repeated += (await comeToRest({ near, far }, disturbed)).repeated;
  });
});
