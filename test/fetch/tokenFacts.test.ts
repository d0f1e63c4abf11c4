/** What of a token may be seen, and that nothing else is. */
import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { tokenInWords } from '../../lib/fetch/checkWords.ts';
import { tokenFacts, tokenWords } from '../../lib/fetch/tokenFacts.ts';
import { EXCHANGE, jwt } from './tokens.ts';

const EXP = 1_780_000_000;

describe('an access token', () => {
  it('of a person tells whom and what it is for', () => {
    const facts = tokenFacts(
      jwt({
        ...{ aud: EXCHANGE, scp: 'POP.AccessAsUser.All offline', exp: EXP, tid: 't-1' },
        ...{ upn: 'ada@example.org', appid: 'a-1', sub: 's-1' },
      }),
    );
    expect(facts).toEqual({
      form: 'JWT',
      audience: [EXCHANGE],
      scopes: ['POP.AccessAsUser.All', 'offline'],
      roles: [],
      expiresMs: EXP * 1000,
      tenant: 't-1',
      user: 'ada@example.org',
      application: 'a-1',
      subject: 's-1',
    });
    expect(tokenWords(facts)).toMatchObject({ token: 'JWT', tokenExpires: '2026-05-28T20:26:40.000Z' });
    expect(tokenInWords(facts, EXP * 1000)).toContain('(expired)');
    expect(tokenInWords(facts, EXP * 1000 - 1)).not.toContain('(expired)');
  });

  it('of an application has roles, and of other issuers lists and other names', () => {
    expect(tokenFacts(jwt({ aud: ['a', 'b'], roles: ['POP.AccessAsApp'] }))).toMatchObject({
      audience: ['a', 'b'],
      roles: ['POP.AccessAsApp'],
      scopes: [],
      user: null,
      expiresMs: null,
    });
    expect(tokenFacts(jwt({ scope: 'mail openid', email: 'ada@example.org' }))).toMatchObject({
      scopes: ['mail', 'openid'],
      user: 'ada@example.org',
    });
  });

  it.each([
    ['Google’s', 'ya29.a0AfB_byC-canary'],
    ['Microsoft’s, of personal accounts', 'EwBAAl3BAAUFFpUAo7J3Ve0bjLBWZWCclRC3EoAA'],
    ['two parts', 'a.b'],
    ['three parts of nothing', '..'],
    ['a header that is no header', `${Buffer.from('{}').toString('base64url')}.e30.x`],
    ['a list for claims', `${Buffer.from('{"alg":"none"}').toString('base64url')}.W10.x`],
    ['no end', `${jwt({ aud: 'x' })}.${'y'.repeat(70_000)}`],
    ['nothing', ''],
  ])('is opaque: %s', (_what, token) => {
    expect(tokenFacts(token)).toMatchObject({ form: 'opaque', audience: [], user: null });
    expect(tokenInWords(tokenFacts(token), 0)).toContain('opaque');
  });

  it('shows claims that lie harmlessly, and short', () => {
    const facts = tokenFacts(
      jwt({
        aud: `\x1b[2J${'x'.repeat(9999)}`,
        scp: 'y '.repeat(9999),
        exp: 1e300,
        upn: { a: 1 },
        roles: [7],
      }),
    );
    expect(facts.audience[0]).toMatch(/^\\x1B\[2Jx+…$/);
    expect(facts.audience[0]?.length).toBeLessThanOrEqual(200);
    expect(facts.scopes).toHaveLength(20);
    expect(facts).toMatchObject({ expiresMs: null, user: null, roles: [] });
  });

  it('is never shown itself, nor its signature, nor a claim that is not known', () => {
    const canary = randomBytes(12).toString('hex');
    const token = jwt({ aud: 'x', nonce: canary, name: canary, [canary]: 1 });
    const shown = JSON.stringify([tokenFacts(token), tokenWords(tokenFacts(token))]);
    for (const part of [canary, token, ...token.split('.')]) expect(shown).not.toContain(part);
  });

  it('of any text throws nothing', () => {
    const any = fc.oneof(
      fc.string(),
      fc.json(),
      fc.object().map((claims) => jwt(claims)),
    );
    fc.assert(fc.property(any, (token) => JSON.stringify(tokenWords(tokenFacts(token))).length < 20_000));
  });
});
