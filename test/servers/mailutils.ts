import { chmod, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  BARE_LF_TO_CRLF,
  BLANK_BEHIND_COLON,
  BROKEN_HEADER_LOST,
  FINAL_CRLF_ADDED,
  FROM_LINE_TO_FIELD,
  HEADERLESS_EMPTIED,
} from './changes.ts';
import { freePort } from './freePort.ts';
import { writeMaildirs } from './maildirs.ts';
import type { Mail, MailServer, MailServerKind } from './mailServer.ts';
import { makePlace, startSideBySide, versionIn } from './sideBySide.ts';

const configuration = (folder: string, home: string, port: number) => `mode daemon;
foreground yes;
auth { authentication "pam"; authorization "system"; }
pam { service "pop3"; }
mailbox { mailbox-pattern "maildir:${home}/\${user}/Maildir"; }
mandatory-locking { lock-directory "${folder}/locks"; }
server 127.0.0.1:${port} { tls-mode no; }
`;

/** GNU Mailutils: it writes a header of its own into each message, and counts neither it nor what it loses. */
export const MAILUTILS: MailServerKind = {
  changes: [
    BARE_LF_TO_CRLF,
    FINAL_CRLF_ADDED,
    HEADERLESS_EMPTIED,
    BROKEN_HEADER_LOST,
    FROM_LINE_TO_FIELD,
    BLANK_BEHIND_COLON,
  ],
  rewrites: true,
  ownHeader: /^X-UIDL: .*\r\n/m,
  start,
};

async function start(root: string, mail: readonly Mail[]): Promise<MailServer> {
  const place = await makePlace(mail.length, []);
  await writeMaildirs(place, mail);
  const locks = join(place.folder, 'locks');
  await mkdir(locks);
  await chmod(locks, 0o1777);
  const port = await freePort();
  const file = join(place.folder, 'pop3d.conf');
  await writeFile(file, configuration(place.folder, place.home, port));
  const command = ['/usr/sbin/pop3d', `--config-file=${file}`] as const;
  const { log, stop } = await startSideBySide(root, place, { command: [...command], port });
  return {
    title: `GNU Mailutils ${await versionIn(root, 'mailutils-pop3d')}`,
    port,
    tls: null,
    users: place.users,
    log: async () => log(),
    async afterLostLine() {
      for (const name of await readdir(locks)) await rm(join(locks, name), { recursive: true });
    },
    stop,
  };
}
