/**
 * What servers say in place of a response code, as data. The words decide how long to wait and what a person is told,
 * never what may be deleted. Whatever is unclear reads as trouble that passes: a throttle told as a wrong password
 * sends a person after the wrong thing, and a password tried too often locks the account.
 */

import { isUtf8 } from 'node:buffer';
import { WORDINGS_ELSEWHERE } from './wordingsElsewhere.ts';

/** What one phrase points to. */
export type Sign =
  /** Another session holds the mailbox. */
  | 'in use'
  /** Too many sign-ins, connections or bytes. */
  | 'throttled'
  /** The server's own trouble. */
  | 'temporary'
  /** POP3 is not allowed for the account. */
  | 'switched off'
  | 'app password'
  | 'web sign-in'
  /** It was right once, and must be replaced. */
  | 'password expired'
  /** No passwords, but what OAuth gives. */
  | 'token wanted'
  | 'TLS wanted'
  /** This way of signing in is not known, or not taken. */
  | 'no mechanism'
  /** The account or the address is shut out: by an administrator, or after too many attempts of anybody. */
  | 'shut out'
  /** User name or password, in so many words. */
  | 'credentials';

/** What the whole line means; 'unclear' names reasons of both kinds, or one that may pass. */
export type Meaning = Exclude<Sign, 'shut out' | 'credentials'> | 'unclear';

export interface Wording {
  readonly sign: Sign;
  /** Of the line in lower case, without addresses and links. */
  readonly says: RegExp;
}

