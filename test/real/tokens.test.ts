/** Mail by access tokens: a real authorization server, a Dovecot that checks what it signed, and all that may go wrong. */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { EXIT } from '../../bin/exitCodes.ts';
import { checkMailbox } from '../../lib/fetch/check.ts';
import { type RunOptions, runMailbox } from '../../lib/fetch/run.ts';
import { systemClock } from '../../lib/fetch/systemClock.ts';
import type { Mailbox } from '../../lib/mailbox/settings.ts';
import { dialTls } from '../../lib/pop3/dial.ts';
import type { TokenSource, Tokens } from '../../lib/secrets/port.ts';
import { accessTokens } from '../../lib/secrets/tokens.ts';
import { startMailferry, workFolder } from '../bin/harness.ts';
import { EXCHANGE } from '../fetch/tokens.ts';
import { letter, mailboxNamed, World } from '../fetch/world.ts';
import { tokenWorld } from '../secrets/tokenWorld.ts';
import {
  type AuthorizationServer,
  type AuthorizationServerOptions,
  authorizationServer,
} from '../servers/authorizationServer.ts';
import { startTokenDovecot, type TokenDovecot } from '../servers/dovecotTokens.ts';
import { needing } from './endsParts.ts';

const { missing, title } = needing('access tokens', 'dovecot');

const MINUTE_MS = 60_000;

const ISSUERS = {
  usual: {},
  gentle: { rotates: 'gently' },
  /** Its tokens are over soon. */
  brief: { lifeSeconds: 4 },
} as const satisfies Readonly<Record<string, AuthorizationServerOptions>>;
type IssuerName = keyof typeof ISSUERS;

const dial = dialTls({ timer: systemClock });

