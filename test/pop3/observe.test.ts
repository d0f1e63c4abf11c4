/** What can be seen of a line from outside: all that is said but what signs in, by its place and not by its looks. */
import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { Pop3Client } from '../../lib/pop3/client.ts';
import { dialTls } from '../../lib/pop3/dial.ts';
import type { Pop3Error } from '../../lib/pop3/errors.ts';
import type { Seen } from '../../lib/pop3/observe.ts';
import { oauthBearer, xoauth2 } from '../../lib/pop3/sasl/bearer.ts';
import { cramMd5 } from '../../lib/pop3/sasl/cramMd5.ts';
import { login } from '../../lib/pop3/sasl/login.ts';
import type { Mechanism } from '../../lib/pop3/sasl/mechanism.ts';
import { plain } from '../../lib/pop3/sasl/plain.ts';
import { createAuthority, issue } from '../servers/certificates.ts';
import { startScripted } from '../servers/scripted.ts';
import { settled } from './fakeTimer.ts';
import { failure, type HandSession, handSession } from './handLine.ts';
import { realTimer } from './realTimer.ts';

const secretText = () => `canary-${randomBytes(12).toString('hex')}`;

async function watched(): Promise<HandSession & { readonly lines: () => string[]; readonly seen: Seen[] }> {
  const seen: Seen[] = [];
  const session = await handSession({ observe: (one) => void seen.push(one) });
  return { ...session, seen, lines: () => seen.map(lineOf) };
}

function lineOf(seen: Seen): string {
  if (seen.what === 'said') return `C: ${seen.line}`;
  if (seen.what === 'heard') return `S: ${seen.line}`;
  return seen.what === 'body' ? `(${seen.octets})` : seen.what === 'dropped' ? `! ${seen.code}` : seen.what;
}

