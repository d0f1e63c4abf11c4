/** Figures as a person reads them. */

const KILO = 1000;

/** "12 octets", "1.4 kB", "310 MB": decimal, as disks and networks count. */
export function bytesInWords(bytes: number): string {
  if (bytes < KILO) return `${bytes} B`;
  let value = bytes;
  let unit = 'B';
  for (const larger of ['kB', 'MB', 'GB', 'TB']) {
    if (value < KILO) break;
    value /= KILO;
    unit = larger;
  }
  return `${value < 100 ? value.toFixed(1) : value.toFixed(0)} ${unit}`;
}

/** "0.8 s", "42 s", "3 min 20 s", "2 h 5 min". */
export function durationInWords(ms: number): string {
  if (ms < 10_000) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** "1 message", "12,000 messages". */
export function countInWords(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString('en-US')} ${count === 1 ? one : many}`;
}

/** Of names in a sentence; more are not read. */
const NAMES_SHOWN = 20;

/** "a, b", "a, b, … and 40 more"; "none". */
export function namesInWords(names: readonly string[]): string {
  if (names.length === 0) return 'none';
  const more = names.length - NAMES_SHOWN;
  const rest = more > 0 ? `, … and ${more.toLocaleString('en-US')} more` : '';
  return names.slice(0, NAMES_SHOWN).join(', ') + rest;
}

/** "2026-11-25 12:47:57 UTC": the same in every log and time zone. */
export function instantInWords(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

/** Rows under their headings, columns as wide as they need; numbers to the right. */
export function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = headings.map((heading, at) =>
    Math.max(heading.length, ...rows.map((row) => row[at]?.length ?? 0)),
  );
  const numeric = headings.map((_, at) => rows.every((row) => /^[\d,.]* ?([kMGT]?B)?$/.test(row[at] ?? '')));
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, at) => (numeric[at] ? cell.padStart(widths[at] ?? 0) : cell.padEnd(widths[at] ?? 0)))
      .join('  ')
      .trimEnd();
  return [headings, ...rows].map(line).join('\n');
}
