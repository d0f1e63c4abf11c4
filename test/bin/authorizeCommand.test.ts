/** `mailferry authorize` as a process, against a real authorization server, and mail by what it has saved. */
import { createPublicKey, verify } from 'node:crypto';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { EXIT } from '../../bin/exitCodes.ts';
import { formsIn } from '../canaries.ts';
import { type AuthorizationServer, authorizationServer } from '../servers/authorizationServer.ts';
import { bearerAuth } from '../servers/scriptedAuth.ts';
import { startSecretVault } from '../servers/secretVault.ts';
import { type Child, mailferry, messages, server, startMailferry, workFolder } from './harness.ts';

const USER = 'ada@example.org';

/** oidc-provider's letters and form. */
const CODE = /\b[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}\b/;

/** A mail server that takes what the authorization server has signed, and settings for both. */
async function setUp(token: object = {}) {
  const issuer = await authorizationServer();
  onTestFinished(() => issuer.stop());
  const shown: string[] = [];
  const isGood = await vouching(issuer);
  const auth = bearerAuth({
    tokenOf: (user, token_) => {
      shown.push(token_);
      return user === USER && isGood(token_) ? token_ : undefined;
    },
    ...{ complains: '{"status":"401"}', refusal: '-ERR [AUTH] no' },
  });
  const behaviour = { auth, capabilities: ['UIDL', 'SASL XOAUTH2'] };
  const pop3 = await server({ users: { [USER]: messages(2) }, behaviour });
  const cwd = await workFolder();
  const { tokenEndpoint, deviceEndpoint, clientSecret } = issuer;
  const ours = {
    ...{ grant: 'refresh-token', tokenEndpoint, deviceEndpoint, clientId: 'confidential' },
    ...{ clientSecret: 'env:CLIENT_SECRET', scope: 'offline_access pop', refreshToken: 'file:refresh' },
    ...token,
  };
  const mailbox = { host: pop3.host, port: pop3.port, ca: pop3.ca, user: USER };
  const mailboxes = [
    { id: 'support', ...mailbox, signIn: { token: ours } },
    { id: 'other', ...mailbox, password: 'env:PASSWORD' },
  ];
  await writeFile(join(cwd, 'mailferry.yaml'), JSON.stringify({ store: { folder: 'store' }, mailboxes }));
  await writeFile(join(cwd, 'issuer.pem'), issuer.ca);
  const env = { CLIENT_SECRET: clientSecret, NODE_EXTRA_CA_CERTS: join(cwd, 'issuer.pem') };
  const start = (...argv: string[]) => startMailferry(argv, { cwd, env });
  const saved = async () => (await readFile(join(cwd, 'refresh'), 'utf8')).trimEnd();
  return { issuer, cwd, env, start, saved, shown };
}

/** Whether one of its keys signed a token (RFC 7518 section 3.4). */
async function vouching(issuer: AuthorizationServer): Promise<(token: string) => boolean> {
  const { keys } = await issuer.jwks();
  const known = keys.map((jwk) => createPublicKey({ key: { ...jwk }, format: 'jwk' }));
  return (token) => {
    const [header, payload, signature = ''] = token.split('.');
    const signed = Buffer.from(`${header}.${payload}`);
    return known.some((key) =>
      verify('sha256', signed, { key, dsaEncoding: 'ieee-p1363' }, Buffer.from(signature, 'base64url')),
    );
  };
}

async function codeOf({ process }: Child): Promise<string> {
  let text = '';
  process.stdout?.on('data', (piece: string) => {
    text += piece;
  });
  await expect.poll(() => text, { timeout: 30_000 }).toMatch(CODE);
  return CODE.exec(text)?.[0] ?? '';
}

