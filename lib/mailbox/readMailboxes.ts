/** `config/mailboxes.json` as whoever fetches all its mailboxes reads it: one that is wrong stops no other. */
import { MAILBOX_ID } from './names.ts';
import {
  isRecord,
  type MailboxesDocument,
  mailboxesIn,
  parseMailboxesDocument,
  SettingsError,
} from './settings.ts';

/** Ten thousand mailboxes of 1.5 KB; more would not be read within a minute's job either. */
export const MAX_MAILBOXES_BYTES = 16 * 1024 * 1024;

/** A mailbox of a document that is wrong, or bears the id of another. */
export interface BrokenMailbox {
  /** Null: it has none that could be one. */
  readonly id: string | null;
  readonly problems: readonly string[];
}

export interface MailboxesRead {
  readonly document: MailboxesDocument;
  /** Those that the document does not have. */
  readonly broken: readonly BrokenMailbox[];
}

/**
 * As parseMailboxesDocument, but a mailbox that is wrong takes no other with it. Of two with one id nobody knows which is
 * meant: neither is good. Throws SettingsError where the document itself is wrong, or no mailbox of it is good.
 */
export function readMailboxesDocument(value: unknown, source: string): MailboxesRead {
  try {
    return { document: parseMailboxesDocument(value, source), broken: [] };
  } catch (error) {
    const list = mailboxesIn(value);
    const wrong = error instanceof SettingsError ? problemsByMailbox(error.problems, list) : null;
    if (wrong === null || wrong.size === list.length) throw error;
    const good = list.filter((_, index) => !wrong.has(index));
    return {
      document: parseMailboxesDocument({ ...(isRecord(value) ? value : {}), mailboxes: good }, source),
      broken: [...wrong].map(([index, problems]) => ({ id: idOf(list[index]), problems })),
    };
  }
}

/** By index; null: there are some that no single mailbox has. */
function problemsByMailbox(
  problems: readonly string[],
  list: readonly unknown[],
): ReadonlyMap<number, readonly string[]> | null {
  const wrong = new Map<number, string[]>();
  const add = (index: number, problem: string) => {
    const known = wrong.get(index);
    if (known) known.push(problem);
    else wrong.set(index, [problem]);
  };
  for (const problem of problems) {
    const [, index] = /^mailboxes\[(\d+)\]/.exec(problem) ?? [];
    if (index === undefined) return null;
    add(Number(index), problem);
  }
  for (const index of sharedIds(list))
    if (!wrong.has(index))
      add(
        index,
        `mailboxes[${index}].id: ${JSON.stringify(idOf(list[index]))} is used twice; ids are unique`,
      );
  return wrong;
}

/** Indexes of mailboxes whose id another has, too. */
function sharedIds(list: readonly unknown[]): readonly number[] {
  const counts = new Map<string, number>();
  for (const id of list.map(idOf)) if (id !== null) counts.set(id, (counts.get(id) ?? 0) + 1);
  return list.flatMap((one, index) => ((counts.get(idOf(one) ?? '') ?? 0) > 1 ? [index] : []));
}

function idOf(one: unknown): string | null {
  const id = isRecord(one) ? one['id'] : undefined;
  return typeof id === 'string' && MAILBOX_ID.test(id) ? id : null;
}
