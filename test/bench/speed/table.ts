/** Ratios out of alternating rounds, and the table of them. No absolute time leaves this file. */
import type { Contestant } from './programs.ts';

export interface Ratio {
  /** "ours : other". */
  readonly name: string;
  /** Above 1: the first is the faster one. */
  readonly median: number;
  readonly low: number;
  readonly high: number;
  readonly rounds: number;
  readonly goal: number | undefined;
}

export interface Section {
  readonly title: string;
  readonly ratios: readonly Ratio[];
}

/** Milliseconds by contestant, one for each round, all in the order of the rounds. */
export type Times = ReadonlyMap<string, readonly number[]>;

/** Every contestant once a round, in turn: what the machine does meanwhile befalls all alike. */
export async function rounds(
  contestants: readonly Contestant[],
  count: number,
  once: (contestant: Contestant) => Promise<number>,
): Promise<Times> {
  const times = new Map<string, number[]>(contestants.map(({ name }) => [name, []]));
  // The first of all would pay for cold caches.
  for (const contestant of contestants.slice(0, 1)) await once(contestant);
  for (let round = 0; round < count; round += 1) {
    for (const contestant of contestants) times.get(contestant.name)?.push(await once(contestant));
  }
  return times;
}

/** Taken round by round, so that a slow minute is in both numbers of a pair. */
export function ratioOf(times: Times, pair: readonly [string, string], goal?: number): Ratio | undefined {
  const [first, second] = pair.map((name) => times.get(name));
  if (!first || !second) return undefined;
  const sorted = first.map((ms, round) => (second[round] ?? Number.NaN) / ms).sort((a, b) => a - b);
  return {
    name: `${pair[0]} : ${pair[1]}`,
    median: medianOf(sorted),
    low: sorted[0] ?? Number.NaN,
    high: sorted.at(-1) ?? Number.NaN,
    rounds: sorted.length,
    goal,
  };
}

function medianOf(sorted: readonly number[]): number {
  const middle = (sorted.length - 1) / 2;
  return ((sorted[Math.floor(middle)] ?? Number.NaN) + (sorted[Math.ceil(middle)] ?? Number.NaN)) / 2;
}

export function inMarkdown(sections: readonly Section[]): string {
  return sections
    .map(({ title, ratios }) =>
      [
        `## ${title}`,
        '',
        '| speed of | median | spread | rounds | goal |',
        '|---|---:|---:|---:|---|',
        ...ratios.map(row),
      ].join('\n'),
    )
    .join('\n\n');
}

function row({ name, median, low, high, rounds: count, goal }: Ratio): string {
  const wanted = goal === undefined ? '' : `≥ ${goal}: ${median >= goal ? 'met' : '**missed**'}`;
  return `| ${name} | ${short(median)} | ${short(low)} – ${short(high)} | ${count} | ${wanted} |`;
}

function short(ratio: number): string {
  return ratio.toFixed(ratio < 10 ? 2 : 0);
}
