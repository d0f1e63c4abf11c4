/**
 * Mailboxes in bundles of about ten, which are fetched together: a pure function of their ids.
 *
 * A bundle is a range of a hash's values. One that holds too many is cut into two halves, and the lower keeps its name: a
 * mailbox that is added moves none, or about half of its own bundle, and no other bundle knows of it.
 */
import { createHash } from 'node:crypto';

/** Ranges of a hash that are cut above this are filled to 69 % on average: about ten. */
export const LARGEST_BUNDLE = 14;

/** Fifteen ids whose first 48 bits are one would stay one bundle. */
const BITS = 48;

export interface Bundle {
  readonly name: string;
  /** Ids. */
  readonly mailboxes: readonly string[];
}

interface Placed {
  readonly id: string;
  readonly at: number;
}

/** Ordered by name; the order of `ids` makes no difference. */
export function bundlesOf(ids: Iterable<string>): readonly Bundle[] {
  const placed = [...new Set(ids)].map((id) => ({ id, at: placeOf(id) }));
  placed.sort((one, other) => one.at - other.at || (one.id < other.id ? -1 : 1));
  return cut(placed, 0, 2 ** BITS);
}

/** `placed` lie in the range of `width` from `low` on. */
function cut(placed: readonly Placed[], low: number, width: number): readonly Bundle[] {
  if (placed.length === 0) return [];
  if (placed.length <= LARGEST_BUNDLE || width === 1)
    return [{ name: nameOf(low), mailboxes: placed.map(({ id }) => id) }];
  const half = width / 2;
  const found = placed.findIndex(({ at }) => at >= low + half);
  const middle = found === -1 ? placed.length : found;
  return [...cut(placed.slice(0, middle), low, half), ...cut(placed.slice(middle), low + half, half)];
}

function placeOf(id: string): number {
  return createHash('sha256')
    .update(id)
    .digest()
    .readUIntBE(0, BITS / 8);
}

/** A queue's group and part of a job's name: letters, digits and "-". */
function nameOf(low: number): string {
  return `b-${low.toString(16).padStart(BITS / 4, '0')}`;
}
