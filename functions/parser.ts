/**
 * The parser's process runs the very file that starts it, with one more word: a bundle has no other file to run. That
 * word is looked for before anything else is loaded, and what is not needed there is never loaded.
 */
import { dirname, join } from 'node:path';
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

/** `file`: the one that asks `isParser`. */
export function parserProgram(file: string, clock: ParseClock): ParserProgram {
  // Lambda's Node may lie beside libraries of its own.
  const libraries = process.env['LD_LIBRARY_PATH'];
  return {
    file,
    args: [WORD],
    reads: file.endsWith('.ts') ? sourcesOf(file) : [file],
    env: libraries === undefined ? {} : { LD_LIBRARY_PATH: libraries },
    clock,
  };
}

/** What a file in functions/ or bin/ is made of. Not the folder around it: settings and secrets may lie there. */
function sourcesOf(file: string): readonly string[] {
  const root = join(dirname(file), '..');
  return ['bin', 'functions', 'lib', 'node_modules', 'package.json'].map((name) => join(root, name));
}
