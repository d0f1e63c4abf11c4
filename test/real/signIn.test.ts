/** Whole runs that sign in to real servers by each mechanism, over both forms of TLS; a wrong secret is shown once. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runMailbox } from '../../lib/fetch/run.ts';
import { systemClock } from '../../lib/fetch/systemClock.ts';
import type { Mailbox } from '../../lib/mailbox/settings.ts';
import { MECHANISMS, type MechanismName, WHAT_EACH_SHOWS } from '../../lib/mailbox/signInSettings.ts';
import { dialTls } from '../../lib/pop3/dial.ts';
import { Secret, type Secrets } from '../../lib/secrets/port.ts';
import { letter, mailboxNamed, World } from '../fetch/world.ts';
import { tokensByReference } from '../secrets/tokensByReference.ts';
import { COURIER } from '../servers/courier.ts';
import { type SignInDovecot, startSignInDovecot } from '../servers/dovecotSignIn.ts';
import { GREEN_MAIL } from '../servers/greenMail.ts';
import type { MailServer, MailServerKind } from '../servers/mailServer.ts';
import { whyNotSideBySide } from '../servers/sideBySide.ts';
import { startTcpProxy, type TcpProxy } from '../servers/tcpProxy.ts';
import { startTlsFront, type TlsFront } from '../servers/tlsFront.ts';

const program = process.env['MAILFERRY_DOVECOT'];
const title = program ? 'Dovecot' : 'Dovecot, skipped: not installed (MAILFERRY_DOVECOT)';

const dial = dialTls({ timer: systemClock });

interface Shown {
  readonly secret: string;
  readonly settings: Partial<Mailbox>;
}

/** One run of a mailbox over the machine's own network. */
async function run({ secret, settings }: Shown) {
  const world = new World();
  const reads: boolean[] = [];
  const secrets: Secrets = {
    read: async (_, fresh) => {
      reads.push(fresh);
      return new Secret(secret);
    },
  };
  const ports = { ...world.ports, dial, secrets, tokens: tokensByReference(secrets) };
  const mailbox = mailboxNamed('inbox', settings);
  const deadlineMs = Date.now() + 60_000;
  const report = await runMailbox(mailbox, ports, { deadlineMs, suspects: 'after', honourBackOff: false });
  return { report, world, reads };
}

