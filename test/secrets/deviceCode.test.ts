import { describe, expect, it } from 'vitest';
import { approval, deviceCode } from '../../lib/secrets/deviceCode.ts';
import type { RefreshToken } from '../../lib/secrets/oauthRefresh.ts';
import { tokenRequests } from '../../lib/secrets/tokenRequests.ts';
import { type Answering, json } from '../servers/tokenEndpoint.ts';
import { expectHidden, refusal } from './hiding.ts';
import { scriptedWorld } from './tokenWorld.ts';

const CODE = {
  device_code: 'a device code of the test',
  user_code: 'ABCD-EFGH',
  verification_uri: 'https://login.example.org/device',
  expires_in: 900,
};
const GOOD = { access_token: 'a', token_type: 'Bearer', expires_in: 3600, refresh_token: 'a refresh token' };

/** Answers the device endpoint with `code`, and the token endpoint with each of `answers` in turn. */
async function flow(answers: readonly Answering[], code: object = CODE) {
  const left = [...answers];
  const { endpoint, clock, waitsMs } = await scriptedWorld((asked, response) => {
    if (asked.path === '/device') return json(code)(asked, response);
    return (left.shift() ?? json({ error: 'invalid_grant' }, 400))(asked, response);
  });
  const source: RefreshToken = {
    grant: 'refresh-token',
    tokenEndpoint: endpoint.url,
    deviceEndpoint: endpoint.url.replace('/token', '/device'),
    clientId: 'mailferry',
    scope: 'pop offline_access',
    refreshToken: 'file:refresh',
  };
  const ports = {
    post: tokenRequests({ reach: 'any', ca: endpoint.ca }),
    now: () => clock.ms,
    sleep: async (ms: number) => {
      waitsMs.push(ms);
      clock.ms += ms;
    },
  };
  const ask = () => deviceCode(source, undefined, ports);
  const run = async () => approval(source, undefined, await ask(), ports);
  return { ask, run, endpoint, clock, waitsMs };
}

const refused = (error: string) => json({ error }, 400);
const pending = refused('authorization_pending');

describe('a device code', () => {
  it('is asked for with the scope, and waited for as the server says', async () => {
    const { run, endpoint, waitsMs } = await flow([pending, pending, json(GOOD)], { ...CODE, interval: 7 });
    expect((await run()).reveal()).toBe('a refresh token');
    expect(waitsMs).toEqual([7_000, 7_000, 7_000]);
    const [code, first] = endpoint.asked.map(({ form }) => Object.fromEntries(form));
    expect(code).toEqual({ client_id: 'mailferry', scope: 'pop offline_access' });
    expect(first).toEqual({
      grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
      device_code: 'a device code of the test',
      client_id: 'mailferry',
    });
  });

  it.each([
    ['none', {}],
    ['0', { interval: 0 }],
    ['null', { interval: null }],
    ['text', { interval: '5' }],
  ])('is waited for 5 s where the interval is %s', async (_, more) => {
    const { run, waitsMs } = await flow([pending, json(GOOD)], { ...CODE, ...more });
    await run();
    expect(waitsMs).toEqual([5_000, 5_000]);
  });

  it('is understood where a refusal comes with 200', async () => {
    const { run, waitsMs } = await flow([json({ error: 'authorization_pending' }), json(GOOD)]);
    await run();
    expect(waitsMs).toEqual([5_000, 5_000]);
    const said = await refusal((await flow([json({ error: 'access_denied' })])).run());
    expect(said).toMatchObject({ kind: 'person', oauthError: 'access_denied' });
  });

  it('is good for a day at most', async () => {
    const { ask, clock } = await flow([], { ...CODE, expires_in: 1e18 });
    expect((await ask()).expiresAtMs - clock.ms).toBe(24 * 3_600_000);
  });

  it('has its address in verification_url as well', async () => {
    const { run } = await flow([json(GOOD)], {
      ...{ ...CODE, verification_uri: undefined, verification_uri_complete: null },
      verification_url: 'https://login.example.org/device',
    });
    expect((await run()).reveal()).toBe('a refresh token');
  });

  it('is waited for longer each time that the server says slow_down', async () => {
    const slower = refused('slow_down');
    const { run, waitsMs } = await flow([pending, slower, slower, pending, json(GOOD)]);
    await run();
    expect(waitsMs).toEqual([5_000, 5_000, 10_000, 15_000, 15_000]);
  });

  it('outlives an endpoint that does not answer now and then', async () => {
    const reset: Answering = (_, response) => {
      response.destroy();
    };
    const { run, waitsMs } = await flow([reset, json({}, 503), json({}, 500), pending, json(GOOD)]);
    await run();
    expect(waitsMs).toEqual([5_000, 10_000, 20_000, 40_000, 40_000]);
  });

  it('is given up when it expires, whoever says so', async () => {
    const later = await flow(
      Array.from({ length: 100 }, () => pending),
      { ...CODE, expires_in: 60 },
    );
    const error = await refusal(later.run());
    expect(error).toMatchObject({ kind: 'person', code: 'E_TOKEN_REFUSED', oauthError: 'expired_token' });
    expect(error.message).toContain('mailferry authorize');
    expect(later.waitsMs.length).toBe(12);
    const said = await refusal((await flow([pending, refused('expired_token')])).run());
    expect(said).toMatchObject({ kind: 'person', oauthError: 'expired_token' });
    expect(said.message).toContain('in time');
  });

  it.each(['access_denied', 'authorization_declined', 'invalid_client'])(
    'is given up at %s',
    async (said) => {
      const { run, waitsMs } = await flow([pending, refused(said), json(GOOD)]);
      const error = await refusal(run());
      expect(error).toMatchObject({ kind: 'person', code: 'E_TOKEN_REFUSED' });
      expect(error.message).toContain(said);
      expect(waitsMs).toHaveLength(2);
      expectHidden(error, CODE.device_code);
    },
  );

  it('that gives no refresh token says what the scope may lack', async () => {
    const { run } = await flow([json({ ...GOOD, refresh_token: undefined })]);
    const error = await refusal(run());
    expect(error).toMatchObject({ kind: 'person', code: 'E_TOKEN_REFUSED' });
    expect(error.message).toContain('offline_access');
  });

  it.each([
    ['no code', { ...CODE, device_code: undefined }],
    ['no address', { ...CODE, verification_uri: undefined }],
    ['no end', { ...CODE, expires_in: undefined }],
  ])('with %s is no answer', async (_, code) => {
    const { run } = await flow([], code);
    expect(await refusal(run())).toMatchObject({ kind: 'later', code: 'E_TOKEN_ANSWER' });
  });
});