const WORDINGS: readonly Wording[] = [
  // RFC 1939, hMailServer, VPOP3, Cyrus, qpopper, Mailutils: "mailbox is already locked", "maildrop lock busy".
  { sign: 'in use', says: /\b(?:mail ?box|mail ?drop|inbox)\b.{0,40}\b(?:locked|lock|in use|busy)\b/ },
  // RFC 1939, Cyrus, tcllib: "unable to lock maildrop", "could not aquire lock".
  {
    sign: 'in use',
    says: /\b(?:unable|not able|failed|can ?not|can't|could ?n[o']t|could not)\b.{0,30}\block\b/,
  },
  { sign: 'in use', says: /\block(?: is)? busy\b|\bpop ?lock/ },
  // qpopper and RFC 2449: "Is another session active?", "Do you have another POP session running?"
  {
    sign: 'in use',
    says: /\b(?:another|other) (?:\w+ ){0,2}(?:session|client|connection|process|user)\b(?! ?name)/,
  },
  {
    sign: 'in use',
    says: /\balready (?:been )?(?:logged|signed|open|opened|connected|in use|active|a session)\b|\bis (?:being used|in use)\b|\bduplicate (?:log-?in|session)\b|\bexclusive access\b/,
  },
  // Gmail: "Account exceeded POP command or bandwidth limits", under [AUTH]. Hotmail: "Exceeded the login limit for a
  // 15 minute period", "login allowed only every 15 minutes".
  { sign: 'throttled', says: /\bexceed(?:ed|s|ing)? .{0,60}\blimits?\b|\blimits? .{0,20}\bexceeded\b/ },
  {
    sign: 'throttled',
    says: /\blog-?ins? (?:is |are )?allowed only\b|\bminimum (?:time|interval) between\b/,
  },
  // Dovecot: "Maximum number of connections from user+IP exceeded". Courier: "Maximum connection limit reached".
  {
    sign: 'throttled',
    says: /\bmaximum (?:number of )?(?:\w+ )?(?:connections?|sessions?|log-?ins?|users)\b|\b(?:connections?|sessions?|log-?ins?|logons?|rate|requests?|users?) limit/,
  },
  {
    sign: 'throttled',
    says: /\btoo many (?:[\w-]+ ){0,4}(?:connections?|sessions?|log-?ins?|logons?|requests?|attempts?|users|clients|processes|pops)\b/,
  },
  {
    sign: 'throttled',
    says: /\btoo (?:often|frequent|frequently|soon|quickly|fast)\b|\bthrottl|\brate.?limit/,
  },
  // Cyrus: "Logins must be at least 5 minutes apart". Tencent: "login frequency limited".
  { sign: 'throttled', says: /\b(?:log-?ins?|sessions?|polls?) must be\b|\bfrequency\b/ },
  { sign: 'throttled', says: /\bwait (?:for )?(?:at least |another )?\d+ ?(?:s|m|h)/ },
  {
    sign: 'throttled',
    says: /\b(?:only|once|log-?in|session)\b.{0,20}\bevery \d{1,4} ?(?:s|m|h)|\binterval (?:is )?too short\b|\brate (?:was |is )?exceeded\b/,
  },
  // Yahoo, Gmail, GMS: "Server error - Please try again later", "Busy - please try later".
  {
    sign: 'temporary',
    says: /\b(?:re)?try (?:it |this )?(?:again )?(?:later|in \d|after \d|shortly|soon)\b|\bplease retry\b/,
  },
  // Dovecot: "Temporary authentication failure". Its proxies say so under [IN-USE].
  { sign: 'temporary', says: /\btemporar(?:y|ily)\b|\btransient\b|\bmaintenance\b/ },
  // Exchange: "Server Unavailable. 21". Tencent: "system is busy".
  {
    sign: 'temporary',
    says: /\b(?:server|system|service|backend|database|host)\b.{0,20}\b(?:busy|overloaded|unavailable|not available|not ready|down|offline)\b|^(?:server |system )?busy\b/,
  },
  {
    sign: 'temporary',
    says: /\b(?:internal|server|system|i\/o|database)(?: server| system| authentication)? (?:error|failure|problem)\b/,
  },
  // popa3d, Cyrus, Bongo, hMailServer: "unable to open maildrop", "can't contact NMAP", "Failed to fetch messages".
  {
    sign: 'temporary',
    says: /\b(?:unable|failed|can ?not|can't|could ?n[o']t|could not) (?:to )?(?:connect|contact|reach|open|access|read|fetch|scan|create)\b|\btimed? ?out\b/,
  },
  {
    sign: 'temporary',
    says: /\bquota\b|\b(?:disk|mail ?box) (?:is )?full\b|\bno space\b|\bstorage limit\b/,
  },
  {
    sign: 'temporary',
    says: /\b(?:is )?(?:currently )?being (?:moved|migrated|upgraded)\b|\b(?:did|does) not respond\b|\bbackend\b.{0,20}\bfail(?:ed|ure)\b|\bunexpected error\b/,
  },
  // Gmail under [SYS/PERM], Yahoo: "Your account is not enabled for POP access". Tencent: "service is not open".
  {
    sign: 'switched off',
    says: /\bnot (?:enabled|allowed|permitted|activated|authori[sz]ed) (?:for|to use|to access|to log-?in (?:via|by|with|through|over)) pop/,
  },
  {
    sign: 'switched off',
    says: /\b(?:permission|right) to (?:access|use) pop|\bdisabled (?:pop|imap ?(?:\/|and|or) ?pop)|\baccess to pop3? (?:is |was )?denied\b/,
  },
  {
    sign: 'switched off',
    says: /\b(?:pop3?|protocol|service)(?: access| service| protocol| log-?in)?(?: is| has| has been| was)? (?:not (?:been )?(?:available for|enabled|allowed|permitted|activated|switched on|open)|disabled|deactivated|switched off|turned off)\b/,
  },
  {
    sign: 'switched off',
    says: /\benable (?:your account for |imap ?(?:\/|and|or) ?)?pop/,
  },
  // Exchange: "BasicAuthBlocked".
  {
    sign: 'token wanted',
    says: /\b(?:basic|legacy|password) ?auth(?:entication)? ?(?:is |has been )?(?:disabled|blocked|not (?:supported|allowed|permitted))|\bmodern auth|\bo-?auth ?2?(?:\.0)? (?:is )?required\b|\b(?:use|with) (?:x?oauth ?2?|oauthbearer)\b/,
  },
  // Gmail: "Application-specific password required". NetEase: ERR.LOGIN.REQCODE, its authorization code.
  {
    sign: 'app password',
    says: /\bapp(?:lication)?(?:[ -]specific)?[ -]password|\bauthori[sz](?:ation|ed) code\b|\b(?:two|2|multi)[ -](?:factor|step)\b|\b2fa\b|\b(?:device|external) password\b|\bpassword for (?:e-?mail|external) (?:programs|applications|clients)\b|\bsecure mail key\b|\bthird[ -]party access\b|\berr\.login\.reqcode\b|\binvalidsecondfactor\b/,
  },
  // Gmail: "Web login required". Others send the person to a web page.
  {
    sign: 'web sign-in',
    says: /\bweb log-?in required\b|\b(?:log|sign) ?-?in (?:via|through|with|using|from|on) (?:your |a |the )?(?:web|browser)|\b(?:verify|confirm|activate) your (?:account|identity|e-?mail)\b|\b(?:log|sign) ?-?in to (?:your |the )?web ?mail\b|\bterms (?:of|and)\b|\bsuspicious\b|\bcaptcha\b|\bunsafe login\b/,
  },
  // Dovecot: "Plaintext authentication disallowed on non-secure (SSL/TLS) connections".
  { sign: 'password expired', says: /\bpassword (?:has |is )?(?:been )?expired\b|\bexpired password\b/ },
  {
    sign: 'password expired',
    says: /\bpassword (?:must|needs to|has to|should) be (?:changed|reset|renewed)\b/,
  },
  // hMailServer: "A SSL/TLS-connection is required". Yandex: "Working without SSL/TLS encryption is not allowed".
  {
    sign: 'TLS wanted',
    says: /\b(?:ssl|tls|stls|starttls|encryption|encrypted connection|secure connection)\b.{0,20}\b(?:required|needed|mandatory|first)\b|\bwithout (?:ssl|tls|encryption)\b/,
  },
  // Cyrus: "USER command only available under a layer".
  { sign: 'TLS wanted', says: /\bonly available under a layer\b/ },
  {
    sign: 'TLS wanted',
    says: /\b(?:plain|clear) ?text (?:\w+ )?(?:authentication|passwords?|log-?ins?)\b.{0,20}\b(?:disallowed|not allowed|disabled)\b/,
  },
  // Dovecot, Courier, Exchange, to AUTH: "Unsupported authentication mechanism", "Invalid command".
  {
    sign: 'no mechanism',
    says: /\b(?:unsupported|unknown|unrecogni[sz]ed|invalid|bad|no such|unimplemented)\b.{0,30}\b(?:mechanism|authentication (?:type|method|scheme)|command|verb)\b/,
  },
  {
    sign: 'no mechanism',
    says: /\b(?:mechanism|authentication (?:type|method|scheme)|command|verb)\b.{0,30}\b(?:not (?:supported|implemented|recogni[sz]ed|known|available|understood)|unsupported|unknown|unrecogni[sz]ed|unavailable)\b|\bsyntax error\b/,
  },
  {
    sign: 'shut out',
    says: /\b(?:account|user|ip|address|access|host)\b.{0,40}\b(?:locked|blocked|suspended|disabled|abnormal|banned|frozen|inactive|expired|blacklisted|black-listed|denied|closed|deactivated|terminated)\b|\blocked out\b/,
  },
  {
    sign: 'shut out',
    says: /\bmail ?box\b.{0,20}\b(?:suspended|disabled|inactive|deactivated|closed|frozen)\b|\bmaximum authentication\b/,
  },
  // hMailServer: "Too many invalid logon attempts".
  {
    sign: 'shut out',
    says: /\btoo many (?:[\w-]+ ){0,2}(?:failed|failures?|invalid|bad|wrong|incorrect|unsuccessful|authentication|auth)\b/,
  },
  // Exchange: "Logon failure: unknown user name or bad password".
  {
    sign: 'credentials',
    says: /\b(?:invalid|incorrect|wrong|bad|unknown|no such|unrecogni[sz]ed)\b.{0,25}\b(?:user ?name|user|account|password|passwd|credentials?|log-?in|mailbox)\b/,
  },
  {
    sign: 'credentials',
    says: /\b(?:password|passwd|credentials?|user ?name)\b.{0,40}\b(?:incorrect|wrong|invalid|fail(?:ed|ure)|not accepted|mismatch|not match|rejected|supplied)\b|\berr\.login\.passerr\b/,
  },
];

