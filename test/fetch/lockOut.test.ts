/**
 * A mailbox whose sign-in is refused, for a week at each interval: how often the server and the token endpoint are asked,
 * who is told, and what happens once the secret is another. Time passes only here, and waits are the shortest there are.
 */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { decodeJwt } from 'jose';
import { describe, expect, it, onTestFinished } from 'vitest';
import { watch } from '../../bin/watch.ts';
import type { MailferryEvent } from '../../lib/events/shapes.ts';
import type { Clock } from '../../lib/fetch/ports.ts';
import { runMailbox } from '../../lib/fetch/run.ts';
import { systemClock } from '../../lib/fetch/systemClock.ts';
import { due, minutesOf, slotOf } from '../../lib/mailbox/due.ts';
import type { Mailbox } from '../../lib/mailbox/settings.ts';
import { Secret, SecretError, type SecretSaver, type Secrets } from '../../lib/secrets/port.ts';
import { accessTokens } from '../../lib/secrets/tokens.ts';
import { type Fault, mail } from '../servers/scripted.ts';
import { bearerAuth } from '../servers/scriptedAuth.ts';
import { type Answering, json, startTokenEndpoint, type TokenEndpoint } from '../servers/tokenEndpoint.ts';
import { letter, World } from './world.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
const WEEK_MS = 7 * DAY_MS;

const INTERVALS = ['1m', '5m', '15m', '1h', '6h', '1d'] as const;
type Every = (typeof INTERVALS)[number];

/** No try waits for less than this says, so that there are as many as there can be. */
const HASTY = { random: () => 0 };

const GUIDE = readFileSync(new URL('../../docs/sign-in.md', import.meta.url), 'utf8');

/** Secrets by reference, which a test may replace, and which rotate. */
class Kept implements Secrets, SecretSaver {
  readonly values = new Map<string, string>();

  async read(reference: string): Promise<Secret> {
    const value = this.values.get(reference);
    if (value !== undefined) return new Secret(value);
    throw new SecretError(`${reference}: none`, { kind: 'person', code: 'E_SECRET_MISSING', reference });
  }

  async prove(): Promise<void> {}

  async save(reference: string, secret: Secret): Promise<boolean> {
    this.values.set(reference, secret.reveal());
    return true;
  }
}

interface Refused {
  readonly settings?: Partial<Mailbox>;
  readonly faults?: readonly Fault[];
  readonly capabilities?: readonly string[];
  readonly endpoint?: TokenEndpoint;
}

/** A mailbox that nobody gets into before `mend`; each run is a process of its own, with nothing in its caches. */
class Week {
  readonly kept = new Kept();
  readonly world: World;
  readonly beganMs: number;
  nowMs: number;
  /** When a password or token was shown to the server, in milliseconds since the beginning. */
  readonly shown: number[] = [];
  /** When the token endpoint was asked. */
  readonly asked: number[] = [];
  /** What the server takes as a token. */
  living = '';
  readonly #endpoint: TokenEndpoint | undefined;

  constructor(every: Every, { settings, faults, capabilities, endpoint }: Refused) {
    this.#endpoint = endpoint;
    this.world = new World({
      messages: [mail('a', letter('a'))],
      behaviour: {
        ...(capabilities && { capabilities }),
        auth: bearerAuth({
          tokenOf: () => this.living,
          complains: '{"status":"401"}',
          refusal: '-ERR [AUTH] no',
        }),
      },
      settings: { every, ...settings },
      ...(faults && { faults }),
    });
    this.beganMs = Math.floor(Date.now() / DAY_MS) * DAY_MS;
    this.nowMs = this.beganMs;
    const token = this.world.mailbox.signIn.token;
    const references = [this.world.mailbox.password, ...Object.values(token ?? {})];
    for (const one of references)
      if (typeof one === 'string' && one.startsWith('file:')) this.kept.values.set(one, secret());
  }

  get clock(): Clock {
    return { ...systemClock, ...HASTY, now: () => this.nowMs };
  }

