/** What servers say when they refuse, as they were seen to say it, and what is made of that. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { refusal, type Scope } from '../../lib/pop3/refusals.ts';
import { parseStatus } from '../../lib/pop3/replies.ts';

function meaning(line: string, scope: Scope = 'sign-in') {
  const status = parseStatus(Buffer.from(`-ERR ${line}`, 'utf8'));
  if (status === null) throw new Error(`no status line: ${line}`);
  return refusal(scope, status);
}

const LATER = {
  E_POP3_IN_USE: [
    ['RFC 1939', 'maildrop already locked'],
    ['RFC 2449', '[IN-USE] Do you have another POP session running?'],
    ['RFC 2449, code lost', 'Do you have another POP session running?'],
    ['hMailServer', 'Your mailbox is already locked'],
    ['VPOP3', 'Mailbox Locked'],
    ['Cyrus', 'Unable to lock maildrop: Mailbox is locked by POP server'],
    ['Mailutils', 'Mailbox in use'],
    ['qpopper', 'ferry lock busy!  Is another session active? (11)'],
    ['qpopper', 'Maildrop lock busy!  Is another session active?'],
    ['tcllib', 'could not aquire lock for maildrop ferry'],
    ['some', "can't get lock, mailbox busy"],
    ['some', 'Account is in use'],
    ['some', 'ferry@example.org is already logged in'],
    ['Gmail', '[IN-USE] Unable to lock maildrop: mailbox is locked by another POP session'],
    ['AOL', '[IN-USE] Your account is in use, try later.'],
    ['Dovecot', '[IN-USE] Mailbox is locked by another POP3 session.'],
    ['Bongo', '[IN-USE] Mailbox is already locked. POP access denied'],
  ],
  E_POP3_LOGIN_DELAY: [
    ['Cyrus', '[LOGIN-DELAY] Logins must be at least 5 minutes apart'],
    ['some', '[LOGIN-DELAY 60] Too many authentication attempts. Please try again later.'],
    ['Mailu', '[LOGIN-DELAY] Retry later'],
  ],
  E_POP3_THROTTLED: [
    ['Gmail', '[AUTH] Account exceeded POP command or bandwidth limits (Failure)'],
    ['Hotmail', 'Exceeded the login limit for a 15 minute period. Reduce the frequency of requests.'],
    ['Hotmail', 'login allowed only every 15 minutes'],
    ['Dovecot', 'Maximum number of connections from user+IP exceeded (mail_max_userip_connections=10)'],
    ['Courier', 'Maximum connection limit reached for ::ffff:192.0.2.1'],
    ['Cyrus, code lost', 'Logins must be at least 5 minutes apart'],
    ['some', 'Too many simultaneous connections'],
    ['some', '[AUTH] Too many login attempts'],
    ['some', 'Login possible only every 15 minutes'],
    ['some', 'Login interval too short'],
    ['some', 'Login rate exceeded'],
    ['some', 'Abruf nur alle 15 Minuten erlaubt'],
    ['some', 'Zu viele Anmeldeversuche'],
    ['some', 'Trop de connexions simultanées'],
    ['some', 'Zbyt wiele prób logowania'],
    ['some', 'Слишком много попыток входа'],
    ['some', '登录过于频繁，请稍后再试'],
    ['some', 'ログイン回数の上限を超えました'],
    ['some', 'too many POP3 sessions'],
    ['some', 'You are checking your mail too frequently'],
    ['some', 'minimum time between mail checks violation'],
    ['some', 'connection rate limit'],
    ['some', 'Request throttled'],
    ['some', 'wait 60 seconds between logins'],
  ],
  E_POP3_SYS_TEMP: [
    ['Yahoo', '[SYS/TEMP] Server error - Please try again later.'],
    ['Yahoo, code lost', 'Server error - Please try again later.'],
    ['Gordano', 'Busy - please try later'],
    ['Exchange', 'Server Unavailable. 21'],
    ['Dovecot', 'Temporary authentication failure. [host:2026-01-01 00:00:00]'],
    ['Dovecot under a code', '[SYS/TEMP] Temporary authentication failure.'],
    ['Cyrus', '[SYS/PERM-less] Unable to open maildrop'],
    ['hMailServer', 'Server error: Failed to fetch messages in Inbox.'],
    ['Bongo', "Bongo POP3 server not ready (can't contact NMAP)"],
    ['some', 'system under maintenance'],
    ['some', 'internal server error'],
    ['some', 'Disk quota exceeded'],
    ['some', 'authentication timed out'],
    ['some', 'The mailbox is currently being moved'],
    ['some', 'backend server did not respond'],
    ['some', 'This mailbox is full'],
    ['RFC 2449 section 8', '[SYS/TEMP/LDAP] no directory'],
    ['RFC 5530', '[UNAVAILABLE] no backend'],
    ['some', 'Bitte versuchen Sie es später erneut'],
    ['some', 'Servizio temporaneamente non disponibile'],
    ['some', '系统繁忙，请稍后再试'],
    ['some', 'しばらくしてから再度お試しください'],
  ],
  E_POP3_SIGNIN_UNCLEAR: [
    [
      'Tencent',
      'Login fail. Account is abnormal, service is not open, password is incorrect, login frequency limited, or system is busy. More information at https://help.example.org/108/1023',
    ],
    ['hMailServer', 'Invalid user name or password. Too many invalid logon attempts.'],
    ['some', 'Too many failed login attempts'],
    ['some', 'Account has been locked'],
    ['some', 'Your IP address has been blocked'],
    ['some', 'wrong password, or mailbox locked'],
    ['some', 'Mailbox is disabled'],
    ['some', 'your host is blocked'],
    ['some', 'Ihr Konto wurde gesperrt'],
    ['some', 'Аккаунт заблокирован'],
    ['some', '账号异常'],
    ['some', 'Access denied'],
  ],
} as const;

const PERSON = {
  E_POP3_AUTH: [
    ['Gmail', '[AUTH] Username and password not accepted.'],
    ['Dovecot', '[AUTH] Authentication failed.'],
    ['Zoho', '[AUTH] Invalid credentials'],
    ['some', '[AUTH] Invalid user or password, please try again later'],
    ['Yandex', '[AUTH] login failure or POP3 disabled, try later. sc=abc'],
    ['RFC 5530', '[AUTHENTICATIONFAILED] no'],
  ],
  E_POP3_SIGNIN_REFUSED: [
    ['Exchange', 'Logon failure: unknown user name or bad password.'],
    ['hMailServer', 'Invalid user name or password.'],
    ['NetEase', 'Unable to log on'],
    ['Mailutils', 'Bad login'],
    ['qpopper', 'Password supplied for "ferry" is incorrect.'],
    ['popa3d', 'Authentication failed (bad password?)'],
    ['GMX', 'authentication failed'],
    ['Courier', 'Login failed.'],
    ['some', 'Access denied: invalid password'],
    ['some', 'Login failed, try another user name'],
    ['some', 'Login failed - bad credentials or POP disabled for this mailbox.'],
    ['some', 'Benutzername oder Passwort ungültig'],
    ['some', 'Identifiant ou mot de passe incorrect'],
    ['some', 'Nieprawidłowy login lub hasło'],
    ['some', 'Неверный логин или пароль'],
    ['some', '用户名或密码错误'],
    ['some', 'パスワードが間違っています'],
    ['some', 'no such user as busy.locked.throttled@example.org'],
  ],
  E_POP3_SWITCHED_OFF: [
    [
      'Gmail',
      '[SYS/PERM] Your account is not enabled for POP access. Please visit your Gmail settings page and enable your account for POP access.',
    ],
    ['some', 'POP3 access is disabled'],
    ['some', 'You are yet to enable POP for your account. Please contact your administrator.'],
    ['some', 'User not allowed to use POP3, not permitted to use POP3'],
    ['some', 'User is not allowed to login via POP3'],
    ['some', 'POP3 login disabled for this user'],
    ['some', 'POP3 service has not been activated for this mailbox'],
    ['Zoho', '[AUTH] You are yet to enable IMAP/POP for your account.'],
    ['some', 'Bitte aktivieren Sie POP3/IMAP in den Einstellungen'],
    ['some', 'Accesso POP3 non consentito'],
    ['some', 'Włącz POP3 w ustawieniach'],
    ['some', 'POP3服务未开启'],
  ],
  E_POP3_APP_PASSWORD: [
    ['Gmail', '[AUTH] Application-specific password required: https://support.example.org/185833'],
    ['NetEase', 'ERR.LOGIN.REQCODE'],
    ['some', 'Please use the authorization code to log in'],
    ['QQ', 'Please using authorized code to login. More information at http://service.example.org/28'],
    ['Mail.ru', 'NEOBHODIM parol prilozheniya https://help.example.org / Application password is REQUIRED'],
    ['some', 'Multi-factor authentication required'],
    ['some', 'Bitte verwenden Sie ein App-Passwort'],
    ['some', 'Требуется пароль для внешних приложений'],
    ['some', '请使用授权码登录'],
  ],
  E_POP3_PASSWORD_EXPIRED: [
    ['Dovecot', '[AUTH] Password expired'],
    ['RFC 5530', '[EXPIRED] no more'],
    ['some', 'Your password needs to be reset'],
    ['some', 'Mot de passe expiré'],
    ['some', '密码已过期'],
  ],
  E_POP3_TOKEN_WANTED: [
    ['Exchange', 'Logon failure: BasicAuthBlocked'],
    ['some', 'Basic authentication is disabled'],
    ['some', 'Legacy authentication is disabled, please use OAuth2'],
  ],
  E_POP3_WEB_SIGNIN: [
    ['Gmail', '[AUTH] Web login required: https://support.example.org/mail/answer/78754'],
    ['Gmail', '[WEBALERT https://accounts.example.org/busy] Web login required'],
    ['some', 'Please log in via your web browser'],
    ['some', 'Please accept the terms of service in webmail'],
    ['some', 'Please activate your account on the web'],
  ],
  E_POP3_TLS_WANTED: [
    ['Dovecot', '[AUTH] Plaintext authentication disallowed on non-secure (SSL/TLS) connections.'],
    ['hMailServer', 'A SSL/TLS-connection is required for authentication.'],
    ['Cyrus', '[AUTH] USER command only available under a layer'],
    ['Yandex', '[AUTH] Working without SSL/TLS encryption is not allowed.'],
    ['some', 'Must issue a STLS command first'],
    ['RFC 5530', '[PRIVACYREQUIRED] no'],
  ],
  E_POP3_MECHANISM: [
    ['Dovecot', '[AUTH] Unsupported authentication mechanism.'],
    ['some', 'Authentication mechanism not supported'],
    ['some', 'unrecognized authentication type'],
    ['Courier', 'Invalid command.'],
    ['some', 'Command not implemented'],
    ['some', 'Unknown command: AUTH'],
  ],
  E_POP3_SYS_PERM: [
    ['Cyrus', '[SYS/PERM] Fatal error: word too long'],
    ['some', '[SYS/PERM] No such mailbox, try again later'],
  ],
} as const;

const rows = (table: Readonly<Record<string, readonly (readonly [string, string])[]>>) =>
  Object.entries(table).flatMap(([code, said]) => said.map(([who, line]) => ({ code, who, line })));

describe('a refused sign-in', () => {
  it.each(rows(LATER))('$who: "$line" passes: $code', ({ code, line }) => {
    expect(meaning(line)).toMatchObject({ kind: 'later', code });
  });

  it.each(rows(PERSON))('$who: "$line" wants a person: $code', ({ code, line }) => {
    expect(meaning(line)).toMatchObject({ kind: 'person', code });
  });

  it.each([
    ['GBK', '\xc7\xeb\xca\xb9\xd3\xc3\xca\xda\xc8\xa8\xc2\xeb', 'E_POP3_APP_PASSWORD'],
    [
      'Windows-1251',
      '\xc0\xea\xea\xe0\xf3\xed\xf2 \xe7\xe0\xe1\xeb\xee\xea\xe8\xf0\xee\xe2\xe0\xed',
      'E_POP3_SIGNIN_UNCLEAR',
    ],
    ['Latin-1', 'Server \xfcberlastet', 'E_POP3_SYS_TEMP'],
    ['none that is known', '\xff\xfe\x81', 'E_POP3_SIGNIN_REFUSED'],
  ])('is read in %s as well', (_, line, code) => {
    expect(refusal('sign-in', { code: null, text: Buffer.from(line, 'latin1') }).code).toBe(code);
  });

  it('is judged by the words of the server, not by the user name that it repeats', () => {
    const name = fc.stringMatching(/^(busy|locked|too\.many\.logins|throttled|quota)[a-z0-9.]{0,8}$/);
    fc.assert(
      fc.property(name, (user) => {
        expect(meaning(`invalid password for ${user}@example.org`)).toMatchObject({
          kind: 'person',
          code: 'E_POP3_SIGNIN_REFUSED',
        });
      }),
    );
  });
});

describe('the words of a -ERR', () => {
  it.each(rows({ ...LATER, ...PERSON }))(
    'about one message never count for the mailbox: "$line"',
    ({ line }) => {
      expect(meaning(line, 'message').kind).toBe('refused');
      expect(meaning(line.replace(/^\[[^\]]*\] /, ''), 'message').code).toBe('E_POP3_REFUSED');
    },
  );

  it.each([
    ['Exceeded the login limit for a 15 minute period.', 'later', 'E_POP3_THROTTLED'],
    ['[SYS/PERM] Your account is not enabled for POP access.', 'person', 'E_POP3_SWITCHED_OFF'],
    ['unknown command', 'refused', 'E_POP3_REFUSED'],
    ['[SYS/PERM] unknown command', 'refused', 'E_POP3_REFUSED'],
    ['invalid command', 'refused', 'E_POP3_REFUSED'],
    ['Account has been locked', 'refused', 'E_POP3_REFUSED'],
  ])('that refuses a listing after the sign-in (K-03): "%s" is %s', (line, kind, code) => {
    expect(meaning(line, 'mailbox')).toMatchObject({ kind, code });
  });

  it('in place of a greeting are never about a password', () => {
    expect(meaning('Invalid user name or password.', 'greeting').code).toBe('E_POP3_GREETING_REFUSED');
    expect(meaning('too many connections', 'greeting').code).toBe('E_POP3_THROTTLED');
    expect(meaning('Your IP address has been blocked', 'greeting').next).toMatch(/let this address in/);
    expect(meaning('going away', 'greeting').code).toBe('E_POP3_GREETING_REFUSED');
  });

  it.each([
    ['[LOGIN-DELAY 300] not yet', 300],
    ['[LOGIN-DELAY] Logins must be at least 5 minutes apart', 300],
    ['[LOGIN-DELAY] Logins must be at least 1 minute apart', 60],
    ['wait 90 seconds', 90],
    ['too many logins, try again in 2 hours', 7_200],
    ['Exceeded the login limit for a 15 minute period.', 900],
    ['[LOGIN-DELAY 999999999] for ever', 86_400],
    ['[LOGIN-DELAY] wait', undefined],
    ['[LOGIN-DELAY 0] wait', undefined],
    ['[AUTH] invalid password, wait 90 seconds', undefined],
  ])('say how long to stay away: "%s"', (line, seconds) => {
    expect(meaning(line).waitSeconds).toBe(seconds);
  });

  it('take no longer to read than a line is long, whatever a server writes', () => {
    const piece = fc.constantFrom(
      'too many ',
      'a-',
      'mailbox ',
      'can not ',
      'x',
      ' ',
      'invalid ',
      'wait for ',
      '1',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 2_000 }), (pieces) => {
        expect(['later', 'person']).toContain(meaning(pieces.join('')).kind);
      }),
      { numRuns: 50 },
    );
  });
});
