/** Installs Ceph's S3 gateway, the lax store of the proof, with the cluster that it stands on, from Debian's packages. */
import { existsSync } from 'node:fs';
import type { Installed, Log } from './cache.ts';
import { aptInstall, withoutDaemons } from './dovecot.ts';

const RADOSGW = '/usr/bin/radosgw';

/** `radosgw` alone is of no use. */
const PROGRAMS = [RADOSGW, '/usr/bin/ceph', '/usr/bin/ceph-mon', '/usr/bin/ceph-osd'];

const PACKAGES = ['ceph-mon', 'ceph-osd', 'radosgw', 'ceph-common'];

/** The path of the system's radosgw, installed first where root may do that. Never throws for what is lacking. */
export async function installCephRgw(_cacheFolder: string, log: Log): Promise<Installed> {
  if (PROGRAMS.every((path) => existsSync(path))) return { path: RADOSGW };
  const wanted = `install ${PACKAGES.join(', ')} (16.2)`;
  if (process.platform !== 'linux') return { skipped: `Ceph runs on Linux only, not ${process.platform}` };
  if (process.getuid?.() !== 0) return { skipped: `Ceph is not installed and only root may: ${wanted}` };
  log('Ceph: installing with apt-get (once; a minute, 270 MB)');
  const failure = await withoutDaemons(() => aptInstall(PACKAGES));
  if (failure !== undefined) return { skipped: `${failure}; ${wanted}` };
  const absent = PROGRAMS.find((path) => !existsSync(path));
  return absent === undefined ? { path: RADOSGW } : { skipped: `apt-get left no ${absent}; ${wanted}` };
}
