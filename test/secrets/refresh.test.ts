/** A refresh token that changes at each use: saved or kept, never lost, and never a dead one in place of a living one. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Secret, SecretError, type SecretSaver, type TokenSource } from '../../lib/secrets/port.ts';
import { secretsManager } from '../../lib/secrets/secretsManager.ts';
import { accessTokens } from '../../lib/secrets/tokens.ts';
import { createAuthority, issue } from '../servers/certificates.ts';
import { startSecretVault } from '../servers/secretVault.ts';
import { type Answering, json, startTokenEndpoint } from '../servers/tokenEndpoint.ts';
import { expectHidden, refusal } from './hiding.ts';
import { tokenWorld } from './tokenWorld.ts';

const source = (tokenEndpoint: string) =>
  ({
    grant: 'refresh-token',
    tokenEndpoint,
    clientId: 'mailferry',
    scope: 'pop offline_access',
    refreshToken: 'file:refresh',
  }) as const satisfies TokenSource;

/** Each use gives another. */
function rotating(onUse: (used: string, next: string) => void = () => {}): Answering {
  let given = 0;
  return (asked, response) => {
    given += 1;
    onUse(asked.form.get('refresh_token') ?? '', `refresh token number ${given}`);
    const answer = {
      access_token: `access ${given}`,
      token_type: 'Bearer',
      expires_in: 3600,
      refresh_token: `refresh token number ${given}`,
    };
    return json(answer)(asked, response);
  };
}

async function world(answering: Answering) {
  const endpoint = await startTokenEndpoint(answering);
  onTestFinished(() => endpoint.stop());
  const made = await tokenWorld({ ca: endpoint.ca });
  await made.put('refresh', 'refresh token number 0');
  return { ...made, endpoint, source: source(endpoint.url) };
}

