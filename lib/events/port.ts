import type { MailferryEvent } from './shapes.ts';

/** What became of one event: accepted by the bus or file, or not, and why. */
export type Published = { readonly accepted: true } | { readonly accepted: false; readonly reason: string };

/**
 * Where events go. At least once: an event that was not accepted is published again by a later run, with the
 * same id. Delivery order is not promised.
 */
export interface Publisher {
  /** Whether "accepted" proves anything: true of a bus and of a synced file, false of stdout. Deletes need true. */
  readonly durable: boolean;

  /**
   * Proves that the bus exists, once per process and at most five minutes old: PutEvents answers success for a
   * bus that does not exist. Rejects with PublisherError.
   */
  prove(): Promise<void>;

  /**
   * One result per event, in the order given. Failed entries have been retried within the adapter's bound.
   * Never rejects for a refused event; rejects with PublisherError when nothing could be tried.
   */
  publish(events: readonly MailferryEvent[]): Promise<readonly Published[]>;
}

export class PublisherError extends Error {
  /** 'later': throttled, unavailable. 'person': no such bus, access denied, file cannot be written. */
  readonly kind: 'later' | 'person';
  /** Stable, for programs: E_EVENTS_… */
  readonly code: string;

  constructor(
    message: string,
    facts: { kind: 'later' | 'person'; code: string },
    options?: { cause?: unknown },
  ) {
    super(message, options);
    this.name = 'PublisherError';
    this.kind = facts.kind;
    this.code = facts.code;
  }
}
