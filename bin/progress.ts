import type { Progress } from '../lib/fetch/report.ts';
import type { Terminal } from './terminal.ts';
import { bytesInWords, countInWords, durationInWords } from './words.ts';

/** How often `tick` is to be called. Messages are told in bursts, as batches are committed; time goes on between. */
export const TICK_MS = 200;

/** Where nothing can be redrawn, a long run says so often that it is alive. */
const PLAIN_LINE_MS = 30_000;

/** Before this much time has passed a rate is a guess. */
const RATE_AFTER_MS = 1000;

interface Seen {
  /** Of earlier runs on the same mailbox. */
  readonly before: Pick<Progress, 'stored' | 'bytesReceived'>;
  readonly last: Progress;
}

export interface ProgressLine {
  update(progress: Progress): void;
  /** Shows what is known by now. */
  tick(): void;
  /** Nothing is left on the terminal. */
  end(): void;
}

/** One line for all mailboxes: rewritten on a terminal, else written now and then. */
export function progressLine(terminal: Terminal, now: () => number): ProgressLine {
  const seen = new Map<string, Seen>();
  const startedMs = now();
  let plainMs = startedMs;
  return {
    update(progress) {
      seen.set(progress.mailbox, follow(seen.get(progress.mailbox), progress));
    },
    tick() {
      if (seen.size === 0) return;
      const text = describe([...seen.values()], now() - startedMs);
      if (terminal.isLive) terminal.live(text);
      else if (now() - plainMs >= PLAIN_LINE_MS) {
        plainMs = now();
        terminal.err(text);
      }
    },
    end: () => terminal.live(''),
  };
}

/** A new run on a mailbox counts from zero again. */
function follow(seen: Seen | undefined, progress: Progress): Seen {
  if (seen === undefined) return { before: { stored: 0, bytesReceived: 0 }, last: progress };
  const { before, last } = seen;
  if (progress.stored >= last.stored && progress.bytesReceived >= last.bytesReceived) {
    return { before, last: progress };
  }
  const sum = {
    stored: before.stored + last.stored,
    bytesReceived: before.bytesReceived + last.bytesReceived,
  };
  return { before: sum, last: progress };
}

function describe(seen: readonly Seen[], elapsedMs: number): string {
  const sum = (of: (seen: Seen) => number) => seen.reduce((total, one) => total + of(one), 0);
  const stored = sum(({ before, last }) => before.stored + last.stored);
  const toStore = sum(({ before, last }) => before.stored + last.toStore);
  const bytes = sum(({ before, last }) => before.bytesReceived + last.bytesReceived);
  const bytesToStore = sum(({ before, last }) => before.bytesReceived + last.bytesToStore);
  const only = seen.length === 1 ? seen[0]?.last : undefined;
  const who = only === undefined ? countInWords(seen.length, 'mailbox', 'mailboxes') : only.mailbox;
  if (toStore === 0) return `${who}: ${only?.step ?? 'signing in'}`;
  const parts = [
    `${who}: ${stored.toLocaleString('en-US')} of ${countInWords(toStore, 'message')}`,
    `${bytesInWords(bytes)} of ${bytesInWords(bytesToStore)}`,
  ];
  if (elapsedMs >= RATE_AFTER_MS && bytes > 0) {
    const bytesPerMs = bytes / elapsedMs;
    parts.push(`${bytesInWords(bytesPerMs * 1000)}/s`);
    const leftMs = Math.max(0, bytesToStore - bytes) / bytesPerMs;
    if (leftMs >= RATE_AFTER_MS) parts.push(`${durationInWords(leftMs)} left`);
  }
  return parts.join(' · ');
}
