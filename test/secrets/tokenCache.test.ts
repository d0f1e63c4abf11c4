/** The cache of access tokens under any interleaving of readers, expiry, refusals and secrets that change. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Secret } from '../../lib/secrets/port.ts';
import {
  type Asking,
  LONGEST_LIFE_MS,
  MARGIN_MS,
  RENEWED_MS,
  TokenCache,
  UNKNOWN_LIFE_MS,
} from '../../lib/secrets/tokenCache.ts';
import { later, person, TokenError } from '../../lib/secrets/tokenErrors.ts';

type Answer =
  | { readonly is: 'token'; readonly lifeMs: number | null }
  | { readonly is: 'later' | 'person'; readonly holdMs: number };

type Action =
  | { readonly is: 'read'; readonly fresh: boolean }
  | { readonly is: 'pass'; readonly ms: number }
  /** To one of a few secrets: a person may go back to an old one. */
  | { readonly is: 'rotate'; readonly to: number }
  | { readonly is: 'settle' };

const answers: fc.Arbitrary<Answer> = fc.oneof(
  fc.record({
    is: fc.constant('token' as const),
    lifeMs: fc.option(fc.integer({ min: 0, max: 2 * LONGEST_LIFE_MS }), { nil: null }),
  }),
  fc.record({
    is: fc.constantFrom('later' as const, 'person' as const),
    holdMs: fc.integer({ min: 0, max: 3600_000 }),
  }),
);

const actions: fc.Arbitrary<Action> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ is: fc.constant('read' as const), fresh: fc.boolean() }) },
  {
    weight: 2,
    arbitrary: fc.record({
      is: fc.constant('pass' as const),
      ms: fc.oneof(fc.integer({ min: 0, max: RENEWED_MS * 2 }), fc.integer({ min: 0, max: LONGEST_LIFE_MS })),
    }),
  },
  { weight: 1, arbitrary: fc.record({ is: fc.constant('rotate' as const), to: fc.nat(2) }) },
  { weight: 3, arbitrary: fc.constant({ is: 'settle' as const }) },
);

/** How long a token may be given out, said once more and in other words. */
function usableFor(lifeMs: number | null): number {
  if (lifeMs === null) return UNKNOWN_LIFE_MS;
  const life = lifeMs > LONGEST_LIFE_MS ? LONGEST_LIFE_MS : lifeMs;
  return life * 0.1 < MARGIN_MS ? life * 0.9 : life - MARGIN_MS;
}

interface Request {
  readonly atMs: number;
  readonly secret: string;
  readonly answer: Answer;
  readonly token: string;
  readonly wasFresh: boolean;
  endedMs: number | null;
}

