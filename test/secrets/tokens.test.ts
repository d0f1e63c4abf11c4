/** Each kind of source keeps the contract; and what each has of its own. */
import { generateKeyPairSync } from 'node:crypto';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { importSPKI, jwtVerify } from 'jose';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { TokenSource } from '../../lib/secrets/port.ts';
import { accessTokens } from '../../lib/secrets/tokens.ts';
import { type Asked, json, startTokenEndpoint } from '../servers/tokenEndpoint.ts';
import { expectHidden, refusal } from './hiding.ts';
import { tokensContract } from './tokensContract.ts';
import { realWorld, tokenWorld } from './tokenWorld.ts';

tokensContract('A refresh token at a real server', async () => {
  const world = await realWorld();
  const { server, put, get } = world;
  const consent = async () => put('refresh', await server.consented('confidential', 'ada@example.org'));
  await consent();
  return {
    tokens: world.tokens,
    source: world.byRefresh,
    requests: () => server.requests.length,
    withdraw: () => server.revoke(),
    restore: consent,
    secrets: async () => [server.clientSecret, await get('refresh')],
  };
});

tokensContract('Client credentials at a real server', async () => {
  const world = await realWorld();
  const { server, put } = world;
  return {
    tokens: world.tokens,
    source: world.byClient,
    requests: () => server.requests.length,
    withdraw: () => put('client', 'another secret than the right one'),
    restore: () => put('client', server.clientSecret),
    secrets: async () => [server.clientSecret, 'another secret than the right one'],
  };
});

tokensContract('A service account', async () => {
  const world = await serviceAccount();
  return {
    tokens: world.tokens,
    source: world.source,
    requests: () => world.endpoint.asked.length,
    async withdraw() {
      // Google's words for a key that was deleted.
      world.answer.now = json({ error: 'invalid_grant', error_description: 'Invalid JWT Signature.' }, 400);
    },
    async restore(laterMs) {
      world.answer.now = undefined;
      world.clock.ms += laterMs;
    },
    secrets: async () => [KEY_LINE],
  };
});

tokensContract('A program', async () => {
  const world = await program('#!/bin/sh\necho x >> count\n[ -e off ] || echo "token-$(wc -l < count)"\n');
  return {
    tokens: world.tokens,
    source: world.source,
    requests: async () => {
      const count = await readFile(join(world.folder, 'count'), 'utf8').catch(() => '');
      return count.split('\n').length - 1;
    },
    withdraw: () => writeFile(join(world.folder, 'off'), ''),
    async restore(laterMs) {
      await rm(join(world.folder, 'off'));
      world.clock.ms += laterMs;
    },
    secrets: async () => ['a secret argument'],
  };
});

const { privateKey, publicKey } = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
});

/** A line of the key itself. */
const KEY_LINE = privateKey.split('\n')[3] ?? '';

async function serviceAccount() {
  const answer: { now: ReturnType<typeof json> | undefined } = { now: undefined };
  let given = 0;
  const endpoint = await startTokenEndpoint(async (asked, response) => {
    const claims = await claimsOf(asked, world.clock.ms).catch(() => null);
    const refused = claims === null ? json({ error: 'invalid_grant' }, 400) : answer.now;
    given += 1;
    const granted = json({
      access_token: `ya29.of the account ${given}`,
      expires_in: 3599,
      token_type: 'Bearer',
    });
    await (refused ?? granted)(asked, response);
  });
  onTestFinished(() => endpoint.stop());
  const world = await tokenWorld({ ca: endpoint.ca });
  const key = {
    type: 'service_account',
    project_id: 'mail',
    private_key_id: 'key1',
    private_key: privateKey,
    client_email: 'fetch@mail.iam.gserviceaccount.com',
    client_id: '1234567890',
    token_uri: endpoint.url,
  };
  await world.put('key.json', JSON.stringify(key, null, 2));
  const source = {
    grant: 'service-account',
    key: 'file:key.json',
    subject: 'ada@example.org',
    scope: 'https://mail.google.com/',
  } as const satisfies TokenSource;
  return { ...world, endpoint, source, answer, key };
}

/** Verified by the key's public half. */
async function claimsOf({ form }: Asked, nowMs: number) {
  const key = await importSPKI(publicKey, 'RS256');
  const assertion = form.get('assertion') ?? '';
  return jwtVerify(assertion, key, { algorithms: ['RS256'], currentDate: new Date(nowMs) });
}

