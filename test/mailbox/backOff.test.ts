import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  afterFailure,
  afterSignIn,
  afterSuccess,
  delayOf,
  type MailboxFailure,
  PACES,
  type Pace,
  renewableSecret,
  signInSettings,
  waitOf,
} from '../../lib/mailbox/backOff.ts';
import { emptyHead, type Head } from '../../lib/mailbox/state.ts';
import { mailboxNamed } from '../fetch/world.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

const failure = (pace: Pace, change: Partial<MailboxFailure> = {}): MailboxFailure => ({
  code: 'E_X',
  message: 'x',
  phase: 'sign-in',
  kind: 'later',
  pace,
  unclear: false,
  certain: false,
  atLeastMs: 0,
  settings: 's',
  ...change,
});

const at = (nowMs: number, random: number) => ({ now: () => nowMs, random: () => random });
const untilMs = (head: Head) => head.backOff?.untilMs ?? 0;

/** Fails at once, and again each time that it may be tried; when it was tried, in milliseconds since the first. */
function* tries(pace: Pace, random: () => number, change: Partial<MailboxFailure> = {}): Generator<number> {
  let head = emptyHead('inbox');
  for (let nowMs = 0; ; nowMs = untilMs(head)) {
    yield nowMs;
    head = afterFailure(head, failure(pace, change), { now: () => nowMs, random });
  }
}

const first = <T>(count: number, of: Iterable<T>): T[] => {
  const taken: T[] = [];
  for (const one of of) if (taken.push(one) === count) break;
  return taken;
};

const gaps = (times: readonly number[]) => times.slice(1).map((time, nth) => time - (times[nth] ?? 0));

const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const pace = fc.constantFrom(...PACES);

describe('the wait after a failure', () => {
  it.each([
    ['lock', 1, 10],
    ['delay', 1, 60],
    ['throttle', 15, 120],
    ['refusal', 5, 1440],
    ['trouble', 1, 60],
  ] as const)('of %s begins with %i minutes, grows, and ends at %i', (kind, shortest, longest) => {
    const waits = gaps(
      first(
        12,
        tries(kind, () => 0.5),
      ),
    ).map((ms) => ms / MINUTE_MS);
    expect(waits[0]).toBe(shortest);
    expect(waits.at(-1)).toBe(longest);
    expect([...waits].sort((a, b) => a - b)).toEqual(waits);
  });

  it('is 80 to 120 percent of that, by chance', () => {
    fc.assert(
      fc.property(pace, fc.integer({ min: 1, max: 12 }), chance, (kind, nth, random) => {
        const middle =
          gaps(
            first(
              nth + 1,
              tries(kind, () => 0.5),
            ),
          ).at(-1) ?? 0;
        const waited =
          gaps(
            first(
              nth + 1,
              tries(kind, () => random),
            ),
          ).at(-1) ?? 0;
        expect(waited).toBeGreaterThanOrEqual(Math.floor(middle * 0.8));
        expect(waited).toBeLessThanOrEqual(Math.ceil(middle * 1.2));
      }),
    );
    const spread = [0, 0.25, 0.5, 0.75, 0.99].map(
      (random) =>
        first(
          2,
          tries('trouble', () => random),
        )[1],
    );
    expect(new Set(spread).size).toBe(5);
  });

  it('is never shorter than the server asked, and at most a fifth longer, but for a day', () => {
    const asked = fc.integer({ min: 2 * HOUR_MS, max: 3 * DAY_MS });
    fc.assert(
      fc.property(pace, asked, chance, (kind, atLeastMs, random) => {
        const [, waited = 0] = first(
          2,
          tries(kind, () => random, { atLeastMs }),
        );
        const meant = Math.min(atLeastMs, DAY_MS);
        expect(waited).toBeGreaterThanOrEqual(meant);
        expect(waited).toBeLessThanOrEqual(Math.ceil(meant * 1.2));
      }),
    );
  });

  it('is never shortened by a failure of another kind, which a person meets who tries by hand', () => {
    const step = fc.record({ kind: pace, afterMs: fc.integer({ min: 0, max: HOUR_MS }), random: chance });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        let head = emptyHead('inbox');
        let nowMs = 0;
        for (const { kind, afterMs, random } of steps) {
          nowMs += afterMs;
          const before = untilMs(head);
          head = afterFailure(head, failure(kind), at(nowMs, random));
          expect(untilMs(head)).toBeGreaterThanOrEqual(before);
          expect(untilMs(head) - nowMs).toBeLessThanOrEqual(1.2 * DAY_MS);
        }
      }),
    );
  });
});

