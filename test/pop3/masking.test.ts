/** What a server repeats of a secret, in a form of its own. */
import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { showWithout, WITHHELD } from '../../lib/pop3/masking.ts';
import { formsIn, formsOf } from '../canaries.ts';

/** So many special characters that no form of it shares eight with another. */
function dense(): string {
  return [...randomBytes(8).toString('hex')].join('+').replace(/\+(.\+.)/g, '/$1');
}

describe('a text that repeats a secret', () => {
  it.each(['raw', 'hex', 'url', 'base64 at 0', 'base64 at 1', 'base64 at 2'])('is withheld: %s', (name) => {
    const secret = dense();
    const echo = formsOf(secret).get(name) ?? '';
    expect(formsIn(echo, secret)).toContain(name);
    for (const text of [echo, echo.toUpperCase(), echo.slice(0, echo.length / 2)])
      expect(showWithout(secret)(Buffer.from(`-ERR no ${text} here`, 'latin1'))).toBe(WITHHELD);
    expect(showWithout(secret)(Buffer.from('-ERR no such user here'))).toBe('-ERR no such user here');
  });

  it('is told from others whatever the secret is made of', () => {
    for (const secret of ['\ud800', '%', ''])
      expect(showWithout(secret)(Buffer.from('-ERR nothing'))).toBe('-ERR nothing');
  });
});
