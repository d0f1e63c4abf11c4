/**
 * Installs osls, the open fork of the Serverless Framework that deploys us. It is no package of this project: it weighs as much as
 * all of them, and only whoever deploys needs it. Its lock file stands here: it runs with the rights to change an account.
 */
import { join } from 'node:path';
import type { Installed, Log } from './cache.ts';
import { installNpmPackage } from './npmPackages.ts';

export function installOsls(cacheFolder: string, log: Log): Promise<Installed> {
  const file = join('node_modules', 'osls', 'bin', 'serverless.js');
  return installNpmPackage({ name: 'osls', pins: 'osls', file, takes: 'half a minute' }, cacheFolder, log);
}
