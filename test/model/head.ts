/**
 * A mailbox's head in the model, and the pure changes of it that lib/mailbox/state.ts names. There is no revision:
 * a commit is one step that applies its change to the head as it is then, which is what a compare-and-swap comes
 * to once its loop of reloading has ended. Left-behind intents of dead runs are one bit, for nothing tells them
 * apart. Heads are numbered as they are met, so that a state holds a number.
 */
import type { Facts } from './facts.ts';

export interface ModelHead {
  /** Masks of variants: stored and announced; those of them under the key that content decides. */
  readonly records: number;
  readonly beside: number;
  /** Mask of refs whose intent anybody may judge: its run's deadline is over. */
  readonly left: number;
  /** Those of them that were left behind a day ago or more. */
  readonly aged: number;
  /** By worker: refs that its run holds, its deadline not over. */
  readonly held: readonly number[];
  /** By ref: attempts, the worker that was counted last, set aside, reported; packed as below, 0 for none. */
  readonly failures: readonly number[];
  readonly singly: 0 | 1;
}

const ATTEMPTS = 0b111;
const LAST_RUN_SHIFT = 3;
const LAST_RUN = 0b111 << LAST_RUN_SHIFT;
const ASIDE = 1 << 6;
const REPORTED = 1 << 7;
/** Set aside a day ago: it is tried again by itself. */
const DUE = 1 << 8;

export function emptyHead({ scenario, refs }: Facts): ModelHead {
  return {
    records: 0,
    beside: 0,
    left: 0,
    aged: 0,
    held: Array.from({ length: scenario.workers }, () => 0),
    failures: refs.map(() => 0),
    singly: 0,
  };
}

/** A state's key holds the number in 16 bits, one of them taken by "none". */
const MOST_HEADS = 0xfffe;

export class Heads {
  readonly #byKey = new Map<string, number>();
  readonly #heads: ModelHead[] = [];

