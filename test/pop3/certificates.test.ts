/** Certificates made here: over TLS from the first byte and over STLS, only the right ones get a byte of a sign-in (T5). */
import { beforeAll, describe, expect, it } from 'vitest';
import { Pop3Client } from '../../lib/pop3/client.ts';
import { dialTls } from '../../lib/pop3/dial.ts';
import type { Pop3Error } from '../../lib/pop3/errors.ts';
import type { Endpoint } from '../../lib/pop3/transport.ts';
import { type CertificateOptions, createAuthority, issue, type Pair } from '../servers/certificates.ts';
import { type ScriptedServer, type ScriptedTls, startScripted } from '../servers/scripted.ts';
import { failure } from './handLine.ts';
import { realTimer } from './realTimer.ts';

const never = new AbortController().signal;

/** Every name is this machine. */
const dial = dialTls({ timer: realTimer, resolve: async () => [{ address: '127.0.0.1', family: 4 }] });

type Issuer = keyof Awaited<ReturnType<typeof issuers>>;

interface Case {
  readonly name: string;
  /** Default: for localhost, by a server. */
  readonly certificate?: CertificateOptions;
  /** Default: localhost. */
  readonly host?: string;
  /** Default: trusted; nobody: it signs itself. */
  readonly by?: Issuer | 'nobody';
  /** Sent behind the certificate. */
  readonly chain?: readonly Issuer[];
  /** What is trusted; default: the root; 'itself': the very certificate. */
  readonly ca?: Issuer | 'itself';
  readonly tls?: Partial<ScriptedTls>;
  readonly code: string | null;
  /** Of what went wrong, and of what to do. */
  readonly says?: readonly string[];
}

const WRONG_NAME = 'E_POP3_TLS_WRONG_NAME';
const POP = 'pop.example.org';