describe.skipIf(missing)(title, () => {
  const issuers = new Map<IssuerName, AuthorizationServer>();
  let dovecot: TokenDovecot;
  let users = 0;

  const issuer = (name: IssuerName): AuthorizationServer => {
    const found = issuers.get(name);
    if (found === undefined) throw new Error('It has not been started.');
    return found;
  };

  beforeAll(async () => {
    for (const name of Object.keys(ISSUERS) as IssuerName[])
      issuers.set(name, await authorizationServer(ISSUERS[name]));
    const all = [issuer('usual'), issuer('gentle'), issuer('brief')] as const;
    dovecot = await startTokenDovecot(process.env['MAILFERRY_DOVECOT'] ?? '', 12, all);
  });
  afterAll(async () => {
    await dovecot?.stop();
    for (const each of issuers.values()) await each.stop();
  });

  /** A mailbox of its own with one letter, and how it signs in. */
  async function newMailbox(name: IssuerName) {
    users += 1;
    const user = `u${users}`;
    const { tokenEndpoint, scope } = issuer(name);
    await dovecot.server.put(user, [Buffer.from(letter(user))]);
    const client = { tokenEndpoint, clientId: 'confidential', clientSecret: 'file:client' } as const;
    const byRefresh = { grant: 'refresh-token', ...client, refreshToken: 'file:refresh' } as const;
    const byClient = { grant: 'client-credentials', ...client, scope } as const;
    return { user, byRefresh, byClient, consent: () => issuer(name).consented('confidential', user) };
  }

  function settings(user: string, token: TokenSource): Partial<Mailbox> {
    const { host, port, ca } = dovecot.server;
    const signIn = { mechanism: 'xoauth2', initialResponse: false, token } as const;
    return { ...{ host, port, ca, user }, password: undefined, signIn: signIn as Mailbox['signIn'] };
  }

  describe('as processes', () => {
    /** A folder with settings of one mailbox, and its secrets in files. */
    async function commandFor(name: IssuerName, user: string, token: TokenSource, refreshToken: string) {
      const cwd = await workFolder();
      const mailbox = { id: 'inbox', ...settings(user, token) };
      const file = { store: { folder: 'store' }, mailboxes: [mailbox] };
      await writeFile(join(cwd, 'mailferry.yaml'), JSON.stringify(file));
      await writeFile(join(cwd, 'issuer.pem'), issuer(name).ca);
      await writeFile(join(cwd, 'client'), issuer(name).clientSecret);
      await writeFile(join(cwd, 'refresh'), refreshToken, { mode: 0o640 });
      const env = { NODE_EXTRA_CA_CERTS: join(cwd, 'issuer.pem') };
      return {
        fetch: () => startMailferry(['fetch'], { cwd, env }).ended,
        standing: async () => (await readFile(join(cwd, 'refresh'), 'utf8')).trimEnd(),
        async stored() {
          const folder = join(cwd, 'store', 'mail', 'inbox');
          const names = (await readdir(folder)).filter((each) => each.endsWith('.eml'));
          return (await Promise.all(names.map((each) => readFile(join(folder, each), 'latin1')))).sort();
        },
      };
    }

    it('each fetches with the refresh token that the one before it was given and saved', async () => {
      const { user, byRefresh, consent } = await newMailbox('usual');
      const first = await consent();
      const { fetch, standing, stored } = await commandFor('usual', user, byRefresh, first);
      expect(await fetch()).toMatchObject({ code: EXIT.done, stderr: '' });
      const second = await standing();
      expect(second).not.toBe(first);
      const more = letter('more', '.dots\r\n..and bare \r CR, 8-bit \xe4, NUL \0\r\n');
      await dovecot.server.put(user, [Buffer.from(more, 'latin1')]);
      expect(await fetch()).toMatchObject({ code: EXIT.done, stderr: '' });
      expect([first, second]).not.toContain(await standing());
      expect(await stored()).toEqual([letter(user), more].sort());
    });

    it('two at once leave a token that is good, and each message once', async () => {
      const { user, byRefresh, consent } = await newMailbox('gentle');
      const { fetch, standing, stored } = await commandFor('gentle', user, byRefresh, await consent());
      const before = issuer('gentle').requests.length;
      const ended = await Promise.all([fetch(), fetch()]);
      for (const { code, stdout } of ended) expect(code, stdout).toBe(EXIT.done);
      const left = await standing();
      expect(await fetch()).toMatchObject({ code: EXIT.done });
      expect(await standing()).not.toBe(left);
      expect(await stored()).toEqual([letter(user)]);
      expect(
        issuer('gentle')
          .requests.slice(before)
          .map(({ status }) => status),
      ).toEqual([200, 200, 200]);
    });
  });

  /** Runs in this process, over a clock that can be moved; token endpoints and servers are real. */
  async function inProcess(name: IssuerName, more: Partial<Mailbox> = {}) {
    const { user, byRefresh, byClient, consent } = await newMailbox(name);
    const around = await tokenWorld({ ca: issuer(name).ca });
    await around.put('client', issuer(name).clientSecret);
    await around.put('refresh', await consent());
    const world = new World();
    const before = issuer(name).requests.length;
    const portsWith = (tokens: Tokens) => ({
      ...world.ports,
      // Whatever it is called, it is this server.
      dial: (...[endpoint, ...rest]: Parameters<typeof dial>) =>
        dial({ ...endpoint, host: dovecot.server.host, port: dovecot.server.port }, ...rest),
      tokens,
    });
    const mailboxWith = (token: TokenSource) => mailboxNamed('inbox', { ...settings(user, token), ...more });
    const run = (token: TokenSource, tokens = around.tokens, options: Partial<RunOptions> = {}) =>
      runMailbox(mailboxWith(token), portsWith(tokens), {
        ...{ deadlineMs: world.clock.now() + MINUTE_MS, suspects: 'after', honourBackOff: false },
        ...options,
      });
    return {
      ...{ ...around, world, user, byRefresh, byClient, consent, run },
      check: (token: TokenSource) =>
        checkMailbox(mailboxWith(token), portsWith(around.tokens), {
          deadlineMs: world.clock.now() + MINUTE_MS,
        }),
      asked: () => issuer(name).requests.slice(before),
      /** What tokens say, until the test is over. */
      claim(claims: Readonly<Record<string, string>>) {
        issuer(name).claim(claims);
        onTestFinished(() =>
          issuer(name).claim(Object.fromEntries(Object.keys(claims).map((each) => [each, null]))),
        );
      },
      told: () => world.publisher.accepted.filter(({ detailType }) => detailType.startsWith('Mailbox ')),
    };
  }

  it('are had by client credentials, once for all runs', async () => {
    const { run, byClient, user, asked, world, claim } = await inProcess('usual');
    // An application's own token is nobody's.
    claim({ email: user });
    for (let runs = 0; runs < 3; runs += 1)
      expect(await run(byClient)).toMatchObject({ outcome: 'done', signIns: 1 });
    expect(await world.contents()).toEqual([letter(user)]);
    expect(asked()).toEqual([{ grantType: 'client_credentials', status: 200 }]);
  });

  it('that end between two sign-ins are had anew once, and the run goes on', async () => {
    const { run, byRefresh, user, asked, world, tokens, get } = await inProcess('brief');
    expect(await run(byRefresh)).toMatchObject({ outcome: 'done' });
    // The clock of the tokens stands still, as one that is behind would: to it the token is good.
    const held = (await tokens.read(byRefresh, false)).reveal();
    const [asks, refusals] = [asked().length, (await dovecot.refusals()).length];
    const { exp } = JSON.parse(Buffer.from(held.split('.')[1] ?? '', 'base64url').toString());
    await expect.poll(() => Date.now() / 1000 > exp + 1, { timeout: 30_000 }).toBe(true);
    const standing = await get('refresh');
    await dovecot.server.put(user, [Buffer.from(letter('later'))]);
    expect(await run(byRefresh)).toMatchObject({ outcome: 'done', counts: { stored: 1 } });
    expect(asked().slice(asks)).toEqual([{ grantType: 'refresh_token', status: 200 }]);
    expect((await dovecot.refusals()).slice(refusals)).toHaveLength(1);
    expect(await get('refresh')).not.toBe(standing);
    expect(await world.contents()).toEqual([letter(user), letter('later')].sort());
  });

  it('whose grant was revoked call a person at once and once, and the endpoint is asked a few times a day', async () => {
    const { run, byRefresh, asked, world, told, options, put, consent } = await inProcess('gentle');
    await issuer('gentle').revoke();
    for (let minutes = 0; minutes < 24 * 60; minutes += 5) {
      world.skewMs = minutes * MINUTE_MS;
      // A function that starts cold has no cache: what the state says is all that spares the endpoint.
      const report = await run(byRefresh, accessTokens(options), { honourBackOff: true });
      if (minutes > 0) continue;
      expect(report.error).toMatchObject({ kind: 'person', code: 'E_TOKEN_REVOKED', phase: 'secret' });
      expect(report.error?.diagnosis?.next).toContain('mailferry authorize');
      expect(told()).toHaveLength(1);
    }
    expect(asked().every(({ status }) => status === 400)).toBe(true);
    expect(asked().length).toBeGreaterThan(2);
    expect(asked().length).toBeLessThanOrEqual(6);
    await put('refresh', await consent());
    expect(await run(byRefresh)).toMatchObject({ outcome: 'done', counts: { stored: 1 } });
    await run(byRefresh);
    expect(told().map(({ detailType }) => detailType)).toEqual(['Mailbox Failing', 'Mailbox Recovered']);
  });

  it('of a revoked grant are asked for once an hour by a process that lives on', async () => {
    const { run, byRefresh, asked, clock } = await inProcess('gentle');
    await issuer('gentle').revoke();
    for (let runs = 0; runs < 12; runs += 1) {
      await run(byRefresh);
      clock.ms += 5 * MINUTE_MS;
    }
    expect(asked()).toHaveLength(1);
    await run(byRefresh);
    expect(asked()).toHaveLength(2);
  });

  it.each([
    {
      ...{ wrong: 'audience', claims: { aud: 'https://files.example.org' } },
      says: 'for the audience https://files.example.org, with the scopes pop.',
      log: 'client_id not found in aud field',
    },
    {
      ...{ wrong: 'scope', claims: { scope: 'imap smtp' } },
      says: 'for the audience https://mail.example.org, with the scopes imap, smtp.',
      log: "configured scope 'pop' missing",
    },
  ])(
    'with the wrong $wrong are told by it, in Mailbox Failing and by check',
    async ({ claims, says, log }) => {
      const { run, check, byRefresh, told, claim } = await inProcess('usual');
      claim(claims);
      // The first is replaced once; one that has just replaced another is not.
      for (const signIns of [2, 1, 1])
        expect(await run(byRefresh)).toMatchObject({ outcome: 'failed', signIns });
      const { steps } = await check(byRefresh);
      expect((await dovecot.refusals()).at(-1)).toContain(log);
      expect(told().map(({ detail }) => detail)).toEqual([
        expect.objectContaining({
          ...{ code: 'E_POP3_TOKEN_REFUSED', failures: 3 },
          diagnosis: expect.objectContaining({ step: 'sign-in', next: expect.stringContaining(says) }),
        }),
      ]);
      expect(steps.find(({ name }) => name === 'sign-in')).toMatchObject({
        ...{ ok: false, code: 'E_POP3_TOKEN_REFUSED', next: expect.stringContaining(says) },
      });
    },
  );

  it.each([
    ['token-audience', { aud: 'https://graph.microsoft.com' }, 'for https://graph.microsoft.com, not for'],
    ['scope-lacks-pop', { aud: EXCHANGE, scope: 'SMTP.Send' }, 'The token allows SMTP.Send, and not POP'],
  ])('of Microsoft have their %s told for what it is', async (advice, claims, says) => {
    const { check, byRefresh, claim } = await inProcess('usual', { host: 'outlook.office365.com' });
    claim(claims);
    const { error } = await check(byRefresh);
    expect(error?.diagnosis?.facts).toMatchObject({ advice });
    expect(error?.diagnosis?.next).toContain(says);
  });

  it('by a new key are taken once the server has it, and those by the old one until they end', async () => {
    const { run, byRefresh, asked, another } = await inProcess('usual');
    expect(await run(byRefresh)).toMatchObject({ outcome: 'done' });
    await issuer('usual').rotateKeys();
    expect(await run(byRefresh)).toMatchObject({ outcome: 'done', signIns: 1 });
    expect(asked()).toHaveLength(1);
    const cold = another();
    const refused = await run(byRefresh, cold);
    expect(refused).toMatchObject({ outcome: 'failed', signIns: 2, error: { code: 'E_POP3_TOKEN_REFUSED' } });
    await dovecot.learnKeys();
    expect(await run(byRefresh, cold)).toMatchObject({ outcome: 'done', signIns: 1 });
    expect(asked()).toHaveLength(3);
  });
});
