/** Errors, sorted by whose fault they are and put into words that name the mailbox. */
import { PublisherError } from '../events/port.ts';
import type { Mailbox } from '../mailbox/settings.ts';
import { StateError } from '../mailbox/stateError.ts';
import { Pop3Error } from '../pop3/errors.ts';
import { SecretError } from '../secrets/port.ts';
import { StoreError } from '../store/port.ts';
import type { Trouble } from './report.ts';

/** The run's time is up, or a person ended it: nobody's fault. */
export class RunEnded extends Error {
  readonly why: 'deadline' | 'aborted';

  constructor(why: 'deadline' | 'aborted') {
    super(why === 'deadline' ? 'The time of the run was up.' : 'The run was ended on request.');
    this.name = 'RunEnded';
    this.why = why;
  }
}

/** The bus took other events but not this one. */
export class EventRefused extends Error {
  constructor(reason: string) {
    super(`The event was not accepted: ${reason}`);
    this.name = 'EventRefused';
  }
}

/** What could not be vouched for: a message, or all that this server sends. */
export class Unvouched extends Error {
  readonly of: 'message' | 'server';

  constructor(message: string, of: 'message' | 'server', options?: { cause: unknown }) {
    super(message, options);
    this.name = 'Unvouched';
    this.of = of;
  }
}

/** Whether the message that was being tried is not to blame: the store, the bus, the state, the server or the clock is. */
export function isBlameless(error: unknown): boolean {
  return (
    error instanceof StoreError ||
    error instanceof PublisherError ||
    error instanceof StateError ||
    error instanceof SecretError ||
    error instanceof RunEnded ||
    isUnvouchedServer(error)
  );
}

export function isUnvouchedServer(error: unknown): error is Unvouched {
  return error instanceof Unvouched && error.of === 'server';
}

/** Whether it concerns one connection, or a message that came over it. */
export function isOfTheLine(error: unknown): boolean {
  return error instanceof Pop3Error || (error instanceof Unvouched && error.of === 'message');
}

/** Whether RETR was cut off at the mailbox's limit, since LIST had announced less than came. */
export function isOverLimit({ sizeLimit }: Pick<Mailbox, 'sizeLimit'>, error: unknown): boolean {
  return sizeLimit !== undefined && error instanceof Pop3Error && error.code === 'E_POP3_TOO_LARGE';
}

export function troubleOf(error: unknown, mailbox: string): Trouble {
  const words = (text: string) => `${mailbox}: ${text}`;
  if (error instanceof Pop3Error) {
    const kind = error.kind === 'person' ? 'person' : 'later';
    return { code: error.code, phase: error.phase, message: words(error.message), kind };
  }
  if (error instanceof StoreError) {
    const kind = error.kind === 'person' ? 'person' : 'later';
    return { code: error.code, phase: 'store', message: words(error.message), kind };
  }
  if (error instanceof PublisherError) {
    return { code: error.code, phase: 'events', message: words(error.message), kind: error.kind };
  }
  if (error instanceof SecretError) {
    return { code: error.code, phase: 'secret', message: words(error.message), kind: error.kind };
  }
  if (error instanceof StateError) {
    return { code: error.code, phase: 'state', message: words(error.message), kind: error.kind };
  }
  if (error instanceof EventRefused) {
    return { code: 'E_EVENTS_REFUSED', phase: 'events', message: words(error.message), kind: 'later' };
  }
  if (error instanceof RunEnded) {
    const code = error.why === 'deadline' ? 'E_RUN_DEADLINE' : 'E_RUN_ABORTED';
    return { code, phase: 'run', message: words(error.message), kind: 'later' };
  }
  if (error instanceof Unvouched) {
    return { code: 'E_RUN_UNVOUCHED', phase: 'uidl', message: words(error.message), kind: 'person' };
  }
  const message = error instanceof Error ? error.message : String(error);
  return { code: 'E_UNEXPECTED', phase: 'run', message: words(`unexpected: ${message}`), kind: 'person' };
}
