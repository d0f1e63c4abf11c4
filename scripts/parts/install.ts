/**
 * The real servers and runtimes that suites name in their `needs`, and how each reaches the tests: its path in
 * an environment variable, or the variable unset and the reason said aloud.
 */
import { cacheFolder, type Installed, type Log } from './cache.ts';
import { installCephRgw } from './cephRgw.ts';
import { installDovecot } from './dovecot.ts';
import { installGreenMail } from './greenMail.ts';
import { installInterfaceEmulator } from './interfaceEmulator.ts';
import { installFetchmail, installMpop } from './mailClients.ts';
import {
  installCourier,
  installCyrus,
  installMailutils,
  installPerdition,
  installPopa3d,
  installSolidPop3d,
} from './mailServers.ts';
import { installMinio } from './minio.ts';
import { installOsls } from './osls.ts';
import { installCfnLint, installMinistack } from './pythonPackages.ts';
import { installRuntimeClient } from './runtimeClient.ts';
import { installVersitygw } from './versitygw.ts';

interface Part {
  readonly variable: string;
  readonly install: (cacheFolder: string, log: Log) => Promise<Installed>;
}

const PARTS = {
  dovecot: { variable: 'MAILFERRY_DOVECOT', install: installDovecot },
  courier: { variable: 'MAILFERRY_COURIER', install: installCourier },
  popa3d: { variable: 'MAILFERRY_POPA3D', install: installPopa3d },
  greenmail: { variable: 'MAILFERRY_GREENMAIL', install: installGreenMail },
  cyrus: { variable: 'MAILFERRY_CYRUS', install: installCyrus },
  mailutils: { variable: 'MAILFERRY_MAILUTILS', install: installMailutils },
  'solid-pop3d': { variable: 'MAILFERRY_SOLID_POP3D', install: installSolidPop3d },
  perdition: { variable: 'MAILFERRY_PERDITION', install: installPerdition },
  versitygw: { variable: 'MAILFERRY_VERSITYGW', install: installVersitygw },
  minio: { variable: 'MAILFERRY_MINIO', install: installMinio },
  'ceph-rgw': { variable: 'MAILFERRY_RGW', install: installCephRgw },
  mpop: { variable: 'MAILFERRY_MPOP', install: installMpop },
  fetchmail: { variable: 'MAILFERRY_FETCHMAIL', install: installFetchmail },
  osls: { variable: 'MAILFERRY_OSLS', install: installOsls },
  ministack: { variable: 'MAILFERRY_MINISTACK', install: installMinistack },
  'cfn-lint': { variable: 'MAILFERRY_CFN_LINT', install: installCfnLint },
  'aws-lambda-ric': { variable: 'MAILFERRY_RIC', install: installRuntimeClient },
  'aws-lambda-rie': { variable: 'MAILFERRY_RIE', install: installInterfaceEmulator },
} satisfies Record<string, Part>;

export type PartName = keyof typeof PARTS;

export interface Parts {
  /** Variable to path, of the parts that are there. */
  readonly env: Readonly<Record<string, string>>;
  readonly missing: readonly { readonly name: PartName; readonly reason: string }[];
}

/**
 * Installs what is not there yet, all at once. A variable that the caller's environment sets already is the
 * path of a copy of their own and wins.
 */
export async function installParts(names: readonly PartName[], log: Log): Promise<Parts> {
  const env: Record<string, string> = {};
  const missing: { name: PartName; reason: string }[] = [];
  const installed = names.map(async (name) => {
    const { variable, install } = PARTS[name];
    const own = process.env[variable];
    const part = own ? { path: own } : await install(cacheFolder(), log).catch(skippedBy);
    if ('path' in part) env[variable] = part.path;
    else missing.push({ name, reason: part.skipped });
  });
  await Promise.all(installed);
  return { env, missing };
}

/** Even a cache folder that cannot be written is a reason to say, not an end of all suites. */
function skippedBy(error: unknown): Installed {
  return { skipped: String(error) };
}