describe('the cache of access tokens', () => {
  it('asks only with a reason, one at a time, and gives nothing stale', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fc.array(actions, { minLength: 1, maxLength: 40 }),
        fc.array(answers, { minLength: 40, maxLength: 40 }),
        async (scheduler, story, script) => {
          let now = 1_000_000;
          let secret = 'secret 0';
          let cachedSecret = secret;
          // Since the last request; only one for which nobody else asked is known to be a renewal.
          let freshAsked = false;
          let plainAsked = false;
          const requests: Request[] = [];
          const cache = new TokenCache(() => now);
          const asking: Asking = {
            secrets: async (fresh) => {
              await scheduler.schedule(Promise.resolve(), `secrets ${fresh}`);
              if (fresh) cachedSecret = secret;
              return [new Secret(cachedSecret)];
            },
            async ask([spent]) {
              const last = requests.at(-1);
              const answer = script[requests.length] ?? { is: 'later', holdMs: 3600_000 };
              expect(last === undefined || last.endedMs !== null, 'one at a time').toBe(true);
              if (last?.answer.is === 'token') {
                const over = now - last.atMs >= usableFor(last.answer.lifeMs);
                const renewal = freshAsked && (!last.wasFresh || now - last.atMs >= RENEWED_MS);
                expect(over || renewal, 'a good token is not replaced without need').toBe(true);
              } else if (last !== undefined) {
                const waited = now - (last.endedMs ?? now) >= last.answer.holdMs;
                const changed = last.answer.is === 'person' && spent?.reveal() !== last.secret;
                expect(waited || changed, 'a failure is held').toBe(true);
              }
              const request: Request = {
                atMs: now,
                secret: spent?.reveal() ?? '',
                answer,
                token: `token ${requests.length}`,
                wasFresh: freshAsked && !plainAsked,
                endedMs: null,
              };
              requests.push(request);
              freshAsked = false;
              plainAsked = false;
              await scheduler.schedule(Promise.resolve(), 'answer');
              request.endedMs = now;
              if (answer.is === 'token') return { token: new Secret(request.token), lifeMs: answer.lifeMs };
              const make = answer.is === 'later' ? later : person;
              throw new TokenError('file:x', make('E_TOKEN_REFUSED', 'no', answer.holdMs));
            },
          };
          const reads: Promise<void>[] = [];
          for (const action of story) {
            if (action.is === 'pass') now += action.ms;
            else if (action.is === 'rotate') secret = `secret ${action.to}`;
            else if (action.is === 'settle') await scheduler.waitIdle();
            else {
              if (action.fresh) freshAsked = true;
              else plainAsked = true;
              const askedMs = now;
              const begun = requests.length;
              reads.push(
                cache.read('key', action.fresh, asking).then(
                  (given) => {
                    const by = requests.find(({ token }) => token === given.reveal());
                    expect(by?.answer.is).toBe('token');
                    if (by === undefined || by.answer.is !== 'token') return;
                    const own = requests.indexOf(by) >= begun || by.endedMs === null || by.endedMs >= askedMs;
                    // A token that was not asked for on its behalf must be good when it was wanted.
                    if (!own) expect(askedMs - by.atMs).toBeLessThan(usableFor(by.answer.lifeMs));
                  },
                  (error: unknown) => expect(error).toBeInstanceOf(TokenError),
                ),
              );
            }
          }
          await scheduler.waitIdle();
          await Promise.all(reads);
        },
      ),
      { numRuns: 1_000 },
    );
  });

  it.each([
    [3600, 3300],
    [86_400, 86_100],
    [600, 540],
    [10, 9],
    [7 * 86_400, 86_100],
    [null, 300],
  ])('keeps a token that lives for %s s for %s s', async (life, kept) => {
    let now = 0;
    let asked = 0;
    const cache = new TokenCache(() => now);
    const asking: Asking = {
      secrets: async () => [],
      ask: async () => ({ token: new Secret(`${++asked}`), lifeMs: life === null ? null : life * 1000 }),
    };
    await cache.read('key', false, asking);
    now = kept * 1000 - 1;
    await cache.read('key', false, asking);
    expect(asked).toBe(1);
    now += 1;
    await cache.read('key', false, asking);
    expect(asked).toBe(2);
  });

  it('knows nothing after the clock was set back', async () => {
    let now = 1_000;
    let asked = 0;
    const cache = new TokenCache(() => now);
    const asking: Asking = {
      secrets: async () => [],
      ask: async () => ({ token: new Secret(`${++asked}`), lifeMs: 3600_000 }),
    };
    await cache.read('key', false, asking);
    now -= 1;
    await cache.read('key', false, asking);
    expect(asked).toBe(2);
  });

  it('lets the fresh secret decide whether it is the refused one', async () => {
    let asked = 0;
    const cache = new TokenCache(() => 0);
    const asking: Asking = {
      // What is cached where the secret is kept may be of before, or of between.
      secrets: async (fresh) => [new Secret(fresh ? 'the refused one' : 'an older one')],
      async ask() {
        asked += 1;
        throw new TokenError('file:x', person('E_TOKEN_REVOKED', 'no'));
      },
    };
    for (let reads = 0; reads < 3; reads += 1) {
      await expect(cache.read('key', false, asking)).rejects.toMatchObject({ code: 'E_TOKEN_REVOKED' });
    }
    expect(asked).toBe(1);
  });

  it('leaves others their token where the endpoint of a refused one is down', async () => {
    let asked = 0;
    const cache = new TokenCache(() => 0);
    const asking: Asking = {
      secrets: async () => [],
      async ask() {
        asked += 1;
        if (asked > 1) throw new TokenError('file:x', later('E_TOKEN_UNREACHABLE', 'down'));
        return { token: new Secret('first'), lifeMs: 3600_000 };
      },
    };
    await cache.read('key', false, asking);
    await expect(cache.read('key', true, asking)).rejects.toMatchObject({ code: 'E_TOKEN_UNREACHABLE' });
    expect((await cache.read('key', false, asking)).reveal()).toBe('first');
    expect(asked).toBe(2);
  });
});
