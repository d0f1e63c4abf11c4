/**
 * How long a mailbox that failed is left alone, and when a person is told: pure changes of a head. By hand a mailbox is
 * tried at once; whatever comes on a schedule asks `waitOf` first.
 */
import { createHash } from 'node:crypto';
import type { Mailbox } from './settings.ts';
import type { BackOff, Diagnosis, Head } from './state.ts';

/** What kind of trouble it was, as far as waiting goes. */
export type Pace =
  /** Another session holds the mailbox. */
  | 'lock'
  /** The server wants more time between two sign-ins. */
  | 'delay'
  | 'throttle'
  /** The sign-in was refused, or may have been. */
  | 'refusal'
  /** Anything else: the network, the server, the store, the bus. */
  | 'trouble';

export const PACES: readonly Pace[] = ['lock', 'delay', 'throttle', 'refusal', 'trouble'];

const MINUTE_MS = 60_000;

/** Doubled up to an hour: a mailbox that works again is noticed within about an hour. */
const DOUBLED = [1, 2, 4, 8, 16, 32, 60];

/** Minutes, by how often it happened; the last one stays. */
const WAITS: Readonly<Record<Pace, readonly number[]>> = {
  // Servers let go of a lock within ten minutes after its owner was cut off (RFC 1939 section 3).
  lock: [1, 2, 4, 8, 10],
  delay: DOUBLED,
  // Providers count over a quarter of an hour, and trying on prolongs the ban.
  throttle: [15, 30, 60, 120],
  // Accounts are locked after as few as five refusals within half an hour. From the third on there are at most four a
  // day: a typing mistake must not lock anybody out, and a throttle that reads as one must have time to pass.
  refusal: [5, 15, 60, 180, 540, 1440],
  trouble: DOUBLED,
};

/** Mailboxes that failed together should not come back together: each waits 80 to 120 percent. */
const JITTER_SHARE = 0.4;

/**
 * Minutes from one try to another with a secret that is new by then, by how many such there were: the first is tried at
 * once, for a person waits for it. Where a program makes a new one each hour, it is hardly the secret that is refused.
 */
const RENEWED_AFTER = [0, 5, 15, 60];

/** What a server or its CAPA asks for is waited for whole, and up to a fifth longer. */
const ASKED_JITTER_SHARE = JITTER_SHARE / 2;

/** No server means more than a day, and one that says so must not have its mailbox forgotten. */
const LONGEST_ASKED_MS = 1440 * MINUTE_MS;

/** More than any wait can be: a date beyond it comes from a clock that was wrong. */
const LONGEST_WAIT_MS = 1440 * MINUTE_MS * (1 + JITTER_SHARE / 2);

/** Refusals in a row after which they are what they say: a throttle that reads as a wrong password has passed by then. */
const REFUSALS_THAT_LAST = 3;

/** Failures in a row after which a person is told. Another client may well hold a lock for a quarter of an hour. */
const TOLD_AFTER: Readonly<Record<Pace, number>> = {
  lock: 6,
  delay: 3,
  throttle: 3,
  refusal: REFUSALS_THAT_LAST,
  trouble: 3,
};

export interface MailboxFailure {
  readonly code: string;
  readonly message: string;
  readonly phase: string;
  readonly kind: 'later' | 'person';
  readonly pace: Pace;
  /** May pass by itself, or want a person: which of them shows when it lasts. */
  readonly unclear: boolean;
  /** Only a person can mend it, and that is certain: told at once. */
  readonly certain: boolean;
  /** Asked for by the server, or 0. */
  readonly atLeastMs: number;
  /** Of `signInSettings`. */
  readonly settings: string;
  /** What the sign-in was tried with, by its mark; undefined: another one would have made no difference. */
  readonly secretMark?: string | undefined;
  /** Tried before its time, since that mark was another than before. */
  readonly renewed?: boolean;
  readonly diagnosis?: Diagnosis | undefined;
}

/** Another failure in a row, when to try again, and whether a person is due to be told. */
export function afterFailure(
  head: Head,
  failure: MailboxFailure,
  clock: { now(): number; random(): number },
): Head {
  const nowMs = clock.now();
  const before = inForce(head.backOff, failure.settings);
  const failures = (before?.failures ?? 0) + 1;
  const refusals = (before?.refusals ?? 0) + (failure.pace === 'refusal' ? 1 : 0);
  const ofPace = (before?.pace === failure.pace ? (before.ofPace ?? 0) : 0) + 1;
  const waitMs = jittered(failure, failure.pace === 'refusal' ? refusals : ofPace, clock.random());
  const counted = failure.pace === 'refusal' ? refusals : failures;
  // A failure of another kind, met by hand, brings the next try no nearer.
  const untilMs = Math.max(nowMs + waitMs, Math.min(before?.untilMs ?? 0, nowMs + LONGEST_WAIT_MS));
  const told = before?.told ?? (failure.certain || counted >= TOLD_AFTER[failure.pace] ? 'due' : undefined);
  return {
    ...head,
    backOff: {
      failures,
      sinceMs: before?.sinceMs ?? nowMs,
      untilMs,
      code: failure.code,
      message: failure.message,
      phase: failure.phase,
      kind: failure.unclear && refusals >= REFUSALS_THAT_LAST ? 'person' : failure.kind,
      pace: failure.pace,
      ofPace,
      refusals,
      settings: failure.settings,
      ...renewable(before, failure, { nowMs, waitMs }),
      ...(told === undefined ? {} : { told }),
      ...(failure.diagnosis && { diagnosis: failure.diagnosis }),
    },
  };
}

