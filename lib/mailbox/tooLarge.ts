/** Messages over the size limit that a person is told of, or that LIST did not show to be so: pure changes of a head. */
import { TOO_LARGE_BYTES } from './bounds.ts';
import { bytesOf } from './room.ts';
import { type Head, type MessageRef, refKey, type TooLarge } from './state.ts';

export function tooLargeOf(head: Head): readonly TooLarge[] {
  return head.tooLarge ?? [];
}

/** Those that a person was not told of yet. */
export function untoldLarge(head: Head): readonly TooLarge[] {
  return tooLargeOf(head).filter(({ reported }) => !reported);
}

/** Whether one more has its place. */
export function hasRoomForLarge(head: Head): boolean {
  return bytesOf(tooLargeOf(head)) < TOO_LARGE_BYTES;
}

/** Of one that is there already, the larger size and the first date; those that find no room are left out. */
export function withTooLarge(head: Head, found: readonly TooLarge[]): Head {
  const byRef = new Map(tooLargeOf(head).map((one) => [refKey(one), one]));
  let bytes = bytesOf(tooLargeOf(head));
  let changed = false;
  for (const one of found) {
    const known = byRef.get(refKey(one));
    if (known !== undefined && known.atLeast >= one.atLeast) continue;
    if (known === undefined && bytes >= TOO_LARGE_BYTES) continue;
    if (known === undefined) bytes += bytesOf(one) + 1;
    byRef.set(refKey(one), known === undefined ? one : { ...known, atLeast: one.atLeast });
    changed = true;
  }
  return changed ? { ...head, tooLarge: [...byRef.values()] } : head;
}

export function withLargeReported(head: Head, refs: readonly MessageRef[]): Head {
  const told = new Set(refs.map(refKey));
  const reported = (one: TooLarge) => (told.has(refKey(one)) ? { ...one, reported: true } : one);
  return refs.length === 0 ? head : { ...head, tooLarge: tooLargeOf(head).map(reported) };
}

/** They are stored after all, or gone. */
export function forgetTooLarge(head: Head, isForgotten: (one: TooLarge) => boolean): Head {
  const left = tooLargeOf(head).filter((one) => !isForgotten(one));
  return left.length === tooLargeOf(head).length ? head : { ...head, tooLarge: left };
}
