/** What every way to have an access token promises; run on each kind of source. */
import { describe, expect, it } from 'vitest';
import { Secret, type TokenSource, type Tokens } from '../../lib/secrets/port.ts';
import { HOLD_PERSON_MS } from '../../lib/secrets/tokenErrors.ts';
import { expectHidden, refusal } from './hiding.ts';

export interface TokenIssuer {
  readonly tokens: Tokens;
  readonly source: TokenSource;
  /** How often a token was asked for, refusals included. */
  requests(): number | Promise<number>;
  /** From now on no token is given, and only a person can change that. */
  withdraw(): Promise<void>;
  /** A token is given again; moves the clock as far as that takes. */
  restore(laterMs: number): Promise<void>;
  /** What nobody may see. */
  secrets(): Promise<readonly string[]>;
}

export function tokensContract(name: string, make: () => Promise<TokenIssuer>): void {
  describe(`${name} keeps the promises of a source of access tokens`, () => {
    it('gives a token, the same to all who ask at once, by one request', async () => {
      const { tokens, source, requests } = await make();
      const read = await Promise.all(Array.from({ length: 30 }, () => tokens.read(source, false)));
      expect(read[0]).toBeInstanceOf(Secret);
      expect(new Set(read.map((token) => token.reveal())).size).toBe(1);
      expect(await requests()).toBe(1);
      expect((await tokens.read({ ...source }, false)).reveal()).toBe(read[0]?.reveal());
      expect(await requests()).toBe(1);
    });

    it('gives another after a refused one, by one request for all who were refused', async () => {
      const { tokens, source, requests } = await make();
      const first = await tokens.read(source, false);
      const read = await Promise.all(Array.from({ length: 30 }, () => tokens.read(source, true)));
      expect(new Set(read.map((token) => token.reveal())).size).toBe(1);
      expect(read[0]?.reveal()).not.toBe(first.reveal());
      expect((await tokens.read(source, false)).reveal()).toBe(read[0]?.reveal());
      // One after another is as good as at once: the token is new.
      for (let mailbox = 0; mailbox < 10; mailbox += 1) await tokens.read(source, true);
      expect(await requests()).toBe(2);
    });

    it('calls a person by one request for all, and gives tokens again once that helped', async () => {
      const { tokens, source, requests, withdraw, restore } = await make();
      await withdraw();
      const asked = Array.from({ length: 30 }, () => refusal(tokens.read(source, false)));
      for (const error of await Promise.all(asked)) expect(error.kind).toBe('person');
      for (let mailbox = 0; mailbox < 10; mailbox += 1) await refusal(tokens.read(source, true));
      expect(await requests()).toBeLessThanOrEqual(1);
      await restore(HOLD_PERSON_MS);
      expect(await tokens.read(source, false)).toBeInstanceOf(Secret);
    });

    it('shows nobody a secret', async () => {
      const { tokens, source, withdraw, secrets } = await make();
      const token = await tokens.read(source, false);
      const shown = [token.reveal(), ...(await secrets())];
      await withdraw();
      const error = await refusal(tokens.read(source, true));
      for (const secret of shown) {
        expectHidden(error, secret);
        expectHidden(tokens, secret);
      }
    });
  });
}
