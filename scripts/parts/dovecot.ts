/** Installs Dovecot, the POP3 server of the tests against real servers, from Debian's packages. */
import { existsSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { failureOf, type Installed, type Log } from './cache.ts';

const DOVECOT = '/usr/sbin/dovecot';

/** What `dovecot` starts for a POP3 connection; the core package alone lacks it. */
const POP3 = '/usr/lib/dovecot/pop3';

/** Debian asks this file before it starts a daemon: 101 is "no". */
const POLICY = '/usr/sbin/policy-rc.d';

const PACKAGES = ['dovecot-core', 'dovecot-pop3d'];

/** Another apt may be at work; the option makes ours wait for its lock instead of failing. */
const INSTALL = [
  'apt-get',
  ...['-o', 'DPkg::Lock::Timeout=300', 'install', '-y', '--no-install-recommends'],
] as const;

/** The path of the system's Dovecot, installed first where root may do that. Never throws for what is lacking. */
export async function installDovecot(_cacheFolder: string, log: Log): Promise<Installed> {
  if (existsSync(DOVECOT) && existsSync(POP3)) return { path: DOVECOT };
  const wanted = `install ${PACKAGES.join(' and ')} (2.3)`;
  if (process.platform !== 'linux')
    return { skipped: `Dovecot runs on Linux only here, not ${process.platform}` };
  if (process.getuid?.() !== 0) return { skipped: `Dovecot is not installed and only root may: ${wanted}` };
  log('Dovecot: installing with apt-get (once; half a minute)');
  const failure = await withoutDaemons(() => aptInstall(PACKAGES));
  if (failure !== undefined) return { skipped: `${failure}; ${wanted}` };
  return existsSync(POP3) ? { path: DOVECOT } : { skipped: `apt-get left no ${POP3}; ${wanted}` };
}

/** Undefined, or apt's words. */
export async function aptInstall(packages: readonly string[]): Promise<string | undefined> {
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  const install = [...INSTALL, ...packages] as const;
  if ((await failureOf(install, { env })) === undefined) return undefined;
  // The package lists are missing or name files that the mirror has replaced since.
  const update = await failureOf(['apt-get', '-o', 'DPkg::Lock::Timeout=300', 'update'], { env });
  return update ?? failureOf(install, { env });
}

/** A mail server that starts at boot is nothing that a test may leave behind. */
export async function withoutDaemons<T>(work: () => Promise<T>): Promise<T> {
  const ours = await writeFile(POLICY, '#!/bin/sh\nexit 101\n', { flag: 'wx', mode: 0o755 }).then(
    () => true,
    () => false,
  );
  try {
    return await work();
  } finally {
    if (ours) await rm(POLICY, { force: true });
  }
}
