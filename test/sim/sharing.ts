/** What befalls a message because of others that bear or bore its UIDL and have its size. */
import type { Ledger } from './ledger.ts';
import type { Message } from './messages.ts';

/** Other messages that ever bore this UIDL and have its size. */
export function sharers(ledger: Ledger, message: Message, uidl: string): Message[] {
  const offered = [...(ledger.offered.get(uidl) ?? [])];
  return offered.filter((other) => other !== message && other.listSize === message.listSize);
}

/**
 * What was left of one that is listed no more leads to it, and is announced in its name: see liveness.ts. A number is one
 * mail's after the other's, and whatever was left under it, of any size, is nobody else's.
 */
export function isInherited(ledger: Ledger, message: Message): boolean {
  const { uidl } = message;
  const isNumber = /^\d+$/.test(uidl);
  const before = isNumber ? [...(ledger.offered.get(uidl) ?? [])] : sharers(ledger, message, uidl);
  return before.some((other) => {
    const pair = ledger.pairOf(isNumber ? uidl : other.uidl, other.sha256);
    const isThere = other.gone === 'no' && !other.hidden && !(isNumber && other.uidl !== uidl);
    return !isThere && ledger.isStored(pair) && !ledger.isAnnounced(pair) && isUnsayable(other);
  });
}

/**
 * LIST tells of it the length that one of its UIDL has which cannot be announced: that one's object may be taken for
 * what was left of this one.
 */
export function isTakenFor(ledger: Ledger, message: Message): boolean {
  const offered = [...(ledger.offered.get(message.uidl) ?? [])];
  return offered.some(
    (other) => other !== message && isUnsayable(other) && other.truth?.length === message.listSize,
  );
}

export function isUnsayable({ poison }: Message): boolean {
  return poison === 'announce' || poison === 'unsayable';
}
