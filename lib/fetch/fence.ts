/**
 * The fence: a question whose answer no sender can guess, asked behind whatever a message's bytes came in. Where a
 * server does not stuff dots, mail can end itself and pass its own rest off as replies; until exactly that answer
 * comes next, nothing that came before it counts.
 */
import { Pop3Error } from '../pop3/errors.ts';
import type { Row } from './listing.ts';
import type { RunContext } from './runContext.ts';
import type { Session } from './session.ts';
import { Unvouched } from './trouble.ts';

/** The form that a server answers for a single message; where it answers neither, all its UIDLs are asked for once more. */
export type FenceForm = 'UIDL' | 'LIST';

/**
 * Asked before the session's first RETR or TOP, while nothing of a sender's is in the line: from then on a refusal may be
 * a mail's own text, and tells nothing of the server. Rejects with Unvouched, and the connection is closed, where the
 * answer is not what was listed.
 */
export async function learnFence(session: Session, odd: OddForms = NO_ODD_FORMS): Promise<void> {
  const { listing } = session;
  if (listing.length === 0 || session.fence !== null) return;
  // A sender knows the numbers of messages, and hardly the size that his will have.
  const first: readonly FenceForm[] = listing.isNumbered ? ['LIST', 'UIDL'] : ['UIDL', 'LIST'];
  // It may have been an accident, so that what is odd is asked where nothing else is answered.
  const forms = first
    .filter((form) => !listing.isNamed || !odd.has(form))
    .toSorted((one, other) => Number(odd.has(one)) - Number(odd.has(other)));
  for (const form of forms) {
    const row = askedOf(session, form, []);
    if (row === null) continue;
    const seen = await answered(session, form, row).catch(async (error: unknown) => {
      // QUIRK: some leave the number out, or send the whole listing: the other form may do in another session.
      if (error instanceof Pop3Error && error.code === 'E_POP3_WRONG_ANSWER') await odd.add(form);
      throw error;
    });
    if (seen === 'refused') continue;
    if (seen === 'in another form') {
      await odd.add(form);
      continue;
    }
    if (seen === 'another') throw dropped(session, renumbered(form, row));
    session.fence = form;
    return;
  }
  // Both refusals may be the answers of earlier commands; a line that is out of step would stay so in a body.
  if (listing.isNamed && !(await isListedAgain(session))) throw dropped(session, relisted());
}

/** Forms that the server answers in a form of its own, which ends a session: to be asked last. */
export interface OddForms {
  has(form: FenceForm): boolean;
  add(form: FenceForm): Promise<void>;
}

const NO_ODD_FORMS: OddForms = { has: () => false, add: async () => {} };

/** As the state remembers them, for a day: the size that LIST tells is no such secret as a UIDL. */
export function oddFormsOf({ state, ports }: Pick<RunContext, 'state' | 'ports'>): OddForms {
  return {
    has: (form) => {
      const sinceMs = ports.clock.now() - (state.head.oddForms?.[form] ?? Number.NEGATIVE_INFINITY);
      return sinceMs < ODD_FORM_MS;
    },
    add: (form) => {
      const nowMs = ports.clock.now();
      return state.commit((head) => ({ ...head, oddForms: { ...head.oddForms, [form]: nowMs } }));
    },
  };
}

const ODD_FORM_MS = 24 * 3_600_000;

export interface Question {
  readonly form: FenceForm;
  readonly row: Row;
}

/** What is asked behind these, and may be sent ahead; null where nothing of a single message can be. */
export function questionOf(session: Session, rows: readonly Row[]): Question | null {
  const form = session.fence;
  const row = form && askedOf(session, form, rows);
  return form === null || !row ? null : { form, row };
}

/** Of the last of these; rejects with Unvouched, and the connection is closed, where the answer is another. */
export async function fence(session: Session, rows: readonly Row[]): Promise<void> {
  const question = questionOf(session, rows);
  if (question === null) {
    if (!session.listing.isNamed) throw dropped(session, withoutFence());
    if (!(await isListedAgain(session))) throw dropped(session, shiftedListing());
    return;
  }
  const { form, row } = question;
  if ((await answered(session, form, row)) !== 'as listed') throw dropped(session, shifted(form, row));
}