  number(head: ModelHead): number {
    const { records, beside, left, aged, held, failures, singly } = head;
    const key = String.fromCharCode(records, beside, left, aged, singly, ...held, ...failures);
    const known = this.#byKey.get(key);
    if (known !== undefined) return known;
    if (this.#heads.length > MOST_HEADS) throw new Error(`more than ${MOST_HEADS} heads`);
    this.#byKey.set(key, this.#heads.length);
    return this.#heads.push(head) - 1;
  }

  at(number: number): ModelHead {
    const head = this.#heads[number];
    if (head === undefined) throw new Error(`no head ${number}`);
    return head;
  }
}

export function withIntents(
  head: ModelHead,
  refs: number,
  { worker, late }: { worker: number; late: boolean },
): ModelHead {
  if (late) return leaving(head, refs);
  return { ...head, held: head.held.map((held, other) => (other === worker ? held | refs : held)) };
}

export function strikeIntents(head: ModelHead, refs: number, worker: number): ModelHead {
  return {
    ...head,
    left: head.left & ~refs,
    aged: head.aged & ~refs,
    held: head.held.map((held, other) => (other === worker ? held & ~refs : held)),
  };
}

/** Of what was left behind, these are looked at, or watched no longer. */
export function withoutLeft(head: ModelHead, refs: number): ModelHead {
  return { ...head, left: head.left & ~refs, aged: head.aged & ~refs };
}

/**
 * Its own alone: of what others left behind nobody has looked yet. A run past its deadline finds its own among
 * those, and leaves them.
 */
export function strikeOwn(head: ModelHead, refs: number, worker: number): ModelHead {
  const held = head.held.map((own, other) => (other === worker ? own & ~refs : own));
  return { ...head, held };
}

/** Whatever any run holds, living or not; what strikeIntents must never do. */
export function strikeAll(head: ModelHead, refs: number): ModelHead {
  return {
    ...head,
    left: head.left & ~refs,
    aged: head.aged & ~refs,
    held: head.held.map((held) => held & ~refs),
  };
}

/** The run has ended, or its deadline has passed. */
export function releaseIntents(head: ModelHead, worker: number): ModelHead {
  const own = head.held[worker] ?? 0;
  if (own === 0) return head;
  const held = head.held.map((refs, other) => (other === worker ? 0 : refs));
  return leaving({ ...head, held }, own);
}

/** Intents that anybody may judge from now on; a day counts from the latest. */
export function leaving(head: ModelHead, refs: number): ModelHead {
  return { ...head, left: head.left | refs, aged: head.aged & ~refs };
}

/** The worker's next run is another one: who was counted last is nobody that counts again. */
export function forgetRun(head: ModelHead, worker: number): ModelHead {
  if (!head.failures.some((failure) => lastRun(failure) === worker + 1)) return head;
  return {
    ...head,
    failures: head.failures.map((failure) =>
      lastRun(failure) === worker + 1 ? failure & ~LAST_RUN : failure,
    ),
  };
}

export function withRecords(head: ModelHead, records: number, beside: number): ModelHead {
  return { ...head, records: head.records | records, beside: head.beside | beside };
}

export const attempts = (failure: number): number => failure & ATTEMPTS;
export const isAside = (failure: number): boolean => (failure & ASIDE) !== 0;
export const isDue = (failure: number): boolean => (failure & DUE) !== 0;
export const isReported = (failure: number): boolean => (failure & REPORTED) !== 0;
const lastRun = (failure: number): number => (failure & LAST_RUN) >> LAST_RUN_SHIFT;

function withFailure(head: ModelHead, ref: number, failure: number): ModelHead {
  return { ...head, failures: head.failures.map((other, at) => (at === ref ? failure : other)) };
}

export function countAttempt(head: ModelHead, ref: number, worker: number, limit: number): ModelHead {
  const known = head.failures[ref] ?? 0;
  if (lastRun(known) === worker + 1) return head;
  const counted = Math.min(attempts(known) + 1, limit);
  const flags = known & (ASIDE | REPORTED);
  return withFailure(head, ref, counted | ((worker + 1) << LAST_RUN_SHIFT) | flags);
}

export function uncountAttempt(head: ModelHead, ref: number, worker: number): ModelHead {
  const known = head.failures[ref] ?? 0;
  if (lastRun(known) !== worker + 1) return head;
  if (attempts(known) <= 1 && !isAside(known)) return withFailure(head, ref, 0);
  return withFailure(head, ref, (attempts(known) - 1) | (known & (ASIDE | REPORTED)));
}

/** The attempt ended badly: set aside once it was the last one allowed. */
export function blamed(head: ModelHead, ref: number, limit: number): ModelHead {
  const known = head.failures[ref] ?? 0;
  if (known === 0) return head;
  return attempts(known) >= limit ? withFailure(head, ref, (known | ASIDE) & ~DUE) : head;
}

export function forgetFailures(head: ModelHead, refs: number): ModelHead {
  return {
    ...head,
    failures: head.failures.map((failure, ref) => ((refs & (1 << ref)) !== 0 ? 0 : failure)),
  };
}

/** A day passes: what is set aside and said to be so is due again, and no unanswered write can land any more. */
export function dayOver(head: ModelHead): ModelHead {
  const failures = head.failures.map((failure) =>
    isAside(failure) && isReported(failure) ? failure | DUE : failure,
  );
  return { ...head, failures, aged: head.left };
}

/** Refs that used up their attempts and that no living run still tries. */
export function exhausted(head: ModelHead, limit: number, living: number): number {
  let refs = 0;
  head.failures.forEach((failure, ref) => {
    if (!isAside(failure) && attempts(failure) >= limit && (living & (1 << ref)) === 0) refs |= 1 << ref;
  });
  return refs;
}

export function setAside(head: ModelHead, refs: number): ModelHead {
  return {
    ...head,
    failures: head.failures.map((failure, ref) => ((refs & (1 << ref)) !== 0 ? failure | ASIDE : failure)),
  };
}

export function unreported(head: ModelHead): number {
  let refs = 0;
  head.failures.forEach((failure, ref) => {
    if (isAside(failure) && !isReported(failure)) refs |= 1 << ref;
  });
  return refs;
}

/** Only of what is still set aside: another run may have resolved it meanwhile. */
export function reported(head: ModelHead, refs: number): ModelHead {
  return {
    ...head,
    failures: head.failures.map((failure, ref) =>
      (refs & (1 << ref)) !== 0 && failure !== 0 ? failure | REPORTED : failure,
    ),
  };
}

export function asideRefs(head: ModelHead): number {
  let refs = 0;
  head.failures.forEach((failure, ref) => {
    if (isAside(failure)) refs |= 1 << ref;
  });
  return refs;
}

/** Living or not, of anybody but `worker`; those of living runs alone. */
export function heldByOthers(head: ModelHead, worker: number): number {
  return head.held.reduce((refs, held, other) => (other === worker ? refs : refs | held), 0);
}

export function heldByAnyone(head: ModelHead): number {
  return head.held.reduce((refs, held) => refs | held, 0);
}
