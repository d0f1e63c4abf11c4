/** docs/proof.md from the figures of docs/proof.json: what was measured, beside the best that others reach. */

import { REGRESSIONS } from '../../test/sim/regressions.ts';

/** What one step told, when, and on what. */
export interface Kept {
  readonly made: string;
  readonly commit: string;
  readonly machine: string;
  readonly command: string;
  // biome-ignore lint/suspicious/noExplicitAny: figures of many kinds, read below by name.
  readonly figures: any;
}

export type Book = Readonly<Record<string, Kept>>;

interface Row {
  readonly measure: string;
  /** What others reach, and who; measured with Debian 12's packages, or as they publish it. */
  readonly others: string;
  readonly step: string;
  // biome-ignore lint/suspicious/noExplicitAny: as above.
  readonly ours: (figures: any) => string;
}

const n = (value: number) => value.toLocaleString('en-US');
const per = (one: number, other: number) => (one / Math.max(1, other)).toFixed(2);

/** Of seeds that broke a promise, those that each run of the tests plays since, and that keep it. */
function mended(broke: string): string {
  const played = new Set(REGRESSIONS.map(({ seed }) => String(seed)));
  const kept = broke.split(' ').filter((seed) => played.has(seed)).length;
  return kept === 0 ? '' : ` (${kept} of them mended since: \`npm test\` plays them)`;
}

const ROWS: readonly Row[] = [
  {
    measure: 'kill -9 at random instants: messages lost',
    others: '0 of 9,200 (fetchmail, getmail6, mpop)',
    step: 'processes',
    ours: ({ total }) =>
      `**${n(total.lost)} of ${n(total.messages)}**, ${n(total.kills)} kills, truncated ${n(total.truncated)}`,
  },
  {
    measure: 'stored or delivered twice, per kill',
    others: '6.6 (fetchmail), 7.2 (getmail6), 12.2 (mpop)',
    step: 'processes',
    ours: ({ total }) =>
      `**${n(total.duplicates)} objects**; ${per(total.repeats, total.kills)} events repeated a kill, each with the id of the first`,
  },
  {
    measure: 'simulated histories of the real engine',
    others: 'TigerBeetle, FoundationDB: continuous; mail fetchers: none',
    step: 'simulation',
    ours: ({ seeds, kills, faults, lost, wronglyDeleted, wronglySetAside, failed, broke = '' }) =>
      `**${n(seeds)}**, ${n(kills)} kills, ${n(faults)} faults: lost ${lost}, wrongly deleted ${wronglyDeleted}, innocents set aside ${wronglySetAside}, promises broken ${failed}${mended(broke)}`,
  },
  {
    measure: 'what they cost',
    others: 'not published',
    step: 'simulation',
    ours: ({ objects, stored, events, bytesFetched, bytesStored, stateWrites, messages }) =>
      `${per(objects, stored)} objects and ${per(events, stored)} events a message stored, ${per(bytesFetched, bytesStored)} bytes fetched a byte stored, ${per(stateWrites, messages)} state writes a message`,
  },
  {
    measure: 'every await fails, and every pair of awaits',
    others: 'SQLite: every operation; mail fetchers: none',
    step: 'awaits',
    ours: ({ places, singles, pairs, failed }) =>
      `${places} places, **${n(singles)} single faults and ${n(pairs)} pairs**, ${failed} broken`,
  },
  {
    measure: 'model of the protocol: states',
    others: 'SlateDB: a specification in Fizzbee',
    step: 'model',
    ours: ({ states, transitions, scenarios, broken }) =>
      `**${n(states)}** states, ${n(transitions)} transitions, ${scenarios} scenarios, ${broken} broken`,
  },
  {
    measure: 'wrong protocols that the model finds out',
    others: 'rarely published',
    step: 'model',
    ours: ({ mutants, caught }) => `${caught} of ${mutants}; the others are shown to be harmless`,
  },
  {
    measure: 'wrong engines that the proofs catch',
    others: 'rarely published',
    step: 'mutants',
    ours: ({ right, all }) => `**${right} of ${all}** as they must be, controls included`,
  },
  {
    measure: 'answers of a store to a write',
    others: 's3-tests: about 30 conditional cases, none for 409; Litestream: 16 tests, no reading back',
    step: 'answers',
    ours: ({ held, answers, cells }) => `**${held} of ${answers}**, in ${cells} cells`,
  },
  {
    measure: 'byte-exact over every pair of splits',
    others: '0 wrong of 137 single splits (C, Python), 12 and 16 (clients on npm)',
    step: 'splits',
    ours: ({ framing, sessions, ends }) =>
      `**0 wrong of ${n(framing)}** (framing) and ${n(sessions)} (sessions); 0 of ${n(ends)} ends of the line taken for a whole message`,
  },
  {
    measure: 'fuzzing of all that reads',
    others: '–',
    step: 'fuzz',
    ours: ({ executions, targets, seconds }) =>
      `${n(executions)} executions over ${targets} targets in ${seconds} s, no finding`,
  },
  {
    measure: 'peak memory: one message of 10 MB, and of 1 GB',
    others: '7 MB for 150 MB (mpop); over 300 MB (clients on npm)',
    step: 'large',
    ours: ({ folderSmallMb, folderLargeMb, bucketSmallMb, bucketLargeMb }) =>
      `folder ${folderSmallMb} and ${folderLargeMb} MB, bucket ${bucketSmallMb ?? '–'} and ${bucketLargeMb ?? '–'} MB (about 90 MB is Node with the program)`,
  },
  {
    measure: 'memory for each listed message, of 200,000',
    others: 'not published',
    step: 'large',
    ours: ({ rowBytes, idleRowBytes }) => `${rowBytes} bytes reading all records, ${idleRowBytes} idle`,
  },
  {
    measure: 'an idle poll over 200,000 messages',
    others: 'not published',
    step: 'large',
    ours: ({ headBytes }) => `one read of ${n(headBytes)} bytes, no write`,
  },
];

const HEAD = `# The proof in figures

Made by \`npm run proof\` from what it measured; [proof.json](proof.json) has all of it. Each row names the step that
measures it, which \`npm run proof -- STEP\` repeats; what others reach was measured with Debian 12's packages of them, or is
what they publish. Smaller sizes of the same steps are part of \`npm test\`.
`;

export function scoreboard(book: Book): string {
  const rows = ROWS.map(({ measure, others, step, ours }) => {
    const kept = book[step];
    return `| ${measure} | ${others} | ${kept ? ours(kept.figures) : 'not run yet'} | \`${step}\` |`;
  });
  const table = ['| measure | others | Mailferry | step |', '|---|---|---|---|', ...rows].join('\n');
  const runs = Object.entries(book).map(
    ([step, { made, commit, machine, command }]) =>
      `| \`${step}\` | \`${command}\` | ${made.slice(0, 10)} | ${commit} | ${machine} |`,
  );
  const how = ['| step | command | on | of commit | machine |', '|---|---|---|---|---|', ...runs].join('\n');
  return `${HEAD}\n${table}\n\n## When and on what\n\n${how}\n`;
}