describe.skipIf(!program)(title, () => {
  let dovecot: SignInDovecot;
  beforeAll(async () => {
    dovecot = await startSignInDovecot(program ?? '', 2);
    for (const { name } of dovecot.server.users) await dovecot.server.put(name, [Buffer.from(letter(name))]);
  });
  afterAll(() => dovecot?.stop());

  /** The user u1 with what `mechanism` shows. */
  async function shown(mechanism: MechanismName, tls: 'implicit' | 'stls', wrong = false): Promise<Shown> {
    const { server } = dovecot;
    const [user] = server.users;
    const { name = '', password = '' } = user ?? {};
    const { shows } = WHAT_EACH_SHOWS[mechanism];
    const pair = shows === 'certificate' ? await dovecot.clientCertificate(wrong ? 'u2' : name) : null;
    const secret = {
      password: wrong ? randomBytes(12).toString('hex') : password,
      token: dovecot.token(name, { expired: wrong }),
      certificate: pair?.key ?? '',
    }[shows];
    const settings = {
      ...{ host: server.host, ca: server.ca, tls, port: tls === 'stls' ? server.plainPort : server.port },
      user: name,
      password: shows === 'password' ? 'env:PASSWORD' : undefined,
      signIn: {
        mechanism,
        initialResponse: mechanism !== 'xoauth2' && WHAT_EACH_SHOWS[mechanism].speaksFirst,
        ...(shows === 'token' && { token: { from: 'env:TOKEN' } }),
      },
      ...(pair && { clientCertificate: { certificate: pair.cert, key: 'env:KEY' } }),
    };
    return { secret, settings };
  }

  /** It has no channel binding. */
  const spoken = MECHANISMS.filter((mechanism) => !mechanism.endsWith('-plus'));
  const each = spoken.flatMap((mechanism) =>
    (['implicit', 'stls'] as const).map((tls) => [mechanism, tls] as const),
  );

  it.each(each)('is signed in to by %s over %s, and one mail is fetched', async (mechanism, tls) => {
    const { report, world } = await run(await shown(mechanism, tls));
    expect(report).toMatchObject({ outcome: 'done', signIns: 1, counts: { stored: 1 } });
    expect(await world.contents()).toEqual([letter('u1')]);
    const method = mechanism === 'user-pass' ? 'PLAIN' : mechanism.toUpperCase();
    const logins = (await dovecot.server.log())
      .split('\n')
      .filter((line) => line.includes('Login: user=<u1>'));
    expect(logins.at(-1)).toMatch(new RegExp(`method=${method}, .*, TLS`));
  });

  it.each(spoken)('is shown a wrong secret by %s once, and by no other mechanism', async (mechanism) => {
    const before = await dovecot.refused();
    const { report, reads } = await run(await shown(mechanism, 'implicit', true));
    const { shows } = WHAT_EACH_SHOWS[mechanism];
    expect(report).toMatchObject({
      outcome: 'failed',
      signIns: 1,
      error: {
        kind: 'person',
        phase: 'sign-in',
        code: shows === 'token' ? 'E_POP3_TOKEN_REFUSED' : 'E_POP3_AUTH',
      },
    });
    // The last one is for the mark of what was refused.
    if (shows !== 'certificate') expect(reads).toEqual([false, true, false]);
    await expect.poll(() => dovecot.refused()).toBe(before + 1);
  });

  it.each([
    ['xoauth2', true],
    ['oauthbearer', false],
    ['plain', false],
    ['external', false],
    ['scram-sha-256', false],
  ] as const)('takes %s as well where what is said first rides: %s', async (mechanism, initialResponse) => {
    const { secret, settings } = await shown(mechanism, 'implicit');
    const signIn = { ...settings.signIn, mechanism, initialResponse };
    const { report } = await run({ secret, settings: { ...settings, signIn } });
    expect(report).toMatchObject({ outcome: 'done', counts: { stored: 1 } });
  });

  it('says why it refuses a token, and for what', async () => {
    const before = await dovecot.refused();
    const { report } = await run(await shown('xoauth2', 'implicit', true));
    expect(report.error?.message).toMatch(/refused the access token \(status 4\d\d/);
    expect(report.error?.message).toMatch(/The server said: "-ERR \[AUTH\]/);
    // Its log is a little late, and the next test counts in it.
    await expect.poll(() => dovecot.refused()).toBe(before + 1);
  });

  it.each(['scram-sha-1-plus', 'scram-sha-256-plus'] as const)(
    'does not offer %s: told what it has, and nothing is sent',
    async (mechanism) => {
      const before = await dovecot.refused();
      const { report, reads } = await run(await shown(mechanism, 'implicit'));
      expect(report).toMatchObject({ outcome: 'failed', error: { code: 'E_POP3_MECHANISM' } });
      expect(report.error?.message).toMatch(
        /it offers PLAIN, .*set signIn.mechanism to user-pass or plain or /,
      );
      expect(reads).toEqual([false]);
      expect(await dovecot.refused()).toBe(before);
    },
  );

  it('takes a key in place of an authority, and none but that', async () => {
    const { secret, settings } = await shown('plain', 'stls');
    const { ca: _, ...rest } = settings;
    const keyHash = await keyHashOf(settings);
    const good = await run({ secret, settings: { ...rest, host: '127.0.0.1', serverKeys: [keyHash] } });
    expect(good.report).toMatchObject({ outcome: 'done', counts: { stored: 1 } });
    const before = (await dovecot.server.log()).length;
    const other = `sha256:${randomBytes(32).toString('base64')}`;
    const bad = await run({ secret, settings: { ...rest, serverKeys: [other] } });
    expect(bad.report).toMatchObject({ outcome: 'failed', error: { code: 'E_POP3_TLS_WRONG_KEY' } });
    expect((await dovecot.server.log()).slice(before)).not.toMatch(/auth failed|Login:/);
  });

  async function keyHashOf({ host = '', port = 0, ca = '' }: Partial<Mailbox>): Promise<string> {
    const line = await dial({ host, port, ca, tls: 'stls' }, new AbortController().signal);
    await line.read();
    await line.write(Buffer.from('STLS\r\n'));
    await line.read();
    const secured = await line.startTls?.();
    secured?.destroy();
    return secured?.tls?.keyHash ?? '';
  }
});

const OTHERS = [
  {
    ...{ name: 'GreenMail', variable: 'MAILFERRY_GREENMAIL', kind: GREEN_MAIL },
    // Its own passwords are the tokens that it takes.
    speaks: ['user-pass', 'plain', 'xoauth2'],
    refuses: ['plain', 'xoauth2'],
  },
  {
    ...{ name: 'Courier', variable: 'MAILFERRY_COURIER', kind: COURIER },
    speaks: ['user-pass', 'plain', 'login', 'cram-md5'],
    // It takes five seconds for each refusal.
    refuses: ['cram-md5'],
  },
] as const satisfies readonly {
  readonly name: string;
  readonly variable: string;
  readonly kind: MailServerKind;
  readonly speaks: readonly MechanismName[];
  readonly refuses: readonly MechanismName[];
}[];

describe.each(OTHERS)('$name', ({ name, variable, kind, speaks, refuses }) => {
  const path = process.env[variable];
  const why = kind === COURIER ? whyNotSideBySide() : undefined;
  const skipped = !path || why !== undefined;
  if (skipped) console.log(`${name}, skipped: ${why ?? `not installed (${variable})`}`);
  let server: MailServer;
  let proxy: TcpProxy;
  let front: TlsFront;
  beforeAll(async () => {
    if (skipped) return;
    server = await kind.start(path, [[Buffer.from(letter('one'))]]);
    proxy = await startTcpProxy(server);
    front = await startTlsFront(proxy);
  });
  afterAll(async () => {
    await front?.stop();
    await proxy?.stop();
    await server?.stop();
  });

  function shown(mechanism: MechanismName, wrong = false): Shown {
    const [{ name: user, password } = { name: '', password: '' }] = server.users;
    const isToken = WHAT_EACH_SHOWS[mechanism].shows === 'token';
    return {
      secret: wrong ? randomBytes(12).toString('hex') : password,
      settings: {
        ...{ host: front.host, port: front.port, ca: front.ca, user },
        password: isToken ? undefined : 'env:PASSWORD',
        signIn: {
          mechanism,
          initialResponse: false,
          ...(isToken && { token: { from: 'env:TOKEN' } }),
        },
      },
    };
  }

  /** Sign-ins that the server was asked for, by any form of them. */
  const asked = () =>
    proxy.recordings.flatMap(({ toServer }) =>
      [
        ...Buffer.concat(toServer)
          .toString('latin1')
          .matchAll(/^(AUTH|USER|APOP)\b.*$/gm),
      ].map(([line]) => line.trim()),
    );

  it.each(speaks)('is signed in to by %s, and one mail is fetched', { skip: skipped }, async (mechanism) => {
    const { report } = await run(shown(mechanism));
    expect(report).toMatchObject({ outcome: 'done', signIns: 1, counts: { stored: 1 } });
  });

  it.each(refuses)('is shown a wrong secret by %s once', { skip: skipped }, async (mechanism) => {
    const before = asked().length;
    const { report } = await run(shown(mechanism, true));
    expect(report).toMatchObject({
      outcome: 'failed',
      signIns: 1,
      error: {
        kind: 'person',
        phase: 'sign-in',
        code: mechanism === 'xoauth2' ? 'E_POP3_TOKEN_REFUSED' : 'E_POP3_SIGNIN_REFUSED',
      },
    });
    expect(asked().slice(before)).toEqual([`AUTH ${mechanism.toUpperCase()}`]);
  });

  it('is not shown a secret by a mechanism that it does not offer', { skip: skipped }, async () => {
    const before = asked().length;
    const { report } = await run(shown('scram-sha-256'));
    expect(report).toMatchObject({ outcome: 'failed', error: { code: 'E_POP3_MECHANISM' } });
    expect(asked().slice(before)).toEqual([]);
  });
});
