/**
 * The fence: a question whose answer no sender can guess, asked behind whatever a message's bytes came in. Where a
 * server does not stuff dots, mail can end itself and pass its own rest off as replies; until exactly that answer
 * comes next, nothing that came before it counts.
 */
import { Pop3Error } from '../pop3/errors.ts';
import type { Row } from './listing.ts';
import type { Session } from './session.ts';
import { Unvouched } from './trouble.ts';

/**
 * `UIDL n` of the last of these, else `LIST n`; rejects with Unvouched, and the connection is closed, where the answer
 * is another.
 */
export async function fence(session: Session, rows: readonly Row[]): Promise<void> {
  const row = rows.at(-1);
  if (row === undefined) return;
  const said = await single(() => session.client.uidlOf(row.number));
  if (said === row.uidl) return;
  const sized = said === null ? sizedRow(session, rows) : null;
  const octets = sized === null ? null : await single(() => session.client.listOf(sized.number));
  if (octets !== null && octets === sized?.octets) return;
  const error = said === null && octets === null ? withoutFence(row) : shifted(row, said);
  session.client.destroy(error);
  throw error;
}

/** One of these, or any other where LIST gave no number for them: its answer comes behind theirs all the same. */
function sizedRow({ listing, deleted }: Session, rows: readonly Row[]): Row | null {
  const last = rows.findLast(({ octets }) => octets !== null);
  if (last) return last;
  for (const row of listing.rows()) if (row.octets !== null && !deleted.has(row.index)) return row;
  return null;
}

function withoutFence({ number }: Row): Unvouched {
  return new Unvouched(
    `the server refuses both UIDL ${number} and LIST ${number}, so nothing can vouch for what it sends. Nothing was stored; ask whoever runs it.`,
    'server',
  );
}

function shifted({ number }: Row, said: string | null): Unvouched {
  const command = said === null ? `LIST ${number} gave another size` : `UIDL ${number} gave another id`;
  return new Unvouched(
    `${command} after the message than the listing did: a message that cut itself, or a mailbox renumbered. Nothing was stored of it.`,
    'message',
  );
}

/** Null where the server refuses the form. */
async function single<T>(ask: () => Promise<T>): Promise<T | null> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof Pop3Error && error.kind === 'refused') return null;
    throw error;
  }
}
