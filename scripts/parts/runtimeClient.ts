/**
 * Installs AWS's own Lambda runtime client for Node.js (aws-lambda-ric), under which the tests run the bundled
 * functions. It builds native code from what its package carries: cmake, make and a C++ compiler are needed.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BUILD_MS, failureOf, type Installed, type Log } from './cache.ts';
import { installNpmPackage, npmIn } from './npmPackages.ts';

const NAME = 'aws-lambda-ric';
const NATIVE = join('node_modules', NAME, 'rapid-client.node');

/** The pinned Node carries its own headers, so that node-gyp downloads none. */
const nodeFolder = fileURLToPath(new URL(`../../node_modules/node-linux-${process.arch}`, import.meta.url));

/** The path of the client's entry, to be run by Node. Never throws for what is lacking. */
export async function installRuntimeClient(cacheFolder: string, log: Log): Promise<Installed> {
  if (process.platform !== 'linux') return { skipped: `${NAME} builds on Linux only` };
  const file = join('node_modules', NAME, 'index.mjs');
  const name = `${NAME}-${process.arch}`;
  return installNpmPackage(
    { name, pins: 'runtimeClient', file, takes: 'a minute, for it is built', built },
    cacheFolder,
    log,
  );
}

async function built(folder: string): Promise<string | undefined> {
  const headers = existsSync(join(nodeFolder, 'include')) ? { npm_config_nodedir: nodeFolder } : {};
  const failure = await failureOf(['npm', 'rebuild', '--loglevel=error', NAME], {
    cwd: folder,
    env: { ...headers, ...npmIn(folder) },
    limitMs: BUILD_MS,
  });
  if (failure !== undefined) return failure;
  return existsSync(join(folder, NATIVE)) ? undefined : `${NAME}: npm built no rapid-client.node`;
}
