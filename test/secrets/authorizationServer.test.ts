/** Every grant against a real authorization server: what it gives is a token that its own keys vouch for. */
import { createLocalJWKSet, decodeProtectedHeader, jwtVerify } from 'jose';
import { describe, expect, it } from 'vitest';
import { Secret } from '../../lib/secrets/port.ts';
import { MARGIN_MS } from '../../lib/secrets/tokenCache.ts';
import { HOLD_PERSON_MS } from '../../lib/secrets/tokenErrors.ts';
import { accessTokens } from '../../lib/secrets/tokens.ts';
import { expectHidden, refusal } from './hiding.ts';
import { realWorld } from './tokenWorld.ts';

type World = Awaited<ReturnType<typeof realWorld>>;

async function claimsOf(token: string, { server }: World) {
  const keys = createLocalJWKSet({ keys: [...(await server.jwks()).keys] });
  return (await jwtVerify(token, keys, { issuer: server.issuer, audience: server.audience })).payload;
}

async function consentedWorld() {
  const world = await realWorld();
  const first = await world.server.consented('confidential', 'ada@example.org');
  await world.put('refresh', first);
  return { ...world, first };
}

describe('a refresh token', () => {
  it('is exchanged for a token of its mailbox, and the one it turns into is saved by then', async () => {
    const world = await consentedWorld();
    const { tokens, byRefresh, server, first, get, another } = world;
    const token = await tokens.read(byRefresh, false);
    expect(await claimsOf(token.reveal(), world)).toMatchObject({
      email: 'ada@example.org',
      scope: expect.stringContaining(server.scope),
    });
    expect(await get('refresh')).not.toBe(first);
    // What was saved is good: another process goes on with it.
    await another().read(byRefresh, false);
    expect(server.requests.map(({ status }) => status)).toEqual([200, 200]);
  });

  it('of a server that keeps it is left as it is', async () => {
    const { server, tokens, byRefresh, put, get } = await realWorld({ rotates: false });
    const only = await server.consented('confidential', 'ada@example.org');
    await put('refresh', only);
    await tokens.read(byRefresh, false);
    await tokens.read(byRefresh, true);
    expect(server.requests).toHaveLength(2);
    expect(await get('refresh')).toBe(only);
  });

  it('of a public client takes no secret', async () => {
    const { server, tokens, byRefresh, put } = await realWorld();
    await put('refresh', await server.consented('public', 'ada@example.org'));
    const { clientSecret: _, ...source } = byRefresh;
    await tokens.read({ ...source, clientId: 'public' }, false);
  });

  it('that was used already ends the consent, and that calls a person after one look for a newer one', async () => {
    const { tokens, byRefresh, first, put, get, waitsMs, server } = await consentedWorld();
    await tokens.read(byRefresh, false);
    const newest = await get('refresh');
    await put('refresh', first);
    const error = await refusal(tokens.read(byRefresh, true));
    expect(error).toMatchObject({ kind: 'person', code: 'E_TOKEN_REVOKED', reference: 'file:refresh' });
    expect(error.message).toContain('invalid_grant');
    expect(error.message).toContain('mailferry authorize');
    for (const secret of [first, newest, server.clientSecret]) expectHidden(error, secret);
    expect(waitsMs).toEqual([2_000]);
    await put('refresh', newest);
    expect((await refusal(tokens.read(byRefresh, false))).code).toBe('E_TOKEN_REVOKED');
  });

  it('that another process has exchanged and saved meanwhile is no reason to call anybody', async () => {
    const { byRefresh, put, server, options, another, first } = await consentedWorld();
    await another().read(byRefresh, false);
    // What the loser read before the winner saved; from its second look on it sees what stands there.
    let looks = 0;
    const late = {
      async read(reference: string, fresh: boolean) {
        if (reference !== 'file:refresh' || ++looks > 2) return options.secrets.read(reference, fresh);
        return new Secret(first);
      },
    };
    // This server ends a consent of which a used token is shown; what stands there is of one that goes on.
    await put('refresh', await server.consented('confidential', 'ada@example.org'));
    await accessTokens({ ...options, secrets: late }).read(byRefresh, false);
    expect(server.requests.map(({ status }) => status)).toEqual([200, 400, 200]);
  });

  it('whose consent was withdrawn is not tried again until it changes, or for an hour', async () => {
    const { tokens, byRefresh, server, put, clock } = await consentedWorld();
    await server.revoke();
    const all = Array.from({ length: 100 }, () => refusal(tokens.read(byRefresh, false)));
    for (const error of await Promise.all(all)) expect(error.code).toBe('E_TOKEN_REVOKED');
    for (let mailbox = 0; mailbox < 100; mailbox += 1) await refusal(tokens.read(byRefresh, true));
    expect(server.requests).toHaveLength(1);
    clock.ms += HOLD_PERSON_MS - 1;
    await refusal(tokens.read(byRefresh, false));
    expect(server.requests).toHaveLength(1);
    clock.ms += 1;
    await refusal(tokens.read(byRefresh, false));
    expect(server.requests).toHaveLength(2);
    await put('refresh', await server.consented('confidential', 'ada@example.org'));
    await tokens.read(byRefresh, false);
    expect(server.requests).toHaveLength(3);
  });

  it('that is past its time calls a person', async () => {
    const { tokens, byRefresh, server } = await consentedWorld();
    server.expire();
    expect(await refusal(tokens.read(byRefresh, false))).toMatchObject({
      kind: 'person',
      code: 'E_TOKEN_REVOKED',
    });
  });

  it('is exchanged by one source after another where two share it', async () => {
    const { tokens, byRefresh, server } = await consentedWorld();
    const other = { ...byRefresh, scope: server.scope };
    await Promise.all([tokens.read(byRefresh, false), tokens.read(other, false)]);
    expect(server.requests.map(({ status }) => status)).toEqual([200, 200]);
  });
});