  async run(mailbox = this.world.mailbox) {
    const ports = {
      ...this.world.ports,
      clock: this.clock,
      secrets: this.kept,
      tokens: accessTokens({
        ...{ secrets: this.kept, saver: this.kept, now: () => this.nowMs, sleep: async () => {} },
        requests: { reach: 'any', ...(this.#endpoint && { ca: this.#endpoint.ca }) },
        commands: null,
      }),
    };
    const before = this.#counts();
    const report = await runMailbox(mailbox, ports, {
      deadlineMs: this.nowMs + MINUTE_MS,
      suspects: 'after',
      honourBackOff: true,
    });
    const after = this.#counts();
    const at = this.nowMs - this.beganMs;
    this.shown.push(...Array<number>(after.shown - before.shown).fill(at));
    this.asked.push(...Array<number>(after.asked - before.asked).fill(at));
    return report;
  }

  #counts() {
    // A session that is over is not looked at again: there are few, and each has its few commands.
    const shown = this.world.server.log.sessions
      .flatMap(({ commands }) => commands)
      .filter((line) => /^(PASS|AUTH)/.test(line)).length;
    return { shown, asked: this.#endpoint?.asked.length ?? 0 };
  }

  /**
   * Runs in the slots in which the mailbox is due, as dispatch finds them, up to so long from the beginning, or until one
   * is done. Of the polls that would only wait all but the last two are left out, unless `each`.
   */
  async follow(toMs: number, { each = false, mailbox = this.world.mailbox } = {}): Promise<void> {
    while (this.nowMs < this.beganMs + toMs) {
      const report = due(mailbox, slotOf(this.nowMs)) ? await this.run(mailbox) : undefined;
      if (report?.outcome === 'done') return;
      const until = report?.waiting && !each ? Date.parse(report.waiting.until) : 0;
      const slots = Math.floor((until - this.nowMs) / MINUTE_MS) - 2 * minutesOf(mailbox.every);
      this.nowMs += Math.max(1, slots) * MINUTE_MS;
    }
  }

  /** In what is to come of an interval, and no later. */
  async recovers(mailbox = this.world.mailbox): Promise<void> {
    const leftMs = this.nowMs - this.beganMs;
    await this.follow(leftMs + minutesOf(mailbox.every) * MINUTE_MS, { mailbox });
    expect(this.world.publisher.stored).toHaveLength(1);
    expect(this.news).toEqual(['Mailbox Failing', 'Mailbox Recovered']);
  }

  get news(): readonly string[] {
    const isNews = ({ detailType }: MailferryEvent) => detailType.startsWith('Mailbox ');
    return this.world.publisher.accepted.filter(isNews).map(({ detailType }) => detailType);
  }
}

const secret = () => randomBytes(12).toString('hex');

/** How many of `times` lie within any stretch of so long. */
function most(times: readonly number[], withinMs: number): number {
  return Math.max(
    0,
    ...times.map((from) => times.filter((time) => time >= from && time < from + withinMs).length),
  );
}

/** Gives what `otherwise` says to whoever has not the secret that is good. */
function endpointWith(good: string, living: string, otherwise: Answering): Promise<TokenEndpoint> {
  return startTokenEndpoint((asked, response) => {
    const issuer = issuerOf(asked.form.get('assertion'));
    const shown = [asked.form.get('refresh_token'), asked.form.get('client_secret'), issuer];
    const isGood = shown.includes(good);
    return (isGood ? json({ access_token: living, token_type: 'Bearer' }) : otherwise)(asked, response);
  });
}

/** Who issued an assertion. */
function issuerOf(assertion: string | null): string | undefined {
  return assertion === null ? undefined : decodeJwt(assertion).iss;
}

/** Another token each time, and another refresh token for a refresh token. */
const grants: Answering = (asked, response) => {
  const rotated = asked.form.has('refresh_token') ? { refresh_token: secret() } : {};
  return json({ access_token: secret(), token_type: 'Bearer', ...rotated })(asked, response);
};
const revoked = json({ error: 'invalid_grant' }, 400);

/** The JSON key of a service account by that name. */
function keyOf(issuer: string): string {
  return JSON.stringify({ type: 'service_account', client_email: issuer, private_key: PEM });
}
const PEM = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({
  type: 'pkcs8',
  format: 'pem',
});

type Source = NonNullable<Mailbox['signIn']['token']>;

const SOURCES: Readonly<Record<string, (tokenEndpoint: string) => Source>> = {
  'refresh-token': (tokenEndpoint) => ({
    ...{ grant: 'refresh-token', tokenEndpoint, clientId: 'c', refreshToken: 'file:secret' },
  }),
  'client-credentials': (tokenEndpoint) => ({
    ...{
      grant: 'client-credentials',
      tokenEndpoint,
      clientId: 'c',
      clientSecret: 'file:secret',
      scope: 'pop',
    },
  }),
  'service-account': (tokenEndpoint) => ({
    ...{ grant: 'service-account', tokenEndpoint, key: 'file:secret', subject: 'ferry', scope: 'pop' },
  }),
};

const bearing = (token: Source): Partial<Mailbox> => ({
  password: undefined,
  signIn: { mechanism: 'xoauth2', initialResponse: false, token },
});

/** A week with tokens of a grant, of which none is good until `mend`. */
async function granted(every: Every, grant: string, otherwise: Answering) {
  const [good, living] = [secret(), secret()];
  const endpoint = await endpointWith(good, living, otherwise);
  onTestFinished(() => endpoint.stop());
  const source = SOURCES[grant]?.(endpoint.url);
  if (source === undefined) throw new Error(grant);
  const week = new Week(every, { settings: bearing(source), endpoint });
  week.living = living;
  const put = (name: string) => week.kept.values.set('file:secret', 'key' in source ? keyOf(name) : name);
  put(secret());
  return { week, mend: () => put(good) };
}

/**
 * The bound, of a secret that stays what it is. Policies that are met: accounts are locked by 5 to 10 refusals within 15 to
 * 30 minutes, or by 10 in a row (Entra's smart lockout counts one password once); addresses by 5 within 10 minutes (fail2ban).
 * `each`: a try may show two, where the first is refused and another can be had.
 */
function expectBounded(times: readonly number[], each = 1): void {
  expect(most(times, 10 * MINUTE_MS)).toBeLessThanOrEqual(2 * each);
  expect(most(times, 30 * MINUTE_MS)).toBeLessThanOrEqual(3 * each);
  expect(most(times, DAY_MS)).toBeLessThanOrEqual(7 * each);
  const later = times.filter((time) => time >= DAY_MS);
  expect(most(later, DAY_MS)).toBeLessThanOrEqual(2 * each);
  expect(times.length).toBeLessThanOrEqual(14 * each);
  expect(times.length).toBeGreaterThanOrEqual(7);
}

const PASSWORD = { password: 'file:secret' };

/** A week of it, with the wrong secret; then it is over, and the right one is there. */
async function lastsAndEnds(every: Every, trouble: Fault): Promise<void> {
  const fault = { ...trouble, times: Number.POSITIVE_INFINITY };
  const week = new Week(every, { settings: PASSWORD, faults: [fault] });
  await week.follow(WEEK_MS);
  expectBounded(week.shown);
  expect(week.news).toEqual(['Mailbox Failing']);
  fault.times = 0;
  week.kept.values.set('file:secret', week.world.server.password);
  await week.recovers();
}

describe('a mailbox that nobody gets into, for a week', () => {
  it.each(INTERVALS)('each %s: a refused password', async (every) => {
    const week = new Week(every, { settings: PASSWORD });
    await week.follow(WEEK_MS, { each: every === '5m' });
    expectBounded(week.shown);
    expect(week.news).toEqual(['Mailbox Failing']);
    // What docs/sign-in.md tells.
    expect(GUIDE).toContain(`| \`${every}\` | ${week.shown.length} | ${most(week.shown, 30 * MINUTE_MS)} |`);
    week.kept.values.set('file:secret', week.world.server.password);
    await week.recovers();
  });

  it.each(INTERVALS)('each %s: sign-ins that are dropped', async (every) => {
    await lastsAndEnds(every, { verb: 'PASS', cutAt: 0 });
  });

  it.each<[string, Partial<Fault>]>([
    ['half of a refusal', { reply: '-ERR inval', ending: 'fin' }],
    ['words of another protocol', { reply: '535 5.7.8 authentication failed\r\n' }],
    ['a line feed alone', { reply: '-ERR wrong password\n' }],
    ['more than a line may have', { reply: `-ERR ${'x'.repeat(9_000)}\r\n` }],
  ])('is not tried more often where %s answers PASS', async (_, answer) => {
    await lastsAndEnds('1m', { verb: 'PASS', ...answer });
  });

  it.each([
    'Your account is not enabled for POP access.',
    'Application-specific password required',
    'Your password has expired',
    'Basic authentication is disabled',
  ])('is not tried more often where the listing is refused behind a good sign-in: %s', async (words) => {
    const fault = { verb: 'UIDL', reply: `-ERR ${words}\r\n`, times: Number.POSITIVE_INFINITY };
    const week = new Week('1m', { settings: PASSWORD, faults: [fault] });
    week.kept.values.set('file:secret', week.world.server.password);
    await week.follow(WEEK_MS);
    expectBounded(week.shown);
    expect(week.news).toEqual(['Mailbox Failing']);
  });

  it.each(INTERVALS)('each %s: a token that somebody else keeps', async (every) => {
    const week = new Week(every, { settings: bearing({ from: 'file:secret' }) });
    await week.follow(WEEK_MS);
    expectBounded(week.shown);
    expect(week.news).toEqual(['Mailbox Failing']);
    week.living = secret();
    week.kept.values.set('file:secret', week.living);
    await week.recovers();
  });

  const byGrant = [
    ...INTERVALS.map((every) => [every, 'refresh-token'] as const),
    ...(['client-credentials', 'service-account'] as const).flatMap((grant) =>
      (['1m', '1d'] as const).map((every) => [every, grant] as const),
    ),
  ];

  it.each(byGrant)('each %s: tokens by %s that the server refuses', async (every, grant) => {
    const { week, mend } = await granted(every, grant, grants);
    await week.follow(WEEK_MS);
    expectBounded(week.shown, 2);
    expectBounded(week.asked, 2);
    expect(week.news).toEqual(['Mailbox Failing']);
    mend();
    await week.recovers();
  });

  it.each(byGrant)('each %s: %s that was revoked', async (every, grant) => {
    const { week, mend } = await granted(every, grant, revoked);
    await week.follow(WEEK_MS);
    expect(week.shown).toEqual([]);
    expectBounded(week.asked);
    expect(week.news).toEqual(['Mailbox Failing']);
    mend();
    await week.recovers();
  });

  it('is tried as seldom by watch, which comes back as soon as a wait is over', async () => {
    for (const every of ['6h', '1d'] as const) {
      const week = new Week(every, { settings: PASSWORD });
      await watched(week);
      expectBounded(week.shown);
      expect(week.news).toEqual(['Mailbox Failing']);
    }
  });

  it('is tried at once with a secret that was not there', async () => {
    const week = new Week('15m', { settings: PASSWORD });
    week.kept.values.delete('file:secret');
    await week.follow(WEEK_MS);
    expect(week.shown).toEqual([]);
    week.kept.values.set('file:secret', week.world.server.password);
    await week.recovers();
  });

  it('is tried at once with other settings', async () => {
    const week = new Week('1h', { settings: PASSWORD });
    await week.follow(WEEK_MS);
    week.kept.values.set('file:another', week.world.server.password);
    await week.recovers({ ...week.world.mailbox, password: 'file:another' });
  });
});

describe('a secret that is another each minute', () => {
  it('is not tried each minute', async () => {
    const week = new Week('1m', { settings: PASSWORD });
    while (week.nowMs < week.beganMs + DAY_MS) {
      week.kept.values.set('file:secret', secret());
      await week.run();
      week.nowMs += MINUTE_MS;
    }
    expect(most(week.shown, 30 * MINUTE_MS)).toBeLessThanOrEqual(4);
    expect(
      most(
        week.shown.filter((time) => time > 60 * MINUTE_MS),
        60 * MINUTE_MS,
      ),
    ).toBe(1);
    expect(week.news).toEqual(['Mailbox Failing']);
  });

  it.each<[string, Partial<Refused>]>([
    [
      'in its words',
      { faults: [{ verb: 'PASS', reply: '-ERR [AUTH] too many attempts, wait 40 minutes\r\n' }] },
    ],
    ['by LOGIN-DELAY', { capabilities: ['UIDL', 'LOGIN-DELAY 2400'] }],
  ])('is not tried while the server wants to be left alone: %s', async (_, more) => {
    const week = new Week('1m', { settings: PASSWORD, ...more });
    for (; week.nowMs < week.beganMs + 39 * MINUTE_MS; week.nowMs += MINUTE_MS) {
      week.kept.values.set('file:secret', secret());
      await week.run();
    }
    expect(week.shown).toHaveLength(1);
  });
});

/** A week of the command's schedule: whenever it sleeps, time goes on to where it wants to be woken. */
async function watched(week: Week): Promise<void> {
  const stop = new AbortController();
  const after = (ms: number, fire: () => void) => {
    const wake = setImmediate(() => {
      week.nowMs += ms;
      if (week.nowMs >= week.beganMs + WEEK_MS) stop.abort();
      fire();
    });
    return () => clearImmediate(wake);
  };
  await watch({
    mailboxes: [week.world.mailbox],
    clock: { now: () => week.nowMs, after },
    signal: stop.signal,
    run: () => week.run(),
    runAlone: undefined,
    tell: () => {},
  });
}