describe('mailferry authorize, as a process', () => {
  it('shows a code, saves the refresh token, and check and fetch sign in by it', {
    timeout: 120_000,
  }, async () => {
    const { issuer, cwd, env, start, saved, shown } = await setUp();
    const child = start('authorize', 'support');
    await issuer.decide(await codeOf(child), 'allow');
    const allowed = await child.ended;
    expect(allowed).toMatchObject({ code: EXIT.done, stderr: '' });
    expect(allowed.stdout).toContain(`${issuer.issuer}/device\n`);
    expect(allowed.stdout).toMatch(/support: allowed; the refresh token is saved in file:refresh\n$/);
    const first = await saved();
    expect((await stat(join(cwd, 'refresh'))).mode & 0o777).toBe(0o600);

    const checked = await start('check', 'support').ended;
    expect(checked.code, checked.stdout).toBe(EXIT.done);
    expect(checked.stdout).toMatch(/✓ sign-in .*by xoauth2/);
    const second = await saved();
    const fetched = await start('fetch', 'support').ended;
    expect(fetched).toMatchObject({ code: EXIT.done, stderr: '' });
    expect(fetched.stdout).toMatch(/^✓ support: 2 messages listed: 2 stored/);
    // Each process exchanged what the one before it had saved.
    expect(new Set([first, second, await saved()]).size).toBe(3);
    expect(issuer.requests.at(-1)).toEqual({ grantType: 'refresh_token', status: 200 });
    expect(shown).toHaveLength(2);
    const said = JSON.stringify([allowed, checked, fetched]);
    for (const secret of [first, second, await saved(), env.CLIENT_SECRET, ...shown])
      expect(formsIn(said, secret)).toEqual([]);
  });

  it('puts it into one account of a secret that many share, and says so by --json', async () => {
    const vault = await startSecretVault({ mail: JSON.stringify({ billing: 'stays' }) });
    onTestFinished(() => vault.stop());
    const { issuer, cwd, env, shown } = await setUp({ refreshToken: 'secretsmanager:mail#support' });
    const aws = {
      ...{ AWS_ENDPOINT_URL_SECRETS_MANAGER: vault.endpoint, AWS_REGION: 'us-east-1' },
      ...{ AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' },
    };
    const child = startMailferry(['authorize', 'support', '--json'], { cwd, env: { ...env, ...aws } });
    await issuer.decide(await codeOf(child), 'allow');
    const { code, stdout, stderr } = await child.ended;
    expect({ code, stderr }).toEqual({ code: EXIT.done, stderr: '' });
    expect(
      stdout
        .trimEnd()
        .split('\n')
        .map((line): unknown => JSON.parse(line)),
    ).toEqual([
      expect.objectContaining({
        ...{ mailbox: 'support', step: 'code', verificationUri: `${issuer.issuer}/device` },
      }),
      { mailbox: 'support', step: 'saved', reference: 'secretsmanager:mail#support' },
    ]);
    const { support, ...others } = JSON.parse(vault.secrets.get('mail') ?? '');
    expect(others).toEqual({ billing: 'stays' });
    expect(formsIn(stdout, support)).toEqual([]);
    expect(vault.puts).toEqual(['mail']);
    expect(shown).toEqual([]);
  });

  it('ends in order at Ctrl-C', async () => {
    const { start, saved } = await setUp();
    const child = start('authorize', 'support');
    await codeOf(child);
    child.process.kill('SIGINT');
    const { code, stdout } = await child.ended;
    expect(code).toBe(EXIT.interrupted);
    expect(stdout).toMatch(/support: interrupted; nothing was changed\n$/);
    await expect(saved()).rejects.toThrow('ENOENT');
  });

  it('says what is known of a refusal', async () => {
    const wrong = await setUp({ clientId: 'nobody' });
    const refused = await wrong.start('authorize', 'support').ended;
    expect(refused.code).toBe(EXIT.person);
    expect(refused.stdout).toMatch(/^✗ support: file:refresh: .*invalid_client.*\(E_TOKEN_REFUSED\)\n$/);
    expect(refused.stdout).toContain('check "clientId" and what clientSecret points to');
  });

  it.each([
    [['authorize'], 'One mailbox is allowed at a time: mailferry authorize ID.'],
    [['authorize', 'support', 'other'], 'One mailbox is allowed at a time'],
    [['authorize', 'nobody'], 'has no mailbox "nobody"'],
    [['authorize', 'other'], 'other: nobody needs to allow anything'],
  ])('refuses %j in words', async (argv, words) => {
    const { cwd, issuer } = await setUp();
    const said = await mailferry(argv, { cwd, env: {} });
    expect(said).toMatchObject({ code: EXIT.usage, stdout: '' });
    expect(said.stderr).toContain(words);
    expect(issuer.requests).toEqual([]);
  });
});
