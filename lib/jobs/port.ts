/** A queue of jobs. Those of one group come one after another, in order; other groups' beside them. */

export interface QueuedJob {
  readonly body: string;
  readonly group: string;
  /** A second job of this name is dropped for as long as REPEAT_MS after the first; at most 128 letters, digits and punctuation. */
  readonly once: string;
}

/** How long a queue drops repeats: five minutes (SQS Developer Guide, "Exactly-once processing in Amazon SQS"). */
export const REPEAT_MS = 5 * 60_000;

/** A job that the queue did not take, and why. */
export interface Unsent {
  readonly job: QueuedJob;
  readonly error: JobsError;
}

export interface Jobs {
  /**
   * Resolves with those that were not taken, within the adapter's bound of tries and about `withinMs`; none: all are in the
   * queue, or were before. Sent again they are taken once. Never rejects.
   */
  send(jobs: readonly QueuedJob[], withinMs: number): Promise<readonly Unsent[]>;

  /**
   * Has a job that was handed out come again after `afterMs`, and not only once the time that the queue gives to whoever has
   * it is over. `receipt`: of this handing out. Resolves within two seconds; with why where the queue refused. Never rejects.
   */
  comeAgain(receipt: string, afterMs: number): Promise<JobsError | null>;
}

export class JobsError extends Error {
  /** 'later': throttled, unavailable. 'person': no such queue, access denied. */
  readonly kind: 'later' | 'person';
  /** Stable, for programs: E_JOBS_… */
  readonly code: string;

  constructor(
    message: string,
    facts: { kind: 'later' | 'person'; code: string },
    options?: { cause?: unknown },
  ) {
    super(message, options);
    this.name = 'JobsError';
    this.kind = facts.kind;
    this.code = facts.code;
  }
}
