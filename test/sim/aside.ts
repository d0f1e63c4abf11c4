/** By which name a message stands in the state as things are listed now, and whether it is set aside by that name. */
import type { MessageRef } from '../../lib/mailbox/state.ts';
import type { Message } from './messages.ts';
import type { Stage } from './runs.ts';

/** Not asked for until its day has come. */
export function isAside(stage: Stage, message: Message): boolean {
  const names = namesOf(stage, message);
  return (stage.world.ledger.head?.failures ?? []).some(
    (failure) =>
      failure.setAsideMs !== null && isItsSize(failure, message) && names.includes(failure.headerHash),
  );
}

/**
 * A header hash only where its UIDL is repeated and TOP tells: one whose twin is gone, and one that a twin has joined,
 * has another name than before, and its attempts begin anew.
 */
function namesOf(stage: Stage, message: Message): readonly (string | null)[] {
  // It is asked for only where others of its size failed, or came.
  if (message.uidl === '') return message.identified ? [message.topHash, null] : [null];
  const twins = stage.maildrop.present.filter(({ hidden, uidl }) => !hidden && uidl === message.uidl);
  if (twins.length < 2) return [null];
  const alike = twins.filter(({ listSize }) => listSize === message.listSize);
  const broke = stage.world.ledger.head?.intents.some((intent) => intent.blind && isItsSize(intent, message));
  return broke || isBlind(stage, alike) ? [message.topHash, null] : [message.topHash];
}

function isItsSize({ uidl, size }: MessageRef, message: Message): boolean {
  return uidl === message.uidl && size === message.listSize;
}

/** Without TOP; nor does it tell anything of one that ends each session it is asked in, or without UIDL has nothing to tell. */
export function isBlind({ maildrop }: Stage, sharing: readonly Message[]): boolean {
  return maildrop.manners.top === 'refused' || sharing.some(tellsNothing);
}

function tellsNothing({ topWire, uidl, identified }: Message): boolean {
  return cutsItself(topWire) || (uidl === '' && !identified);
}

/** Its first terminator is not its end. */
function cutsItself(wire: Buffer): boolean {
  const text = wire.toString('latin1');
  return !text.startsWith('.\r\n') && text.indexOf('\r\n.\r\n') + 5 !== text.length;
}
