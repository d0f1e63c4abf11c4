/**
 * Where the real servers that the tests run against are kept, and how they get there. Never in the tree: a
 * clone stays as it was cloned, and every clone on the machine shares one copy.
 */
import { spawn } from 'node:child_process';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** A part's path, or why this machine has none; a suite without its part says so and the rest runs. */
export type Installed = { readonly path: string } | { readonly skipped: string };

export type Log = (line: string) => void;

/** What is kept of a command's words when it fails. */
const MAX_WORDS = 2000;

/** No installation takes longer on two cores; a registry that hangs shall not hang the tests. */
const INSTALL_MS = 10 * 60_000;

/** MAILFERRY_CACHE, else $XDG_CACHE_HOME/mailferry, else ~/.cache/mailferry. */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  if (env['MAILFERRY_CACHE']) return env['MAILFERRY_CACHE'];
  return join(env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'mailferry');
}

/** Undefined when `command` went well, else what it said. Never rejects. */
export function failureOf(
  command: readonly [string, ...string[]],
  options: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
): Promise<string | undefined> {
  const [program, ...args] = command;
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: INSTALL_MS,
      killSignal: 'SIGKILL',
    });
    let words = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        words = (words + text).slice(-MAX_WORDS);
      });
    }
    child.on('error', (error: NodeJS.ErrnoException) => {
      resolve(error.code === 'ENOENT' ? `${program} is not installed` : `${program}: ${error.message}`);
    });
    child.on('close', (code, signal) => {
      if (code === 0) resolve(undefined);
      else resolve(`${command.join(' ')} ended with ${signal ?? code}: ${words.trim()}`);
    });
  });
}
