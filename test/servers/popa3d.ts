import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { BARE_LF_TO_CRLF, FINAL_CRLF_ADDED, FROM_QUOTED, HEADER_ENDED } from './changes.ts';
import { startUnderInetd } from './inetd.ts';
import { writeMboxes } from './maildirs.ts';
import type { Mail, MailServer, MailServerKind } from './mailServer.ts';
import { makePlace, versionIn } from './sideBySide.ts';

/** popa3d of Openwall: mbox files, no CAPA, no TLS. */
export const POPA3D: MailServerKind = {
  changes: [FROM_QUOTED, BARE_LF_TO_CRLF, FINAL_CRLF_ADDED, HEADER_ENDED],
  start,
};

async function start(root: string, mail: readonly Mail[]): Promise<MailServer> {
  const place = await makePlace(mail.length, ['popa3d']);
  await writeMboxes(place, mail);
  await mkdir(join(place.var, 'lib', 'popa3d'), { recursive: true });
  const { port, log, stop } = await startUnderInetd(root, place, '/usr/sbin/popa3d');
  return {
    title: `popa3d ${await versionIn(root, 'popa3d')}`,
    port,
    tls: null,
    users: place.users,
    log: async () => log(),
    stop,
  };
}
