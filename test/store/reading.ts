/** What the store's tests read, and how they count outcomes. */
import { expect } from 'vitest';
import type { ObjectStore } from '../../lib/store/port.ts';

/** Gives an empty store, or one in which nothing lies under the keys of the contract's tests. */
export type MakeStore = () => ObjectStore | Promise<ObjectStore>;

export async function contentOf(store: ObjectStore, key: string): Promise<Buffer | null> {
  const found = await store.read(key);
  if (found === null) return null;
  const chunks: Uint8Array[] = [];
  for await (const chunk of found.chunks) chunks.push(chunk);
  const whole = Buffer.concat(chunks);
  expect(whole.length).toBe(found.size);
  return whole;
}

export async function keysOf(store: ObjectStore, prefix: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of store.list(prefix)) keys.push(key);
  return keys;
}

/** How often each value occurs. */
export function tally<T>(values: readonly T[]): Map<T, number> {
  const counts = new Map<T, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return counts;
}
