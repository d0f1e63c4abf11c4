import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BARE_LF_TO_CRLF, FINAL_CRLF_ADDED, FIRST_DOT_LOST } from './changes.ts';
import { freePort } from './freePort.ts';
import { writeMaildirs } from './maildirs.ts';
import type { Mail, MailServer, MailServerKind } from './mailServer.ts';
import { crypted, makePlace, OWNER_GID, type Place, startSideBySide, versionIn } from './sideBySide.ts';

const AUTHDAEMON = `authmodulelist="authuserdb"
authmodulelistorig="authuserdb"
daemons=2
authdaemonvar=/run/courier/authdaemon
`;

/** $1: the port. The database of users, and what CRAM-MD5 keeps of a password, can only be made by its own programs. */
const START = `
while read -r name password; do
  kept=$(echo "$password" | userdbpw -hmac-md5)
  sed -i "s/@$name@/$kept/" /etc/courier/userdb
done < /etc/courier/passwords
makeuserdb
/usr/lib/courier/courier-authlib/authdaemond &
export POP3AUTH='PLAIN LOGIN CRAM-MD5'
exec couriertcpd -address=127.0.0.1 -maxprocs=40 -maxperip=40 -nodnslookup -noidentlookup "$1" \
  /usr/lib/courier/courier/courierpop3login /usr/lib/courier/courier/courierpop3d Maildir`;

export const COURIER: MailServerKind = {
  changes: [FIRST_DOT_LOST, BARE_LF_TO_CRLF, FINAL_CRLF_ADDED],
  start,
};

async function start(root: string, mail: readonly Mail[]): Promise<MailServer> {
  const place = await makePlace(mail.length, ['courier']);
  await writeMaildirs(place, mail);
  await mkdir(join(place.etc, 'courier'));
  await mkdir(join(place.run, 'courier', 'authdaemon'), { recursive: true });
  await writeFile(join(place.etc, 'courier', 'authdaemonrc'), AUTHDAEMON);
  await writeFile(join(place.etc, 'courier', 'userdb'), userdb(place), { mode: 0o600 });
  const passwords = place.users.map(({ name, password }) => `${name} ${password}\n`);
  await writeFile(join(place.etc, 'courier', 'passwords'), passwords.join(''), { mode: 0o600 });
  const port = await freePort();
  const command = ['sh', '-ec', START, 'courier', String(port)] as const;
  const { log, stop } = await startSideBySide(root, place, { command: [...command], port });
  return {
    title: `Courier ${await versionIn(root, 'courier-pop')}`,
    port,
    tls: null,
    users: place.users,
    log: async () => log(),
    stop,
  };
}

function userdb({ home, users }: Place): string {
  return users
    .map(({ name, password, uid }) => {
      const at = join(home, name);
      return `${name}\tuid=${uid}|gid=${OWNER_GID}|home=${at}|mail=${at}/Maildir|systempw=${crypted(password)}|hmac-md5pw=@${name}@\n`;
    })
    .join('');
}
