import { randomBytes } from 'node:crypto';
import type { Clock } from './ports.ts';

/** setTimeout fires at once beyond 2^31 - 1 ms; no deadline here is that far away. */
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1;

/** The one owner of the machine's clock, timers and randomness. */
export const systemClock: Clock = {
  now: () => Date.now(),
  after(delayMs, fire) {
    const timer = setTimeout(fire, Math.min(Math.max(0, delayMs), LONGEST_TIMEOUT_MS));
    return () => clearTimeout(timer);
  },
  random: () => Math.random(),
  nonce: () => randomBytes(16).toString('hex'),
};
