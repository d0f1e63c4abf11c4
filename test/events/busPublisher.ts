import { randomUUID } from 'node:crypto';
import { type EventBridgeLimits, eventBridge } from '../../lib/events/eventBridge.ts';

/** A publisher to the bus "mail" at `endpoint`, whose clock is set by hand and whose waits take no time. */
export function busPublisher(endpoint: string, limits: Partial<EventBridgeLimits> = {}) {
  const sleeps: number[] = [];
  const clock = { nowMs: 0 };
  const credentials = {
    accessKeyId: randomUUID(),
    secretAccessKey: randomUUID(),
    sessionToken: randomUUID(),
  };
  const publisher = eventBridge({
    bus: 'mail',
    region: 'us-east-1',
    endpoint,
    credentials,
    limits,
    sleep: async (ms) => {
      sleeps.push(ms);
    },
    random: () => 0.5,
    now: () => clock.nowMs,
  });
  return { publisher, sleeps, clock, credentials };
}
