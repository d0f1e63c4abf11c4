import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Digester, digestOf } from '../../lib/store/checksum.ts';
import { checkKey } from '../../lib/store/keys.ts';
import { PART_BYTES } from '../../lib/store/port.ts';
import { noise } from './writing.ts';

/** The definition, from bytes that are all there. */
function expected(body: Uint8Array) {
  const sha256 = createHash('sha256').update(body).digest('hex');
  if (body.length <= PART_BYTES) return { size: body.length, sha256 };
  const whole = createHash('sha256');
  let parts = 0;
  for (let at = 0; at < body.length; at += PART_BYTES, parts += 1) {
    whole.update(
      createHash('sha256')
        .update(body.subarray(at, at + PART_BYTES))
        .digest(),
    );
  }
  return { size: body.length, sha256, composite: `${whole.digest('base64')}-${parts}` };
}

describe('a digest', () => {
  const sizes = [
    0,
    1,
    PART_BYTES - 1,
    PART_BYTES,
    PART_BYTES + 1,
    2 * PART_BYTES,
    2 * PART_BYTES + 1,
    3 * PART_BYTES,
  ];

  it.each(sizes)('of %i bytes has a composite exactly when there is more than one part', (size) => {
    const body = noise(size, 'digest');
    expect(digestOf(body)).toEqual(expected(body));
  });

  it('does not depend on how the bytes arrive', () => {
    const body = noise(2 * PART_BYTES + 4321, 'split');
    const whole = expected(body);
    const cuts = fc.array(
      fc.oneof(fc.nat(body.length), fc.constantFrom(PART_BYTES - 1, PART_BYTES, PART_BYTES + 1)),
      {
        maxLength: 12,
      },
    );
    fc.assert(
      fc.property(cuts, (points) => {
        const digester = new Digester();
        let from = 0;
        for (const to of [...points.sort((a, b) => a - b), body.length]) {
          digester.update(body.subarray(from, to));
          from = to;
        }
        expect(digester.digest()).toEqual(whole);
      }),
      { numRuns: 20 },
    );
  });
});

describe('the gate for keys', () => {
  it('lets through only what cannot leave the folder, whatever it is given', () => {
    const pieces = fc.constantFrom(
      'a',
      'Z9',
      '.',
      '..',
      '/',
      '-',
      '_',
      '@',
      ' ',
      '\\',
      '\0',
      'é',
      '.tmp',
      'x.eml',
    );
    const anything = fc.oneof(
      fc.string(),
      fc.array(pieces, { maxLength: 8 }).map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(anything, (key) => {
        try {
          checkKey(key);
        } catch (error) {
          expect(error).toBeInstanceOf(TypeError);
          return;
        }
        for (const segment of key.split('/')) expect(segment).toMatch(/^[A-Za-z0-9_-][A-Za-z0-9._-]*$/);
      }),
      { numRuns: 2000 },
    );
  });

  it.each([
    'mail/shop.1/0123456789abcdef.eml',
    'state/a-b_c.json',
    'state/_probe/x/y',
    'config/mailboxes.json',
  ])('lets through %s', (key) => expect(checkKey(key)).toBeUndefined());
});
