/** What befalls a message because of others that bear or bore its UIDL and have its size. */
import type { Ledger } from './ledger.ts';
import type { Message } from './messages.ts';

/** Other messages that ever bore this UIDL and have its size. */
export function sharers(ledger: Ledger, message: Message, uidl: string): Message[] {
  const offered = [...(ledger.offered.get(uidl) ?? [])];
  return offered.filter((other) => other !== message && other.listSize === message.listSize);
}

/** What was left of one that is listed no more leads to it, and is announced in its name: see liveness.ts. */
export function isInherited(ledger: Ledger, message: Message): boolean {
  return sharers(ledger, message, message.uidl).some((other) => {
    const pair = ledger.pairOf(other.uidl, other.sha256);
    const isThere = other.gone === 'no' && !other.hidden;
    return !isThere && ledger.isStored(pair) && !ledger.isAnnounced(pair) && isUnsayable(other);
  });
}

export function isUnsayable({ poison }: Message): boolean {
  return poison === 'announce' || poison === 'unsayable';
}
