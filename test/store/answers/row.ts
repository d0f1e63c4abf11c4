/** The table's rows. */
import type { Habits } from './bucket.ts';
import type { Write } from './scene.ts';
import type { Script } from './script.ts';
import type { StateBefore } from './states.ts';

/** The seven answers that each kind of write is tried with: 21 cells. */
export const CELLS = ['200', '409', '412', '404', '5xx', 'lost reply', 'late landing'] as const;

/** What else goes wrong with a write or beside it. */
export const BESIDE = [
  'throttled',
  'silence',
  'ETag',
  'error in a 200',
  'cut answer',
  'the look',
  'the abort',
  'refused',
] as const;

export type Cell = (typeof CELLS)[number] | (typeof BESIDE)[number];

export interface Outcome {
  /** PutObject or Complete requests of the attempt. */
  readonly sent: number;
  /** What the adapter reported of each write: the port's result, or kind and code of its error. */
  readonly says: string;
  /** What createSettled, completeSettled or commit came to. */
  readonly settled: string;
  /** What is in the bucket then: an object, or the intents that the state document says. */
  readonly bucket: string;
  /** What the next run's attempt finds; for the state, what the document says when everything late has landed. */
  readonly next: string;
}

export interface Row {
  readonly cell: Cell;
  /** What the store does, in words. */
  readonly store: string;
  readonly script: Script;
  readonly habits?: Habits;
  /** Default 'usual'. */
  readonly before?: StateBefore;
  readonly outcomes: Readonly<Partial<Record<Write, Outcome>>>;
}

export const outcome = (
  sent: number,
  says: string,
  settled: string,
  bucket: string,
  next: string,
): Outcome => ({ sent, says, settled, bucket, next });

export const UNKNOWN = 'unknown E_STORE_UNKNOWN';
export const UNSETTLED = 'unknown E_STORE_UNSETTLED';
export const LATER = 'later E_STORE_UNAVAILABLE';

/** A first write that was done, whose answer does not tell. */
export const SEEN = outcome(1, UNKNOWN, 'same', 'mine', 'same');
export const SEEN_STATE = outcome(1, UNKNOWN, 'committed', 'old+mine', 'old+mine+next');
/** A first write that was not done, whose answer does not tell: a body is sent again, an upload's bytes are gone. */
export const REPEATED = outcome(2, `${UNKNOWN}, created`, 'created', 'mine', 'same');
export const REPEATED_STATE = outcome(2, `${UNKNOWN}, replaced`, 'committed', 'old+mine', 'old+mine+next');
export const GONE = outcome(1, UNKNOWN, UNKNOWN, 'nothing', 'created');
/** Another's bytes came first, and the answer does not tell. */
export const BEATEN = outcome(1, UNKNOWN, 'different', 'another’s', 'different');
export const MERGED = outcome(
  2,
  `${UNKNOWN}, replaced`,
  'committed',
  'old+other+mine',
  'old+other+mine+next',
);

export const WROTE: Row['outcomes'] = { create: SEEN, replace: SEEN_STATE, Complete: SEEN };
export const WROTE_NOT: Row['outcomes'] = { create: REPEATED, replace: REPEATED_STATE, Complete: GONE };
