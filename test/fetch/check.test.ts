/** The walk of a check over real sockets: what each step says, where it stops, and that it signs in once. */
import { describe, expect, it, onTestFinished } from 'vitest';
import { type CheckReport, checkMailbox } from '../../lib/fetch/check.ts';
import type { CheckStep } from '../../lib/fetch/walk.ts';
import { type Mailbox, PLAINTEXT } from '../../lib/mailbox/settings.ts';
import { dialTls } from '../../lib/pop3/dial.ts';
import { Secret, SecretError } from '../../lib/secrets/port.ts';
import { realTimer } from '../pop3/realTimer.ts';
import { type CertificateOptions, createAuthority, issue, type Pair } from '../servers/certificates.ts';
import { mail, type ScriptedOptions, type ScriptedServer, startScripted } from '../servers/scripted.ts';
import { EXCHANGE, inAnHour, jwt } from './tokens.ts';
import { letter, mailboxNamed, World } from './world.ts';

const dial = dialTls({ timer: realTimer, resolve: async () => [{ address: '127.0.0.1', family: 4 }] });

async function server(options: ScriptedOptions = {}): Promise<ScriptedServer> {
  const started = await startScripted({
    messages: [mail('a', letter('a')), mail('b', letter('b'))],
    ...options,
  });
  onTestFinished(() => started.close());
  return started;
}

/** Without CA where there is no TLS to be had. */
async function check(pop3: ScriptedServer, settings: Partial<Mailbox> = {}): Promise<CheckReport> {
  const world = new World();
  const { host, port, user, ca } = pop3;
  const base = { host, port, user, ...(ca === '' ? {} : { ca }) };
  const ports = { ...world.ports, dial, secrets: { read: async () => new Secret(pop3.password) } };
  return checkMailbox(mailboxNamed('inbox', { ...base, ...settings }), ports, {
    deadlineMs: Date.now() + 30_000,
  });
}

const named = ({ steps }: CheckReport, name: CheckStep['name']) => steps.find((step) => step.name === name);
const heard = ({ log }: ScriptedServer) => log.sessions.flatMap(({ commands }) => commands);

/** What became of each step: "dns ✓". */
const marks = ({ steps }: CheckReport) =>
  steps.map(({ name, ok }) => `${name} ${ok === null ? '–' : ok ? '✓' : '✗'}`).join(' ');

describe('a walk that ends well', () => {
  it.each([
    ['implicit', 'dns ✓ tcp ✓ tls ✓ greeting ✓ capabilities ✓ secret ✓ sign-in ✓ list ✓ store ✓'],
    ['stls', 'dns ✓ tcp ✓ greeting ✓ tls ✓ capabilities ✓ secret ✓ sign-in ✓ list ✓ store ✓'],
    [PLAINTEXT, 'dns ✓ tcp ✓ greeting ✓ capabilities ✓ secret ✓ sign-in ✓ list ✓ store ✓'],
  ] as const)('goes with tls: %s %s', async (tls, expected) => {
    const pop3 = await server({
      stls: tls === 'stls',
      tls: tls === PLAINTEXT ? false : undefined,
      behaviour: { capabilities: ['UIDL', 'SASL PLAIN XOAUTH2', 'LOGIN-DELAY 300', 'EXPIRE NEVER'] },
    });
    const report = await check(pop3, { tls });
    expect(report.error).toBeNull();
    expect(marks(report)).toBe(expected);
    expect(named(report, 'dns')).toMatchObject({ says: '127.0.0.1 (loopback)' });
    expect(named(report, 'tcp')).toMatchObject({ facts: { address: '127.0.0.1', port: pop3.port } });
    expect(named(report, 'greeting')?.says).toBe('+OK scripted server ready');
    expect(named(report, 'capabilities')).toMatchObject({
      says: expect.stringMatching(/SASL PLAIN XOAUTH2.*not announced: TOP, PIPELINING$/),
      facts: { sasl: ['PLAIN', 'XOAUTH2'], loginDelaySeconds: 300, expire: 'never', uidl: true, top: false },
    });
    expect(named(report, 'sign-in')?.says).toBe('ferry, by user-pass: +OK 2 messages');
    expect(named(report, 'list')).toMatchObject({ facts: { messages: 2, octets: 2 * letter('a').length } });
    if (tls !== PLAINTEXT)
      expect(named(report, 'tls')).toMatchObject({
        says: 'TLSv1.3, TLS_AES_256_GCM_SHA384',
        details: [
          expect.stringMatching(
            /^CN=localhost for DNS:localhost, IP Address:127\.0\.0\.1, issued by CN=Test Authority; .* left; key sha256:/,
          ),
          expect.stringContaining('issued by itself'),
        ],
      });
    for (const { ms } of report.steps) expect(ms).toBeGreaterThanOrEqual(0);
    const commands = heard(pop3);
    expect(commands.filter((line) => line.startsWith('PASS'))).toHaveLength(1);
    expect(commands.join('\n')).not.toMatch(/RETR|DELE|TOP/);
    expect(commands.at(-1)).toBe('QUIT');
  });

  it('is well even where QUIT is answered by hanging up', async () => {
    const pop3 = await server({ faults: [{ verb: 'QUIT', cutAt: 0, ending: 'fin' }] });
    expect((await check(pop3)).error).toBeNull();
  });
});

