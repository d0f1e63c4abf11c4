/**
 * Which mail is wanted, and until when it stays: some histories have a start, a size limit or days to wait before a
 * delete. Drawn from a stream of its own, so that a history without them is what its seed always was.
 */
import type { Mailbox } from '../../lib/mailbox/settings.ts';
import { Chance } from './chance.ts';

export interface Policies {
  /** That a message stays after it was stored, where messages are deleted at all; 0: none. */
  readonly days: number;
  readonly start: Mailbox['start'];
  readonly sizeLimit: number | null;
}

export const NO_POLICIES: Policies = { days: 0, start: 'all', sizeLimit: null };

/** How many histories have any. */
const SHARE = 0.3;

export function policiesOf(seed: number): Policies {
  const chance = new Chance(seed + 0x5eed);
  if (!chance.happens(SHARE)) return NO_POLICIES;
  return {
    days: chance.happens(0.4) ? 1 : 0,
    start: chance.happens(0.5)
      ? chance.pick(['new-mail-only' as const, { newest: 1 }, { newest: 2 }])
      : 'all',
    sizeLimit: chance.happens(0.4) ? chance.pick([120, 300, 700]) : null,
  };
}
