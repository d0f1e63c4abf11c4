/**
 * Attempts at messages, counted before they are made, and what became of them: pure changes of a head that may be
 * applied twice, like those of state.ts.
 */
import { withIntents } from './intents.ts';
import { type Failure, type Head, type MessageRef, refKey, sameRef } from './state.ts';

/** How soon a message that is set aside is tried again by itself, and how late at most. */
export const SET_ASIDE_RETRY_MS = 24 * 3_600_000;
const SLOWEST_RETRY_MS = 14 * SET_ASIDE_RETRY_MS;

/** After as long as it has been set aside already, so that what never comes is asked for less and less. */
export function nextRetryMs(setAsideMs: number, nowMs: number): number {
  return nowMs + Math.min(Math.max(nowMs - setAsideMs, SET_ASIDE_RETRY_MS), SLOWEST_RETRY_MS);
}

export interface Attempt {
  readonly run: string;
  readonly nowMs: number;
}

/** Counted before the attempt is made, so that one which ends the process is counted too; once per run. */
export function countAttempt(head: Head, ref: MessageRef, { run, nowMs }: Attempt): Head {
  const known = failureOf(head, ref);
  if (known?.lastRun === run) return head;
  return withFailure(head, {
    uidl: ref.uidl,
    size: ref.size,
    headerHash: ref.headerHash,
    code: 'E_ATTEMPT_UNFINISHED',
    message: 'The process ended while this message was being tried.',
    firstMs: nowMs,
    setAsideMs: null,
    reported: false,
    ...known,
    // Written ahead too: a retry that ends the process must not be the next run's first thought.
    retryMs: known && known.setAsideMs !== null ? nextRetryMs(known.setAsideMs, nowMs) : 0,
    attempts: (known?.attempts ?? 0) + 1,
    lastRun: run,
  });
}

/** What went wrong was not the message's fault: the store, the bus, or a deadline that came too soon. */
export function uncountAttempt(head: Head, ref: MessageRef, run: string): Head {
  const known = failureOf(head, ref);
  if (known?.lastRun !== run) return head;
  if (known.attempts <= 1 && known.setAsideMs === null) return forgetFailures(head, [ref]);
  return withFailure(head, { ...known, attempts: known.attempts - 1, lastRun: null });
}

export function failureOf(head: Head, ref: MessageRef): Failure | undefined {
  return head.failures.find((failure) => sameRef(failure, ref));
}

/** Whether it is left alone until its day has come. */
export function isAside(failure: Failure | undefined, nowMs: number): failure is Failure {
  return failure !== undefined && failure.setAsideMs !== null && nowMs < failure.retryMs;
}

/** All that are set aside, or those with one of these UIDLs. */
export function setAsideOf(head: Head, uidls: readonly string[] = []): readonly Failure[] {
  return head.failures.filter(
    ({ uidl, setAsideMs }) => setAsideMs !== null && (uidls.length === 0 || uidls.includes(uidl)),
  );
}

/** The next run tries them; they stay set aside unless they come. */
export function retriedNow(head: Head, uidls: readonly string[], nowMs: number): Head {
  const waiting = new Set(setAsideOf(head, uidls).filter(({ retryMs }) => retryMs > nowMs));
  if (waiting.size === 0) return head;
  const failures = head.failures.map((one) => (waiting.has(one) ? { ...one, retryMs: nowMs } : one));
  return { ...head, failures };
}

/** As if they had never failed. An intent that is open for one still leads to what its attempt left in the store. */
export function released(head: Head, uidls: readonly string[]): Head {
  const free = setAsideOf(head, uidls);
  return free.length === 0 ? head : { ...forgetFailures(head, free), quiet: null };
}

export function withFailure(head: Head, failure: Failure): Head {
  return { ...head, failures: [...head.failures.filter((other) => !sameRef(other, failure)), failure] };
}

/** A message that is neither listed nor begun has vanished; it is remembered for a while, lest a listing was short. */
export function forgetVanished(
  head: Head,
  isListed: (ref: MessageRef) => boolean,
  { nowMs, keptMs }: { readonly nowMs: number; readonly keptMs: number },
): Head {
  const begun = new Set(head.intents.map(refKey));
  const vanished = head.failures.filter(
    (failure) =>
      (failure.setAsideMs ?? failure.firstMs) + keptMs <= nowMs &&
      !begun.has(refKey(failure)) &&
      !isListed(failure),
  );
  return forgetFailures(head, vanished);
}

export function forgetFailures(head: Head, refs: readonly MessageRef[]): Head {
  const forgotten = new Set(refs.map(refKey));
  const failures = head.failures.filter((failure) => !forgotten.has(refKey(failure)));
  return failures.length === head.failures.length ? head : { ...head, failures };
}

/**
 * What was taken for one message is told apart: an intent that was left behind for it leads to each of `refs` from now
 * on, and their attempts begin anew, for nobody knows whose the earlier ones were. Not while another run is at it.
 */
export function toldApart(head: Head, ref: MessageRef, refs: readonly MessageRef[], nowMs: number): Head {
  const left = head.intents.filter((intent) => sameRef(intent, ref));
  if (left.length === 0 || left.some(({ untilMs }) => untilMs > nowMs)) return head;
  const intents = left.flatMap(({ run, untilMs, contents, unstuffed }) =>
    refs.map(({ uidl, size, headerHash }) => ({
      ...{ uidl, size, headerHash, run, untilMs },
      ...(contents === undefined ? {} : { contents }),
      ...(unstuffed === undefined ? {} : { unstuffed }),
    })),
  );
  const others = head.intents.filter((intent) => !left.includes(intent));
  return forgetFailures(withIntents({ ...head, intents: others }, intents), [ref]);
}