/** How a server may prove who it is; code null: it is accepted. */
const CASES: readonly Case[] = [
  { name: 'the right name', code: null },
  {
    name: 'the right name among others',
    certificate: { names: ['mail.example.org', 'localhost'] },
    code: null,
  },
  { name: 'the right name in other letters', certificate: { names: ['LOCALHOST'] }, code: null },
  { name: 'TLS 1.2', tls: { maxVersion: 'TLSv1.2' }, code: null },
  { name: 'the right address', certificate: { ips: ['127.0.0.1'] }, host: '127.0.0.1', code: null },
  { name: 'a wildcard of the right level', certificate: { names: ['*.example.org'] }, host: POP, code: null },
  {
    name: 'an RSA key',
    certificate: { names: ['localhost'], rsaBits: 2048 },
    by: 'rsa',
    ca: 'rsa',
    code: null,
  },
  { name: 'the whole chain', by: 'intermediate', chain: ['intermediate'], code: null },
  // What `openssl req -x509` makes is an authority and a server in one, and is then named as `ca`.
  {
    name: 'itself, trusted by ca',
    certificate: { names: ['localhost'], authority: true },
    by: 'nobody',
    ca: 'itself',
    code: null,
  },
  { name: 'itself, no authority, trusted by ca', by: 'nobody', ca: 'itself', code: null },
  { name: 'more rights than it needs', certificate: { names: ['localhost'], authority: true }, code: null },

  {
    name: 'a wrong name',
    certificate: { names: ['mail.example.org'] },
    code: WRONG_NAME,
    says: ['DNS:mail.example.org', 'Set the host'],
  },
  {
    name: 'two wrong names',
    certificate: { names: ['a.example.org', 'b.example.org'] },
    code: WRONG_NAME,
    says: ['DNS:a.example.org, DNS:b.example.org'],
  },
  {
    name: 'a wildcard one level up',
    certificate: { names: ['*.example.org'] },
    host: 'a.pop.example.org',
    code: WRONG_NAME,
  },
  {
    name: 'a wildcard one level down',
    certificate: { names: ['*.pop.example.org'] },
    host: POP,
    code: WRONG_NAME,
  },
  { name: 'a wildcard for the very name', certificate: { names: ['*.localhost'] }, code: WRONG_NAME },
  { name: 'a wildcard for everything', certificate: { names: ['*'] }, code: WRONG_NAME },
  { name: 'the name as prefix', certificate: { names: ['localhost.evil.example'] }, code: WRONG_NAME },
  {
    name: 'the name before a NUL',
    certificate: { names: ['localhost\0.evil.example'] },
    code: WRONG_NAME,
    says: ['u0000'],
  },
  { name: 'a name for an address', host: '127.0.0.1', code: WRONG_NAME },
  {
    name: 'the address as a name',
    certificate: { names: ['127.0.0.1'] },
    host: '127.0.0.1',
    code: WRONG_NAME,
  },
  {
    name: 'an address for a name',
    certificate: { ips: ['127.0.0.1'] },
    code: WRONG_NAME,
    says: ['IP Address:127.0.0.1'],
  },
  {
    name: 'the right common name beside a wrong name',
    certificate: { commonName: 'localhost', names: ['mail.example.org'] },
    code: WRONG_NAME,
  },
  {
    name: 'a common name and no other',
    certificate: { commonName: 'localhost' },
    code: 'E_POP3_TLS_NO_NAME',
    says: ['(localhost)', 'alternative names'],
  },
  {
    name: 'expiry',
    certificate: { names: ['localhost'], fromDays: -9, untilDays: -1 },
    code: 'E_POP3_TLS_EXPIRED',
  },
  {
    name: 'an expired issuer',
    by: 'expired',
    chain: ['expired'],
    code: 'E_POP3_TLS_EXPIRED',
    says: ['one of its issuers'],
  },
  {
    name: 'a future certificate',
    certificate: { names: ['localhost'], fromDays: 2 },
    code: 'E_POP3_TLS_NOT_YET_VALID',
    says: ['clock of this machine'],
  },
  {
    name: 'nobody but itself',
    by: 'nobody',
    code: 'E_POP3_TLS_SELF_SIGNED',
    says: ['certificate authority in the mailbox setting'],
  },
  {
    name: 'itself as its own authority',
    certificate: { names: ['localhost'], authority: true },
    by: 'nobody',
    code: 'E_POP3_TLS_SELF_SIGNED',
  },
  { name: 'an unknown authority', by: 'another', code: 'E_POP3_TLS_UNKNOWN_CA' },
  {
    name: 'an unknown authority, sent along',
    by: 'another',
    chain: ['another'],
    code: 'E_POP3_TLS_UNKNOWN_CA',
  },
  { name: 'an authority of the same name', by: 'namesake', code: 'E_POP3_TLS_FORGED' },
  {
    name: 'the intermediate missing',
    by: 'intermediate',
    code: 'E_POP3_TLS_UNKNOWN_CA',
    says: ['leaves out the chain'],
  },
  {
    name: 'an issuer that is no authority',
    certificate: { names: ['localhost'], commonName: 'leaf' },
    by: 'noAuthority',
    chain: ['noAuthority'],
    code: 'E_POP3_TLS_NO_AUTHORITY',
  },
  {
    name: 'a purpose of clients only',
    certificate: { names: ['localhost'], purpose: 'client' },
    code: 'E_POP3_TLS_WRONG_PURPOSE',
  },
  {
    name: 'a weak key',
    certificate: { names: ['localhost'], rsaBits: 1024 },
    by: 'rsa',
    ca: 'rsa',
    tls: { ciphers: 'DEFAULT@SECLEVEL=0' },
    code: 'E_POP3_TLS_WEAK',
    says: ['key too weak'],
  },
  {
    name: 'a weak signature',
    certificate: { names: ['localhost'], hash: 'sha1' },
    tls: { ciphers: 'DEFAULT@SECLEVEL=0' },
    code: 'E_POP3_TLS_WEAK',
    says: ['digest algorithm too weak'],
  },
  {
    name: 'TLS 1.1',
    // OpenSSL speaks it only below its default security level.
    tls: { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL@SECLEVEL=0' },
    code: 'E_POP3_TLS_TOO_OLD',
  },
];

async function issuers() {
  const trusted = await createAuthority('Trusted');
  const [another, namesake, rsa, intermediate, expired, noAuthority] = await Promise.all([
    createAuthority('Another'),
    createAuthority('Trusted'),
    createAuthority('RSA', { rsaBits: 2048 }),
    createAuthority('Intermediate', {}, trusted),
    createAuthority('Expired', { fromDays: -9, untilDays: -1 }, trusted),
    issue(trusted, { names: ['issuer.example.org'] }),
  ]);
  return { trusted, another, namesake, rsa, intermediate, expired, noAuthority };
}

let made: Awaited<ReturnType<typeof issuers>>;
beforeAll(async () => {
  made = await issuers();
});

async function serverFor(one: Case, stls: boolean): Promise<{ server: ScriptedServer; endpoint: Endpoint }> {
  const { certificate = { names: ['localhost'] }, by = 'trusted', chain = [], host = 'localhost', tls } = one;
  const pair: Pair = await issue(by === 'nobody' ? null : made[by], certificate);
  const { ca: trusts = 'trusted' } = one;
  const ca = trusts === 'itself' ? pair.cert : made[trusts].cert;
  const cert = [pair.cert, ...chain.map((issuer) => made[issuer].cert)].join('\n');
  const server = await startScripted({ stls, tls: { key: pair.key, cert, ca, ...tls } });
  return { server, endpoint: { host, port: server.port, ca, tls: stls ? 'stls' : 'implicit' } };
}

async function signIn(server: ScriptedServer, endpoint: Endpoint): Promise<void> {
  const client = await Pop3Client.open(await dial(endpoint, never), {
    timer: realTimer,
    deadlineMs: Date.now() + 30_000,
  });
  await client.signIn(server.user, server.password);
  await client.quit();
}

describe.each([
  ['implicit TLS', false],
  ['STLS', true],
])('over %s a server is trusted by its certificate alone', (_name, stls) => {
  const before = stls ? ['STLS'] : [];

  it.each(CASES)('with $name: $code', async (one) => {
    const { server, endpoint } = await serverFor(one, stls);
    const heard = () => server.log.sessions.flatMap(({ commands }) => commands);
    try {
      if (one.code === null) {
        await signIn(server, endpoint);
        const signedIn = [`USER ${server.user}`, 'PASS ***', 'QUIT'];
        expect(heard()).toEqual(stls ? ['STLS', '(TLS)', ...signedIn] : signedIn);
        return;
      }
      const error = await failure<Pop3Error>(signIn(server, endpoint));
      expect(error).toMatchObject({ kind: 'person', code: one.code, phase: 'tls' });
      expect(error.message).toContain(`${endpoint.host}:${endpoint.port}`);
      for (const part of one.says ?? []) expect(error.message).toContain(part);
      expect(server.log.connections).toBe(1);
      // In TLS 1.3 the server may have done its part of the handshake before the client sees the certificate.
      expect(heard().filter((command) => command !== '(TLS)')).toEqual(before);
      const bytes = server.log.sessions.reduce((sum, { bytesReceived }) => sum + bytesReceived, 0);
      // Behind "STLS" there are at most the bytes of a handshake, which the session in the clear never reads as commands.
      if (!stls) expect(bytes).toBe(0);
    } finally {
      await server.close();
    }
  });

  it('and not because the system would be told to trust it', async () => {
    const { server, endpoint } = await serverFor({ name: '', by: 'another', code: null }, stls);
    // Without `ca` the system's authorities count, and these know nothing of ours.
    const { ca: _, ...without } = endpoint;
    expect(await failure(signIn(server, without))).toMatchObject({
      kind: 'person',
      code: 'E_POP3_TLS_UNKNOWN_CA',
    });
    await server.close();
  });
});
