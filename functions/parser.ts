/**
 * The parser's process runs the very file that starts it, with one more word: a bundle has no other file to run. That
 * word is looked for before anything else is loaded, and what is not needed there is never loaded.
 */
import type { ParserProgram } from '../lib/parse/parserProcess.ts';
import type { ParseClock } from '../lib/parse/ports.ts';

const WORD = 'mailferry:parse-one';

/** Whether this process is to parse one message and do nothing else. */
export function isParser(argv: readonly string[]): boolean {
  return argv[2] === WORD;
}

/** Parses what comes on stdin. */
export async function beParser(pipes: Pick<NodeJS.Process, 'stdin' | 'stdout'>): Promise<void> {
  const { parseOne } = await import('../lib/mail/parserMain.ts');
  await parseOne(pipes);
}

/** `file`: the one that asks `isParser`. From sources it may read the packages that it is made of. */
export function parserProgram(file: string, clock: ParseClock): ParserProgram {
  return { file, args: [WORD], reads: file.endsWith('.ts') ? '*' : file, clock };
}