describe('a refused sign-in', () => {
  it('waits an hour after the third, and is then tried at most four times within any day', () => {
    const chances = fc.array(chance, { minLength: 40, maxLength: 40 });
    fc.assert(
      fc.property(chances, (drawn) => {
        const left = [...drawn];
        const times = first(
          40,
          tries('refusal', () => left.pop() ?? 0.5),
        );
        expect((times[3] ?? 0) - (times[2] ?? 0)).toBeGreaterThanOrEqual(0.8 * HOUR_MS);
        const later = times.slice(3);
        for (const begun of later)
          expect(later.filter((time) => time >= begun && time < begun + DAY_MS).length).toBeLessThanOrEqual(
            4,
          );
      }),
    );
  });

  it('counts though other failures come between, which would otherwise bring it back to short waits', () => {
    let head = emptyHead('inbox');
    for (const kind of ['refusal', 'trouble', 'refusal', 'lock', 'refusal'] as const)
      head = afterFailure(head, failure(kind), at(untilMs(head), 0.5));
    expect(head.backOff?.refusals).toBe(3);
    expect(waitOf(head, 's', untilMs(head) - HOUR_MS + 1)).not.toBeNull();
  });

  it('begins anew once the settings are others, and still fails since when it did', () => {
    let head = emptyHead('inbox');
    for (let nth = 0; nth < 5; nth += 1)
      head = afterFailure(head, failure('refusal'), at(untilMs(head), 0.5));
    const nowMs = untilMs(head) - HOUR_MS;
    expect(waitOf(head, 's', nowMs)).not.toBeNull();
    expect(waitOf(head, 'others', nowMs)).toBeNull();
    const again = afterFailure(head, failure('refusal', { settings: 'others' }), at(nowMs, 0.5));
    expect(again.backOff).toMatchObject({
      failures: 1,
      refusals: 1,
      sinceMs: 0,
      untilMs: nowMs + 5 * MINUTE_MS,
    });
    expect(again.backOff?.told).toBe('due');
  });

  it('that is unclear wants a person when it lasts, and may pass until then', () => {
    let head = emptyHead('inbox');
    const kinds: unknown[] = [];
    for (let nth = 0; nth < 4; nth += 1) {
      head = afterFailure(head, failure('refusal', { unclear: true }), at(untilMs(head), 0.5));
      kinds.push(head.backOff?.kind);
    }
    expect(kinds).toEqual(['later', 'later', 'person', 'person']);
  });
});

describe('a secret that is another by now', () => {
  const refused = (change: Partial<MailboxFailure> = {}) =>
    failure('refusal', { secretMark: 'abc', ...change });
  const failedAt = (head: Head, nowMs: number, change: Partial<MailboxFailure> = {}): Head => ({
    ...afterFailure(head, refused(change), at(nowMs, 0.5)),
    lastAttemptMs: nowMs,
  });

  it('is tried at once, the next after 5 and 15 minutes, and all others each hour', () => {
    let head = failedAt(emptyHead('inbox'), 0);
    let nowMs = 0;
    for (const minutes of [0, 5, 15, 60, 60]) {
      const dueMs = nowMs + minutes * MINUTE_MS;
      if (minutes > 0) expect(renewableSecret(head, dueMs - 1)).toBeNull();
      expect(renewableSecret(head, dueMs)).toBe('abc');
      nowMs = dueMs;
      head = failedAt(head, nowMs, { renewed: true });
    }
  });

  it('leaves the refusals counted, and those that come of themselves do not count as tries of it', () => {
    let head = failedAt(failedAt(emptyHead('inbox'), 0), DAY_MS);
    expect(head.backOff?.renewals).toBeUndefined();
    head = failedAt(head, DAY_MS + 1, { renewed: true, secretMark: 'def' });
    expect(head.backOff).toMatchObject({ refusals: 3, renewals: 1, secretMark: 'def' });
    expect(untilMs(head)).toBeGreaterThanOrEqual(DAY_MS + HOUR_MS);
  });

  it('makes no wait shorter that the server asked for, nor one that has other reasons', () => {
    const asked = failedAt(emptyHead('inbox'), 0, { atLeastMs: HOUR_MS });
    expect([renewableSecret(asked, HOUR_MS - 1), renewableSecret(asked, HOUR_MS)]).toEqual([null, 'abc']);
    const throttled = afterFailure(asked, failure('throttle'), at(HOUR_MS, 0.5));
    expect(renewableSecret(throttled, untilMs(throttled) - 1)).toBeNull();
    const both = failedAt(throttled, HOUR_MS + 1);
    expect(renewableSecret(both, untilMs(throttled) - 1)).toBeNull();
    expect(renewableSecret(both, untilMs(throttled))).toBe('abc');
    expect(
      renewableSecret(afterFailure(emptyHead('inbox'), failure('trouble'), at(0, 0.5)), DAY_MS),
    ).toBeNull();
  });

  it('is forgotten with other settings, and with a success', () => {
    const head = failedAt(failedAt(emptyHead('inbox'), 0), 1, { renewed: true });
    const other = afterFailure(head, failure('trouble', { settings: 'others' }), at(2, 0.5));
    expect(other.backOff?.secretMark).toBeUndefined();
    expect(other.backOff?.renewals).toBeUndefined();
    expect(renewableSecret(afterSuccess(head, 3), DAY_MS)).toBeNull();
  });
});

