/** The servers on which one and the same suite runs, in stages: the usual ones, then the rare. */

import { COURIER } from '../servers/courier.ts';
import { CYRUS } from '../servers/cyrus.ts';
import type { DovecotOptions } from '../servers/dovecot.ts';
import { dovecotKind } from '../servers/dovecotKind.ts';
import { GREEN_MAIL } from '../servers/greenMail.ts';
import type { MailServerKind } from '../servers/mailServer.ts';
import { MAILUTILS } from '../servers/mailutils.ts';
import { perditionBefore } from '../servers/perdition.ts';
import { POPA3D } from '../servers/popa3d.ts';
import { whyNotSideBySide } from '../servers/sideBySide.ts';
import { SOLID_POP3D } from '../servers/solidPop3d.ts';

export interface Entry {
  /** As docs/servers.md names it. */
  readonly name: string;
  readonly stage: 1 | 2;
  readonly kind: MailServerKind;
  /** What the installer found. */
  readonly path: string;
  /** Why it cannot run here; undefined where it can. */
  readonly skipped: string | undefined;
}

const notHere = whyNotSideBySide();

export const ENTRIES: readonly Entry[] = [
  dovecot('Dovecot, Maildir', {}),
  dovecot('Dovecot, mdbox', { format: 'mdbox' }),
  dovecot('Dovecot, Maildir, locked sessions, file names as UIDLs', {
    options: ['pop3_lock_session = yes', 'pop3_uidl_format = %g'],
  }),
  dovecot('Dovecot, Maildir, IMAP numbers as UIDLs', { options: ['pop3_uidl_format = %v.%u'] }),
  unpacked('Courier', 1, { kind: COURIER, variable: 'MAILFERRY_COURIER' }),
  unpacked('popa3d', 1, { kind: POPA3D, variable: 'MAILFERRY_POPA3D' }),
  entry('GreenMail', 1, { kind: GREEN_MAIL, variable: 'MAILFERRY_GREENMAIL' }),
  unpacked('Cyrus', 2, { kind: CYRUS, variable: 'MAILFERRY_CYRUS' }),
  unpacked('GNU Mailutils', 2, { kind: MAILUTILS, variable: 'MAILFERRY_MAILUTILS' }),
  unpacked('Solid POP3', 2, { kind: SOLID_POP3D, variable: 'MAILFERRY_SOLID_POP3D' }),
  beforeDovecot(),
];

interface Found {
  readonly kind: MailServerKind;
  readonly variable: string;
}

function entry(name: string, stage: 1 | 2, { kind, variable }: Found): Entry {
  const path = process.env[variable] ?? '';
  return { name, stage, kind, path, skipped: path === '' ? `not installed (${variable})` : undefined };
}

function dovecot(name: string, options: DovecotOptions): Entry {
  return entry(name, 1, { kind: dovecotKind(options), variable: 'MAILFERRY_DOVECOT' });
}

function unpacked(name: string, stage: 1 | 2, found: Found): Entry {
  const one = entry(name, stage, found);
  return { ...one, skipped: one.skipped ?? notHere };
}

function beforeDovecot(): Entry {
  const kind = perditionBefore(process.env['MAILFERRY_DOVECOT'] ?? '');
  const one = unpacked('perdition before Dovecot', 2, { kind, variable: 'MAILFERRY_PERDITION' });
  return process.env['MAILFERRY_DOVECOT']
    ? one
    : { ...one, skipped: 'no Dovecot behind it (MAILFERRY_DOVECOT)' };
}