describe('a conversation that is watched', () => {
  it('shows commands, answers, lines of CAPA, and of bodies the octets', async () => {
    const { client, line, lines } = await watched();
    const pending = client.capa();
    await settled();
    line.say('+OK list\r\nUIDL\r\nX-\x1b\r\n.\r\n');
    await pending;
    const body = client.retr(3, () => {});
    await settled();
    line.say('+OK here\r\nSubject: hidden\r\n\r\n..\r\n.\r\n');
    await body;
    expect(lines()).toEqual([
      ...['S: +OK ready', 'C: CAPA', 'S: +OK list', 'S: UIDL', 'S: X-\\x1B', '(11)'],
      ...['C: RETR 3', 'S: +OK here', '(22)'],
    ]);
  });

  it('shows commands that were sent together where they were sent', async () => {
    const { client, line, lines } = await watched();
    await client.ahead([{ verb: 'UIDL' }, { verb: 'TOP', number: 2 }]);
    line.say('+OK\r\n.\r\n');
    await client.uidl(() => {});
    expect(lines()).toEqual(['S: +OK ready', 'C: UIDL', 'C: TOP 2 0', 'S: +OK', '(0)']);
  });

  it('says why it was dropped', async () => {
    const { client, line, lines } = await watched();
    const pending = failure(client.noop());
    await settled();
    line.say('+O').end();
    await pending;
    expect(lines()).toEqual(['S: +OK ready', 'C: NOOP', '! E_POP3_EOF']);
  });

  it('keeps PASS to itself, and a refusal that repeats it', async () => {
    const secret = secretText();
    const { client, line, lines } = await watched();
    const pending = failure(client.signIn('ada', secret));
    await settled();
    line.say('+OK\r\n');
    await settled();
    line.say(`-ERR ${secret} is wrong\r\n`);
    await pending;
    expect(lines()).toEqual([
      ...['S: +OK ready', 'C: USER ada', 'S: +OK', 'C: PASS ***'],
      'S: (withheld: the reply repeats a secret)',
    ]);
  });

  const token = secretText();
  it.each<readonly [string, Mechanism, boolean, readonly string[]]>([
    ['PLAIN at once', plain('ada', token), true, []],
    ['PLAIN in two steps', plain('ada', token), false, ['']],
    ['LOGIN', login('ada', token), false, ['VXNlcm5hbWU6', 'UGFzc3dvcmQ6']],
    ['CRAM-MD5', cramMd5('ada', token), false, [Buffer.from('<1.2@x>').toString('base64')]],
    ['XOAUTH2', xoauth2('ada', token), false, ['']],
    ['OAUTHBEARER at once', oauthBearer('ada', token, { host: 'x', port: 1 }), true, []],
    [
      'XOAUTH2, refused in a challenge',
      xoauth2('ada', token),
      false,
      ['', Buffer.from('{"status":"401"}').toString('base64')],
    ],
  ])('keeps every line of %s to itself, and echoes of it', async (_name, mechanism, initial, challenges) => {
    const { client, line, lines } = await watched();
    const pending = failure<Pop3Error>(client.authenticate(mechanism, { secret: token, initial }));
    await settled();
    for (const challenge of challenges) {
      line.say(`+ ${challenge}\r\n`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    const written = line.heard.join('').split('\r\n').filter(Boolean);
    const last =
      written
        .filter((one) => one !== '')
        .at(-1)
        ?.split(' ')
        .at(-1) ?? '';
    line.say(`-ERR what is ${last}?\r\n`);
    const error = await pending;
    const shown = lines().join('\n');
    const begin = initial ? [`C: AUTH ${mechanism.name} ***`] : [`C: AUTH ${mechanism.name}`];
    expect(lines().slice(0, 2)).toEqual(['S: +OK ready', ...begin]);
    expect(shown.match(/^C: \*\*\*$/gm) ?? []).toHaveLength(challenges.length);
    expect(shown.match(/^S: \+ \*\*\*$/gm) ?? []).toHaveLength(challenges.length);
    for (const said of written.flatMap((one) => one.split(' ')).filter((one) => one.length > 12)) {
      expect(shown).not.toContain(said);
      expect(error.message).not.toContain(said);
    }
  });
});

describe('a connection that is watched', () => {
  it.each([
    ['trusted', true, 'implicit'],
    ['not trusted', false, 'implicit'],
    ['trusted', true, 'stls'],
    ['not trusted', false, 'stls'],
  ] as const)('shows addresses, connection and a chain that is %s (%s, %s)', async (_name, trusted, tls) => {
    const root = await createAuthority('Root');
    const between = await createAuthority('Between', {}, root);
    const pair = await issue(between, { names: ['localhost', 'a.example.org'] });
    const cert = `${pair.cert}\n${between.cert}`;
    const ca = (trusted ? root : await createAuthority('Another')).cert;
    const server = await startScripted({ tls: { ...pair, cert, ca }, stls: tls === 'stls' });
    const seen: Seen[] = [];
    const dial = dialTls({ timer: realTimer });
    const opened = dial(
      { host: 'localhost', port: server.port, ca, tls },
      new AbortController().signal,
      (one) => void seen.push(one),
    ).then((transport) => Pop3Client.open(transport, { timer: realTimer, deadlineMs: Date.now() + 30_000 }));
    const error = await opened.then(
      (client) => client.quit().then(() => null),
      (reason: Pop3Error) => reason,
    );
    await server.close();
    expect(error?.code ?? null).toBe(trusted ? null : 'E_POP3_TLS_UNKNOWN_CA');
    expect(seen.map(({ what }) => what)).toEqual(['addresses', 'connected', 'handshake']);
    expect(seen[0]).toMatchObject({
      addresses: expect.arrayContaining([{ address: '127.0.0.1', what: 'loopback' }]),
    });
    expect(seen[1]).toEqual({ what: 'connected', address: '127.0.0.1', port: server.port });
    expect(seen[2]).toMatchObject({ trusted, protocol: 'TLSv1.3', cipher: expect.stringContaining('TLS_') });
    const chain = seen[2]?.what === 'handshake' ? seen[2].chain : [];
    expect(chain.slice(0, 2)).toMatchObject([
      { subject: 'CN=localhost', issuer: 'CN=Between', names: ['DNS:localhost', 'DNS:a.example.org'] },
      { subject: 'CN=Between', issuer: 'CN=Root' },
    ]);
    expect(chain[0]?.keyHash).toMatch(/^sha256:[A-Za-z0-9+/]{43}=$/);
    const days = ((chain[0]?.validToMs ?? 0) - (chain[0]?.validFromMs ?? 0)) / 86_400_000;
    expect(Math.round(days)).toBe(31);
  });

  it('shows no handshake where there was none', async () => {
    const server = await startScripted({ tls: false });
    const seen: Seen[] = [];
    const dial = dialTls({ timer: realTimer });
    const endpoint = { host: 'localhost', port: server.port };
    const error = await failure<Pop3Error>(
      dial(endpoint, new AbortController().signal, (one) => void seen.push(one)),
    );
    await server.close();
    expect(error.code).toBe('E_POP3_NOT_TLS');
    expect(seen.map(({ what }) => what)).toEqual(['addresses', 'connected']);
  });
});