/** The first of them is what a person is told. */
const LASTING = [
  'password expired',
  'app password',
  'token wanted',
  'web sign-in',
  'switched off',
  'TLS wanted',
  'no mechanism',
] as const;

/** Addresses and links are the caller's or the provider's own words: "busy@example.org" is not busy. */
const NAMES = /\S*@\S*|https?:\/\/\S*/g;

/** RFC 2449 allows a line of 512 octets; a longer one takes no longer to judge. */
const JUDGED_BYTES = 512;

/** Of a first line, raw. Null: the words tell nothing that no word would not. */
export function meaningOf(text: Buffer): Meaning | null {
  const line = readings(text)
    .map((reading) => reading.replace(/^\[[^\]]*\]\s*/, '').replace(NAMES, ' '))
    .join('\n');
  const signs = new Set(
    [...WORDINGS, ...WORDINGS_ELSEWHERE].filter(({ says }) => says.test(line)).map(({ sign }) => sign),
  );
  const first = <S extends Sign>(...of: readonly S[]) => of.find((sign) => signs.has(sign)) ?? null;
  const passing = first('in use', 'throttled', 'temporary');
  const lasting = first(...LASTING);
  if (passing !== null && (lasting !== null || signs.has('credentials'))) return 'unclear';
  if (passing === 'in use') return passing;
  // "Access denied: invalid password" leaves nothing unclear.
  if (signs.has('credentials')) return null;
  if (signs.has('shut out') && lasting === null) return 'unclear';
  return passing ?? lasting;
}

