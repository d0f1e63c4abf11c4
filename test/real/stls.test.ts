/** Whole runs against a real Dovecot: over STLS, in the clear, and where it has no STLS or takes no password in the clear. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkMailbox } from '../../lib/fetch/check.ts';
import { runMailbox } from '../../lib/fetch/run.ts';
import { systemClock } from '../../lib/fetch/systemClock.ts';
import { type Mailbox, PLAINTEXT } from '../../lib/mailbox/settings.ts';
import { dialTls } from '../../lib/pop3/dial.ts';
import { Secret } from '../../lib/secrets/port.ts';
import { letter, mailboxNamed, World } from '../fetch/world.ts';
import { createAuthority } from '../servers/certificates.ts';
import { type Dovecot, startDovecot } from '../servers/dovecot.ts';
import { recordRetr } from '../servers/recordRetr.ts';

const program = process.env['MAILFERRY_DOVECOT'];
const title = program ? 'Dovecot' : 'Dovecot, skipped: not installed (MAILFERRY_DOVECOT)';

const dial = dialTls({ timer: systemClock });

/** A mailbox on the port without TLS, the ports of a run over it, and the time it has. */
function mailboxOf(server: Dovecot, settings: Partial<Mailbox>, user = 0) {
  const { host, plainPort: port, ca } = server;
  const { name, password } = server.users[user] ?? { name: '', password: '' };
  const world = new World();
  const ports = { ...world.ports, dial, secrets: { read: async () => new Secret(password) } };
  const mailbox = mailboxNamed('inbox', { host, port, ca, user: name, ...settings });
  const run = () =>
    runMailbox(mailbox, ports, {
      deadlineMs: Date.now() + 60_000,
      suspects: 'after',
      honourBackOff: false,
    });
  return { mailbox, ports, world, run };
}

async function filled(options: readonly string[]): Promise<Dovecot> {
  const server = await startDovecot(program ?? '', { users: 2, options });
  for (const { name } of server.users)
    await server.put(
      name,
      ['one', 'two', 'three'].map((text) => Buffer.from(letter(text, '.\r\n..\r\nx\r\n'))),
    );
  return server;
}

describe.skipIf(!program)(title, () => {
  let server: Dovecot;
  beforeAll(async () => {
    server = await filled([]);
  });
  afterAll(() => server?.stop());

  it.each([
    ['stls', 0, 0],
    [PLAINTEXT, 1, 1],
  ] as const)('is fetched and emptied with tls: %s, byte for byte', async (tls, user, warnings) => {
    const { name, password } = server.users[user] ?? { name: '', password: '' };
    const recorded = await recordRetr({
      host: server.host,
      port: server.port,
      ca: server.ca,
      name,
      password,
    });
    const { run, world } = mailboxOf(server, { tls, delete: 'when-stored' }, user);
    const report = await run();
    expect(report).toMatchObject({ outcome: 'done', counts: { listed: 3, stored: 3 } });
    expect(report.notes.filter((note) => note.includes('not encrypted'))).toHaveLength(warnings);
    expect(await world.contents()).toEqual(
      [...recorded.values()].map((bytes) => bytes.toString('latin1')).sort(),
    );
    expect(await server.list(name)).toEqual([]);
  });

  it('is not signed in to over STLS with a certificate that nobody trusts', async () => {
    const { run } = mailboxOf(server, { tls: 'stls', ca: (await createAuthority('Another')).cert });
    expect(await run()).toMatchObject({
      outcome: 'failed',
      error: { code: 'E_POP3_TLS_UNKNOWN_CA', phase: 'tls', kind: 'person' },
    });
    expect(await server.log()).not.toContain('auth_failed');
  });

  it('tells a check over STLS and in the clear apart', async () => {
    const check = async (tls: Mailbox['tls']) => {
      const { mailbox, ports } = mailboxOf(server, { tls });
      return checkMailbox(mailbox, ports, { deadlineMs: Date.now() + 60_000 });
    };
    const stls = await check('stls');
    expect(stls).toMatchObject({ error: null, notes: [] });
    // Under TLS it is not offered again (RFC 2595 section 4).
    expect(stls.steps.find(({ name }) => name === 'capabilities')?.says).not.toContain('STLS');
    const clear = await check(PLAINTEXT);
    expect(clear.error).toBeNull();
    expect(clear.notes.join()).toContain('not encrypted');
  });
});

describe.skipIf(!program)(`${title} that takes no password in the clear`, () => {
  let server: Dovecot;
  beforeAll(async () => {
    server = await filled([
      'listen = 127.0.0.1, 127.0.0.2',
      'ssl = required',
      'disable_plaintext_auth = yes',
    ]);
  });
  afterAll(() => server?.stop());

  it('says so, and is fetched over STLS', async () => {
    // From the very address that it has itself it takes them all the same.
    const refused = await mailboxOf(server, { tls: PLAINTEXT, host: '127.0.0.2' }).run();
    expect(refused).toMatchObject({
      outcome: 'failed',
      error: { code: 'E_POP3_TLS_WANTED', kind: 'person' },
    });
    expect(refused.notes.join()).toContain('not encrypted');
    expect(await mailboxOf(server, { tls: 'stls' }).run()).toMatchObject({
      outcome: 'done',
      counts: { stored: 3 },
    });
  });
});

describe.skipIf(!program)(`${title} without TLS`, () => {
  let server: Dovecot;
  beforeAll(async () => {
    server = await filled(['ssl = no']);
  });
  afterAll(() => server?.stop());

  it('gets no password from a mailbox that wants STLS', async () => {
    expect(await mailboxOf(server, { tls: 'stls' }).run()).toMatchObject({
      outcome: 'failed',
      error: { code: 'E_POP3_TLS_REQUIRED', phase: 'stls', kind: 'person' },
    });
    expect(await server.log()).not.toContain('user=<u1>');
  });
});
