import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  eventId,
  headKey,
  MAILBOX_ID,
  messageId,
  messageKey,
  messageKeyByContent,
  messagePrefix,
  setAsideId,
} from '../../lib/mailbox/names.ts';

const mailbox = fc.stringMatching(/^[a-z0-9][a-z0-9._-]{0,62}$/);
/** Raw bytes but CR and LF, up to the longest that is accepted. */
const uidl = fc
  .uint8Array({ minLength: 1, maxLength: 1024 })
  .map((bytes) => Buffer.from(bytes.filter((byte) => byte !== 10 && byte !== 13)).toString('latin1'))
  .filter((text) => text !== '');
const sha256 = fc.string().map((text) => createHash('sha256').update(text).digest('hex'));

const KEY = /^mail\/[a-z0-9][a-z0-9._-]{0,62}\/[0-9a-f]{32}(-[0-9a-f]{64})?\.eml$/;

describe('names', () => {
  it('have one alphabet, whatever bytes a UIDL has', () => {
    fc.assert(
      fc.property(mailbox, uidl, sha256, (id, bytes, sha) => {
        expect(messageKey(id, bytes)).toMatch(KEY);
        expect(messageKeyByContent(id, bytes, sha)).toMatch(KEY);
        expect(messageKey(id, bytes).startsWith(messagePrefix(id, bytes))).toBe(true);
        expect(messageKeyByContent(id, bytes, sha).startsWith(messagePrefix(id, bytes))).toBe(true);
        expect(eventId(id, bytes, sha)).toMatch(/^[0-9a-f]{64}$/);
        expect(id).toMatch(MAILBOX_ID);
      }),
    );
  });

  it('come from the content alone where there is no UIDL', () => {
    const sha = createHash('sha256').digest('hex');
    expect(messageKeyByContent('support', '', sha)).toBe(`mail/support/nouidl-${sha}.eml`);
    expect(messagePrefix('support', '')).toBe('mail/support/nouidl');
  });

  it('differ where mailbox, UIDL or content differ', () => {
    const names = fc.tuple(mailbox, uidl, sha256);
    fc.assert(
      fc.property(names, names, (a, b) => {
        const same = a[0] === b[0] && a[1] === b[1];
        expect(messageKey(a[0], a[1]) === messageKey(b[0], b[1])).toBe(same);
        expect(eventId(...a) === eventId(...b)).toBe(same && a[2] === b[2]);
      }),
    );
  });

  it('cannot be made alike by moving bytes from the mailbox to the UIDL', () => {
    expect(messageId('ab', 'c')).not.toBe(messageId('a', 'bc'));
    expect(setAsideId('a', '1 - x', 1)).not.toBe(setAsideId('a', '1 - x1', 1));
  });

  it('are the same for ever', () => {
    expect(messageKey('support', '000000016b069e57')).toBe(
      `mail/support/${createHash('sha256')
        .update(Buffer.from([0, 0, 0, 7]))
        .update('support')
        .update(Buffer.from([0, 0, 0, 16]))
        .update('000000016b069e57')
        .digest('hex')
        .slice(0, 32)}.eml`,
    );
    expect(headKey('support')).toBe('state/support.json');
  });
});
