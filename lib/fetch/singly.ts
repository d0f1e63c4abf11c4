/** Servers that do not bear several commands at once, or do not say where a message ends: caught once, remembered. */
import type { Head } from '../mailbox/state.ts';
import type { RunContext } from './runContext.ts';

/** How long a mailbox is fetched one message at a time: what shifted the replies may be gone then. */
const SINGLY_MS = 7 * 24 * 3_600_000;

export function isSingly({ singlySinceMs }: Head, nowMs: number): boolean {
  return singlySinceMs !== null && nowMs - singlySinceMs < SINGLY_MS;
}

export async function fetchSingly({ state, ports, tally }: RunContext, { message }: Error): Promise<void> {
  const nowMs = ports.clock.now();
  tally.note(
    `Asked for several messages, the server fell out of step; this mailbox is fetched one message at a time for a week. ${message}`,
  );
  await state.commit((head) => ({ ...head, singlySinceMs: nowMs }));
}
