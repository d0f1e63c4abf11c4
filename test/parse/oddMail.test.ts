import { describe, expect, it } from 'vitest';
import { parsedMail } from '../../lib/mail/documentShape.ts';
import { brokenMail } from './brokenMail.ts';
import { oddMail } from './oddMail.ts';
import { parsed } from './parsing.ts';

/** Of one message, on a machine that does other things as well. */
const SLOW_MS = 10_000;

describe('odd and hostile mail', () => {
  it.each([...oddMail(), ...brokenMail()].map((odd) => ({ ...odd, title: `${odd.id}: ${odd.what}` })))(
    '$title',
    async ({ bytes, gives }) => {
      const began = performance.now();
      const found = await parsed(bytes());
      expect(performance.now() - began).toBeLessThan(SLOW_MS);
      if ('code' in gives) {
        expect(found).toEqual({ unparsable: gives.code });
        return;
      }
      if (!('mail' in found)) throw new Error(found.unparsable);
      expect(parsedMail.safeParse(found.mail).error).toBeUndefined();
      expect(found.mail).toMatchObject(gives.mail);
      // Not by toEqual: what differs may have megabytes.
      const contents = found.contents.map((content) => content.toString('latin1'));
      if (gives.contents !== undefined) {
        expect(contents.map((content) => content.length)).toEqual(
          gives.contents.map((content) => content.length),
        );
        expect(contents.every((content, at) => content === gives.contents?.[at])).toBe(true);
      }
    },
  );
});
