import { EVENT_SOURCE, type MailferryEvent } from './shapes.ts';

/** An event as consumers see it, in EventBridge's words; a line of NDJSON has these four and no more. */
export interface Envelope {
  readonly source: typeof EVENT_SOURCE;
  readonly 'detail-type': MailferryEvent['detailType'];
  /** ISO 8601, UTC: when it happened, not when it was published. The same on every repeat. */
  readonly time: string;
  readonly detail: MailferryEvent['detail'];
}

/**
 * Of a detail as JSON. A header summary that makes it larger is left out: the event refers to the mail, and must
 * not be refused for what a sender wrote. Half of the 256 KB that EventBridge and an SQS queue of the older kind
 * take, since the bus adds its own fields and some targets carry JSON within JSON.
 */
export const MAX_DETAIL_BYTES = 128 * 1024;

export function envelope(event: MailferryEvent): Envelope {
  return {
    source: EVENT_SOURCE,
    'detail-type': event.detailType,
    time: timeOf(event),
    detail: reduced(event),
  };
}

/** JSON without newlines. Lone surrogates become U+FFFD: strict parsers refuse their escapes, the whole event with them. */
export function toJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'string' ? inner.toWellFormed() : inner,
  );
}

function timeOf({ detailType, detail }: MailferryEvent): string {
  switch (detailType) {
    case 'Message Stored':
    case 'Message Parsed':
    case 'Message Unparsable':
      return detail.storedAt;
    case 'Message Set Aside':
    case 'Message Too Large':
    case 'Mailbox Failing':
      return detail.since;
    case 'Mailbox Recovered':
      return detail.at;
    case 'Run Finished':
      return detail.startedAt;
  }
}

function reduced({ detailType, detail }: MailferryEvent): MailferryEvent['detail'] {
  if (detailType !== 'Message Stored' || Buffer.byteLength(toJson(detail)) <= MAX_DETAIL_BYTES) return detail;
  return { ...detail, headers: null };
}
