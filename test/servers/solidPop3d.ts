import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BARE_LF_TO_CRLF } from './changes.ts';
import { startUnderInetd } from './inetd.ts';
import { writeMaildirs } from './maildirs.ts';
import type { Mail, MailServer, MailServerKind } from './mailServer.ts';
import { makePlace, versionIn } from './sideBySide.ts';

const configuration = (home: string) => `<Global>
  MailDropName "${home}/%s/Maildir"
  MailDropType maildir
  UserOverride no
  WrongCommandsLimit 0
</Global>
`;

/** The Solid POP3 Server: no CAPA, no TLS, messages in the folder's own order. */
export const SOLID_POP3D: MailServerKind = {
  changes: [BARE_LF_TO_CRLF],
  // QUIRK: one such message, and the whole sign-in is refused: "-ERR message is damaged".
  keptOut: ({ bytes }) => (bytes().at(-1) === 10 ? null : 'no final newline: the sign-in would be refused'),
  start,
};

async function start(root: string, mail: readonly Mail[]): Promise<MailServer> {
  const place = await makePlace(mail.length, ['spop3d']);
  await writeMaildirs(place, mail);
  // Without it the first sign-in of each user ends with "-ERR fatal error", and no other does.
  await mkdir(join(place.var, 'lib', 'solid-pop3d', 'bulletins'), { recursive: true });
  await writeFile(join(place.etc, 'spop3d.conf'), configuration(place.home));
  const { port, log, stop } = await startUnderInetd(root, place, '/usr/sbin/solid-pop3d');
  return {
    title: `Solid POP3 ${await versionIn(root, 'solid-pop3d')}`,
    port,
    tls: null,
    users: place.users,
    log: async () => log(),
    stop,
  };
}
