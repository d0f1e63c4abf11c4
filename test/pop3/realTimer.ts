import type { Timer } from '../../lib/pop3/transport.ts';

export const realTimer: Timer = {
  now: () => Date.now(),
  after(delayMs, fire) {
    const handle = setTimeout(fire, delayMs);
    return () => clearTimeout(handle);
  },
};
