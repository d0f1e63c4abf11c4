/** What every place promises where a secret is put back; run on each implementation. */
import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { Secret, type SecretSaver, type Secrets } from '../../lib/secrets/port.ts';
import { expectHidden, refusal } from './hiding.ts';

export interface Keeping {
  readonly secrets: Secrets;
  readonly saver: SecretSaver;
  /** Another process over the same place. */
  another(): SecretSaver;
  put(reference: string, value: string): Promise<void>;
  /** From now on nothing can be put there. */
  close(): Promise<void>;
}

export function saverContract(
  name: string,
  [one, other]: readonly [string, string],
  make: () => Promise<Keeping>,
): void {
  const fresh = () => randomBytes(24).toString('base64url');

  describe(`${name} keeps the promises of a saver of secrets`, () => {
    it('puts a secret in place of the one that was used, and leaves others alone', async () => {
      const { secrets, saver, put } = await make();
      const [before, after, neighbour] = [fresh(), fresh(), fresh()];
      await put(one, before);
      await put(other, neighbour);
      await saver.prove(one);
      expect(await saver.save(one, new Secret(after), new Secret(before))).toBe(true);
      expect((await secrets.read(one, false)).reveal()).toBe(after);
      expect((await secrets.read(other, false)).reveal()).toBe(neighbour);
    });

    it('leaves what somebody else put there meanwhile', async () => {
      const { secrets, saver, put } = await make();
      const newer = fresh();
      await put(one, newer);
      expect(await saver.save(one, new Secret(fresh()), new Secret(fresh()))).toBe(false);
      expect((await secrets.read(one, true)).reveal()).toBe(newer);
    });

    it('is done where the secret stands there already: an answer may have been lost', async () => {
      const { saver, put } = await make();
      const after = fresh();
      await put(one, after);
      expect(await saver.save(one, new Secret(after), new Secret(fresh()))).toBe(true);
    });

    it('puts it there whatever stands there, where that is asked', async () => {
      const { secrets, saver, put } = await make();
      await put(one, fresh());
      const after = fresh();
      expect(await saver.save(one, new Secret(after), null)).toBe(true);
      expect((await secrets.read(one, true)).reveal()).toBe(after);
    });

    it('loses no other secret of the place, whoever saves at the same time', async () => {
      const { secrets, saver, another, put } = await make();
      await put(one, 'x');
      await put(other, 'y');
      const rival = another();
      let [last, lastOther] = ['x', 'y'];
      for (let round = 0; round < 5; round += 1) {
        const [next, nextOther] = [fresh(), fresh()];
        const saved = await Promise.all([
          saver.save(one, new Secret(next), new Secret(last)),
          rival.save(other, new Secret(nextOther), new Secret(lastOther)),
        ]);
        expect(saved).toEqual([true, true]);
        [last, lastOther] = [next, nextOther];
      }
      expect((await secrets.read(one, true)).reveal()).toBe(last);
      expect((await secrets.read(other, true)).reveal()).toBe(lastOther);
    });

    it('says why it cannot, shows nothing, and leaves what stands there', async () => {
      const { secrets, saver, put, close } = await make();
      const [before, after] = [fresh(), fresh()];
      await put(one, before);
      await close();
      const error = await refusal(saver.save(one, new Secret(after), new Secret(before)));
      expect(error).toMatchObject({ kind: 'person', reference: one });
      expect(error.message).toContain(one);
      for (const secret of [before, after]) expectHidden(error, secret);
      expect((await secrets.read(one, true)).reveal()).toBe(before);
    });

    it.each(['correct horse battery', 'other:x', ''])(
      'does not show what stands where a reference should be: %j',
      async (reference) => {
        const { saver } = await make();
        for (const trying of [saver.prove(reference), saver.save(reference, new Secret('x'), null)]) {
          const error = await refusal(trying);
          expect(error.code).toBe('E_SECRET_REFERENCE');
          if (reference.includes('horse')) expectHidden(error, reference);
        }
      },
    );
  });
}