describe('a service account', () => {
  it('signs for its mailbox, for the endpoint of its key, and for an hour', async () => {
    const { tokens, source, endpoint, clock } = await serviceAccount();
    await tokens.read(source, false);
    const [asked] = endpoint.asked;
    expect(asked?.form.get('grant_type')).toBe('urn:ietf:params:oauth:grant-type:jwt-bearer');
    expect([...(asked?.form.keys() ?? [])].sort()).toEqual(['assertion', 'grant_type']);
    const { payload, protectedHeader } = await claimsOf(asked as Asked, clock.ms);
    const seconds = Math.floor(clock.ms / 1000);
    expect(protectedHeader).toEqual({ alg: 'RS256', typ: 'JWT', kid: 'key1' });
    expect(payload).toEqual({
      iss: 'fetch@mail.iam.gserviceaccount.com',
      sub: 'ada@example.org',
      scope: 'https://mail.google.com/',
      aud: endpoint.url,
      iat: seconds,
      exp: seconds + 3600,
    });
  });

  it('asks for each of its mailboxes by itself', async () => {
    const { tokens, source, endpoint } = await serviceAccount();
    const read = await Promise.all(
      ['ada@example.org', 'bob@example.org'].map((subject) => tokens.read({ ...source, subject }, false)),
    );
    expect(read[0]?.reveal()).not.toBe(read[1]?.reveal());
    expect(endpoint.asked).toHaveLength(2);
  });

  it('tells what Google says where the domain has not delegated the scope', async () => {
    const { tokens, source, answer } = await serviceAccount();
    const description =
      'Client is unauthorized to retrieve access tokens using this method, or client not authorized for any of the scopes requested.';
    answer.now = json({ error: 'unauthorized_client', error_description: description }, 401, {
      'www-authenticate': 'Bearer realm="x"',
    });
    const error = await refusal(tokens.read(source, false));
    expect(error).toMatchObject({ kind: 'person', code: 'E_TOKEN_REFUSED' });
    expect(error.message).toContain(description);
    expect(error.message).toContain('domain-wide delegation');
  });

  it('may have the line ends of its key written out', async () => {
    const { tokens, source, put, key } = await serviceAccount();
    await put('key.json', JSON.stringify({ ...key, private_key: key.private_key.replaceAll('\n', '\\n') }));
    expect((await tokens.read(source, false)).reveal()).toMatch(/^ya29/);
  });

  it('may use another endpoint than its key names', async () => {
    const { tokens, source, endpoint, put, key } = await serviceAccount();
    await put('key.json', JSON.stringify({ ...key, token_uri: 'https://127.0.0.1:1/' }));
    await tokens.read({ ...source, tokenEndpoint: endpoint.url }, false);
    expect(endpoint.asked).toHaveLength(1);
  });

  it.each([
    ['no JSON', () => 'a private key by itself'],
    ['no object', () => '["a private key by itself"]'],
    ['another kind of key', (key: object) => JSON.stringify({ ...key, type: 'authorized_user' })],
    [
      'a key that is none',
      (key: object) => JSON.stringify({ ...key, private_key: 'a private key by itself' }),
    ],
    ['no address', (key: object) => JSON.stringify({ ...key, client_email: undefined })],
  ])('whose file holds %s calls a person, and nothing of it is shown', async (_, made) => {
    const { tokens, source, endpoint, put, key } = await serviceAccount();
    await put('key.json', made(key));
    const error = await refusal(tokens.read(source, false));
    expect(error).toMatchObject({ kind: 'person', code: 'E_TOKEN_KEY', reference: 'file:key.json' });
    expectHidden(error, 'a private key by itself');
    expectHidden(error, KEY_LINE);
    expect(endpoint.asked).toHaveLength(0);
    await put('key.json', JSON.stringify(key));
    await tokens.read(source, false);
  });
});

async function program(script: string) {
  const world = await tokenWorld();
  await writeFile(join(world.folder, 'print-token'), script, { mode: 0o755 });
  const source = { command: ['./print-token', 'a secret argument'] } as const satisfies TokenSource;
  return { ...world, source };
}

/** "Z": ended, and nobody has asked how. */
async function stateOf(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null);
  return stat === null ? 'gone' : (/\) (\w)/.exec(stat)?.[1] ?? '');
}