describe('client credentials', () => {
  it('give a token, once for all who ask at once, and until shortly before its end', async () => {
    const world = await realWorld();
    const { tokens, byClient, server, clock } = world;
    const read = await Promise.all(Array.from({ length: 50 }, () => tokens.read(byClient, false)));
    expect(new Set(read.map((token) => token.reveal())).size).toBe(1);
    expect(await claimsOf(read[0]?.reveal() ?? '', world)).toMatchObject({ client_id: 'confidential' });
    clock.ms += 3600_000 - MARGIN_MS - 1;
    await tokens.read(byClient, false);
    expect(server.requests).toHaveLength(1);
    clock.ms += 1;
    await tokens.read(byClient, false);
    expect(server.requests).toHaveLength(2);
  });

  it('give another token after a refused one', async () => {
    const { tokens, byClient, server } = await realWorld();
    const first = await tokens.read(byClient, false);
    const second = await tokens.read(byClient, true);
    expect(second.reveal()).not.toBe(first.reveal());
    expect((await tokens.read(byClient, false)).reveal()).toBe(second.reveal());
    expect(server.requests).toHaveLength(2);
  });

  it('give tokens by the new key once the server has changed it', async () => {
    const world = await realWorld();
    const { tokens, byClient, server } = world;
    const before = (await tokens.read(byClient, false)).reveal();
    await server.rotateKeys();
    const after = (await tokens.read(byClient, true)).reveal();
    expect(decodeProtectedHeader(after).kid).not.toBe(decodeProtectedHeader(before).kid);
    await claimsOf(before, world);
    await claimsOf(after, world);
  });

  it.each([
    ['a wrong secret', 'E_TOKEN_REFUSED', 'invalid_client', 'clientSecret', {}],
    ['a wrong scope', 'E_TOKEN_REFUSED', 'invalid_scope', 'Correct the scope', { scope: 'imap' }],
    ['an unknown client', 'E_TOKEN_REFUSED', 'invalid_client', 'clientId', { clientId: 'nobody' }],
    [
      'a client without the right',
      'E_TOKEN_REFUSED',
      'not allowed for this client',
      'See what the provider says',
      { clientId: 'limited' },
    ],
  ])('%s calls a person', async (what, code, said, next, change) => {
    const { tokens, byClient, put, server } = await realWorld();
    const wrong = 'not the right secret at all';
    if (what === 'a wrong secret') await put('client', wrong);
    const error = await refusal(tokens.read({ ...byClient, ...change }, false));
    expect(error).toMatchObject({ kind: 'person', code, reference: 'file:client' });
    expect(error.message).toContain(said);
    expect(error.message).toContain(next);
    expectHidden(error, server.clientSecret);
    expectHidden(error, wrong);
  });

  it('work again as soon as the secret is corrected', async () => {
    const { tokens, byClient, put, server } = await realWorld();
    await put('client', 'not the right secret at all');
    await refusal(tokens.read(byClient, false));
    await put('client', server.clientSecret);
    await tokens.read(byClient, false);
  });
});
