/**
 * Installs what the tests and deployments run that is no package of this project, each in a folder of its own, with every
 * version pinned by a lock file that stands here.
 */
import { createHash } from 'node:crypto';
import { cp, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { builtOnce, failureOf, type Installed, type Log } from './cache.ts';

/** A line that breaks in the middle of a package ends npm; what came whole is in its cache, and is not asked for again. */
const TRIES = 3;

export interface NpmPackage {
  readonly name: string;
  /** Beside this file; it has package.json and package-lock.json. */
  readonly pins: string;
  /** What is run, inside the folder that npm fills. */
  readonly file: string;
  /** How long it takes, in words. */
  readonly takes: string;
  /** What is to be done once the packages are there; undefined when it went well. */
  readonly built?: (folder: string) => Promise<string | undefined>;
}

export async function installNpmPackage(
  { name, pins, file, takes, built }: NpmPackage,
  cacheFolder: string,
  log: Log,
): Promise<Installed> {
  const pinned = fileURLToPath(new URL(pins, import.meta.url));
  const lock = createHash('sha256').update(await readFile(join(pinned, 'package-lock.json')));
  return builtOnce({
    cacheFolder,
    name: `${name}-${lock.digest('hex').slice(0, 12)}`,
    file,
    build: async (folder) => {
      log(`${name}: installing with npm (once; ${takes})`);
      await cp(pinned, folder, { recursive: true });
      // No script of a package's runs but what `built` asks for.
      const install = [
        'npm',
        'ci',
        '--ignore-scripts',
        '--no-audit',
        '--no-fund',
        '--loglevel=error',
      ] as const;
      let failure: string | undefined;
      for (let tries = 0; tries < TRIES; tries += 1) {
        failure = await failureOf(install, { cwd: folder, env: npmIn(folder) });
        if (failure === undefined) return built?.(folder);
      }
      return failure;
    },
  });
}

/** Under `npm test` npm's own settings are in the environment, among them the folder to install into. */
export function npmIn(folder: string): NodeJS.ProcessEnv {
  return { npm_config_local_prefix: folder, npm_config_prefix: undefined };
}
