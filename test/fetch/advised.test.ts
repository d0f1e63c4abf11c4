/** At a provider that is known, a run's error says what that provider wants. */
import { describe, expect, it } from 'vitest';
import { checkMailbox } from '../../lib/fetch/check.ts';
import { planMailbox } from '../../lib/fetch/inspect.ts';
import { mail } from '../servers/scripted.ts';
import { letter, World } from './world.ts';

const refusing = (host: string, reply: string, verb = 'PASS') =>
  new World({ messages: [mail('a', letter('a'))], faults: [{ verb, reply }], settings: { host } });

describe('a refused sign-in', () => {
  it.each([
    ['pop.mail.yahoo.com', '-ERR [AUTH] invalid credentials\r\n', 'app password'],
    ['pop.gmx.net', '-ERR authentication failed\r\n', 'POP3 must be switched on'],
    ['outlook.office365.com', '-ERR Logon failure: unknown user name or bad password.\r\n', 'OAuth'],
    ['pop.163.com', '-ERR ERR.LOGIN.REQCODE\r\n', 'authorization code'],
    [
      'pop.gmail.com',
      '-ERR [SYS/PERM] Your account is not enabled for POP access.\r\n',
      'POP must be enabled',
    ],
  ])('at %s says what it wants', async (host, reply, wanted) => {
    const world = refusing(host, reply);
    const report = await world.run();
    expect(report.error?.message).toContain(reply.trim().replace(/\.$/, ''));
    expect(report.error?.message).toMatch(new RegExp(`${wanted}.*See https://`));
    // Whoever asks the state later is told the same.
    expect((await world.head()).backOff?.message).toContain(wanted);
  });

  it('says nothing of providers at any other host, and nothing of passwords where something else is wrong', async () => {
    const own = await refusing('pop.yahoo.com.example.org', '-ERR [AUTH] no\r\n').run();
    expect(own.error?.message).not.toMatch(/Yahoo|See https/);
    const busy = await refusing('pop.mail.yahoo.com', '-ERR [IN-USE] locked\r\n').run();
    expect(busy.error?.message).not.toMatch(/Yahoo|See https/);
  });
});

describe('a provider without POP3', () => {
  it('is told of at whatever fails before the sign-in', async () => {
    const report = await refusing('pop.mail.me.com', '-ERR go away\r\n', 'GREETING').run();
    expect(report.error?.message).toContain('iCloud Mail has no POP3');
    const other = await refusing('pop.gmx.net', '-ERR go away\r\n', 'GREETING').run();
    expect(other.error?.message).not.toContain('GMX');
  });
});

describe('looking first', () => {
  const at = (host: string) => {
    const world = new World({ messages: [mail('a', letter('a'))], settings: { host } });
    return { world, options: { deadlineMs: world.clock.now() + 60_000 } };
  };

  it('tells of the provider whether or not anything is wrong', async () => {
    const { world, options } = at('pop.gmail.com');
    const plan = await planMailbox(world.mailbox, world.ports, options);
    expect(plan.error).toBeNull();
    const check = await checkMailbox(world.mailbox, world.ports, options);
    expect(check.error).toBeNull();
    for (const { notes } of [plan, check]) expect(notes.join('\n')).toContain('about 250 messages at a time');
    const refused = refusing('pop.gmail.com', '-ERR [AUTH] no\r\n');
    const failed = await checkMailbox(refused.mailbox, refused.ports, options);
    expect(failed.notes.join('\n')).toContain('250');
    expect(failed.error?.message).toContain('app password');
  });

  it('warns of an interval that is shorter than the server’s LOGIN-DELAY', async () => {
    const world = new World({ behaviour: { capabilities: ['UIDL', 'TOP', 'USER', 'LOGIN-DELAY 900'] } });
    const options = { deadlineMs: world.clock.now() + 60_000 };
    const of = async (every: string) =>
      (await checkMailbox({ ...world.mailbox, every }, world.ports, options)).notes.join('\n');
    expect(await of('5m')).toContain(
      '900 s between two sign-ins; with "every: 5m" not each turn can be kept.',
    );
    expect(await of('15m')).toContain('900 s between two sign-ins.');
  });
});
