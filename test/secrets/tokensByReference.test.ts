import { describe, expect, it } from 'vitest';
import { Secret, SecretError, type Secrets, type TokenSource } from '../../lib/secrets/port.ts';
import { tokensByReference } from '../../lib/secrets/tokensByReference.ts';

const SECRET = 'hunter2-hunter2';

describe('tokens by reference', () => {
  it.each([false, true])('are what the reference says, afresh: %s', async (fresh) => {
    const reads: unknown[] = [];
    const secrets: Secrets = {
      async read(...asked) {
        reads.push(asked);
        return new Secret(SECRET);
      },
    };
    expect((await tokensByReference(secrets).read({ from: 'env:TOKEN' }, fresh)).reveal()).toBe(SECRET);
    expect(reads).toEqual([['env:TOKEN', fresh]]);
  });

  const others: readonly TokenSource[] = [
    { command: ['pass', SECRET] },
    { grant: 'refresh-token', tokenEndpoint: 'https://a.example', clientId: SECRET, refreshToken: 'env:R' },
    {
      ...{ grant: 'client-credentials', tokenEndpoint: 'https://a.example', clientId: 'c' },
      ...{ clientSecret: 'env:S', scope: 's' },
    } as const,
    { grant: 'service-account', key: 'file:k', subject: 's', scope: 's' },
  ];
  it.each(others)('are no others: case %#', async (source) => {
    const secrets: Secrets = { read: async () => new Secret(SECRET) };
    const error = await tokensByReference(secrets)
      .read(source, false)
      .catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(SecretError);
    expect(error).toMatchObject({ kind: 'person', code: 'E_TOKEN_SOURCE' });
    expect(String(error)).toContain('{ from: REFERENCE }');
    expect(JSON.stringify([String(error), error])).not.toContain(SECRET);
  });
});
