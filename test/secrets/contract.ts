/** What every source of secrets promises; run on each implementation. */
import { describe, expect, it } from 'vitest';
import { Secret, type SecretError, type Secrets } from '../../lib/secrets/port.ts';
import { expectHidden, refusal } from './hiding.ts';

export interface SecretSource {
  readonly secrets: Secrets;
  /** Puts `value` behind `reference`, or replaces it; null takes it away. */
  put(reference: string, value: string | null): Promise<void>;
}

export interface References {
  /** Two different ones. */
  readonly good: readonly [string, string];
  /** Never put. */
  readonly missing: string;
  /** Its scheme alone. */
  readonly scheme: string;
}

export function secretsContract(
  name: string,
  { good, missing, scheme }: References,
  make: () => Promise<SecretSource>,
): void {
  describe(`${name} keeps the promises of a source of secrets`, () => {
    const [one, other] = good;

    it('gives each secret as it was put, and no other', async () => {
      const { secrets, put } = await make();
      const [first, second] = ['pä$s "wörd" \\ 😀', ' x '];
      await put(one, first);
      await put(other, second);
      const read = await secrets.read(one, false);
      expect(read).toBeInstanceOf(Secret);
      expect(read.reveal()).toBe(first);
      expect((await secrets.read(other, false)).reveal()).toBe(second);
      expectHidden(read, first);
    });

    it('reads its source again when asked to', async () => {
      const { secrets, put } = await make();
      await put(one, 'old');
      expect((await secrets.read(one, false)).reveal()).toBe('old');
      await put(one, 'new');
      expect((await secrets.read(one, true)).reveal()).toBe('new');
      expect((await secrets.read(one, false)).reveal()).toBe('new');
      await put(one, null);
      expect(await refusal(secrets.read(one, true))).toMatchObject({ kind: 'person' });
    });

    it('gives all who ask at once the same', async () => {
      const { secrets, put } = await make();
      await put(one, 'same');
      const reads = await Promise.all(Array.from({ length: 20 }, () => secrets.read(one, false)));
      expect(new Set(reads.map((secret) => secret.reveal()))).toEqual(new Set(['same']));
    });

    it('names what is missing', async () => {
      const { secrets, put } = await make();
      await put(one, 'there');
      const error: SecretError = await refusal(secrets.read(missing, false));
      expect(error).toMatchObject({ kind: 'person', code: 'E_SECRET_MISSING', reference: missing });
      expect(error.message).toContain(missing);
    });

    it('refuses an empty secret', async () => {
      const { secrets, put } = await make();
      await put(one, '');
      const error = await refusal(secrets.read(one, false));
      expect(error.kind).toBe('person');
      expect(error.code).toMatch(/^E_SECRET_(EMPTY|MALFORMED)$/);
    });

    it.each(['correct horse battery', 'other:x', scheme, `${scheme}:`, `${scheme}: `, ''])(
      'does not show what stands where a reference should be: %j',
      async (reference) => {
        const { secrets } = await make();
        const error = await refusal(secrets.read(reference, false));
        expect(error).toMatchObject({ kind: 'person', code: 'E_SECRET_REFERENCE' });
        if (reference.includes('horse')) expectHidden(error, reference);
      },
    );
  });
}
