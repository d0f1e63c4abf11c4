/** Writes mail as a delivery agent leaves it, for servers that read a user's Maildir or mbox. */
import { chown, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { withLineFeeds } from './changes.ts';
import type { Mail } from './mailServer.ts';
import { OWNER_GID, type Place } from './sideBySide.ts';

/** Names sort in the order of the mail. */
export async function writeMaildirs({ home, users }: Place, mail: readonly Mail[]): Promise<void> {
  for (const [index, { name, uid }] of users.entries()) {
    const maildir = join(home, name, 'Maildir');
    for (const sub of ['cur', 'new', 'tmp']) await mkdir(join(maildir, sub), { recursive: true });
    for (const [at, bytes] of (mail[index] ?? []).entries()) {
      const file = join(maildir, 'cur', `${1_700_000_000 + at}.M${at}P1.test:2,`);
      await writeFile(file, withLineFeeds(bytes));
      await chown(file, uid, OWNER_GID);
    }
    for (const sub of ['Maildir/cur', 'Maildir/new', 'Maildir/tmp', 'Maildir', '']) {
      await chown(join(home, name, sub), uid, OWNER_GID);
    }
  }
}

/**
 * One file a user in var/mail. A message begins with a "From " line behind an empty one, so line ends are bare LF: in a
 * file with CRLF no line is empty, and popa3d takes several messages for one.
 */
export async function writeMboxes({ var: at, home, users }: Place, mail: readonly Mail[]): Promise<void> {
  for (const [index, { name, uid }] of users.entries()) {
    await mkdir(join(home, name));
    const messages = (mail[index] ?? []).map((bytes) => {
      const text = withLineFeeds(bytes)
        .toString('latin1')
        .replace(/^(?=From )/gm, '>');
      return `From test@example.org Tue Nov 24 09:00:00 2026\n${text}${text.endsWith('\n') || text === '' ? '' : '\n'}\n`;
    });
    const file = join(at, 'mail', name);
    await writeFile(file, Buffer.from(messages.join(''), 'latin1'), { mode: 0o600 });
    await chown(file, uid, OWNER_GID);
    await chown(join(home, name), uid, OWNER_GID);
  }
}
