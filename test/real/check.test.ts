/** check against a real Dovecot: the whole walk, both forms of TLS, and what it says where something is wrong. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkMailbox } from '../../lib/fetch/check.ts';
import { systemClock } from '../../lib/fetch/systemClock.ts';
import type { Mailbox } from '../../lib/mailbox/settings.ts';
import { dialTls } from '../../lib/pop3/dial.ts';
import type { Seen } from '../../lib/pop3/observe.ts';
import { Secret } from '../../lib/secrets/port.ts';
import { letter, mailboxNamed, World } from '../fetch/world.ts';
import { type Dovecot, startDovecot } from '../servers/dovecot.ts';

const program = process.env['MAILFERRY_DOVECOT'];
const title = program ? 'Dovecot' : 'Dovecot, skipped: not installed (MAILFERRY_DOVECOT)';

const dial = dialTls({ timer: systemClock });

describe.skipIf(!program)(`check of a real ${title}`, () => {
  let server: Dovecot;
  beforeAll(async () => {
    server = await startDovecot(program ?? '');
    await server.put('u1', [Buffer.from(letter('one')), Buffer.from(letter('two'))]);
  });
  afterAll(() => server?.stop());

  async function check(settings: Partial<Mailbox>, password?: string) {
    const { host, port, ca, users } = server;
    const [user] = users;
    const seen: Seen[] = [];
    const ports = {
      ...new World().ports,
      dial,
      observe: (one: Seen) => void seen.push(one),
      secrets: { read: async () => new Secret(password ?? user?.password ?? '') },
    };
    const mailbox = mailboxNamed('inbox', { host, port, ca, user: user?.name ?? '', ...settings });
    const report = await checkMailbox(mailbox, ports, { deadlineMs: Date.now() + 60_000 });
    const said = seen.flatMap((one) => (one.what === 'said' ? [one.line] : []));
    return { ...report, said, of: (name: string) => report.steps.find((step) => step.name === name) };
  }

  it.each(['implicit', 'stls'] as const)(
    'goes to the listing over tls: %s, and signs in once',
    async (tls) => {
      const port = tls === 'stls' ? server.plainPort : server.port;
      const { error, steps, of, said } = await check({ tls, port });
      expect(error).toBeNull();
      expect(steps.every(({ ok }) => ok)).toBe(true);
      expect(of('greeting')?.says).toMatch(/^\+OK Dovecot .*ready\.$/);
      expect(of('tls')?.says).toMatch(/^TLSv1\.3, TLS_/);
      expect(of('tls')?.details[0]).toMatch(/^CN=localhost for DNS:localhost.* days left; key sha256:/);
      // Under TLS it is not offered again (RFC 2595 section 4).
      expect(of('capabilities')).toMatchObject({
        facts: { uidl: true, top: true, pipelining: true, stls: false },
      });
      expect(of('sign-in')?.says).toBe('u1, by user-pass: +OK Logged in.');
      expect(of('list')).toMatchObject({ facts: { messages: 2, octets: 2 * letter('one').length } });
      expect(said.filter((line) => line.startsWith('PASS'))).toEqual(['PASS ***']);
      expect(said.join('\n')).not.toMatch(/RETR|TOP|DELE/);
      expect(await server.list('u1')).toHaveLength(2);
    },
  );

  it('says whose words a wrong password is', async () => {
    const { of, error } = await check({}, 'not this one');
    expect(of('sign-in')).toMatchObject({
      ok: false,
      says: '-ERR [AUTH] Authentication failed.',
      next: expect.stringContaining('Check the user name and the password'),
    });
    expect(error?.diagnosis).toMatchObject({
      step: 'sign-in',
      facts: { command: 'PASS', host: 'localhost' },
    });
  });

  it('tells TLS on the port without it, and the reverse', async () => {
    const inClear = await check({ tls: 'implicit', port: server.plainPort });
    expect(inClear.of('tls')).toMatchObject({ ok: false, code: 'E_POP3_NOT_TLS' });
    expect(inClear.of('tls')?.next).toContain('set "tls: stls"');
  });
});
