/**
 * Where the real servers that the tests run against are kept, and how they get there. Never in the tree: a
 * clone stays as it was cloned, and every clone on the machine shares one copy.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** A part's path, or why this machine has none; a suite without its part says so and the rest runs. */
export type Installed = { readonly path: string } | { readonly skipped: string };

export type Log = (line: string) => void;

/** What is kept of a command's words when it fails. */
const MAX_WORDS = 2000;

/** A registry that hangs shall not hang the tests. */
const INSTALL_MS = 10 * 60_000;

/** What compiles for a minute or two on idle cores takes ten where four others build beside it. */
export const BUILD_MS = 30 * 60_000;

/** MAILFERRY_CACHE, else $XDG_CACHE_HOME/mailferry, else ~/.cache/mailferry. */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  if (env['MAILFERRY_CACHE']) return env['MAILFERRY_CACHE'];
  return join(env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'mailferry');
}

/** Undefined when `command` went well, else what it said. Never rejects. */
export function failureOf(
  command: readonly [string, ...string[]],
  options: { cwd?: string; env?: NodeJS.ProcessEnv; limitMs?: number } = {},
): Promise<string | undefined> {
  const [program, ...args] = command;
  const { limitMs = INSTALL_MS } = options;
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
      // Not `timeout`: its timer outlives a program that could not be started, and keeps this process alive.
      signal: AbortSignal.timeout(limitMs),
      killSignal: 'SIGKILL',
    });
    let words = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        words = (words + text).slice(-MAX_WORDS);
      });
    }
    child.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') resolve(`${program} is not installed`);
      else if (error.name === 'AbortError')
        resolve(`${command.join(' ')}: not done within ${limitMs / 60_000} minutes: ${words.trim()}`);
      else resolve(`${program}: ${error.message}`);
    });
    child.on('close', (code, signal) => {
      if (code === 0) resolve(undefined);
      else resolve(`${command.join(' ')} ended with ${signal ?? code}: ${words.trim()}`);
    });
  });
}

export interface Building {
  readonly cacheFolder: string;
  /** Name and version; the part's folder in the cache. */
  readonly name: string;
  /** What `build` puts into the folder, and what is run. */
  readonly file: string;
  /** Fills the folder; a reason where it could not. */
  build(folder: string): Promise<string | undefined>;
}

/** Built aside and renamed whole: an interrupted build must not look like a finished one. */
export async function builtOnce({ cacheFolder: cache, name, file, build }: Building): Promise<Installed> {
  const folder = join(cache, name);
  const path = join(folder, file);
  if (existsSync(path)) return { path };
  await mkdir(cache, { recursive: true });
  const building = await mkdtemp(join(cache, `${name}-building-`));
  try {
    const failure = await build(building);
    if (failure !== undefined) return { skipped: failure };
    await rename(building, folder).catch((error: unknown) => {
      // Another run may have put it there meanwhile.
      if (!existsSync(path)) throw error;
    });
    return { path };
  } finally {
    await rm(building, { recursive: true, force: true });
  }
}
