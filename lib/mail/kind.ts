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
  const { autoSubmitted, precedence } = headers;
  if (autoSubmitted === 'auto-replied') return 'auto-reply';
  if (autoSubmitted !== null && autoSubmitted !== 'no') return 'auto-generated';
  if (marks.has('x-autoreply') || marks.has('x-autorespond') || precedence === 'auto_reply')
    return 'auto-reply';
  return 'mail';
}

function kindOfReport({ type, recipients }: NonNullable<ParsedMail['report']>): Kind | null {
  switch (type) {
    case 'delivery-status': {
      // A report that names no recipient that can be read is what most bounces of old servers are.
      const failed = recipients.length === 0 || recipients.some(({ action }) => action === 'failed');
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
  if (OPAQUE.test(value)) return BY_TYPE.get((params['smime-type'] ?? '').toLowerCase()) ?? 'unknown';
  const signs = value === 'multipart/signed' && SIGNATURE.test((params['protocol'] ?? '').toLowerCase());
  return signs || SIGNATURE.test(value) ? 'signed' : null;
}

/** Outlook's own format, in which attachments lie hidden. */
export function isTnef(type: string, name: string | null): boolean {
  return /^application\/(?:vnd\.)?ms-tnef$/.test(type) || name?.toLowerCase() === 'winmail.dat';
}
