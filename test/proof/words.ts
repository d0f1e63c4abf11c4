/** A proof in tables, for a person. */
import { PHASES, type Phase } from './phases.ts';
import type { Proof } from './prove.ts';
import type { Tally } from './tally.ts';

type Column = readonly [title: string, of: (tally: Tally) => string];

const COLUMNS: readonly Column[] = [
  ['mailboxes', (tally) => count(tally.mailboxes)],
  ['messages', (tally) => count(tally.messages)],
  ['kills', (tally) => count(tally.kills)],
  ['client', ({ victims }) => count(victims.client)],
  ['session', ({ victims }) => count(victims.session)],
  ['server', ({ victims }) => count(victims.server)],
  ['store', ({ victims }) => count(victims.store)],
  ['zombies', ({ victims }) => count(victims.zombie)],
  ['lost', (tally) => count(tally.lost)],
  ['twice', (tally) => count(tally.duplicates)],
  ['truncated', (tally) => count(tally.truncated)],
  ['repeats', (tally) => count(tally.repeats)],
  ['a kill', (tally) => perKill(tally)],
];

/** Characters of the longest bar. */
const BAR = 40;

export function inWords({ rows, total, failures }: Proof): string {
  const width = Math.max(...rows.map(({ name }) => name.length));
  const line = (name: string, cells: readonly string[]) =>
    [name.padEnd(width), ...cells.map((cell) => cell.padStart(10))].join('');
  return [
    line(
      '',
      COLUMNS.map(([title]) => title),
    ),
    ...[...rows, { name: 'all', tally: total }].map(({ name, tally }) =>
      line(
        name,
        COLUMNS.map(([, of]) => of(tally)),
      ),
    ),
    '',
    `Where ${count(total.kills + total.victims.zombie)} kills and stops fell (${count(total.late)} more came when the run was over):`,
    ...histogram(total),
    `Kills of clients by runs at once: ${[1, 2, 3].map((runs) => `${runs}: ${count(total.company[runs as 1])}`).join(', ')}; ${count(total.runs)} runs in all`,
    `${count(total.events)} events for ${count(total.messages)} messages, all repeats with the id of the first; ${count(total.beyond)} zombies went on after their deadline; ${count(total.leftovers)} temporary files left by the dead`,
    ...failures.flatMap(({ row, trial, what, folders, command }) => [
      `\nFAILED: ${row}, trial ${trial}\n${what}\nkept: ${folders.join(' ')}\nagain: ${command}`,
    ]),
  ].join('\n');
}

function histogram({ phases }: Tally): readonly string[] {
  const most = Math.max(1, ...Object.values(phases));
  return (Object.keys(PHASES) as Phase[]).map((phase) => {
    const bar = '#'.repeat(Math.ceil((phases[phase] / most) * BAR));
    return `  ${phase.padEnd(12)}${count(phases[phase]).padStart(6)}  ${bar.padEnd(BAR)}  ${PHASES[phase]}`;
  });
}

/** One line while it goes on. */
export function progressIn(tally: Tally): string {
  const { kills, messages, victims, lost, duplicates, truncated } = tally;
  return `${count(kills)} kills, ${count(victims.zombie)} zombies; ${count(messages)} messages; lost ${lost}, stored twice ${duplicates}, truncated ${truncated}`;
}

export function perKill({ repeats, kills }: Tally): string {
  return kills === 0 ? '-' : (repeats / kills).toFixed(2);
}

function count(number: number): string {
  return number.toLocaleString('en-US');
}