/** Of one form about one row. */
type Answer = 'as listed' | 'in another form' | 'another' | 'refused';

async function answered({ client }: Session, form: FenceForm, row: Row): Promise<Answer> {
  try {
    if (form === 'LIST') return (await client.listOf(row.number)) === row.octets ? 'as listed' : 'another';
    return compared(await client.uidlOf(row.number), row.uidl);
  } catch (error) {
    if (error instanceof Pop3Error && error.kind === 'refused') return 'refused';
    throw error;
  }
}

/**
 * QUIRK: some pad the rows of a listing; others cut the id of a single message short, write it in other letters, or
 * words behind it. What was cut or is in capitals by rule alone could be guessed, and is no fence.
 */
function compared(answer: string, listed: string): Answer {
  const [said, known] = [answer.trimEnd(), listed.trimEnd()];
  if (said === known) return 'as listed';
  const [one, other] = [said.toLowerCase(), known.toLowerCase()];
  return said !== '' && (one.startsWith(other) || other.startsWith(one)) ? 'in another form' : 'another';
}

/**
 * Whether UIDL lists all that is left, each under its number. What came meanwhile may be there too, and what is deleted;
 * QUIRK: both are against RFC 1939, and seen.
 */
async function isListedAgain({ client, listing, deleted }: Session): Promise<boolean> {
  let differs = false;
  const seen = new Set<number>();
  const visit = (number: number, uidl: string) => {
    const index = listing.indexOfNumber(number);
    if (index === undefined) return;
    differs ||= listing.row(index).uidl !== uidl;
    if (!deleted.has(index)) seen.add(index);
  };
  try {
    await client.uidl(visit);
  } catch (error) {
    // It was answered a moment before: a refusal is a mail's own text.
    if (error instanceof Pop3Error && client.closedBy === null) return false;
    throw error;
  }
  return !differs && seen.size === listing.length - deleted.size;
}

function dropped({ client }: Session, error: Unvouched): Unvouched {
  client.destroy(error);
  return error;
}

/** The last of these, or any other where the server gave none of them what is asked for: its answer comes behind theirs. */
function askedOf({ listing, deleted }: Session, form: FenceForm, rows: readonly Row[]): Row | null {
  // An empty answer could be guessed.
  const has = ({ uidl, octets }: Row) => (form === 'UIDL' ? uidl !== '' : octets !== null);
  const last = rows.findLast(has);
  if (last) return last;
  for (const row of listing.rows()) if (has(row) && !deleted.has(row.index)) return row;
  return null;
}

/** Whether rows are left, but none that can be a fence, for those that could are deleted in this session. */
export function lostItsFence(session: Session): boolean {
  const { deleted, listing, fence: form } = session;
  return (
    form !== null &&
    !listing.isNamed &&
    deleted.size > 0 &&
    deleted.size < listing.length - listing.left &&
    askedOf(session, form, []) === null
  );
}

function withoutFence(): Unvouched {
  return new Unvouched(
    'the server gives no UIDL, and refuses LIST of a single message, so nothing can vouch for what it sends. Nothing was stored of it; ask whoever runs it.',
    'server',
  );
}

function renumbered(form: FenceForm, { number }: Row): Unvouched {
  return new Unvouched(
    `${form} ${number} had another answer than the listing gave a moment before, so nothing can vouch for what the server sends. Nothing was retrieved.`,
    'server',
  );
}

function relisted(): Unvouched {
  return new Unvouched(
    'UIDL had another answer than a moment before, so nothing can vouch for what the server sends. Nothing was retrieved.',
    'server',
  );
}

function shifted(form: FenceForm, { number }: Row): Unvouched {
  return new Unvouched(
    `${form} ${number} had another answer after the message than the listing gave: a message that cut itself, or a mailbox renumbered. Nothing was stored of it.`,
    'message',
  );
}

function shiftedListing(): Unvouched {
  return new Unvouched(
    'UIDL had another answer after the message than before: a message that cut itself, or a mailbox renumbered. Nothing was stored of it.',
    'message',
  );
}
