/** What a real Dovecot says when it turns a session away, and what whole runs make of it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runMailbox } from '../../lib/fetch/run.ts';
import { systemClock } from '../../lib/fetch/systemClock.ts';
import { Pop3Client } from '../../lib/pop3/client.ts';
import { dialTls } from '../../lib/pop3/dial.ts';
import { Secret } from '../../lib/secrets/port.ts';
import { mailboxNamed, World } from '../fetch/world.ts';
import { type Dovecot, startDovecot } from '../servers/dovecot.ts';

const program = process.env['MAILFERRY_DOVECOT'];
const title = program ? 'Dovecot' : 'Dovecot, skipped: not installed (MAILFERRY_DOVECOT)';

const dial = dialTls({ timer: systemClock });

describe.skipIf(!program)(title, () => {
  let server: Dovecot;

  beforeAll(async () => {
    const options = ['pop3_lock_session = yes', 'protocol pop3 {\n  mail_max_userip_connections = 2\n}'];
    server = await startDovecot(program ?? '', { users: 2, options });
    await server.put('u1', [Buffer.from('Message-ID: <1@example.org>\r\n\r\none\r\n')]);
  });
  afterAll(() => server?.stop());

  const signedIn = async ({ name, password }: { readonly name: string; readonly password: string }) => {
    const client = await Pop3Client.open(await dial(server, new AbortController().signal), {
      timer: systemClock,
      deadlineMs: Date.now() + 60_000,
    });
    await client.signIn(name, password);
    return client;
  };

  const run = (world: World, password: string) => {
    const { host, port, ca } = server;
    const mailbox = mailboxNamed('inbox', { host, port, ca, user: 'u1' });
    const ports = { ...world.ports, dial, secrets: { read: async () => new Secret(password) } };
    const deadlineMs = Date.now() + 60_000;
    return runMailbox(mailbox, ports, { deadlineMs, suspects: 'after', honourBackOff: false });
  };

  it('holds the mailbox for another session: in use, then fetched', async () => {
    const world = new World();
    const [user] = server.users;
    if (user === undefined) throw new Error('no user');
    const other = await signedIn(user);
    expect(await run(world, user.password)).toMatchObject({
      outcome: 'failed',
      error: { code: 'E_POP3_IN_USE', kind: 'later', phase: 'sign-in' },
    });
    expect((await world.head()).backOff).toMatchObject({ pace: 'lock', refusals: 0 });
    await other.quit();
    expect(await run(world, user.password)).toMatchObject({ outcome: 'done', counts: { stored: 1 } });
    expect((await world.head()).backOff).toBeNull();
  });

  it('counts connections: try later, and no word of a password', async () => {
    const [, user] = server.users;
    if (user === undefined) throw new Error('no user');
    const open = await Promise.allSettled([signedIn(user), signedIn(user), signedIn(user)]);
    const errors = open.flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : []));
    expect(errors.length).toBeGreaterThan(0);
    for (const error of errors) expect(error).toMatchObject({ kind: 'later' });
    for (const one of open) if (one.status === 'fulfilled') one.value.destroy(new Error('done'));
  });

  it('refuses a wrong password: a person must act', async () => {
    const world = new World();
    const report = await run(world, 'wrong');
    expect(report).toMatchObject({ outcome: 'failed', error: { code: 'E_POP3_AUTH', kind: 'person' } });
    expect((await world.head()).backOff).toMatchObject({ pace: 'refusal', refusals: 1 });
  });
});
