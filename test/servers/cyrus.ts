import { chown, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Sample } from '../corpus.ts';
import { FINAL_CRLF_ADDED, NUL_CUTS_LINE } from './changes.ts';
import { converse } from './converse.ts';
import { freePort } from './freePort.ts';
import type { Mail, MailServer, MailServerKind, User } from './mailServer.ts';
import {
  daemonUid,
  makePlace,
  OWNER_GID,
  type Place,
  type SideBySide,
  startSideBySide,
  versionIn,
} from './sideBySide.ts';

const IMAPD = `configdirectory: /var/lib/cyrus
partition-default: /var/spool/cyrus
defaultpartition: default
sasl_pwcheck_method: alwaystrue
sasl_mech_list: PLAIN
allowplaintext: yes
autocreate_quota: 0
autocreate_post: 1
proc_path: /run/cyrus/proc
mboxname_lockpath: /run/cyrus/lock
cyrus_user: cyrus
cyrus_group: mailtests
`;

/** The sections must stand on lines of their own, or the master starts nothing and says nothing. */
const services = (port: number) => `START {
  recover cmd="/usr/sbin/cyrus ctl_cyrusdb -r"
}
SERVICES {
  pop3 cmd="/usr/lib/cyrus/bin/pop3d" listen="127.0.0.1:${port}" prefork=0 maxchild=50
}
EVENTS {
}
`;

const BIN = '/usr/lib/cyrus/bin';
const FOLDERS = [
  'var/lib/cyrus',
  'var/lib/cyrus/db',
  'var/spool/cyrus',
  'run/cyrus',
  'run/cyrus/proc',
  'run/cyrus/lock',
];

/** Cyrus lets everybody in whose mailbox there is; who signs in is not what is tried on it. */
export const CYRUS: MailServerKind = {
  changes: [NUL_CUTS_LINE, FINAL_CRLF_ADDED],
  keptOut,
  start,
};

function keptOut({ bytes }: Sample): string | null {
  if (bytes().length === 0) return 'an empty file, which Cyrus passes over';
  // QUIRK: such mail is sent as it lies there, stuffed after LF, and ended by LF.CRLF.
  const hasBareLf = /(?<!\r)\n/.test(bytes().toString('latin1'));
  return hasBareLf ? 'bare LF, which has a mailbox of its own' : null;
}

async function start(root: string, mail: readonly Mail[]): Promise<MailServer> {
  const place = await makePlace(mail.length, ['cyrus']);
  const uid = daemonUid(mail.length, 0);
  for (const each of FOLDERS) {
    await mkdir(join(place.folder, each), { recursive: true });
    await chown(join(place.folder, each), uid, OWNER_GID);
  }
  const port = await freePort();
  await writeFile(join(place.etc, 'imapd.conf'), IMAPD);
  await writeFile(join(place.etc, 'cyrus.conf'), services(port));
  const command = [
    `${BIN}/master`,
    '-D',
    '-p',
    '/run/master.pid',
    '-C',
    '/etc/imapd.conf',
    '-M',
    '/etc/cyrus.conf',
  ] as const;
  const cyrus = await startSideBySide(root, place, { command: [...command], port });
  for (const [index, user] of place.users.entries()) {
    await put(cyrus, { place, uid, user, port, mail: mail[index] ?? [] });
  }
  return {
    title: `Cyrus ${await versionIn(root, 'cyrus-pop3d')}`,
    port,
    tls: null,
    users: place.users,
    log: async () => cyrus.log(),
    stop: cyrus.stop,
  };
}

interface Putting {
  readonly place: Place;
  /** Of Cyrus. */
  readonly uid: number;
  readonly user: User;
  readonly port: number;
  readonly mail: Mail;
}

/** The mailbox is made by a first sign-in, and its index by Cyrus from the files: nothing is delivered, nothing mended. */
async function put(cyrus: SideBySide, { place, uid, user, port, mail }: Putting): Promise<void> {
  await converse(port, user, []);
  const mailbox = `user/${user.name}`;
  const [spool = ''] = (await cyrus.run([`${BIN}/mbpath`, mailbox], uid)).split('\n');
  const folder = join(place.folder, spool);
  for (const [index, bytes] of mail.entries()) {
    const file = join(folder, `${index + 1}.`);
    await writeFile(file, bytes);
    await chown(file, uid, OWNER_GID);
  }
  await cyrus.run([`${BIN}/reconstruct`, mailbox], uid);
}
