import type { Writable } from 'node:stream';

/** Where the command runs: everything that it knows of its process. */
export interface Host {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Aborted by the first Ctrl-C. */
  readonly signal: AbortSignal;
  /** A line that a person types unseen; null where nobody can be asked. */
  readonly ask?: (prompt: string) => Promise<string | null>;
  /** Asks a person for yes or no; absent where there is nobody to ask. */
  readonly confirm?: (question: string) => Promise<boolean>;
}

export type Output = Writable & { readonly isTTY?: boolean; readonly columns?: number };

/** What a person or a program sees. Each text is one line, or several by "\n"; no control character passes. */
export interface Terminal {
  /** Results. */
  out(text: string): void;
  /** Progress, warnings and errors. */
  err(text: string): void;
  /** A result for a program: one line of JSON. */
  json(value: unknown): void;
  /** Rewrites the last line of stderr; '' takes it away. Does nothing where stderr is not a terminal. */
  live(text: string): void;
  readonly isLive: boolean;
}

/** Of a terminal that does not tell its width, or says 0. */
const COLUMNS = 80;

/** `resultsOnStderr`: stdout belongs to something else, such as events. */
export function terminalOf(host: Host, resultsOnStderr: boolean): Terminal {
  const isLive = host.stderr.isTTY === true;
  let shown = '';
  const live = (text: string) => {
    if (!isLive || text === shown) return;
    shown = text;
    // A line that wraps could not be rewritten.
    host.stderr.write(`\r\x1b[K${printable(text).slice(0, (host.stderr.columns || COLUMNS) - 1)}`);
  };
  const write = (output: Output, text: string) => {
    const before = shown;
    live('');
    output.write(text);
    live(before);
  };
  const lines = (text: string) => `${text.split('\n').map(printable).join('\n')}\n`;
  return {
    out: (text) => write(resultsOnStderr ? host.stderr : host.stdout, lines(text)),
    err: (text) => write(host.stderr, lines(text)),
    json: (value) => write(resultsOnStderr ? host.stderr : host.stdout, `${printableJson(value)}\n`),
    live,
    isLive,
  };
}

/** C0, DEL, C1, and what makes text lie about its order: names and UIDLs come from strangers. */
const UNPRINTABLE = /[\p{Cc}\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/gu;

/** Text that cannot command a terminal. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, (character) => {
    const point = character.codePointAt(0) ?? 0;
    return point < 0x100
      ? `\\x${point.toString(16).toUpperCase().padStart(2, '0')}`
      : `\\u{${point.toString(16).toUpperCase()}}`;
  });
}

/** JSON.stringify escapes C0 only; the rest is escaped in JSON's own way, so that programs read the same text. */
export function printableJson(value: unknown): string {
  return JSON.stringify(value).replace(
    UNPRINTABLE,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
