/** Access tokens that say nothing of themselves: a Dovecot asks the authorization server about each (RFC 7662). */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkMailbox } from '../../lib/fetch/check.ts';
import { runMailbox } from '../../lib/fetch/run.ts';
import { systemClock } from '../../lib/fetch/systemClock.ts';
import type { Mailbox } from '../../lib/mailbox/settings.ts';
import { dialTls } from '../../lib/pop3/dial.ts';
import { letter, mailboxNamed, World } from '../fetch/world.ts';
import { tokenWorld } from '../secrets/tokenWorld.ts';
import { type AuthorizationServer, authorizationServer } from '../servers/authorizationServer.ts';
import { startAskingDovecot } from '../servers/dovecotTokens.ts';
import { needing } from './endsParts.ts';

const { missing, title } = needing('access tokens that are introspected', 'dovecot');

const MINUTE_MS = 60_000;

describe.skipIf(missing)(title, () => {
  let issuer: AuthorizationServer;
  let dovecot: Awaited<ReturnType<typeof startAskingDovecot>>;
  let users = 0;

  beforeAll(async () => {
    issuer = await authorizationServer({ accessTokens: 'opaque', rotates: 'gently' });
    dovecot = await startAskingDovecot(process.env['MAILFERRY_DOVECOT'] ?? '', 6, issuer);
  });
  afterAll(async () => {
    await dovecot?.stop();
    await issuer?.stop();
  });

  /** A mailbox of its own with one letter; `consented`: who gave the consent that its tokens come from. */
  async function inbox(mechanism: 'xoauth2' | 'oauthbearer', consented?: string) {
    users += 1;
    const user = `u${users}`;
    await dovecot.server.put(user, [Buffer.from(letter(user))]);
    const around = await tokenWorld({ ca: issuer.ca });
    await around.put('client', issuer.clientSecret);
    await around.put('refresh', await issuer.consented('confidential', consented ?? user));
    const world = new World();
    const { host, port, ca } = dovecot.server;
    const token = {
      grant: 'refresh-token',
      tokenEndpoint: issuer.tokenEndpoint,
      clientId: 'confidential',
      clientSecret: 'file:client',
      refreshToken: 'file:refresh',
    } as const;
    const signIn = { mechanism, ...(mechanism === 'xoauth2' ? { initialResponse: false } : {}), token };
    const settings = { host, port, ca, user, password: undefined, signIn: signIn as Mailbox['signIn'] };
    const mailbox = mailboxNamed('inbox', settings);
    const ports = { ...world.ports, dial: dialTls({ timer: systemClock }), tokens: around.tokens };
    const deadlineMs = () => world.clock.now() + MINUTE_MS;
    const before = { asked: issuer.requests.length, told: issuer.introspections.length };
    return {
      world,
      letter: letter(user),
      run: () =>
        runMailbox(mailbox, ports, {
          ...{ deadlineMs: deadlineMs(), suspects: 'after', honourBackOff: false },
        }),
      check: () => checkMailbox(mailbox, ports, { deadlineMs: deadlineMs() }),
      /** Statuses of the token endpoint, and whether each token that Dovecot asked about was good. */
      asked: () => issuer.requests.slice(before.asked).map(({ status }) => status),
      told: () => issuer.introspections.slice(before.told),
    };
  }

  it.each(['xoauth2', 'oauthbearer'] as const)('are taken by %s, one for all runs', async (mechanism) => {
    const { world, run, asked, told, letter: mail } = await inbox(mechanism);
    for (let runs = 0; runs < 2; runs += 1)
      expect(await run()).toMatchObject({ outcome: 'done', signIns: 1 });
    expect(await world.contents()).toEqual([mail]);
    expect(asked()).toEqual([200]);
    expect(told()).not.toContain(false);
    expect(told().length).toBeGreaterThan(0);
  });

  it('that were withdrawn are had anew once, within the run', async () => {
    const { run, asked, told } = await inbox('xoauth2');
    expect(await run()).toMatchObject({ outcome: 'done', signIns: 1 });
    await issuer.revoke('access tokens');
    expect(await run()).toMatchObject({ outcome: 'done', error: null });
    expect(asked()).toEqual([200, 200]);
    expect(told()).toContain(false);
    expect(told().at(-1)).toBe(true);
  });

  it('whose consent is withdrawn end at once, and a person is called', async () => {
    const { run, asked } = await inbox('oauthbearer');
    expect(await run()).toMatchObject({ outcome: 'done' });
    await issuer.revoke();
    expect(await run()).toMatchObject({
      outcome: 'failed',
      error: { kind: 'person', code: 'E_TOKEN_REVOKED' },
    });
    expect(asked()).toEqual([200, 400]);
  });

  it('of somebody else open no mailbox, and check says that nothing can be read in them', async () => {
    const { run, check, told, world } = await inbox('xoauth2', 'somebody');
    expect(await run()).toMatchObject({ outcome: 'failed', error: { code: 'E_POP3_TOKEN_REFUSED' } });
    // It was good, and of another.
    expect(told().at(-1)).toBe(true);
    expect((await world.contents()).length).toBe(0);
    const { steps } = await check();
    const failed = steps.find(({ name }) => name === 'sign-in');
    expect(failed).toMatchObject({ ok: false, facts: { token: 'opaque' } });
    expect((await dovecot.refusals()).length).toBeGreaterThan(0);
  });
});
