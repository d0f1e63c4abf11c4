/** What a listing that was looked at says to whoever set up its mailbox. */
import { minutesOf } from '../mailbox/due.ts';
import type { Policy } from '../mailbox/policy.ts';
import type { Mailbox } from '../mailbox/settings.ts';
import type { Capabilities } from '../pop3/client.ts';
import type { Listing } from './listing.ts';

interface Asked {
  readonly mailbox: Mailbox;
  readonly policy: Policy;
}

export function advice(
  { mailbox: { every }, policy: { nameless } }: Asked,
  listing: Listing,
  { loginDelaySeconds }: Pick<Capabilities, 'loginDelaySeconds'>,
): string[] {
  const notes: string[] = [];
  if (loginDelaySeconds) {
    const isShort = minutesOf(every) * 60 < loginDelaySeconds;
    const meaning = isShort ? `; with "every: ${every}" not each turn can be kept` : '';
    notes.push(`The server wants ${loginDelaySeconds} s between two sign-ins${meaning}.`);
  }
  const unnamed = [...listing.rows()].filter(({ uidl }) => uidl === '').length;
  if (unnamed > 0 && !nameless)
    notes.push(
      `${unnamed} messages have no UIDL. They are skipped; with delete: when-stored and start: all they are fetched.`,
    );
  if (unnamed > 0 && nameless)
    notes.push(
      `${unnamed} messages have no UIDL. They are told apart by their content, one at a time; what cannot be deleted is looked at again at each poll.`,
    );
  return notes;
}
