/**
 * Gets the POP3 servers that the engine is tried against beside Dovecot. Debian's packages of them exclude one another,
 * so none is installed: each is unpacked into a root of its own in the cache, with the libraries it needs, and the
 * tests lay that root over /usr and /etc in a mount namespace.
 */
import { hash } from 'node:crypto';
import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { builtOnce, failureOf, type Installed, type Log } from './cache.ts';

/** In a part's folder: the packages' names and versions, one a line. */
export const VERSIONS_FILE = 'versions';

interface Packaged {
  /** The folder's name in the cache. */
  readonly name: string;
  /** A program of it, below /usr. */
  readonly program: string;
  /** The server's packages, then libraries that a small system may lack. */
  readonly packages: readonly string[];
}

type Install = (cacheFolder: string, log: Log) => Promise<Installed>;

export const installCourier = unpacked({
  name: 'courier',
  program: 'sbin/couriertcpd',
  packages: [
    ...['courier-pop', 'courier-base', 'courier-authlib', 'courier-authlib-userdb', 'courier-authdaemon'],
    ...['libcourier-unicode4', 'libgamin0', 'libgdbm6', 'libgnutls30', 'libidn12', 'libltdl7', 'libpcre3'],
  ],
});

/** Neither listens by itself: an inetd does it for them. */
export const installPopa3d = unpacked({
  name: 'popa3d',
  program: 'sbin/popa3d',
  packages: ['popa3d', ...inetd()],
});

export const installSolidPop3d = unpacked({
  name: 'solid-pop3d',
  program: 'sbin/solid-pop3d',
  packages: ['solid-pop3d', 'liblockfile1', ...inetd()],
});

export const installCyrus = unpacked({
  name: 'cyrus',
  program: 'lib/cyrus/bin/pop3d',
  packages: [
    ...[
      'cyrus-pop3d',
      'cyrus-common',
      'libsasl2-2',
      'libsasl2-modules',
      'libclamav12',
      'libmspack0',
      'libical3',
    ],
    ...[
      'libicu72',
      'libjansson4',
      'libldap-2.5-0',
      'libpcre3',
      'libpq5',
      'libwrap0',
      'libxapian30',
      'libzephyr4',
    ],
  ],
});

export const installMailutils = unpacked({
  name: 'mailutils',
  program: 'sbin/pop3d',
  packages: [
    ...['mailutils-pop3d', 'mailutils-common', 'libmailutils9', 'libmu-dbm9', 'libgsasl18', 'libntlm0'],
    ...['libgssglue1', 'libkyotocabinet16v5', 'liblzo2-2', 'libmariadb3', 'libgdbm6', 'libgnutls30'],
    ...['libidn12', 'libldap-2.5-0', 'libnsl2', 'libunistring2', 'libwrap0'],
  ],
});

export const installPerdition = unpacked({
  name: 'perdition',
  program: 'sbin/perdition',
  packages: [
    ...['perdition', 'libgdbm6', 'libidn12', 'libnsl2', 'libpopt0'],
    ...['libvanessa-adt1', 'libvanessa-logger0', 'libvanessa-socket2'],
  ],
});

function inetd(): readonly string[] {
  return ['openbsd-inetd', 'libbsd0', 'libevent-2.1-7', 'libtirpc3', 'libwrap0'];
}

function unpacked({ name, program, packages }: Packaged): Install {
  // Another list is another root.
  const root = `${name}-debian-${hash('sha256', packages.join(' ')).slice(0, 8)}`;
  return async (cacheFolder, log) => {
    if (process.platform !== 'linux') return { skipped: `${name} runs on Linux only here` };
    // The tests lay the root over /usr, which nobody else may.
    if (process.getuid?.() !== 0)
      return { skipped: `${name} is started in a mount namespace: only root may` };
    const installed = await builtOnce({
      cacheFolder,
      name: root,
      file: join('usr', program),
      build: (folder) => {
        log(`${name}: getting Debian's packages (once; some seconds)`);
        return unpack(folder, packages);
      },
    });
    return 'path' in installed ? { path: join(cacheFolder, root) } : installed;
  };
}

/** Undefined, or why not. */
async function unpack(folder: string, packages: readonly string[]): Promise<string | undefined> {
  const download = ['apt-get', '-q', 'download', ...packages] as const;
  if ((await failureOf(download, { cwd: folder })) !== undefined) {
    // The package lists are missing or name files that the mirror has replaced since.
    const update = await failureOf(['apt-get', '-o', 'DPkg::Lock::Timeout=300', 'update']);
    const failure = update ?? (await failureOf(download, { cwd: folder }));
    if (failure !== undefined) return `${failure}; the names are those of Debian 12`;
  }
  const files = (await readdir(folder)).filter((file) => file.endsWith('.deb')).sort();
  for (const file of files) {
    const failure = await failureOf(['dpkg-deb', '-x', file, '.'], { cwd: folder });
    if (failure !== undefined) return failure;
  }
  // In a system with /lib in /usr, a package's /lib laid over it would hide the loader.
  const merged = ['sh', '-c', 'if [ -d lib ]; then cp -a lib/. usr/lib/ && rm -r lib; fi'] as const;
  const failure = await failureOf(merged, { cwd: folder });
  if (failure !== undefined) return failure;
  // "popa3d_1.0.3-1.1_amd64.deb"; apt writes the colon of an epoch as %3a.
  const versions = files.map((file) => file.split('_').slice(0, 2).join(' ').replace('%3a', ':'));
  await writeFile(join(folder, VERSIONS_FILE), `${versions.join('\n')}\n`);
  await Promise.all(files.map((file) => rm(join(folder, file))));
  return undefined;
}
