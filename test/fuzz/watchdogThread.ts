import { writeSync } from 'node:fs';
import { workerData } from 'node:worker_threads';
import { writeInput } from './corpus.ts';
import type { Shared, WatchdogOptions } from './watchdog.ts';

const { counters, input, patienceMs, folder, words } = workerData as WatchdogOptions & Shared;

for (let before = -1; ; ) {
  const now = Atomics.load(counters, 0);
  if (now === before) {
    const path = writeInput(folder, Buffer.from(input.subarray(0, Atomics.load(counters, 1))));
    // The stream's own thread is the one that hangs.
    writeSync(2, `${words.replace('%s', path)}\n`);
    process.kill(process.pid, 'SIGKILL');
  }
  before = now;
  Atomics.wait(counters, 0, now, patienceMs);
  // Woken by nobody: time is up, or the count had changed already.
  if (Atomics.load(counters, 0) !== now)
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, patienceMs);
}
