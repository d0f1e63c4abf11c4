import type { ObjectStore } from '../../lib/store/port.ts';

/** The store, and the name of each method that it is asked for. */
export function counted(store: ObjectStore): { store: ObjectStore; requests: string[] } {
  const requests: string[] = [];
  const counting = new Proxy(store, {
    get(target, name: keyof ObjectStore) {
      const own = target[name];
      if (typeof own !== 'function') return own;
      return (...args: readonly unknown[]) => {
        requests.push(name);
        return Reflect.apply(own, target, args);
      };
    },
  });
  return { store: counting, requests };
}