describe('a program that prints a token', () => {
  it('gets its arguments as they are, by no shell, and no input', async () => {
    const { tokens, put, folder } = await program('#!/bin/sh\ncat\nprintf "%s." "$@"\n');
    const token = await tokens.read({ command: ['./print-token', '~', '-x/y'] }, false);
    expect(token.reveal()).toBe('~.-x/y.');
    await put('x', '');
    const error = await refusal(tokens.read({ command: ['./print-token', '$(touch shell)'] }, false));
    expect(error.code).toBe('E_TOKEN_COMMAND');
    await expect(readFile(join(folder, 'shell'))).rejects.toThrow('ENOENT');
  });

  it.each([
    ['echo "a secret argument" >&2; exit 3', 'later', 'ended with exit code 3'],
    ['kill -TERM $$', 'later', 'was ended by a signal'],
    ['sleep 60', 'later', 'did not end within 0.3 s'],
    ['true', 'person', 'printed nothing'],
    ['echo two tokens', 'person', 'printed something else'],
    ['echo tokén', 'person', 'printed something else'],
    ['head -c 70000 /dev/zero', 'person', 'more than 65536 bytes'],
  ])('%s', async (script, kind, words) => {
    const world = await program(`#!/bin/sh\n${script}\n`);
    const commands = { env: { PATH: process.env['PATH'] }, cwd: world.folder, timeLimitMs: 300 };
    // Only what must run out of time gets little of it.
    const tokens = script.startsWith('sleep') ? accessTokens({ ...world.options, commands }) : world.tokens;
    const error = await refusal(tokens.read(world.source, false));
    expect(error).toMatchObject({ kind, code: 'E_TOKEN_COMMAND', reference: 'command ./print-token' });
    expect(error.message).toContain(words);
    expectHidden(error, 'a secret argument');
  });

  it('ends with all that it has started', async () => {
    const world = await program('#!/bin/sh\nsleep 60 & echo $! > child\nwait\n');
    const commands = { env: { PATH: process.env['PATH'] }, cwd: world.folder, timeLimitMs: 1_500 };
    await refusal(accessTokens({ ...world.options, commands }).read(world.source, false));
    const pid = Number(await readFile(join(world.folder, 'child'), 'utf8'));
    expect(pid).toBeGreaterThan(0);
    await expect.poll(() => stateOf(pid), { timeout: 5_000 }).toMatch(/^(gone|Z)$/);
  });

  it('that is not there calls a person', async () => {
    const { tokens } = await tokenWorld();
    const error = await refusal(tokens.read({ command: ['./absent'] }, false));
    expect(error).toMatchObject({ kind: 'person', code: 'E_TOKEN_COMMAND' });
    expect(error.message).toContain('ENOENT');
  });

  it('is never run where programs are not', async () => {
    const world = await program('#!/bin/sh\necho x > ran\necho token\n');
    const tokens = accessTokens({ ...world.options, commands: null });
    const error = await refusal(tokens.read(world.source, false));
    expect(error).toMatchObject({ kind: 'person', code: 'E_TOKEN_SOURCE' });
    await expect(readFile(join(world.folder, 'ran'))).rejects.toThrow('ENOENT');
  });
});

describe('a secret with a line end in it, or with those of others', () => {
  it.each<[string, TokenSource]>([
    ['a token', { from: 'file:bad' }],
    [
      'a refresh token',
      { grant: 'refresh-token', tokenEndpoint: '', clientId: 'mailferry', refreshToken: 'file:bad' },
    ],
    [
      'the client secret of a refresh token',
      {
        ...{ grant: 'refresh-token', tokenEndpoint: '', clientId: 'mailferry' },
        ...{ refreshToken: 'file:good', clientSecret: 'file:bad' },
      },
    ],
    [
      'a client secret',
      {
        ...{ grant: 'client-credentials', tokenEndpoint: '', clientId: 'mailferry' },
        ...{ clientSecret: 'file:bad', scope: 'pop' },
      },
    ],
  ])('is not sent, and is told by its place: %s', async (_, source) => {
    const endpoint = await startTokenEndpoint(json({ error: 'invalid_grant' }, 400));
    onTestFinished(() => endpoint.stop());
    const { tokens, put } = await tokenWorld({ ca: endpoint.ca });
    await put('good', 'a good secret');
    const at = 'tokenEndpoint' in source ? { ...source, tokenEndpoint: endpoint.url } : source;
    for (const bad of ['a bad secret\n', '{\n "ada": "a bad secret" }']) {
      await put('bad', bad);
      const error = await refusal(tokens.read(at, false));
      expect(error).toMatchObject({ kind: 'person', code: 'E_SECRET_MALFORMED', reference: 'file:bad' });
      expectHidden(error, 'a bad secret');
    }
    expect(endpoint.asked).toEqual([]);
  });
});

describe('a token by reference', () => {
  it('is what stands there now', async () => {
    const { tokens, put } = await tokenWorld();
    await put('token', 'first');
    const source = { from: 'file:token' };
    expect((await tokens.read(source, false)).reveal()).toBe('first');
    await put('token', 'second');
    expect((await tokens.read(source, true)).reveal()).toBe('second');
    expect((await refusal(tokens.read({ from: 'file:absent' }, false))).code).toBe('E_SECRET_MISSING');
  });
});
