import { readFileSync } from 'node:fs';
import { userInfo } from 'node:os';

export interface Owner {
  readonly name: string;
  readonly group: string;
  readonly uid: number;
  readonly gid: number;
}

/** Whom the mail belongs to: Debian's "mail" when we are root, else ourselves. */
export function mailOwner(): Owner {
  const { username, uid, gid } = userInfo();
  if (uid !== 0) return { name: username, group: groupName(gid), uid, gid };
  const row = /^mail:[^:]*:(\d+):(\d+):/m.exec(readFileSync('/etc/passwd', 'utf8'));
  if (!row) throw new Error('/etc/passwd has no user "mail", to whom the test mailboxes would belong');
  const [, mailUid, mailGid] = row.map(Number);
  return { name: 'mail', group: groupName(mailGid!), uid: mailUid!, gid: mailGid! };
}

function groupName(gid: number): string {
  const row = new RegExp(`^([^:]+):[^:]*:${gid}:`, 'm').exec(readFileSync('/etc/group', 'utf8'));
  return row?.[1] ?? String(gid);
}

export interface DovecotSettings {
  /** Everything of this Dovecot is below it. */
  readonly folder: string;
  readonly plainPort: number;
  readonly tlsPort: number;
  readonly format: 'maildir' | 'mdbox';
  readonly owner: Owner;
  /** Configuration lines of the test's own; the last word. */
  readonly options: readonly string[];
}

/** The configuration of a Dovecot 2.3 that serves POP3 on 127.0.0.1 and nothing else. */
export function dovecotConfiguration(settings: DovecotSettings): string {
  const { folder, owner } = settings;
  return [
    `base_dir = ${folder}/run`,
    `state_dir = ${folder}/state`,
    `log_path = ${folder}/dovecot.log`,
    'protocols = pop3',
    'listen = 127.0.0.1',
    ...(owner.uid === process.getuid?.() ? unprivileged(owner) : []),
    'first_valid_uid = 1',
    `mail_uid = ${owner.uid}`,
    `mail_gid = ${owner.gid}`,
    `mail_location = ${settings.format}:${folder}/mail/%u/${settings.format === 'maildir' ? 'Maildir' : 'mdbox'}`,
    'ssl = yes',
    `ssl_cert = <${folder}/server.crt`,
    `ssl_key = <${folder}/server.key`,
    'ssl_min_protocol = TLSv1.2',
    'disable_plaintext_auth = no',
    'auth_mechanisms = plain login',
    'auth_failure_delay = 0',
    // The title of a session's process is how a test finds the one to kill.
    'verbose_proctitle = yes',
    'mail_max_userip_connections = 1000',
    'passdb {',
    '  driver = passwd-file',
    `  args = scheme=PLAIN username_format=%u ${folder}/users`,
    '}',
    'userdb {',
    '  driver = static',
    `  args = uid=${owner.uid} gid=${owner.gid} home=${folder}/mail/%u`,
    '}',
    ...services(settings),
    ...settings.options,
    '',
  ].join('\n');
}

function services({ plainPort, tlsPort }: DovecotSettings): readonly string[] {
  return [
    'service pop3-login {',
    '  service_count = 0',
    '  inet_listener pop3 {',
    `    port = ${plainPort}`,
    '  }',
    '  inet_listener pop3s {',
    `    port = ${tlsPort}`,
    '    ssl = yes',
    '  }',
    '}',
    'service pop3 {',
    '  process_limit = 1024',
    '}',
    // Without the penalty's socket a refused sign-in is answered at once, and not after 1, 4, 9… seconds.
    'service anvil {',
    '  chroot =',
    '  unix_listener anvil-auth-penalty {',
    '    mode = 0',
    '  }',
    '}',
    'service stats {',
    '  chroot =',
    '}',
  ];
}

/** Dovecot gives up rights that only root has; without them it must be told to keep what it has. */
function unprivileged({ name, group }: Owner): readonly string[] {
  return [
    `default_internal_user = ${name}`,
    `default_login_user = ${name}`,
    `default_internal_group = ${group}`,
    'service pop3-login {',
    '  chroot =',
    '}',
    'service auth {',
    `  user = ${name}`,
    '}',
  ];
}