/** QUIRK: Chinese servers write GBK, Russian ones Windows-1251, and none says so. Words of one make none of another. */
const ELSEWISE = ['gb18030', 'windows-1251'] as const;

function readings(text: Buffer): readonly string[] {
  const judged = text.subarray(0, JUDGED_BYTES);
  if (isUtf8(text)) return [judged.toString('utf8').toLowerCase()];
  return [judged.toString('latin1'), ...ELSEWISE.map((encoding) => decoded(judged, encoding))].map(
    (reading) => reading.toLowerCase(),
  );
}

/** A Node that was built without all of ICU knows none of these: its words are shown, and not read. */
function decoded(bytes: Buffer, encoding: (typeof ELSEWISE)[number]): string {
  try {
    return new TextDecoder(encoding).decode(bytes);
  } catch {
    return '';
  }
}

const UNIT_SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600 };

/** Longer than a day is no wait that anybody means; the mailbox would be forgotten. */
const LONGEST_ASKED_SECONDS = 86_400;

/** How long the server asks to wait: "[LOGIN-DELAY 300]", "wait 60 seconds", "at least 5 minutes apart"; null: not said. */
export function secondsAsked(text: Buffer): number | null {
  const line = text.toString('latin1', 0, JUDGED_BYTES).toLowerCase();
  const code = /^\[login-delay[ \t]+(\d{1,9})\]/.exec(line);
  const words =
    /\b(?:wait|again|retry|least|every|for|in|within|alle|toutes les|ogni|cada)\b.{0,20}?\b(\d{1,6})[ -]?(s|m|h)(?:ec|in|our|\b)/.exec(
      line,
    );
  const seconds = code ? Number(code[1]) : words ? Number(words[1]) * (UNIT_SECONDS[words[2] ?? ''] ?? 1) : 0;
  return seconds > 0 ? Math.min(seconds, LONGEST_ASKED_SECONDS) : null;
}
