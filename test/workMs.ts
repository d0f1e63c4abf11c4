/** Some kernels count a thread's time in ticks of 4 ms: what is measured takes several. */
const MEASURED_MS = 24;

/**
 * Milliseconds of this thread's own time that the work takes once: what else the machine does is not in it. The least of
 * three rounds, each of as many times as it needs to be measured.
 */
export function leastWorkMs(work: () => unknown): number {
  return Math.min(...[1, 2, 3].map(() => workMs(work)));
}

function workMs(work: () => unknown): number {
  const began = process.threadCpuUsage();
  for (let times = 1; ; times += 1) {
    work();
    const { user, system } = process.threadCpuUsage(began);
    const spentMs = (user + system) / 1000;
    if (spentMs >= MEASURED_MS) return spentMs / times;
  }
}
