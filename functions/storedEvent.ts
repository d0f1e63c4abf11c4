import { z } from 'zod';
import { EVENT_SOURCE } from '../lib/events/shapes.ts';
import { MAILBOX_ID, stemOfKey } from '../lib/mailbox/names.ts';

/**
 * What parsing needs of a Message Stored. A version may gain fields, so what is not named here is not looked at: the queue
 * and the archive hold events for weeks, and who reads them may be older than who wrote them.
 */
const detail = z.object({
  v: z.literal(1),
  mailbox: z.string().regex(MAILBOX_ID),
  /** Absent: it is in a folder. */
  bucket: z.string().min(1).optional(),
  key: z.string().min(1),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  storedAt: z.iso.datetime(),
});

export type StoredEvent = z.infer<typeof detail>;

/** EventBridge's envelope as a rule puts it into a queue; it has more fields, which say nothing to us. */
const envelope = z.object({
  source: z.literal(EVENT_SOURCE),
  'detail-type': z.literal('Message Stored'),
  detail: detail.refine(
    ({ mailbox, key }) => stemOfKey(mailbox, key) !== null,
    'key: is not that of a message of this mailbox',
  ),
});

/** What was announced, or in words what is wrong with it. */
export function parseStoredEvent(body: string): StoredEvent | { readonly problems: readonly string[] } {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return { problems: ['the body is not JSON'] };
  }
  const parsed = envelope.safeParse(value);
  if (parsed.success) return parsed.data.detail;
  return {
    problems: parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'event'}: ${message}`),
  };
}
