/** Names that people mistype: keys of settings, commands, options, mailboxes. */

/** Letters left out, added, changed or swapped; with three, `host` would be `port`. */
const MOST_SLIPS = 2;

/** Shorter ones begin many a name. */
const SHORTEST_BEGINNING = 3;

/** It counts for more than two slips, and for less than one. */
const A_BEGINNING = 1.5;

/** The one of `known` that `typed` seems to mean: by a slip or two, in another case, or longer or shorter at its end. Null: none, or several. */
export function meantBy(typed: string, known: readonly string[]): string | null {
  const word = typed.toLowerCase();
  const ranked = known
    .map((name) => ({ name, slips: slipsOf(word, name.toLowerCase()) }))
    .filter(({ slips }) => slips < word.length / 2)
    .sort((one, other) => one.slips - other.slips);
  const [first, second] = ranked;
  if (first === undefined || first.slips === second?.slips) return null;
  return first.name;
}

/** As an end of a sentence that says that there is no such name. */
export function didYouMean(typed: string, known: readonly string[]): string {
  const meant = meantBy(typed, known);
  return meant === null ? '' : `; did you mean "${meant}"?`;
}

function slipsOf(word: string, name: string): number {
  const [shorter, longer] = word.length < name.length ? [word, name] : [name, word];
  const begins = shorter.length >= SHORTEST_BEGINNING && longer.startsWith(shorter);
  const slips = distance(word, name);
  return Math.min(begins ? A_BEGINNING : Infinity, slips > MOST_SLIPS ? Infinity : slips);
}

/** Optimal string alignment: the rows of a table, of which the last two are kept. Whoever is too long is not looked at. */
function distance(word: string, name: string): number {
  if (Math.abs(word.length - name.length) > MOST_SLIPS) return Infinity;
  let before: number[] = [];
  let last = Array.from({ length: name.length + 1 }, (_, at) => at);
  for (let row = 1; row <= word.length; row += 1) {
    const next = [row];
    for (let at = 1; at <= name.length; at += 1) {
      const same = word[row - 1] === name[at - 1];
      const swapped = word[row - 1] === name[at - 2] && word[row - 2] === name[at - 1];
      next[at] = Math.min(
        (last[at] ?? Infinity) + 1,
        (next[at - 1] ?? Infinity) + 1,
        (last[at - 1] ?? Infinity) + (same ? 0 : 1),
        swapped ? (before[at - 2] ?? Infinity) + 1 : Infinity,
      );
    }
    before = last;
    last = next;
  }
  return last[name.length] ?? Infinity;
}
