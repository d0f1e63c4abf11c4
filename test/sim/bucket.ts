/** The objects themselves, shared by all processes of a history. Every change of them is told to who watches. */
import { hash } from 'node:crypto';

export interface Held {
  readonly body: Buffer;
  readonly sha256: string;
  readonly version: string;
  /** By the store's clock, which is right. */
  readonly storedMs: number;
}

export interface Watcher {
  wrote(key: string, held: Held, before: Held | undefined): void;
  removed(key: string, held: Held, by: 'us' | 'consumer'): void;
}

export class Bucket {
  readonly objects = new Map<string, Held>();
  /** Complete keeps to its condition; some stores put the object over whatever is there. */
  readonly completeHonours: boolean;
  readonly #watcher: Watcher;
  readonly #nowMs: () => number;

  constructor(completeHonours: boolean, watcher: Watcher, nowMs: () => number) {
    this.completeHonours = completeHonours;
    this.#watcher = watcher;
    this.#nowMs = nowMs;
  }

  create(key: string, body: Buffer, sha256: string): 'created' | 'exists' {
    if (this.objects.has(key)) return 'exists';
    this.#put(key, body, sha256);
    return 'created';
  }

  complete(key: string, body: Buffer, sha256: string): 'created' | 'exists' {
    if (this.completeHonours) return this.create(key, body, sha256);
    this.#put(key, body, sha256);
    return 'created';
  }

  replace(key: string, body: Buffer, expected: string | null): string | 'conflict' {
    if ((this.objects.get(key)?.version ?? null) !== expected) return 'conflict';
    return this.#put(key, body, hash('sha256', body, 'hex'));
  }

  remove(key: string, by: 'us' | 'consumer'): void {
    const held = this.objects.get(key);
    if (held === undefined) return;
    this.objects.delete(key);
    this.#watcher.removed(key, held, by);
  }

  keys(prefix: string): string[] {
    const keys: string[] = [];
    for (const key of this.objects.keys()) if (key.startsWith(prefix)) keys.push(key);
    return keys.sort();
  }

  /** The version is made of the bytes alone, as S3's ETag is: equal bytes have equal versions. */
  #put(key: string, body: Buffer, sha256: string): string {
    const held = { body, sha256, version: `"${sha256.slice(0, 32)}"`, storedMs: this.#nowMs() };
    const before = this.objects.get(key);
    this.objects.set(key, held);
    this.#watcher.wrote(key, held, before);
    return held.version;
  }
}
