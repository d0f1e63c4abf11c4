/** Over TLS from the first byte and over STLS: a server known by its key alone, and clients that show a certificate. */
import { createHash, randomBytes, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:tls';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { Pop3Client } from '../../lib/pop3/client.ts';
import { dialTls } from '../../lib/pop3/dial.ts';
import type { Pop3Error } from '../../lib/pop3/errors.ts';
import type { Endpoint } from '../../lib/pop3/transport.ts';
import { type CertificateOptions, createAuthority, issue, type Pair } from '../servers/certificates.ts';
import { type ScriptedServer, startScripted } from '../servers/scripted.ts';
import { failure } from './handLine.ts';
import { realTimer } from './realTimer.ts';

const never = new AbortController().signal;
const dial = dialTls({ timer: realTimer, resolve: async () => [{ address: '127.0.0.1', family: 4 }] });

let authority: Pair;
beforeAll(async () => {
  authority = await createAuthority();
});

/** As `openssl x509 -pubkey | openssl pkey -pubin -outform der | openssl dgst -sha256 -binary | base64` has it. */
function keyOf({ cert }: Pair): string {
  const der = new X509Certificate(cert).publicKey.export({ type: 'spki', format: 'der' });
  return `sha256:${createHash('sha256').update(der).digest('base64')}`;
}

const ANOTHER = `sha256:${randomBytes(32).toString('base64')}`;

async function opened(endpoint: Endpoint): Promise<Pop3Client> {
  const deadlineMs = Date.now() + 30_000;
  return Pop3Client.open(await dial(endpoint, never), { timer: realTimer, deadlineMs });
}

async function signIn(server: ScriptedServer, endpoint: Endpoint): Promise<void> {
  const client = await opened(endpoint);
  await client.signIn(server.user, server.password);
  await client.quit();
}

const heard = ({ log }: ScriptedServer) => log.sessions.flatMap(({ commands }) => commands);

describe.each([
  ['implicit TLS', false],
  ['STLS', true],
])('over %s', (_name, stls) => {
  async function serverWith(pair: Pair): Promise<ScriptedServer> {
    const server = await startScripted({ tls: { ...pair, ca: '' }, stls });
    onTestFinished(() => server.close());
    return server;
  }
  const endpointOf = ({ port }: ScriptedServer, serverKeys: readonly string[]): Endpoint => {
    return { host: 'pop.example.org', port, serverKeys, tls: stls ? 'stls' : 'implicit' };
  };

  it.each<readonly [string, 'nobody' | 'authority', CertificateOptions]>([
    ['nobody but itself vouches', 'nobody', { names: ['pop.example.org'] }],
    ['another name', 'authority', { names: ['mail.example.org'] }],
    ['no name', 'nobody', { commonName: 'pop.example.org' }],
    ['expiry', 'nobody', { names: ['pop.example.org'], fromDays: -9, untilDays: -1 }],
    ['a date to come', 'nobody', { names: ['pop.example.org'], fromDays: 2 }],
    ['a purpose of clients', 'nobody', { names: ['pop.example.org'], purpose: 'client' }],
    ['RSA', 'nobody', { names: ['pop.example.org'], rsaBits: 2048 }],
  ])('a server is known by its key, for all that its certificate has %s', async (_what, by, certificate) => {
    const pair = await issue(by === 'nobody' ? null : authority, certificate);
    const server = await serverWith(pair);
    await signIn(server, endpointOf(server, [ANOTHER, keyOf(pair)]));
    expect(heard(server).filter((line) => line.startsWith('PASS'))).toEqual(['PASS ***']);
  });

  it.each<readonly [string, 'nobody' | 'authority']>([
    ['whom the system need not trust', 'nobody'],
    ['with the right name, by an authority', 'authority'],
  ])('gets not a byte from who knows another key: %s', async (_what, by) => {
    const pair = await issue(by === 'nobody' ? null : authority, { names: ['pop.example.org'] });
    const server = await serverWith(pair);
    const error = await failure<Pop3Error>(signIn(server, endpointOf(server, [ANOTHER])));
    expect(error).toMatchObject({ kind: 'person', code: 'E_POP3_TLS_WRONG_KEY', phase: 'tls' });
    expect(error.message).toContain(keyOf(pair));
    expect(error.message).toContain('somebody may be in between');
    expect(heard(server).filter((line) => line !== '(TLS)')).toEqual(stls ? ['STLS'] : []);
    const bytes = server.log.sessions.reduce((sum, { bytesReceived }) => sum + bytesReceived, 0);
    if (!stls) expect(bytes).toBe(0);
  });

  it('is told what the handshake came to', async () => {
    const pair = await issue(authority, {
      names: ['pop.example.org', 'x\u202e.example.org'],
      ips: ['127.0.0.1'],
    });
    const server = await serverWith(pair);
    const client = await opened(endpointOf(server, [keyOf(pair)]));
    expect(client.tls).toMatchObject({
      protocol: 'TLSv1.3',
      cipher: expect.stringMatching(/^TLS_/),
      names: ['DNS:pop.example.org', expect.not.stringContaining('\u202e'), 'IP Address:127.0.0.1'],
      issuer: 'CN=Test Authority',
      subject: 'CN=pop.example.org',
      keyHash: keyOf(pair),
    });
    expect(client.tls?.validToMs).toBeGreaterThan(Date.now());
    expect(client.tls?.validFromMs).toBeLessThan(Date.now());
    client.destroy(new Error('done'));
  });
});

it('a line in the clear has no facts of TLS', async () => {
  const server = await startScripted({ tls: false });
  onTestFinished(() => server.close());
  const client = await opened({ host: 'localhost', port: server.port, tls: 'none' });
  expect(client.tls).toBeUndefined();
  client.destroy(new Error('done'));
});

describe('a client certificate', () => {
  /** Greets who shows a certificate of the authority, and hangs up on anybody else as Node's servers do. */
  async function wantingServer(maxVersion: 'TLSv1.2' | 'TLSv1.3') {
    const pair = await issue(authority, { names: ['localhost'] });
    const shown: string[] = [];
    const server = createServer(
      { ...pair, ca: authority.cert, requestCert: true, rejectUnauthorized: true, maxVersion },
      (socket) => {
        shown.push(String(socket.getPeerCertificate().subject.CN));
        socket.on('error', () => {}).write('+OK ready\r\n');
      },
    );
    await once(server.listen(0, '127.0.0.1'), 'listening');
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    return { shown, endpoint: { host: 'localhost', port, ca: authority.cert } };
  }
  const own = async (by: Pair | null) => {
    const { cert, key } = await issue(by, { names: ['ada'], purpose: 'client' });
    return { certificate: cert, key };
  };

  it.each(['TLSv1.2', 'TLSv1.3'] as const)('is shown to a server that asks, over %s', async (version) => {
    const { shown, endpoint } = await wantingServer(version);
    const client = await opened({ ...endpoint, clientCertificate: await own(authority) });
    expect(shown).toEqual(['ada']);
    client.destroy(new Error('done'));
  });

  it('is asked for in words where there is none', async () => {
    const { shown, endpoint } = await wantingServer('TLSv1.3');
    const error = await failure<Pop3Error>(opened(endpoint));
    expect(error).toMatchObject({ kind: 'person', code: 'E_POP3_CLIENT_CERTIFICATE', phase: 'greeting' });
    expect(error.message).toContain('wants a client certificate (CERTIFICATE_REQUIRED)');
    expect(shown).toEqual([]);
  });

  it.each<readonly [string, (pair: { certificate: string; key: string }) => object]>([
    ['is no PEM', () => ({ certificate: 'hunter2', key: 'hunter2' })],
    ['has another’s key', ({ certificate }) => ({ certificate, key: '' })],
    ['is cut short', ({ certificate, key }) => ({ certificate: certificate.slice(0, 200), key })],
  ])('that %s is refused before anything is connected to', async (_what, change) => {
    const server = await startScripted();
    onTestFinished(() => server.close());
    const pair = { ...(await own(authority)), ...change(await own(authority)) };
    const usable = pair.key === '' ? { ...pair, key: (await own(null)).key } : pair;
    const endpoint = { host: 'localhost', port: server.port, ca: server.ca, clientCertificate: usable };
    const error = await failure<Pop3Error>(opened(endpoint));
    expect(error).toMatchObject({ kind: 'person', code: 'E_POP3_CLIENT_CERTIFICATE', phase: 'tls' });
    expect(JSON.stringify([error.message, error, error.cause])).not.toContain('hunter2');
    expect(server.log.connections).toBe(0);
  });
});

describe('authorities', () => {
  it.each<readonly [string, (pem: string) => string, RegExp]>([
    ['none', () => 'hunter2', /there is no certificate in "ca"/],
    ['a key', () => '-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----\n', /no certificate/],
    ['one that is cut short', (pem) => pem.slice(0, 300), /certificate 1 of the 1 .* cannot be read/],
    [
      'a good one and a broken one',
      (pem) => `${pem}\n${pem.replace(/\n.{8}/, '\n!hunter2')}`,
      /certificate 2 of the 2/,
    ],
  ])('that are %s are refused before anything is connected to', async (_what, change, words) => {
    const server = await startScripted();
    onTestFinished(() => server.close());
    const error = await failure<Pop3Error>(
      opened({ host: 'localhost', port: server.port, ca: change(server.ca) }),
    );
    expect(error).toMatchObject({ kind: 'person', code: 'E_POP3_CA', phase: 'tls' });
    expect(error.message).toMatch(words);
    expect(JSON.stringify([error.message, error, error.cause])).not.toContain('hunter2');
    expect(server.log.connections).toBe(0);
  });

  it('may come with words between them, and several at once', async () => {
    const server = await startScripted();
    onTestFinished(() => server.close());
    const other = await createAuthority('Other');
    const ca = `# ours\n${other.cert}\n# and theirs\n${server.ca}`;
    const client = await opened({ host: 'localhost', port: server.port, ca });
    client.destroy(new Error('done'));
  });
});
