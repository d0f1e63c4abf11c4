/** mailferry authorize: a person allows a mailbox by the pages of a real authorization server. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { type Authorizing, authorize } from '../../bin/commands/authorize.ts';
import { EXIT, UsageError } from '../../bin/exitCodes.ts';
import { troubleOf } from '../../lib/fetch/trouble.ts';
import type { TokenSource } from '../../lib/secrets/port.ts';
import { tokenRequests } from '../../lib/secrets/tokenRequests.ts';
import { expectHidden } from '../secrets/hiding.ts';
import { realWorld } from '../secrets/tokenWorld.ts';

async function authorizing(changes: Partial<Authorizing> = {}) {
  const world = await realWorld();
  const { server, byRefresh, options } = world;
  const said: string[] = [];
  const abort = new AbortController();
  const given: Authorizing = {
    mailbox: 'support',
    source: { ...byRefresh, scope: 'offline_access pop' },
    secrets: options.secrets,
    saver: options.saver,
    post: tokenRequests({ reach: 'any', ca: server.ca }),
    now: () => Date.now(),
    // The server's five seconds are its own affair: it says when it was too soon.
    sleep: (_, signal) => wait(30, undefined, { signal }),
    troubleOf: (error) => troubleOf(error, 'support'),
    terminal: {
      out: (text) => said.push(text),
      err: (text) => said.push(text),
      json: (value) => said.push(JSON.stringify(value)),
      live: () => {},
      isLive: false,
    },
    json: false,
    signal: abort.signal,
    ...changes,
  };
  const userCode = async () => {
    await expect.poll(() => said.join('\n'), { timeout: 30_000 }).toMatch(CODE);
    return CODE.exec(said.join('\n'))?.[1] ?? '';
  };
  return { ...world, given, said, abort, userCode };
}

/** oidc-provider's letters and form. */
const CODE = /\b([BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4})\b/;

describe('mailferry authorize', () => {
  it('shows where to go and the code, waits, and saves what mail can then be fetched with', async () => {
    const { given, said, userCode, server, tokens, get, byRefresh } = await authorizing();
    const ended = authorize(given);
    const code = await userCode();
    expect(said[0]).toContain(`${server.issuer}/device`);
    expect(said[0]).toMatch(/good for (10|9) min/);
    await server.decide(code, 'allow');
    expect(await ended).toBe(EXIT.done);
    expect(said.at(-1)).toBe('support: allowed; the refresh token is saved in file:refresh');
    const saved = await get('refresh');
    expect(saved.length).toBeGreaterThan(20);
    for (const text of said) expectHidden(text, saved);
    expect((await tokens.read(byRefresh, false)).reveal()).toMatch(/^ey/);
  });

  it('takes the place of a refresh token that is dead', async () => {
    const { given, userCode, server, put, get, tokens, byRefresh } = await authorizing();
    await put('refresh', 'a dead refresh token');
    const ended = authorize(given);
    await server.decide(await userCode(), 'allow');
    expect(await ended).toBe(EXIT.done);
    expect(await get('refresh')).not.toBe('a dead refresh token');
    await tokens.read(byRefresh, false);
  });

  it('does not take the place of the secrets of all accounts, and asks nobody for anything', async () => {
    const { given, said, server, put, get } = await authorizing();
    const all = '{"ada": "a secret of the test"}';
    await put('refresh', all);
    expect(await authorize(given)).toBe(EXIT.person);
    expect(said).toEqual([
      expect.stringMatching(/file:refresh: .* whole JSON object.*#KEY.*E_SECRET_MALFORMED/),
    ]);
    expectHidden(said[0], 'a secret of the test');
    expect(await get('refresh')).toBe(all);
    expect(server.requests).toEqual([]);
  });

  it('says so as JSON, a line a step', async () => {
    const { given, said, userCode, server } = await authorizing({ json: true });
    const ended = authorize(given);
    const code = await userCode();
    await server.decide(code, 'allow');
    expect(await ended).toBe(EXIT.done);
    const [shown, saved, ...more] = said.map((line) => JSON.parse(line));
    expect(shown).toEqual({
      mailbox: 'support',
      step: 'code',
      verificationUri: `${server.issuer}/device`,
      verificationUriComplete: `${server.issuer}/device?user_code=${code}`,
      userCode: code,
      expiresAt: expect.stringMatching(/^\d{4}-.*Z$/),
    });
    expect(saved).toEqual({ mailbox: 'support', step: 'saved', reference: 'file:refresh' });
    expect(more).toEqual([]);
  });

  it('ends when the person says no', async () => {
    const { given, said, userCode, server, folder } = await authorizing();
    const ended = authorize(given);
    await server.decide(await userCode(), 'deny');
    expect(await ended).toBe(EXIT.person);
    expect(said.at(-1)).toContain('access_denied');
    await expect(readFile(join(folder, 'refresh'))).rejects.toThrow('ENOENT');
  });

  it('ends when the code is out of its time', async () => {
    const { given, said, userCode, server } = await authorizing({ json: true });
    const ended = authorize(given);
    await userCode();
    server.expire();
    expect(await ended).toBe(EXIT.person);
    expect(JSON.parse(said.at(-1) ?? '')).toMatchObject({
      mailbox: 'support',
      error: { code: 'E_TOKEN_REFUSED', kind: 'person', message: expect.stringContaining('expired_token') },
    });
  });

  it('ends in order at Ctrl-C', async () => {
    const { given, said, userCode, abort, folder } = await authorizing();
    const ended = authorize(given);
    await userCode();
    abort.abort();
    expect(await ended).toBe(EXIT.interrupted);
    expect(said.at(-1)).toBe('support: interrupted; nothing was changed');
    await expect(readFile(join(folder, 'refresh'))).rejects.toThrow('ENOENT');
  });

  it.each([
    ['env:REFRESH', EXIT.person, 'Put it into file:'],
    ['file:client/refresh', EXIT.person, 'may write to'],
  ])('asks nobody where nothing can be saved: %s', async (refreshToken, code, words) => {
    const { given, said, server } = await authorizing();
    const source = { ...given.source, refreshToken } as TokenSource;
    expect(await authorize({ ...given, source })).toBe(code);
    expect(said.join()).toContain(words);
    expect(said.join()).not.toMatch(CODE);
    expect(server.requests).toHaveLength(0);
  });

  it('is told apart where the endpoint cannot be reached', async () => {
    const { given, said, server } = await authorizing();
    await server.stop();
    expect(await authorize(given)).toBe(EXIT.later);
    expect(said.at(-1)).toContain('E_TOKEN_UNREACHABLE');
  });

  it.each([
    ['by password', undefined],
    ['by a reference', { from: 'file:token' }],
  ])('is refused for a mailbox that signs in %s', async (_, source) => {
    const { given } = await authorizing();
    await expect(authorize({ ...given, source })).rejects.toThrow(UsageError);
  });

  it('is refused without an endpoint for device codes', async () => {
    const { given, byRefresh } = await authorizing();
    const source = { ...byRefresh, deviceEndpoint: undefined };
    await expect(authorize({ ...given, source })).rejects.toThrow('deviceEndpoint');
  });
});
