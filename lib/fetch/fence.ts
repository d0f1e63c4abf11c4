/**
 * The fence: a question whose answer no sender can guess, asked behind whatever a message's bytes came in. Where a
 * server does not stuff dots, mail can end itself and pass its own rest off as replies; until exactly that answer
 * comes next, nothing that came before it counts.
 */
import { Pop3Error } from '../pop3/errors.ts';
import type { Row } from './listing.ts';
import type { Session } from './session.ts';
import { Unvouched } from './trouble.ts';

/** The form that this server answers for a single message. */
export type FenceForm = 'UIDL' | 'LIST';

/**
 * Asked before the session's first RETR or TOP, while nothing of a sender's is in the line: from then on a refusal may be
 * a mail's own text, and tells nothing of the server. Rejects with Unvouched, and the connection is closed, where the
 * server has neither form.
 */
export async function learnFence(session: Session): Promise<void> {
  if (session.listing.length === 0) return;
  const row = session.listing.row(0);
  const said = await single(() => session.client.uidlOf(row.number));
  const sized = said === null ? sizedRow(session, []) : null;
  const octets = sized === null ? null : await single(() => session.client.listOf(sized.number));
  if (said === row.uidl) session.fence = 'UIDL';
  else if (octets !== null && octets === sized?.octets) session.fence = 'LIST';
  else {
    const error = said === null && octets === null ? withoutFence(row) : renumbered(row, said);
    session.client.destroy(error);
    throw error;
  }
}

/** Of the last of these; rejects with Unvouched, and the connection is closed, where the answer is another. */
export async function fence(session: Session, rows: readonly Row[]): Promise<void> {
  const row = session.fence === 'UIDL' ? rows.at(-1) : sizedRow(session, rows);
  if (row && (await answered(session, row))) return;
  const error = shifted(session.fence, row ?? rows[0]);
  session.client.destroy(error);
  throw error;
}

async function answered({ client, fence: form }: Session, row: Row): Promise<boolean> {
  if (form === 'UIDL') return (await single(() => client.uidlOf(row.number))) === row.uidl;
  return (await single(() => client.listOf(row.number))) === row.octets;
}

/** One of these, or any other where LIST gave no number for them: its answer comes behind theirs all the same. */
function sizedRow({ listing, deleted }: Session, rows: readonly Row[]): Row | null {
  const last = rows.findLast(({ octets }) => octets !== null);
  if (last) return last;
  for (const row of listing.rows()) if (row.octets !== null && !deleted.has(row.index)) return row;
  return null;
}

/** Whether rows are left, and those that LIST gave a number for are deleted in this session: it may have none to ask for. */
export function lostItsSizes(session: Session): boolean {
  const { deleted, listing } = session;
  return deleted.size > 0 && deleted.size < listing.length && sizedRow(session, []) === null;
}

function withoutFence({ number }: Row): Unvouched {
  return new Unvouched(
    `the server refuses both UIDL ${number} and LIST ${number}, so nothing can vouch for what it sends. Nothing was retrieved; ask whoever runs it.`,
    'server',
  );
}

function renumbered({ number }: Row, said: string | null): Unvouched {
  const command = said === null ? `LIST ${number} gave another size` : `UIDL ${number} gave another id`;
  return new Unvouched(
    `${command} than the listing did a moment before, so nothing can vouch for what the server sends. Nothing was retrieved.`,
    'server',
  );
}

function shifted(form: FenceForm, row: Row | undefined): Unvouched {
  const command = `${form} ${row?.number ?? ''}`.trim();
  return new Unvouched(
    `${command} had another answer after the message than the listing gave: a message that cut itself, or a mailbox renumbered. Nothing was stored of it.`,
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
