/** Mailboxes fetched on their intervals by a living process: when each begins, and when again after how a run ended. */
import type { Clock } from '../lib/fetch/ports.ts';
import { leftSuspects, type RunReport } from '../lib/fetch/report.ts';
import { beginsBetween, minutesOf, nextBeginMs } from '../lib/mailbox/due.ts';
import type { Mailbox } from '../lib/mailbox/settings.ts';
import { goesOn } from './runs.ts';

const MINUTE_MS = 60_000;

/** Timers stand still while a machine sleeps, and clocks are set: the time is looked at this often. */
const LONGEST_SLEEP_MS = MINUTE_MS;

/** After failures in a row a mailbox is tried again before its next slot, in 1, 2, 4 … minutes; its back-off may say later. */
const LONGEST_RETRY_MS = 60 * MINUTE_MS;

export interface Watching {
  readonly mailboxes: readonly Mailbox[];
  readonly clock: Pick<Clock, 'now' | 'after'>;
  /** Aborted: nothing new is begun, and what is under way ends in order. */
  readonly signal: AbortSignal;
  /** One run on one mailbox, once it has its turn; null: asked to end before that. */
  run(mailbox: Mailbox): Promise<RunReport | null>;
  /** The same on its suspects, with nothing else under way; undefined: runs try them by themselves. */
  readonly runAlone: Watching['run'] | undefined;
  /** `skipped`: how often the mailbox fell due again while it was being fetched. */
  tell(mailbox: Mailbox, report: RunReport, skipped: number): void;
}

/** Resolves once `signal` is aborted and all runs have ended. Rejects only if a run or `tell` does. */
export async function watch(watching: Watching): Promise<void> {
  const sleepers = new Sleepers(watching.clock);
  const stopping = new AbortController();
  const stop = () => stopping.abort();
  stopping.signal.addEventListener('abort', () => sleepers.wake());
  watching.signal.addEventListener('abort', stop);
  if (watching.signal.aborted) stop();
  const faults: unknown[] = [];
  /** Ours, not a mailbox's. Whoever started this starts it anew: better than a mailbox that nobody watches. */
  const fail = (error: unknown) => {
    faults.push(error);
    stop();
  };
  const inside = { ...watching, signal: stopping.signal };
  await Promise.all(
    watching.mailboxes.map((mailbox) =>
      new Followed(inside, mailbox, { sleepers, fail }).follow().catch(fail),
    ),
  );
  watching.signal.removeEventListener('abort', stop);
  if (faults.length > 0) throw faults[0];
}

interface Around {
  readonly sleepers: Sleepers;
  fail(error: unknown): void;
}

class Followed {
  readonly #watching: Watching;
  readonly #mailbox: Mailbox;
  readonly #around: Around;
  /** Runs in a row that failed. */
  #failures = 0;
  /** Its suspects, while they wait for their turn or are tried. */
  #suspects: Promise<unknown> | null = null;

  constructor(watching: Watching, mailbox: Mailbox, around: Around) {
    this.#watching = watching;
    this.#mailbox = mailbox;
    this.#around = around;
  }

  /** One run after the other, so that there are never two at once. Begins at once: how much was missed, nobody knows. */
  async follow(): Promise<void> {
    const { clock } = this.#watching;
    let nextMs = clock.now();
    while (await this.#reached(nextMs)) {
      const report = await this.#turn();
      if (report === null) break;
      nextMs = this.#nextMs(report, clock.now());
    }
    await this.#suspects;
  }

  /** False: asked to end before. */
  async #reached(ms: number): Promise<boolean> {
    const { clock, signal } = this.#watching;
    let untilMs = ms;
    while (!signal.aborted) {
      const nowMs = clock.now();
      // A clock that was set back must not keep a mailbox waiting until it is there again.
      untilMs = Math.min(untilMs, nextBeginMs(this.#mailbox, nowMs));
      if (nowMs >= untilMs) return true;
      await this.#around.sleepers.sleep(Math.min(untilMs - nowMs, LONGEST_SLEEP_MS));
    }
    return false;
  }

  /** Run after run until nothing is left to do now: a first import of any size. */
  async #turn(): Promise<RunReport | null> {
    const { clock, signal, run, tell } = this.#watching;
    const begunMs = clock.now();
    let report = await run(this.#mailbox);
    while (report !== null && goesOn(report) && !signal.aborted) {
      tell(this.#mailbox, report, 0);
      report = await run(this.#mailbox);
    }
    if (report === null) return null;
    tell(this.#mailbox, report, this.#skipped(begunMs, clock.now()));
    if (leftSuspects(report) && !signal.aborted) this.#trySuspects();
    return report;
  }

  /** A turn that falls due during a short run is served by it: the first run, and one that is made up for, begin at any time. */
  #skipped(begunMs: number, endedMs: number): number {
    const intervals = Math.floor((endedMs - begunMs) / (minutesOf(this.#mailbox.every) * MINUTE_MS));
    return Math.min(beginsBetween(this.#mailbox, begunMs, endedMs), intervals);
  }

  /** Beside the mailbox's own turns, which new mail must not miss while its suspects wait for a pause. */
  #trySuspects(): void {
    const { runAlone, tell } = this.#watching;
    if (runAlone === undefined || this.#suspects !== null) return;
    this.#suspects = runAlone(this.#mailbox)
      .then((report) => report && tell(this.#mailbox, report, 0))
      .catch(this.#around.fail)
      .finally(() => {
        this.#suspects = null;
      });
  }

  /** What was not fetched is still due: soon again, and at the latest in its next slot. */
  #nextMs({ outcome, waiting }: RunReport, nowMs: number): number {
    if (outcome === 'failed') this.#failures += 1;
    else if (outcome !== 'waiting') this.#failures = 0;
    const dueMs = nextBeginMs(this.#mailbox, nowMs);
    if (waiting !== undefined) return Math.min(dueMs, Date.parse(waiting.until));
    if (outcome !== 'failed') return dueMs;
    const retryMs = Math.min(MINUTE_MS * 2 ** (this.#failures - 1), LONGEST_RETRY_MS);
    return Math.min(dueMs, nowMs + retryMs);
  }
}

/** All who sleep, with one listener for the signal: thousands would be slow to remove one by one. */
class Sleepers {
  readonly #clock: Watching['clock'];
  readonly #wakes = new Set<() => void>();

  constructor(clock: Watching['clock']) {
    this.#clock = clock;
  }

  async sleep(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const cancel = this.#clock.after(ms, () => wake());
      const wake = () => {
        cancel();
        this.#wakes.delete(wake);
        resolve();
      };
      this.#wakes.add(wake);
    });
  }

  wake(): void {
    for (const wake of [...this.#wakes]) wake();
  }
}
