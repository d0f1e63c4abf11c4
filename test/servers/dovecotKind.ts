/** Dovecot as one server among others. */
import { execFileSync } from 'node:child_process';
import { BARE_LF_TO_CRLF, CRCRLF_TO_CRLF, FINAL_CRLF_ADDED, FIRST_DOT_LOST } from './changes.ts';
import { type DovecotOptions, startDovecot } from './dovecot.ts';
import type { MailServerKind } from './mailServer.ts';

export function dovecotKind(options: DovecotOptions): MailServerKind {
  const ofMdbox = options.format === 'mdbox' ? [CRCRLF_TO_CRLF] : [];
  return {
    changes: [FIRST_DOT_LOST, BARE_LF_TO_CRLF, FINAL_CRLF_ADDED, ...ofMdbox],
    async start(path, mail) {
      const server = await startDovecot(path, { ...options, users: mail.length });
      for (const [index, { name }] of server.users.entries()) await server.put(name, mail[index] ?? []);
      const [version = ''] = execFileSync(path, ['--version']).toString().split(' ');
      const details = [options.format ?? 'maildir', ...(options.options ?? [])].join(', ');
      return {
        title: `Dovecot ${version} (${details})`,
        port: server.plainPort,
        tls: { port: server.port, ca: server.ca },
        users: server.users,
        log: server.log,
        stop: server.stop,
      };
    },
  };
}
