import type { Timer } from '../pop3/transport.ts';

/**
 * What `work` resolves with, or 'late' once `ms` are over; what it still does then is nobody's. For work that never
 * rejects.
 */
export function within<T>(
  clock: Pick<Timer, 'after'>,
  ms: number,
  work: () => Promise<T>,
): Promise<T | 'late'> {
  return new Promise((resolve) => {
    const cancel = clock.after(ms, () => resolve('late'));
    void work().then((value) => {
      cancel();
      resolve(value);
    });
  });
}
