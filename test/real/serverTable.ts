/** What a server did to mail between the file and the wire, as the rows that docs/servers.md shows of it. */
import { createHash } from 'node:crypto';
import type { Sample } from '../corpus.ts';
import type { Change, MailServerKind } from '../servers/mailServer.ts';
import type { Transcript } from '../servers/transcript.ts';

/** More than three at once would fit anything. */
const MOST_CHANGES = 3;

const UNCHANGED = 'as it was put in';

type Retrieved = Transcript['retrieved'];

/** Markdown, a row a line, in an order of its own. Rejects nothing: what fits no change is a row, too. */
export function tableOf(kind: MailServerKind, samples: readonly Sample[], retrieved: Retrieved): string[] {
  const { fates, sizes } = matched(kind, samples, retrieved);
  const kept = samples.flatMap((sample) => (kind.keptOut?.(sample) ? [`${sample.name}`] : []));
  const rows = [...grouped(fates), ...grouped(sizes)];
  return ['| what | of which messages |', '|---|---|', ...rows, ...keptOutRow(kept)];
}

function keptOutRow(names: readonly string[]): readonly string[] {
  return names.length === 0 ? [] : [`| not in this mailbox, see above | ${names.join(' · ')} |`];
}

function grouped(words: ReadonlyMap<string, string>): readonly string[] {
  const groups = Map.groupBy(words, ([, what]) => what);
  return [...groups].map(([what, members]) => {
    const names = members.map(([name]) => name).sort();
    return `| ${what} | ${what === UNCHANGED || what === EXACT ? `${names.length}` : names.join(' · ')} |`;
  });
}

const EXACT = 'LIST is exact';

/** Each sample with the message on the wire that fewest changes make of it; what then is left of the wire, too. */
function matched(kind: MailServerKind, samples: readonly Sample[], retrieved: Retrieved) {
  const free = new Map<string, Retrieved[number][]>();
  for (const one of retrieved) {
    const text = one.bytes.toString('latin1').replace(kind.ownHeader ?? /^\b$/, '');
    const hash = hashOf(text);
    free.set(hash, [...(free.get(hash) ?? []), one]);
  }
  const fates = new Map<string, string>();
  const sizes = new Map<string, string>();
  const open = new Map(
    samples.filter((sample) => !kind.keptOut?.(sample)).map((sample) => [sample.name, sample]),
  );
  for (const changes of subsets(kind.changes)) {
    for (const [name, { bytes }] of open) {
      const put = bytes().toString('latin1');
      // A change that does nothing here would be told where it is not.
      const made = changes.reduce(
        (text: string | null, { of }) => (text === null || of(text) === text ? null : of(text)),
        put,
      );
      const found = made === null ? undefined : free.get(hashOf(made))?.shift();
      if (found === undefined) continue;
      fates.set(name, changes.length === 0 ? UNCHANGED : changes.map(({ words }) => words).join(', '));
      sizes.set(name, sizeWords(found));
      open.delete(name);
    }
  }
  for (const name of open.keys()) fates.set(name, 'CHANGED OTHERWISE, or not given at all');
  const strangers = [...free.values()].flat();
  for (const { row, bytes } of strangers)
    fates.set(`message ${row.number} of ${bytes.length} octets`, 'LIKE NOTHING THAT WAS PUT IN');
  return { fates, sizes };
}

function sizeWords({ row: { octets }, bytes }: Retrieved[number]): string {
  if (octets === bytes.length) return EXACT;
  return octets === undefined || octets < bytes.length
    ? 'LIST counts fewer octets than come'
    : 'LIST counts more octets than come';
}

function subsets(changes: readonly Change[]): readonly (readonly Change[])[] {
  let all: readonly (readonly Change[])[] = [[]];
  for (const change of changes) all = [...all, ...all.map((some) => [...some, change])];
  return all.filter(({ length }) => length <= MOST_CHANGES).sort((a, b) => a.length - b.length);
}

function hashOf(text: string): string {
  return createHash('sha1').update(text, 'latin1').digest('hex');
}
