/** Installs the mail clients that the speed table has beside ours, from Debian's packages. */
import { existsSync } from 'node:fs';
import type { Installed, Log } from './cache.ts';
import { aptInstall, withoutDaemons } from './dovecot.ts';

function installClient(name: 'mpop' | 'fetchmail'): (_cache: string, log: Log) => Promise<Installed> {
  const path = `/usr/bin/${name}`;
  return async (_cache, log) => {
    if (existsSync(path)) return { path };
    if (process.platform !== 'linux') return { skipped: `${name} is installed on Linux only here` };
    if (process.getuid?.() !== 0)
      return { skipped: `${name} is not installed and only root may: install ${name}` };
    log(`${name}: installing with apt-get (once; some seconds)`);
    const failure = await withoutDaemons(() => aptInstall([name]));
    if (failure !== undefined) return { skipped: `${failure}; install ${name}` };
    return existsSync(path) ? { path } : { skipped: `apt-get left no ${path}` };
  };
}

export const installMpop = installClient('mpop');
export const installFetchmail = installClient('fetchmail');