describe('a person is due to be told', () => {
  const toldAfter = (kind: Pace, change: Partial<MailboxFailure> = {}) => {
    let head = emptyHead('inbox');
    for (let nth = 1; nth <= 20; nth += 1) {
      head = afterFailure(head, failure(kind, change), at(untilMs(head), 0.5));
      if (head.backOff?.told === 'due') return nth;
    }
    return 0;
  };

  it.each([
    ['lock', 6],
    ['delay', 3],
    ['throttle', 3],
    ['refusal', 3],
    ['trouble', 3],
  ] as const)('of %s after %i failures in a row', (kind, times) => {
    expect(toldAfter(kind)).toBe(times);
    expect(toldAfter(kind, { certain: true })).toBe(1);
  });

  it('that it works again, if it was due to be told that it does not', () => {
    let head = emptyHead('inbox');
    head = afterFailure(head, failure('trouble'), at(1, 0.5));
    expect(afterSuccess(head, 2)).toMatchObject({ backOff: null });
    expect(afterSuccess(head, 2).recovered).toBeUndefined();
    head = afterFailure(head, failure('trouble', { certain: true }), at(3, 0.5));
    const well = afterSuccess(head, 4);
    expect(well).toMatchObject({ backOff: null, recovered: { sinceMs: 1, atMs: 4 } });
    expect(afterSuccess(well, 5)).toEqual(well);
  });
});

describe('LOGIN-DELAY', () => {
  const head = (delayMs: number) => afterSignIn(emptyHead('inbox'), 1_000, delayMs);

  it('is waited for after a sign-in, and no longer', () => {
    expect(delayOf(head(300_000), 1_000 + 299_999)).toMatchObject({
      untilMs: 301_000,
      code: 'E_POP3_LOGIN_DELAY',
    });
    expect(delayOf(head(300_000), 301_000)).toBeNull();
  });

  it('is not noted where no poll can be too early for it, nor kept once it is gone', () => {
    expect(head(10_000).signedIn).toBeUndefined();
    expect(afterSignIn(head(300_000), 2_000, 0).signedIn).toBeUndefined();
  });

  it('of ages is a day; a clock that was wrong keeps nobody waiting', () => {
    expect(head(30 * 365 * DAY_MS).signedIn?.delayMs).toBe(DAY_MS);
    expect(delayOf(head(300_000), 0)).toBeNull();
    const failed = afterFailure(emptyHead('inbox'), failure('trouble'), at(10 * DAY_MS, 0.5));
    expect(waitOf(failed, 's', 0)).toBeNull();
  });
});

describe('the settings that a sign-in depends on', () => {
  const settings = { host: 'pop.example.org', user: 'ferry', password: 'env:ONE' };
  const base = signInSettings(mailboxNamed('inbox', settings));

  it.each([
    { host: 'pop.example.net' },
    { user: 'other' },
    { password: 'env:TWO' },
    { port: 1995 },
    { tls: 'stls' as const, port: 995 },
    { signIn: { mechanism: 'plain' as const, initialResponse: true } },
    { serverKeys: [`sha256:${'A'.repeat(43)}=`] },
    { clientCertificate: { certificate: 'file:a.crt', key: 'file:a.key' } },
    {
      password: undefined,
      signIn: { mechanism: 'xoauth2' as const, initialResponse: false, token: { from: 'env:TOKEN' } },
    },
  ])('are others with %j', (change) => {
    expect(signInSettings(mailboxNamed('inbox', { ...settings, ...change }))).not.toBe(base);
  });

  it('are the same with another policy, and hold nothing that can be read', () => {
    expect(signInSettings(mailboxNamed('inbox', { ...settings, attempts: 7, delete: 'when-stored' }))).toBe(
      base,
    );
    expect(base).toMatch(/^[0-9a-f]{16}$/);
  });
});
