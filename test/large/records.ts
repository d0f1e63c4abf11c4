import { hash } from 'node:crypto';
import type { StoredRecord } from '../../lib/mailbox/state.ts';

/** What a run leaves on record of the server's n-th message; of its content nothing is looked at. */
export function recordOf(nth: number, octets: number): StoredRecord {
  return {
    uidl: `large-${nth}`,
    size: octets,
    headerHash: hash('md5', `header ${nth}`),
    octets,
    sha256: hash('sha256', `mail ${nth}`),
    storedMs: 1_764_000_000_000 + nth,
  };
}
