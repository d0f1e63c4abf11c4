import { z } from 'zod';
import { DETAILS, EVENT_SOURCE, type MessageStored } from '../lib/events/shapes.ts';
import { stemOfKey } from '../lib/mailbox/names.ts';

/** EventBridge's envelope as a rule puts it into a queue; it has more fields, which say nothing to us. */
const envelope = z.object({
  source: z.literal(EVENT_SOURCE),
  'detail-type': z.literal('Message Stored'),
  detail: DETAILS['Message Stored'].refine(
    ({ mailbox, key }) => stemOfKey(mailbox, key) !== null,
    'key: is not that of a message of this mailbox',
  ),
});

/** What was announced, or in words what is wrong with it. */
export function parseStoredEvent(body: string): MessageStored | { readonly problems: readonly string[] } {
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
