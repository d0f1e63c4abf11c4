/** What a message is, where it is not simply mail: by its fields alone, never by words in its subject or text. */

import type { ReadHeaders } from './documentHeaders.ts';
import type { ParsedMail } from './documentShape.ts';
import type { ContentType } from './leaves.ts';

type Kind = ParsedMail['kind'];
type Smime = ParsedMail['smime'];

export function kindOf({ headers, marks }: ReadHeaders, report: ParsedMail['report']): Kind {
  const reported = report === null ? null : kindOfReport(report);
  if (reported !== null) return reported;
  // Exim and Gmail bounce without RFC 3464, or have it stripped on the way.
  if (marks.has('x-failed-recipients')) return 'bounce';
  const { autoSubmitted, precedence, from } = headers;
  if (autoSubmitted === 'auto-replied') return 'auto-reply';
  // RFC 3834 section 2: nothing answers a message with any other value, nor with one that cannot be read.
  if (marks.has('auto-submitted') && autoSubmitted !== 'no') return 'auto-generated';
  if (REPLY_MARKS.some((name) => (marks.get(name) ?? 'no') !== 'no')) return 'auto-reply';
  if (/^auto[_-]reply$/.test(precedence ?? '')) return 'auto-reply';
  // qmail and its like bounce in words alone.
  if (from?.some(({ address }) => /^mailer-daemon@/i.test(address))) return 'bounce';
  return ASKS_FOR_SILENCE.test(marks.get('x-auto-response-suppress') ?? '') ? 'auto-generated' : 'mail';
}

const REPLY_MARKS = [
  ...['x-autoreply', 'x-auto-reply', 'x-autoreply-from', 'x-auto-reply-from'],
  ...['x-mail-autoreply', 'x-autorespond'],
];

/** MS-OXCMAIL: programs say so of what nobody is to answer by a program; of the other values, reports alone are not wanted. */
const ASKS_FOR_SILENCE = /\b(?:all|oof|autoreply)\b/;

function kindOfReport({ type, recipients }: NonNullable<ParsedMail['report']>): Kind | null {
  switch (type) {
    case 'delivery-status': {
      // A report that names no recipient that can be read is what most bounces of old servers are.
      const failed = recipients.length === 0 || recipients.some(isFailed);
      return failed ? 'bounce' : 'delivery-report';
    }
    case 'disposition-notification':
      return 'read-report';
    case 'feedback-report':
      return 'complaint';
    default:
      return null;
  }
}

const ACTIONS = ['delayed', 'delivered', 'relayed', 'expanded'];

/** QUIRK: without an action that RFC 3464 knows, the status tells: its first digit is 2 or 4 where nothing has failed. */
function isFailed({ action, status }: NonNullable<ParsedMail['report']>['recipients'][number]): boolean {
  if (action === 'failed') return true;
  return !ACTIONS.includes(action ?? '') && !/^[24]/.test(status ?? '');
}

const OPAQUE = /^application\/(?:x-)?pkcs7-mime$/;
const SIGNATURE = /^application\/(?:x-)?pkcs7-signature$/;

const BY_TYPE: ReadonlyMap<string, NonNullable<Smime>> = new Map([
  ['signed-data', 'signed'],
  ['signed-receipt', 'signed'],
  ['enveloped-data', 'encrypted'],
  ['authenveloped-data', 'encrypted'],
  ['compressed-data', 'compressed'],
  ['certs-only', 'certificates'],
]);

/** What S/MIME a part is, by its media type; null: none. */
export function smimeOf({ value, params }: ContentType): Smime {
  // RFC 8551 section 3.10: the name tells where the type does not.
  const named = value === 'application/octet-stream' && /\.p7m$/i.test(params['name'] ?? '');
  if (named || OPAQUE.test(value))
    return BY_TYPE.get((params['smime-type'] ?? '').toLowerCase()) ?? 'unknown';
  const signs = value === 'multipart/signed' && SIGNATURE.test((params['protocol'] ?? '').toLowerCase());
  return signs || SIGNATURE.test(value) ? 'signed' : null;
}

/** Outlook's own format, in which attachments lie hidden. */
export function isTnef(type: string, name: string | null): boolean {
  return /^application\/(?:vnd\.)?ms-tnef$/.test(type) || name?.toLowerCase() === 'winmail.dat';
}