/** What a secret that is new by then makes void is the wait for a refused one, and nothing that the server asked for. */
function renewable(
  before: BackOff | null,
  { secretMark: tried, renewed, atLeastMs }: MailboxFailure,
  { nowMs, waitMs }: { readonly nowMs: number; readonly waitMs: number },
): Pick<BackOff, 'secretMark' | 'renewals' | 'askedMs'> {
  const secretMark = tried ?? before?.secretMark;
  const renewals = (before?.renewals ?? 0) + (renewed ? 1 : 0);
  const firmMs = tried === undefined ? waitMs : Math.min(atLeastMs, LONGEST_ASKED_MS);
  return {
    ...(secretMark === undefined ? {} : { secretMark }),
    ...(renewals === 0 ? {} : { renewals }),
    askedMs: Math.max(nowMs + firmMs, Math.min(before?.askedMs ?? 0, nowMs + LONGEST_WAIT_MS)),
  };
}

function jittered({ pace, atLeastMs }: MailboxFailure, nth: number, random: number): number {
  const minutes = WAITS[pace][Math.min(nth, WAITS[pace].length) - 1] ?? 1;
  const ownMs = minutes * MINUTE_MS * (1 - JITTER_SHARE / 2 + random * JITTER_SHARE);
  return Math.round(
    Math.max(ownMs, Math.min(atLeastMs, LONGEST_ASKED_MS) * (1 + random * ASKED_JITTER_SHARE)),
  );
}

/** Other settings may work: nothing that happened under the old ones is waited for, but since when it fails stays. */
function inForce(backOff: BackOff | null, settings: string): BackOff | null {
  if (backOff === null || backOff.settings === undefined || backOff.settings === settings) return backOff;
  const { secretMark: _, ...rest } = backOff;
  return { ...rest, failures: 0, refusals: 0, ofPace: 0, untilMs: 0, renewals: 0, askedMs: 0 };
}

/** It works again. Whoever was told that it fails, or may have been, is due to be told. */
export function afterSuccess(head: Head, nowMs: number): Head {
  const { backOff } = head;
  if (backOff === null) return head;
  if (backOff.told === undefined) return { ...head, backOff: null };
  return { ...head, backOff: null, recovered: { sinceMs: backOff.sinceMs, atMs: nowMs } };
}

/** Shorter delays than polls can be are not worth a write. */
const DELAY_NOTED_MS = MINUTE_MS;

/** A sign-in on a server that announces LOGIN-DELAY: the next one must not come before. */
export function afterSignIn(head: Head, atMs: number, delayMs: number): Head {
  const { signedIn: _, ...rest } = head;
  return delayMs >= DELAY_NOTED_MS
    ? { ...rest, signedIn: { atMs, delayMs: Math.min(delayMs, LONGEST_ASKED_MS) } }
    : rest;
}

export interface Wait {
  readonly untilMs: number;
  readonly code: string;
  readonly message: string;
}

/** Until when, and why, a mailbox is left alone; null: it may be tried. What `renewableSecret` tells comes before it. */
export function waitOf(head: Head, settings: string, nowMs: number): Wait | null {
  const backOff = inForce(head.backOff, settings);
  if (backOff === null || backOff.untilMs <= nowMs || backOff.untilMs > nowMs + LONGEST_WAIT_MS) return null;
  const { untilMs, code, message } = backOff;
  return { untilMs, code, message };
}

/**
 * Whether a mailbox that waits may be tried with a secret that is another than the one it was refused with, and which
 * mark that one has; null: not yet, or no secret would help. By hand it is tried in any case.
 */
export function renewableSecret({ backOff, lastAttemptMs }: Head, nowMs: number): string | null {
  if (backOff?.secretMark === undefined) return null;
  const { secretMark, renewals = 0, askedMs = 0 } = backOff;
  const minutes = RENEWED_AFTER[Math.min(renewals, RENEWED_AFTER.length - 1)] ?? 0;
  return nowMs >= Math.max(askedMs, lastAttemptMs + minutes * MINUTE_MS) ? secretMark : null;
}

/** The same for LOGIN-DELAY, which is no failure. */
export function delayOf({ signedIn, mailbox }: Head, nowMs: number): Wait | null {
  if (signedIn === undefined) return null;
  const { atMs, delayMs } = signedIn;
  const untilMs = atMs + delayMs;
  // A clock that was wrong must not keep a mailbox waiting for longer than the server asks.
  if (untilMs <= nowMs || atMs > nowMs || delayMs > LONGEST_ASKED_MS) return null;
  return {
    untilMs,
    code: 'E_POP3_LOGIN_DELAY',
    message: `${mailbox}: the server wants ${Math.round(delayMs / 1000)} s between two sign-ins; poll this mailbox less often.`,
  };
}

/**
 * What signing in depends on, in 16 hex digits: a change of it ends the waiting. Of the password it has the reference
 * alone: a digest of the secret would let whoever reads the state try passwords at leisure. `secretMark` tells the
 * secrets apart.
 */
export function signInSettings(mailbox: Mailbox): string {
  const { id, host, port, tls, user, password, ca, signIn, clientCertificate, serverKeys } = mailbox;
  const parts = JSON.stringify([
    id,
    host,
    port,
    tls,
    user,
    password,
    ca,
    signIn,
    clientCertificate,
    serverKeys,
  ]);
  return createHash('sha256').update(parts).digest('hex').slice(0, 16);
}
