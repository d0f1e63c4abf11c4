/** SCRAM over TLS: bound to its line where that is set, and passed on by nobody in between. */
import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { connect, createServer } from 'node:tls';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../lib/fetch/systemClock.ts';
import type { Mailbox } from '../../lib/mailbox/settings.ts';
import type { MechanismName } from '../../lib/mailbox/signInSettings.ts';
import { dialTls } from '../../lib/pop3/dial.ts';
import { Secret } from '../../lib/secrets/port.ts';
import { type CertificateOptions, createAuthority, issue, type Pair } from '../servers/certificates.ts';
import { type ScramServer, type ScramServerOptions, startScramServer } from '../servers/scramServer.ts';
import { World } from './world.ts';

const ALL = ['SCRAM-SHA-1', 'SCRAM-SHA-1-PLUS', 'SCRAM-SHA-256', 'SCRAM-SHA-256-PLUS'];
const WITHOUT_PLUS = ['SCRAM-SHA-1', 'SCRAM-SHA-256'];
const UNBOUND = ['scram-sha-1', 'scram-sha-256'] as const;
const BOUND = ['scram-sha-1-plus', 'scram-sha-256-plus'] as const;

let authority: Pair;
let pair: Pair;
beforeAll(async () => {
  authority = await createAuthority();
  pair = await issue(authority, { names: ['localhost'] });
});

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

async function started(options: Partial<ScramServerOptions> = {}): Promise<ScramServer> {
  const server = await startScramServer({ ...pair, password: 'right', announced: ALL, ...options });
  stops.push(server.stop);
  return server;
}

/** One run over the machine's network. */
async function run(port: number, mechanism: MechanismName, settings: Partial<Mailbox> = {}) {
  const world = new World({
    settings: {
      ...{ host: 'localhost', port, ca: authority.cert },
      signIn: { mechanism, initialResponse: true },
      ...settings,
    },
  });
  const secrets = { read: async () => new Secret('right') };
  return world.run({}, { dial: dialTls({ timer: systemClock }), secrets });
}

/** Of each AUTH that came: what the client says of bindings. */
function flags({ heard }: ScramServer): readonly string[] {
  return heard
    .filter((line) => line.startsWith('AUTH'))
    .map(
      (line) =>
        Buffer.from(line.split(' ')[2] ?? '', 'base64')
          .toString()
          .split(',')[0] ?? '',
    );
}

/** Reads and passes on whatever is said, with a certificate that is trusted, too. */
async function inBetween(target: { readonly port: number }): Promise<number> {
  const own = await issue(authority, { names: ['localhost'] });
  const sockets = new Set<Socket>();
  const server = createServer({ cert: own.cert, key: own.key }, (client) => {
    const upstream = connect({ port: target.port, host: '127.0.0.1', rejectUnauthorized: false });
    for (const socket of [client, upstream]) socket.on('error', () => client.destroy());
    sockets.add(client).add(upstream);
    client.pipe(upstream).pipe(client);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  stops.push(async () => {
    for (const socket of sockets) socket.destroy();
    await once(server.close(), 'close');
  });
  return (server.address() as AddressInfo).port;
}

describe.each(BOUND)('%s', (mechanism) => {
  it.each([
    ['TLSv1.3', 'p=tls-exporter'],
    ['TLSv1.2', 'p=tls-server-end-point'],
  ] as const)('is bound to a session over %s: %s', async (maxVersion, flag) => {
    const server = await started({ maxVersion });
    expect(await run(server.port, mechanism)).toMatchObject({ outcome: 'done', error: null });
    expect(flags(server)).toEqual([flag]);
  });

  it.each(['TLSv1.3', 'TLSv1.2'] as const)(
    'is passed on by nobody in between, over %s',
    async (maxVersion) => {
      const server = await started({ maxVersion });
      const report = await run(await inBetween(server), mechanism);
      expect(report).toMatchObject({
        outcome: 'failed',
        signIns: 1,
        error: { code: 'E_POP3_AUTH', kind: 'person' },
      });
      expect(report.error?.message).toContain('the server refused (channel-bindings-dont-match)');
    },
  );

  it('is not said where it is not announced', async () => {
    const server = await started({ announced: WITHOUT_PLUS });
    expect(await run(server.port, mechanism)).toMatchObject({
      error: { code: 'E_POP3_MECHANISM', kind: 'person' },
    });
    expect(flags(server)).toEqual([]);
  });

  it('is tried where CAPA says nothing of mechanisms', async () => {
    expect((await run((await started({ announced: null })).port, mechanism)).error).toBeNull();
  });
});

describe.each(UNBOUND)('%s', (mechanism) => {
  it('tells a server whose -PLUS was taken away on the way, which then refuses', async () => {
    const server = await started({ announced: WITHOUT_PLUS });
    const report = await run(server.port, mechanism);
    expect(flags(server)).toEqual(['y']);
    expect(report).toMatchObject({ outcome: 'failed', error: { code: 'E_POP3_AUTH' } });
    expect(report.error?.message).toContain('server-does-support-channel-binding');
  });

  it.each([[ALL], [null]])(
    'is not bound where -PLUS is announced and not set, or nothing is told: %j',
    async (announced) => {
      const server = await started({ announced });
      expect((await run(server.port, mechanism)).error).toBeNull();
      expect(flags(server)).toEqual(['n']);
    },
  );

  it('would be passed on', async () => {
    const server = await started();
    expect((await run(await inBetween(server), mechanism)).error).toBeNull();
  });
});

/** RFC 5929 section 4.1: by the hash of the certificate's signature. */
describe('tls-server-end-point', () => {
  const cases: readonly (readonly [string, CertificateOptions, ScramServerOptions['endPointHash'] | null])[] =
    [
      ['ECDSA, SHA-256', {}, 'sha256'],
      ['ECDSA, SHA-384', { hash: 'sha384' }, 'sha384'],
      ['ECDSA, SHA-512', { hash: 'sha512' }, 'sha512'],
      ['RSA, SHA-256', { rsaBits: 2048 }, 'sha256'],
      ['RSA, SHA-512', { rsaBits: 2048, hash: 'sha512' }, 'sha512'],
      ['RSA, SHA-1, which counts as SHA-256', { rsaBits: 2048, hash: 'sha1' }, 'sha256'],
    ];
  it.each(cases)('is of a certificate signed by %s', async (_, certificate, endPointHash) => {
    const own = await issue(null, { names: ['localhost'], ...certificate });
    const server = await started({ ...own, maxVersion: 'TLSv1.2', ...(endPointHash && { endPointHash }) });
    const serverKeys = [await keyOf(server.port)];
    const report = await run(server.port, 'scram-sha-256-plus', { ca: undefined, serverKeys });
    expect(report.error).toBeNull();
    expect(flags(server)).toEqual(['p=tls-server-end-point']);
  });
});

/** As an error about another key tells it. */
async function keyOf(port: number): Promise<string> {
  const { error } = await run(port, 'scram-sha-256', {
    ca: undefined,
    serverKeys: [`sha256:${'A'.repeat(43)}=`],
  });
  return /it has: (sha256:\S+=)/.exec(error?.message ?? '')?.[1] ?? '';
}
