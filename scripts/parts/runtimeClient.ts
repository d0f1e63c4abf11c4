/**
 * Installs AWS's own Lambda runtime client for Node.js (aws-lambda-ric), under which the tests run the bundled
 * functions. It builds native code from what its package carries: cmake, make and a C++ compiler are needed.
 */
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { builtOnce, failureOf, type Installed, type Log } from './cache.ts';

const VERSION = '4.0.2';

/** Inside the folder that npm fills. */
const ENTRY = join('node_modules', 'aws-lambda-ric', 'index.mjs');
const NATIVE = join('node_modules', 'aws-lambda-ric', 'rapid-client.node');

/** The pinned Node carries its own headers, so that node-gyp downloads none. */
const nodeFolder = fileURLToPath(new URL(`../../node_modules/node-linux-${process.arch}`, import.meta.url));

/** The path of the client's entry, to be run by Node. Never throws for what is lacking. */
export async function installRuntimeClient(cacheFolder: string, log: Log): Promise<Installed> {
  if (process.platform !== 'linux') return { skipped: 'aws-lambda-ric builds on Linux only' };
  return builtOnce({
    cacheFolder,
    name: `aws-lambda-ric-${VERSION}-${process.arch}`,
    file: ENTRY,
    build: (folder) => {
      log(`aws-lambda-ric ${VERSION}: building with npm (once; a minute)`);
      return npmInstall(folder);
    },
  });
}

async function npmInstall(folder: string): Promise<string | undefined> {
  // Without one, npm would look for the nearest package above.
  await writeFile(join(folder, 'package.json'), '{"private": true}\n');
  const headers = existsSync(join(nodeFolder, 'include')) ? { npm_config_nodedir: nodeFolder } : {};
  const failure = await failureOf(
    ['npm', 'install', '--no-audit', '--no-fund', '--loglevel=error', `aws-lambda-ric@${VERSION}`],
    // Under `npm test` npm's own settings are in the environment, among them the folder to install into.
    { cwd: folder, env: { ...headers, npm_config_local_prefix: folder, npm_config_prefix: undefined } },
  );
  if (failure !== undefined) return failure;
  return existsSync(join(folder, NATIVE)) ? undefined : 'aws-lambda-ric: npm built no rapid-client.node';
}