describe('a rotated refresh token', () => {
  it('is sent with its scope and client, and nothing else', async () => {
    const { tokens, endpoint, source } = await world(rotating());
    await tokens.read(source, false);
    expect(Object.fromEntries(endpoint.asked[0]?.form ?? [])).toEqual({
      grant_type: 'refresh_token',
      refresh_token: 'refresh token number 0',
      scope: 'pop offline_access',
      client_id: 'mailferry',
    });
  });

  it('that is not there yet has somebody to be asked for it, where that can be done', async () => {
    const { tokens, source, folder, endpoint } = await world(rotating());
    await rm(join(folder, 'refresh'));
    const without = await refusal(tokens.read(source, false));
    expect(without).toMatchObject({ kind: 'person', code: 'E_SECRET_MISSING', reference: 'file:refresh' });
    expect(without.message).not.toContain('authorize');
    const deviceEndpoint = endpoint.url.replace('/token', '/device');
    const error = await refusal(tokens.read({ ...source, deviceEndpoint }, false));
    expect(error).toMatchObject({ kind: 'person', code: 'E_SECRET_MISSING', reference: 'file:refresh' });
    expect(error.message).toMatch(/no such file.*mailferry authorize\.$/);
    expect(endpoint.asked).toHaveLength(0);
  });

  it('stands in its place before anybody has the access token', async () => {
    const { options, source, get } = await world(rotating());
    const order: string[] = [];
    const saver: SecretSaver = {
      prove: options.saver.prove,
      async save(reference, secret, instead) {
        const saved = await options.saver.save(reference, secret, instead);
        order.push('saved');
        return saved;
      },
    };
    await accessTokens({ ...options, saver }).read(source, false);
    order.push('given out');
    expect(order).toEqual(['saved', 'given out']);
    expect(await get('refresh')).toBe('refresh token number 1');
  });

  it('that cannot be saved is kept, saved at the next attempt, and then goes on', async () => {
    const { options, source, get, endpoint } = await world(rotating());
    let full = true;
    const saver: SecretSaver = {
      prove: options.saver.prove,
      async save(reference, secret, instead) {
        if (!full) return options.saver.save(reference, secret, instead);
        throw new SecretError(`${reference}: the file cannot be replaced now (ENOSPC).`, {
          kind: 'later',
          code: 'E_SECRET_UNAVAILABLE',
          reference,
        });
      },
    };
    const tokens = accessTokens({ ...options, saver });
    for (let attempts = 0; attempts < 3; attempts += 1) {
      const error = await refusal(tokens.read(source, false));
      expect(error).toMatchObject({ kind: 'later', code: 'E_TOKEN_UNSAVED', reference: 'file:refresh' });
      expect(error.message).toContain('ENOSPC');
      expectHidden(error, 'refresh token number 1');
    }
    expect(endpoint.asked).toHaveLength(1);
    expect(await get('refresh')).toBe('refresh token number 0');
    full = false;
    await tokens.read(source, false);
    expect(endpoint.asked[1]?.form.get('refresh_token')).toBe('refresh token number 1');
    expect(await get('refresh')).toBe('refresh token number 2');
  });

  it.each([
    ['is of another type', { access_token: 'x', token_type: 'mac' }],
    ['is not there', {}],
  ])('is kept where the access token beside it %s', async (_, members) => {
    let given = 0;
    const { tokens, source, get } = await world((asked, response) => {
      given += 1;
      return json({ ...members, refresh_token: `refresh token number ${given}` })(asked, response);
    });
    const error = await refusal(tokens.read(source, false));
    expect(error).toMatchObject({ kind: 'later', code: 'E_TOKEN_ANSWER' });
    expectHidden(error, 'refresh token number 1');
    expect(await get('refresh')).toBe('refresh token number 1');
  });

  it('does not take the place of one that a person put there meanwhile', async () => {
    const { tokens, source, put, get } = await world(async (asked, response) => {
      await put('refresh', 'what a person just put there');
      await rotating()(asked, response);
    });
    await tokens.read(source, false);
    expect(await get('refresh')).toBe('what a person just put there');
  });

  it.each([
    ['env:SET', 'E_SECRET_SCHEME', 'Put it into file:'],
    ['file:absent/refresh', 'E_SECRET_MISSING', 'no such file'],
    ['file:readonly/refresh', 'E_SECRET_DENIED', 'may write to'],
  ])('in %s is refused before the old one is used up', async (reference, code, next) => {
    const { options, source, endpoint } = await world(rotating());
    const secrets = {
      // Root can write everywhere: a folder that is gone by the time of the look stands for one that may not be written.
      async read(asked: string, fresh: boolean) {
        return asked.startsWith('file:readonly') ? new Secret('x') : options.secrets.read(asked, fresh);
      },
    };
    const tokens = accessTokens({ ...options, secrets });
    const error = await refusal(tokens.read({ ...source, refreshToken: reference }, false));
    expect(error).toMatchObject({ kind: 'person', code, reference });
    expect(error.message).toContain(next);
    expect(endpoint.asked).toHaveLength(0);
  });

  it('is saved once a day where the provider leaves the old one alive', async () => {
    const authority = await createAuthority();
    const host = 'login.microsoftonline.com';
    const pair = await issue(authority, { names: [host] });
    const endpoint = await startTokenEndpoint(rotating(), { ...pair, ca: authority.cert });
    onTestFinished(() => endpoint.stop());
    const { tokens, put, get, clock } = await tokenWorld({
      ca: endpoint.ca,
      resolve: async () => [{ address: '127.0.0.1', family: 4 }],
    });
    await put('refresh', 'refresh token number 0');
    const microsoft = source(endpoint.url.replace('localhost', host));
    for (let hours = 0; hours < 24; hours += 1) {
      await tokens.read(microsoft, false);
      expect(await get('refresh')).toBe('refresh token number 1');
      clock.ms += 3600_000;
    }
    await tokens.read(microsoft, false);
    expect(await get('refresh')).toBe('refresh token number 25');
  });

  it.each([1, 2, 3, 4, 5])('is alive at the end of every race of two processes, round %i', async () => {
    // As servers with a grace period do: a used one stays good until one that came of it is used.
    const parentOf = new Map<string, string>();
    const dead = new Set<string>();
    const give = rotating((used, next) => {
      parentOf.set(next, used);
      for (let token = parentOf.get(used); token !== undefined; token = parentOf.get(token)) dead.add(token);
    });
    const { another, source, get } = await world((asked, response) => {
      const refused = dead.has(asked.form.get('refresh_token') ?? '');
      return (refused ? json({ error: 'invalid_grant' }, 400) : give)(asked, response);
    });
    const racers = [another(), another()];
    for (let round = 0; round < 4; round += 1) {
      await Promise.all(racers.map((tokens) => tokens.read(source, true).catch(() => {})));
      expect(dead).not.toContain(await get('refresh'));
    }
    await another().read(source, false);
  });

  it('of a shared secret is put back under its key', async () => {
    const { options, source, endpoint } = await world(rotating());
    const vault = await startSecretVault({
      accounts: JSON.stringify({ ada: 'refresh token number 0', bob: 'the token of somebody else' }),
    });
    onTestFinished(() => vault.stop());
    const manager = secretsManager({
      region: 'us-east-1',
      endpoint: vault.endpoint,
      credentials: { accessKeyId: 'AKIATEST', secretAccessKey: 'x'.repeat(40) },
      now: options.now,
      sleep: options.sleep,
      random: () => 0.5,
    });
    const tokens = accessTokens({ ...options, secrets: manager, saver: manager });
    const shared = { ...source, refreshToken: 'secretsmanager:accounts#ada' };
    await tokens.read(shared, false);
    await tokens.read(shared, true);
    expect(endpoint.asked.map(({ form }) => form.get('refresh_token'))).toEqual([
      'refresh token number 0',
      'refresh token number 1',
    ]);
    expect(JSON.parse(vault.secrets.get('accounts') ?? '')).toEqual({
      ada: 'refresh token number 2',
      bob: 'the token of somebody else',
    });
  });

  it.each(['refresh', 'client'])(
    'that is refused in words that repeat its %s secret shows nothing',
    async (name) => {
      const secrets = { refresh: 'refresh token number 0', client: 'the secret of the client' };
      const echoed = name === 'refresh' ? secrets.refresh : secrets.client;
      const { tokens, source, put } = await world(
        json({ error: 'invalid_client', error_description: `what is ${echoed}?` }, 401),
      );
      await put('client', secrets.client);
      const error = await refusal(tokens.read({ ...source, clientSecret: 'file:client' }, false));
      expect(error.message).toContain('withheld');
      for (const secret of Object.values(secrets)) expectHidden(error, secret);
    },
  );

  it('of a file that vanished meanwhile calls a person', async () => {
    const { tokens, source, folder } = await world(async (asked, response) => {
      await rm(join(folder, 'refresh'));
      await rotating()(asked, response);
    });
    const error = await refusal(tokens.read(source, false));
    expect(error).toMatchObject({ kind: 'person', code: 'E_TOKEN_UNSAVED' });
    expectHidden(error, 'refresh token number 1');
  });
});
