/**
 * Mailbox Failing and Mailbox Recovered. What is due to be said stands in the state before it is said, and is struck once
 * the event was accepted: a process that dies in between leaves it to the next run, which says it again with the same id.
 */
import type { Publisher } from '../events/port.ts';
import type { MailferryEvent } from '../events/shapes.ts';
import { mailboxNewsId } from '../mailbox/names.ts';
import type { BackOff, Head } from '../mailbox/state.ts';
import type { RunContext } from './runContext.ts';

/** Resolves in any case: what cannot be said now is said by the next run. */
export async function tellNews(context: Pick<RunContext, 'mailbox' | 'ports' | 'state'>): Promise<void> {
  const { mailbox, ports, state } = context;
  const { recovered, backOff } = state.head;
  try {
    if (recovered !== undefined && (await accepts(ports.publisher, recoveredEvent(mailbox.id, recovered))))
      await state.commit((head) => withoutRecovery(head, recovered.sinceMs));
    if (backOff?.told === 'due' && (await accepts(ports.publisher, failingEvent(mailbox.id, backOff))))
      await state.commit((head) => withFailingTold(head, backOff.sinceMs));
  } catch {
    // A bus or a store that fails is told of by the run itself.
  }
}

/** Whether the bus took it; rejects with PublisherError. */
export async function accepts(publisher: Publisher, event: MailferryEvent): Promise<boolean> {
  const [answer] = await publisher.publish([event]);
  return answer?.accepted === true;
}

export function hasNews({ recovered, backOff }: Head): boolean {
  return recovered !== undefined || backOff?.told === 'due';
}

function withoutRecovery(head: Head, sinceMs: number): Head {
  if (head.recovered?.sinceMs !== sinceMs) return head;
  const { recovered: _, ...rest } = head;
  return rest;
}

function withFailingTold(head: Head, sinceMs: number): Head {
  if (head.backOff?.sinceMs !== sinceMs || head.backOff.told !== 'due') return head;
  return { ...head, backOff: { ...head.backOff, told: 'accepted' } };
}

function failingEvent(mailbox: string, backOff: BackOff): MailferryEvent {
  const { sinceMs, failures, code, message, phase = null, kind = 'later', diagnosis } = backOff;
  return {
    detailType: 'Mailbox Failing',
    detail: {
      v: 1,
      id: mailboxNewsId(mailbox, 'failing', sinceMs),
      mailbox,
      since: new Date(sinceMs).toISOString(),
      failures,
      kind,
      code,
      phase,
      reason: message,
      ...(diagnosis && { diagnosis }),
    },
  };
}

function recoveredEvent(
  mailbox: string,
  { sinceMs, atMs }: { readonly sinceMs: number; readonly atMs: number },
): MailferryEvent {
  return {
    detailType: 'Mailbox Recovered',
    detail: {
      v: 1,
      id: mailboxNewsId(mailbox, 'recovered', sinceMs),
      mailbox,
      since: new Date(sinceMs).toISOString(),
      at: new Date(atMs).toISOString(),
    },
  };
}
