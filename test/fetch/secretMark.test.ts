/** What the state keeps of a secret: enough to see that it is another, and too little to find it. */
import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { isRenewed, secretMark } from '../../lib/fetch/secretMark.ts';
import type { Mailbox } from '../../lib/mailbox/settings.ts';
import { Secret, SecretError, type Secrets } from '../../lib/secrets/port.ts';
import { mailboxNamed } from './world.ts';

const trouble = (kind: 'later' | 'person') =>
  new SecretError('no secret', { kind, code: 'E_SECRET_X', reference: 'file:x' });

/** What stands behind each reference; `cached` is what a cache still has of it. */
function secretsOf(values: Record<string, string | SecretError>, cached = values) {
  const reads: boolean[] = [];
  const secrets: Secrets = {
    async read(reference, fresh) {
      reads.push(fresh);
      const value = (fresh ? values : cached)[reference] ?? trouble('person');
      if (value instanceof SecretError) throw value;
      return new Secret(value);
    },
  };
  return { secrets, reads };
}

const mailbox = (settings: Partial<Mailbox> = {}) =>
  mailboxNamed('inbox', { password: 'file:p', ...settings });
const markOf = (values: Record<string, string | SecretError>, settings: Partial<Mailbox> = {}) =>
  secretMark(mailbox(settings), secretsOf(values).secrets, false);

describe('the mark of a secret', () => {
  it('has twelve bits, and all of them', async () => {
    const marks = new Set<string | null>();
    for (let nth = 0; nth < 20_000; nth += 1) marks.add(await markOf({ 'file:p': String(nth) }));
    for (const mark of marks) expect(mark).toMatch(/^[0-9a-f]{3}$/);
    expect(marks.size).toBeGreaterThan(4_000);
  });

  it('is one for all mailboxes that have this secret: two would tell more than one', async () => {
    const password = randomBytes(12).toString('hex');
    const other = { user: 'another', host: 'pop.example.net', password: 'file:q' };
    expect(await markOf({ 'file:p': password })).toBe(await markOf({ 'file:q': password }, other));
  });

  it.each<[string, Partial<Mailbox>, readonly string[]]>([
    ['a token', bearing({ from: 'file:t' }), ['file:t']],
    [
      'a refresh token and a client secret',
      bearing({
        ...{ grant: 'refresh-token', tokenEndpoint: 'https://a.example', clientId: 'c' },
        ...{ clientSecret: 'file:c', refreshToken: 'file:r' },
      }),
      ['file:c', 'file:r'],
    ],
    [
      'a client certificate',
      { clientCertificate: { certificate: 'file:cert', key: 'file:key' } },
      ['file:p', 'file:cert', 'file:key'],
    ],
  ])('is of all that signs in: %s', async (_, settings, references) => {
    const values = Object.fromEntries(references.map((reference) => [reference, 'a']));
    const before = await markOf(values, settings);
    expect(before).toMatch(/^[0-9a-f]{3}$/);
    for (const reference of references)
      expect(await markOf({ ...values, [reference]: 'other' }, settings), reference).not.toBe(before);
  });

  it('is another where there is no secret, and none where it cannot be read now or there is nothing to read', async () => {
    expect(await markOf({})).toBe('none');
    expect(await markOf({ 'file:p': trouble('later') })).toBeNull();
    expect(await markOf({}, bearing({ command: ['/bin/token'] }))).toBeNull();
  });
});

describe('a secret', () => {
  const mark = async (secret: string) => (await markOf({ 'file:p': secret })) ?? '';

  it('is looked for in a cache first, and is another one only if it is so where it is kept', async () => {
    const old = secretsOf({ 'file:p': 'b' }, { 'file:p': 'a' });
    expect(await isRenewed(await mark('a'), mailbox(), old.secrets)).toBe(false);
    expect(old.reads).toEqual([false]);
    // Another process has the newer one, and it was refused as well.
    const newer = secretsOf({ 'file:p': 'b' }, { 'file:p': 'a' });
    expect(await isRenewed(await mark('b'), mailbox(), newer.secrets)).toBe(false);
    expect(newer.reads).toEqual([false, true]);
    expect(await isRenewed(await mark('a'), mailbox(), secretsOf({ 'file:p': 'b' }).secrets)).toBe(true);
  });

  it('that cannot be read is not another one; one that is put where none was is', async () => {
    const away = secretsOf({ 'file:p': trouble('later') }).secrets;
    expect(await isRenewed(await mark('a'), mailbox(), away)).toBe(false);
    expect(await isRenewed('none', mailbox(), secretsOf({ 'file:p': 'a' }).secrets)).toBe(true);
  });
});

function bearing(token: NonNullable<Mailbox['signIn']['token']>): Partial<Mailbox> {
  return { password: undefined, signIn: { mechanism: 'xoauth2', initialResponse: false, token } };
}
