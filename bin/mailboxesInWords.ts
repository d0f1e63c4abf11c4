/** A difference as a person reads it before it is written. */
import type { Difference, Given, Kept, Setting } from './mailboxesDocument.ts';
import { idOf } from './mailboxesDocument.ts';

const LONGEST_VALUE = 80;

/** References of functions are these alone: they have no files, and their environment is read by more than them. */
const FOR_FUNCTIONS = /^secretsmanager:/;

export function differenceInWords(change: Difference, { problem }: Kept): readonly string[] {
  const { added, removed, changed, settings } = change;
  return [
    ...(problem === '' ? [] : [`! what is there ${problem}, and is replaced as a whole`]),
    ...settings.map((setting) => `~ ${inWords(setting)}`),
    ...removed.map((id) => `- ${id || '(one without an id)'}`),
    ...changed.flatMap(({ id, settings: some }) =>
      some === null
        ? [`~ ${id}: was wrong, and is replaced as a whole`]
        : some.map((setting) => `~ ${id}: ${inWords(setting)}`),
    ),
    ...added.map((one) => `+ ${idOf(one)}: ${String(one['host'])}`),
    ...[...added, ...changed.flatMap(({ id, settings: some }) => afterOf(id, some))].flatMap(unreadable),
  ];
}

function inWords({ name, before, after }: Setting): string {
  return `${name} ${shown(before)} → ${shown(after)}`;
}

function shown(value: unknown): string {
  if (value === undefined) return '(left out)';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  if (text.includes('-----BEGIN')) return '(PEM text)';
  return text.length > LONGEST_VALUE ? `${text.slice(0, LONGEST_VALUE)}…` : text;
}

function afterOf(id: string, settings: readonly Setting[] | null): readonly Given[] {
  return [{ id, ...Object.fromEntries((settings ?? []).map(({ name, after }) => [name, after])) }];
}

function unreadable(mailbox: Given): readonly string[] {
  const { password } = mailbox;
  if (typeof password !== 'string' || FOR_FUNCTIONS.test(password)) return [];
  return [
    `! ${idOf(mailbox)}: ${password} can be read by this command, and by no function: use secretsmanager:ID#KEY`,
  ];
}
