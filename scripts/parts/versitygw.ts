/** Installs versitygw, the S3 server of the store's contract tests: small, strict about conditions and checksums. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';

const VERSION = 'v1.8.0';
const MODULE = `github.com/versity/versitygw/cmd/versitygw@${VERSION}`;

/** It builds in a minute or two on two cores; a proxy that hangs shall not hang the tests. */
const INSTALL_MS = 10 * 60_000;

/** What is kept of the compiler's words when it fails. */
const MAX_WORDS = 2000;

export type Installed = { readonly path: string } | { readonly skipped: string };

/**
 * The path of the binary in `cacheFolder`, built there with `go install` the first time. Never throws for what
 * the machine lacks: then the tests that need it are skipped, with the reason given here.
 */
export async function installVersitygw(cacheFolder: string, log: (line: string) => void): Promise<Installed> {
  const folder = join(cacheFolder, `versitygw-${VERSION}`);
  const path = join(folder, 'versitygw');
  if (existsSync(path)) return { path };
  log(`versitygw ${VERSION}: building with go install (once; a minute or two)`);
  await mkdir(cacheFolder, { recursive: true });
  // Built aside and renamed whole: an interrupted build must not look like a finished one.
  const building = await mkdtemp(join(cacheFolder, 'versitygw-building-'));
  try {
    const failure = await goInstall(building);
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

/** Undefined when it went well, else why not. */
function goInstall(gobin: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const go = spawn('go', ['install', MODULE], {
      env: { ...process.env, GOBIN: gobin },
      stdio: ['ignore', 'ignore', 'pipe'],
      // Not `timeout`: its timer outlives a `go` that could not be started, and keeps the process alive.
      signal: AbortSignal.timeout(INSTALL_MS),
    });
    let words = '';
    go.stderr.setEncoding('utf8').on('data', (text: string) => {
      words = (words + text).slice(-MAX_WORDS);
    });
    go.on('error', (error: NodeJS.ErrnoException) => {
      resolve(
        error.code === 'ENOENT' ? 'Go is not installed (1.25 or newer builds versitygw)' : error.message,
      );
    });
    go.on('close', (code, signal) => {
      if (code === 0) resolve(undefined);
      else resolve(`go install ${MODULE} ended with ${signal ?? code}: ${words.trim()}`);
    });
  });
}
