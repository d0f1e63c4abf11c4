/**
 * Installs osls, the open fork of the Serverless Framework that deploys us. It is no package of this project: it weighs as much as
 * all of them, and only whoever deploys needs it. Its lock file stands here: it runs with the rights to change an account.
 */
import { createHash } from 'node:crypto';
import { cp, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { builtOnce, failureOf, type Installed, type Log } from './cache.ts';

const pinned = fileURLToPath(new URL('osls', import.meta.url));

/** Inside the folder that npm fills; to be run by Node. */
const ENTRY = join('node_modules', 'osls', 'bin', 'serverless.js');

export async function installOsls(cacheFolder: string, log: Log): Promise<Installed> {
  const lock = createHash('sha256').update(await readFile(join(pinned, 'package-lock.json')));
  return builtOnce({
    cacheFolder,
    name: `osls-${lock.digest('hex').slice(0, 12)}`,
    file: ENTRY,
    build: async (folder) => {
      log('osls: installing with npm (once; half a minute)');
      await cp(pinned, folder, { recursive: true });
      return failureOf(
        ['npm', 'ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'],
        // Under `npm test` npm's own settings are in the environment, among them the folder to install into.
        { cwd: folder, env: { npm_config_local_prefix: folder, npm_config_prefix: undefined } },
      );
    },
  });
}
