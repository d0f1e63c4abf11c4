/** Reports about a message (RFC 6522): of delivery (RFC 3464) and of reading (RFC 8098). */
import type { Report } from './documentShape.ts';
import { firstFields } from './headerFields.ts';
import { keyword } from './headers.ts';
import { oneId } from './ids.ts';
import type { ContentType } from './leaves.ts';
import { MAX_RECIPIENTS, MAX_REPORT_BYTES } from './parseLimits.ts';
import { characters, readable, verbatim } from './values.ts';

const PER_RECIPIENT = ['final-recipient', 'original-recipient', 'action', 'status', 'diagnostic-code'];
const ORIGINAL = ['message-id', 'original-message-id'];

/** The media types that a report is read from (RFC 6522, with those of RFC 6533 and RFC 5965). */
const READ: ReadonlySet<string> = new Set([
  ...['message/delivery-status', 'message/global-delivery-status'],
  ...['message/disposition-notification', 'message/global-disposition-notification'],
  ...['message/feedback-report', 'message/rfc822', 'message/global'],
  ...['text/rfc822-headers', 'message/global-headers'],
]);

const REPORT_TYPE = /^message\/(?:global-)?(delivery-status|disposition-notification|feedback-report)$/;

/** Of so many parts of a report what is in them is read: there are three in one. */
const MAX_READ = 8;

/** Takes the parts of what may be a report as they come. */
export class ReportReader {
  #recipients: Report['recipients'] = [];
  #originalMessageId: string | null = null;
  #read = 0;
  /** Of the first part that is a report's. */
  #type: string | null = null;

  /** How many of the first bytes of a part of this media type are to be given to `read`. */
  wants(type: string): number {
    return READ.has(type) && this.#read < MAX_READ ? MAX_REPORT_BYTES : 0;
  }

  read(type: string, head: Buffer): void {
    this.#read += 1;
    this.#type ??= REPORT_TYPE.exec(type)?.[1] ?? null;
    if (type.endsWith('delivery-status')) {
      const room = MAX_RECIPIENTS - this.#recipients.length;
      this.#recipients = [...this.#recipients, ...recipientsIn(head).slice(0, room)];
    } else this.#originalMessageId ??= originalId(head);
  }

  /** `root`: the whole message's. QUIRK: some leave out its report-type, or send the parts of a report in a multipart/mixed. */
  report({ value, params }: ContentType): Report | null {
    const isReport = value === 'multipart/report';
    const isEmpty = this.#type === 'delivery-status' && this.#recipients.length === 0;
    if (!isReport && (this.#type === null || isEmpty)) return null;
    const given = isReport ? verbatim(params['report-type'] ?? '').toLowerCase() : '';
    return {
      type: given || (this.#type ?? ''),
      recipients: this.#recipients,
      originalMessageId: this.#originalMessageId,
    };
  }
}

function originalId(head: Buffer): string | null {
  const fields = firstFields(head, new Set(ORIGINAL));
  const field = fields.get('original-message-id') ?? fields.get('message-id');
  return field === undefined ? null : oneId(characters(field.raw, field.cut), field.cut);
}

/** A group of fields for each recipient, behind one about the message; empty lines between them. */
function recipientsIn(status: Buffer): Report['recipients'] {
  const text = status.toString('latin1').replaceAll('\r\n', '\n');
  return text
    .split(/\n\n+/)
    .map((group) => recipientOf(Buffer.from(group, 'latin1')))
    .filter((recipient) => recipient !== null);
}

function recipientOf(group: Buffer): Report['recipients'][number] | null {
  const fields = firstFields(group, new Set(PER_RECIPIENT));
  const value = (name: string) => {
    const field = fields.get(name);
    return field === undefined ? null : characters(field.raw, field.cut);
  };
  const [final, original, diagnostic] = [
    value('final-recipient'),
    value('original-recipient'),
    value('diagnostic-code'),
  ];
  if (final === null && original === null && value('action') === null) return null;
  const action = value('action');
  const status = value('status');
  return {
    recipient: final === null ? null : verbatim(untyped(final)).replace(/^<(.*)>$/, '$1'),
    originalRecipient: original === null ? null : verbatim(untyped(original)).replace(/^<(.*)>$/, '$1'),
    action: action === null ? null : keyword(action),
    // QUIRK: some put words behind it.
    status: status === null ? null : (/^\d\.\d{1,3}\.\d{1,3}/.exec(status)?.[0] ?? null),
    diagnostic: diagnostic === null ? null : readable(untyped(diagnostic)),
  };
}

/** "rfc822; a@example.org" without the type that a value begins with. */
function untyped(value: string): string {
  return value.replace(/^[\w-]{1,40}\s{0,8};/, '').trim();
}
