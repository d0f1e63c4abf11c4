/** Ports that break a promise for certain, each to see that the simulation says so: for `--wrap`. */
import type { FetchPorts } from '../../lib/fetch/ports.ts';

const NEVER = new Promise<never>(() => {});

/** A bus that says nothing, not even no, and a clock that rings for nobody: with one that does a run ends all the same. */
export function silence(ports: FetchPorts): FetchPorts {
  const { publisher, clock } = ports;
  return {
    ...ports,
    publisher: { durable: true, prove: () => publisher.prove(), publish: () => NEVER },
    clock: { ...clock, after: () => () => {} },
  };
}

/** A bus that says it took what it never saw. */
export function lyingBus(ports: FetchPorts): FetchPorts {
  const { publisher } = ports;
  return {
    ...ports,
    publisher: {
      durable: true,
      prove: () => publisher.prove(),
      publish: async (events) => events.map(() => ({ accepted: true })),
    },
  };
}

/** A state that takes every write and remembers none. */
export function forgetfulState(ports: FetchPorts): FetchPorts {
  const { store } = ports;
  return {
    ...ports,
    store: {
      place: store.place,
      create: (key, body, digest) => store.create(key, body, digest),
      upload: (key) => store.upload(key),
      replace: async () => 'version',
      read: (key) => store.read(key),
      verify: (key, digest) => store.verify(key, digest),
      list: (prefix) => store.list(prefix),
      remove: (key) => store.remove(key),
    },
  };
}

/** Code that is simply wrong, as a change of the engine may be. */
export function brokenClock(ports: FetchPorts): FetchPorts {
  return { ...ports, clock: { ...ports.clock, random: () => (undefined as unknown as Date).getTime() } };
}
