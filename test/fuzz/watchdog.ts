/**
 * An input that never ends blocks the thread that could say so. Another thread, asleep but for a look now and then,
 * has a copy of it in shared memory, and ends the process.
 */
import { Worker } from 'node:worker_threads';
import { MAX_INPUT_BYTES } from './target.ts';

export interface Watchdog {
  /** The input that runs from now on. */
  note(input: Buffer): void;
  stop(): Promise<unknown>;
}

export interface WatchdogOptions {
  /** One input may take so long, on a machine that others use as well. */
  readonly patienceMs: number;
  /** The input is written there. */
  readonly folder: string;
  /** Printed, with the file's path in place of "%s". */
  readonly words: string;
}

/** What both threads see: a count of the inputs noted, the length of the last, and its bytes. */
export interface Shared {
  readonly counters: Int32Array;
  readonly input: Uint8Array;
}

export function startWatchdog(options: WatchdogOptions): Watchdog {
  const counters = new Int32Array(new SharedArrayBuffer(8));
  const input = new Uint8Array(new SharedArrayBuffer(MAX_INPUT_BYTES));
  const shared: Shared = { counters, input };
  const worker = new Worker(new URL('watchdogThread.ts', import.meta.url), {
    workerData: { ...options, ...shared },
  });
  return {
    note: (bytes) => {
      input.set(bytes.subarray(0, MAX_INPUT_BYTES));
      counters[1] = Math.min(bytes.length, MAX_INPUT_BYTES);
      Atomics.add(counters, 0, 1);
    },
    stop: () => worker.terminate(),
  };
}