describe('a certificate that is not right', () => {
  interface Wrong {
    readonly certificate?: CertificateOptions;
    readonly by?: 'nobody' | 'another' | 'intermediate';
    readonly chained?: true;
    readonly tls?: object;
    readonly code: string;
    readonly details: RegExp;
    readonly next: RegExp;
  }

  it.each<readonly [string, Wrong]>([
    [
      'for another name',
      {
        certificate: { names: ['mail.example.org'] },
        code: 'E_POP3_TLS_WRONG_NAME',
        details: /for DNS:mail\.example\.org/,
        next: /Set the host/,
      },
    ],
    [
      'that expired',
      {
        certificate: { names: ['localhost'], fromDays: -9, untilDays: -3.5 },
        code: 'E_POP3_TLS_EXPIRED',
        details: /expired 3 days ago/,
        next: /whoever runs/,
      },
    ],
    [
      'of the future',
      {
        certificate: { names: ['localhost'], fromDays: 2 },
        code: 'E_POP3_TLS_NOT_YET_VALID',
        details: /not valid yet/,
        next: /clock/,
      },
    ],
    [
      'signed by itself',
      {
        by: 'nobody',
        code: 'E_POP3_TLS_SELF_SIGNED',
        details: /issued by itself/,
        next: /authority in the mailbox setting/,
      },
    ],
    [
      'of an unknown authority',
      {
        by: 'another',
        chained: true,
        code: 'E_POP3_TLS_UNKNOWN_CA',
        details: /issued by CN=Another/,
        next: /not trusted here \(CN=Another\)/,
      },
    ],
    [
      'without its intermediate',
      {
        by: 'intermediate',
        code: 'E_POP3_TLS_UNKNOWN_CA',
        details: /issued by CN=Between/,
        next: /CN=Between.*whole chain/,
      },
    ],
    [
      'under a TLS that is too old',
      {
        tls: { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL@SECLEVEL=0' },
        code: 'E_POP3_TLS_TOO_OLD',
        details: /^$/,
        next: /upgraded/,
      },
    ],
  ])('%s is shown, and not a byte is sent', async (_name, wrong) => {
    const root = await createAuthority('Root');
    const issuers = {
      another: await createAuthority('Another'),
      intermediate: await createAuthority('Between', {}, root),
    };
    const { by, certificate = { names: ['localhost'] } } = wrong;
    const issuer: Pair | null = by === 'nobody' ? null : by === undefined ? root : issuers[by];
    const pair = await issue(issuer, certificate);
    const cert = wrong.chained && issuer ? `${pair.cert}\n${issuer.cert}` : pair.cert;
    for (const tls of ['implicit', 'stls'] as const) {
      const pop3 = await server({
        stls: tls === 'stls',
        tls: { ...pair, cert, ca: root.cert, ...wrong.tls },
      });
      const report = await check(pop3, { tls });
      const step = named(report, 'tls');
      expect(step).toMatchObject({ ok: false, code: wrong.code });
      expect(step?.details[0] ?? '').toMatch(wrong.details);
      expect(step?.next).toMatch(wrong.next);
      expect(marks(report)).toContain(
        tls === 'stls' ? 'greeting ✓ tls ✗ capabilities –' : 'tcp ✓ tls ✗ greeting – capabilities –',
      );
      expect(heard(pop3).filter((line) => line !== 'STLS' && line !== '(TLS)')).toEqual([]);
    }
  });
});

describe('TLS and the clear, taken for each other', () => {
  it('is told where TLS was wanted, and the server answers in the clear', async () => {
    const pop3 = await server({ stls: true });
    const step = named(await check(pop3), 'tls');
    expect(step).toMatchObject({ ok: false, code: 'E_POP3_NOT_TLS', facts: { advice: 'clear-on-995' } });
    expect(step?.next).toContain(`Port ${pop3.port} answered in the clear: set "tls: stls"`);
  });

  it('is told where the server waits for TLS, and says nothing', async () => {
    const pop3 = await server();
    const world = new World();
    const ports = { ...world.ports, dial };
    const settings = { host: 'localhost', port: pop3.port, tls: PLAINTEXT } as const;
    // A minute of silence, in no time: every wait of the clock but the first second of it is over at once.
    const clock = { ...ports.clock, after: (_ms: number, fire: () => void) => ports.clock.after(150, fire) };
    const report = await checkMailbox(
      mailboxNamed('inbox', settings),
      { ...ports, clock },
      { deadlineMs: Date.now() + 90_000 },
    );
    expect(marks(report)).toContain('dns ✓ tcp ✓ greeting ✗ capabilities –');
    expect(named(report, 'greeting')?.next).toContain('set "tls: implicit"');
  });

  it('is told where STLS is refused, before any secret', async () => {
    const pop3 = await server({ tls: false });
    const report = await check(pop3, { tls: 'stls' });
    expect(named(report, 'tls')).toMatchObject({
      ok: false,
      code: 'E_POP3_TLS_REQUIRED',
      next: expect.stringContaining('tls: implicit'),
    });
    expect(heard(pop3)).toEqual(['STLS']);
  });
});

describe('a step that fails', () => {
  it('of names is told as it is', async () => {
    const pop3 = await server();
    const world = new World();
    const resolve = () => Promise.reject(Object.assign(new Error('no'), { code: 'ENOTFOUND' }));
    const ports = { ...world.ports, dial: dialTls({ timer: realTimer, resolve }) };
    const mailbox = mailboxNamed('inbox', { host: 'nowhere.example.org', port: pop3.port });
    const report = await checkMailbox(mailbox, ports, { deadlineMs: Date.now() + 30_000 });
    expect(marks(report)).toMatch(/^dns ✗ tcp – tls – .* store –$/);
    expect(named(report, 'dns')).toMatchObject({
      code: 'E_POP3_DNS_NOT_FOUND',
      next: 'Check the host in the mailbox setting.',
    });
  });

  it('is the first one where the certificate authority cannot be read', async () => {
    const pop3 = await server();
    const world = new World();
    const read = async (reference: string) => {
      throw new SecretError('no such file', { kind: 'person', code: 'E_SECRET_MISSING', reference });
    };
    const mailbox = mailboxNamed('inbox', { host: 'localhost', port: pop3.port, ca: 'file:ca.pem' });
    const ports = { ...world.ports, dial, secrets: { read } };
    const report = await checkMailbox(mailbox, ports, { deadlineMs: Date.now() + 30_000 });
    expect(marks(report)).toMatch(/^dns ✗ tcp –/);
    expect(pop3.log.connections).toBe(0);
  });

  it.each([
    ['GREETING', '-ERR [SYS/TEMP] come back later', 'greeting', 'E_POP3_SYS_TEMP', /tried again later/],
    ['GREETING', '220 this is SMTP', 'greeting', 'E_POP3_OTHER_PROTOCOL', /server of SMTP greets/],
    ['CAPA', 'what?', 'capabilities', 'E_POP3_NOT_POP3', /./],
    ['USER', '-ERR [AUTH] nobody of that name', 'sign-in', 'E_POP3_AUTH', /user name and the password/],
    [
      'PASS',
      '-ERR [IN-USE] Mailbox is locked by another POP3 session',
      'sign-in',
      'E_POP3_IN_USE',
      /Another session/,
    ],
    [
      'PASS',
      '-ERR Exceeded the login limit for a 15 minute period',
      'sign-in',
      'E_POP3_THROTTLED',
      /poll less often/,
    ],
    ['PASS', '-ERR [LOGIN-DELAY] too soon', 'sign-in', 'E_POP3_LOGIN_DELAY', /less often/],
    ['PASS', '-ERR [SYS/PERM] no', 'sign-in', 'E_POP3_SYS_PERM', /ask whoever runs it/],
    [
      'PASS',
      '-ERR Application-specific password required',
      'sign-in',
      'E_POP3_APP_PASSWORD',
      /Make an app password/,
    ],
    ['PASS', '-ERR [WEBALERT] Web login required', 'sign-in', 'E_POP3_WEB_SIGNIN', /web browser/],
    ['PASS', '-ERR POP3 is disabled for this user', 'sign-in', 'E_POP3_SWITCHED_OFF', /Switch POP3 on/],
    ['PASS', '-ERR your account is locked', 'sign-in', 'E_POP3_SIGNIN_UNCLEAR', /shut out/],
    ['PASS', '-ERR plaintext authentication disallowed', 'sign-in', 'E_POP3_TLS_WANTED', /tls to implicit/],
    ['UIDL', '-ERR [SYS/TEMP] index is being built', 'list', 'E_POP3_SYS_TEMP', /tried again later/],
  ] as const)('at %s with %j says so', async (verb, reply, name, code, next) => {
    const pop3 = await server({ faults: [{ verb, reply: `${reply}\r\n` }] });
    const report = await check(pop3);
    const step = named(report, name);
    expect(step).toMatchObject({ ok: false, code, says: reply });
    expect(step?.next).toMatch(next);
    expect(report.error).toMatchObject({ code, diagnosis: { says: reply, next: step?.next } });
    expect(report.steps.filter(({ ok }) => ok === false)).toHaveLength(1);
    expect(report.steps.at(-1)).toMatchObject({ name: 'store', ok: null, says: 'not reached' });
    expect(heard(pop3).filter((line) => line.startsWith('PASS')).length).toBeLessThanOrEqual(1);
  });

  it('where PASS is answered by hanging up says that it may be either', async () => {
    const pop3 = await server({ faults: [{ verb: 'PASS', cutAt: 0, ending: 'fin' }] });
    expect(named(await check(pop3), 'sign-in')).toMatchObject({
      ok: false,
      code: 'E_POP3_SIGNIN_DROPPED',
      next: expect.stringContaining('check the password'),
    });
  });
});

describe('a token', () => {
  const by = (claims: object) => {
    const token = jwt({ exp: inAnHour(), ...claims });
    const world = new World({
      settings: {
        host: 'outlook.office365.com',
        user: 'ada@example.org',
        password: undefined,
        signIn: { mechanism: 'xoauth2', initialResponse: false, token: { from: 'env:TOKEN' } },
      },
      faults: [
        { verb: 'AUTH', reply: '-ERR Authentication failure: unknown user name or bad password.\r\n' },
      ],
    });
    const ports = { ...world.ports, tokens: { read: async () => new Secret(token) } };
    return { world, token, report: checkMailbox(world.mailbox, ports, { deadlineMs: Date.now() + 30_000 }) };
  };

  it('is shown by what may be seen of it, and what it lacks is told', async () => {
    const { token, report } = by({ aud: EXCHANGE, scp: 'IMAP.AccessAsUser.All', upn: 'ada@example.org' });
    const found = await report;
    expect(named(found, 'secret')).toMatchObject({
      ok: true,
      says: 'env:TOKEN',
      details: [
        expect.stringMatching(
          /^token JWT; audience https:\/\/outlook\.office365\.com; scopes IMAP\.AccessAsUser\.All; .*user ada@example\.org$/,
        ),
      ],
    });
    expect(named(found, 'sign-in')).toMatchObject({
      ok: false,
      code: 'E_POP3_TOKEN_REFUSED',
      next: expect.stringContaining('https://outlook.office.com/POP.AccessAsUser.All'),
      facts: { advice: 'token-for-imap', tokenScopes: 'IMAP.AccessAsUser.All' },
    });
    // Nothing of a password: there is none.
    expect(found.error?.message).not.toMatch(/password\. See|Check the user name and the password/);
    for (const part of [token, ...token.split('.')]) expect(JSON.stringify(found)).not.toContain(part);
  });
});
