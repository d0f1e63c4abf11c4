/**
 * The object store as one process sees it: a bucket behind answers that are late, lost, refused or wrong, within
 * what the port allows. Left out: a listing that lags, which the port forbids ("complete as of the call").
 */
import { hash } from 'node:crypto';
import {
  type Digest,
  type ObjectStore,
  PART_BYTES,
  type StoredObject,
  StoreError,
  type StoreErrorKind,
  type Upload,
} from '../../lib/store/port.ts';
import type { Bucket } from './bucket.ts';
import type { Odds } from './chance.ts';
import type { SimulatedProcess } from './process.ts';

export type StoreFault =
  | 'lost before'
  | 'lost after'
  /** Unknown, and applied later if its condition still holds then. */
  | 'late'
  /** Throttled or collided after all retries: not done. */
  | 'later'
  /** Done at the first try, whose answer was lost; the adapter's own retry then met its own success. */
  | 'own success'
  | 'denied'
  | 'slow'
  /** A read whose stream breaks. */
  | 'broken';

/** Writes of messages, writes of the state, and all that only looks fail at rates of their own. */
export type StoreFaults = Readonly<Record<'messages' | 'state' | 'looks', Odds<StoreFault>>>;

const KIND: Readonly<Record<string, keyof StoreFaults>> = {
  create: 'messages',
  complete: 'messages',
  part: 'messages',
  replace: 'state',
};

export interface StoreSideOptions {
  readonly bucket: Bucket;
  readonly process: SimulatedProcess;
  readonly faults: StoreFaults;
}

/** How long after its call a late write lands: within a run, between two, or hours later. */
const LANDS_WITHIN_MS = [2_000, 60_000, 600_000, 7_200_000] as const;
const SLOW_WITHIN_MS = 90_000;

export class StoreSide implements ObjectStore {
  readonly place = { bucket: 'bucket' };
  readonly #bucket: Bucket;
  readonly #process: SimulatedProcess;
  readonly #faults: StoreFaults;

  constructor({ bucket, process, faults }: StoreSideOptions) {
    this.#bucket = bucket;
    this.#process = process;
    this.#faults = faults;
  }

  create(key: string, body: Uint8Array, digest: Digest): Promise<'created' | 'exists'> {
    const copy = Buffer.from(body);
    const sha256 = hash('sha256', copy, 'hex');
    if (copy.length !== digest.size || sha256 !== digest.sha256)
      return Promise.reject(corrupt('create', key));
    return this.#write('create', key, () => this.#bucket.create(key, copy, sha256), 'exists');
  }

  async upload(key: string): Promise<Upload> {
    await this.#ask('upload', key, () => {});
    return new UploadSide(key, {
      part: () => this.#ask('part', key, () => {}),
      complete: (body, sha256) =>
        this.#write('complete', key, () => this.#bucket.complete(key, body, sha256), 'exists'),
      // What an adapter cannot abort it leaves to the bucket's lifecycle rule; it never says so.
      abort: () => this.#process.call('abort', key, () => {}),
    });
  }

  replace(key: string, body: Uint8Array, expected: string | null): Promise<string | 'conflict'> {
    const copy = Buffer.from(body);
    const act = () => {
      this.#process.world.ledger.writer = this.#process;
      return this.#bucket.replace(key, copy, expected);
    };
    return this.#write('replace', key, act, 'conflict');
  }

  read(key: string): Promise<StoredObject | null> {
    return this.#ask('read', key, (fault) => {
      const held = this.#bucket.objects.get(key);
      if (held === undefined) return null;
      const chunks = chunksOf(held.body, fault === 'broken' ? error('read', key, 'later') : null);
      return { version: held.version, size: held.body.length, storedMs: held.storedMs, chunks };
    });
  }

  verify(key: string, digest: Digest): Promise<'same' | 'different' | 'absent'> {
    return this.#ask('verify', key, () => {
      const held = this.#bucket.objects.get(key);
      if (held === undefined) return 'absent';
      return held.body.length === digest.size && held.sha256 === digest.sha256 ? 'same' : 'different';
    });
  }

  async *list(prefix: string): AsyncGenerator<{ readonly key: string; readonly size: number }> {
    const message = this.#process.world.ledger.offeredAs(prefix);
    if (message) this.#process.takes(message);
    const found = await this.#ask('list', prefix, () =>
      this.#bucket
        .keys(prefix)
        .map((key) => ({ key, size: this.#bucket.objects.get(key)?.body.length ?? 0 })),
    );
    yield* found;
  }

  remove(key: string): Promise<void> {
    return this.#ask('remove', key, () => this.#bucket.remove(key, 'us'));
  }

  /** For what changes nothing, or does no harm when done twice: it fails as a whole, or it answers. */
  #ask<T>(what: string, key: string, act: (fault: StoreFault | null) => T): Promise<T> {
    const fault = this.#draw(what, key);
    const slowMs = this.#slowness(fault);
    if (fault === 'denied') return this.#process.call(what, key, () => fail(what, key, 'person'), slowMs);
    if (fault === null || fault === 'slow' || fault === 'own success' || fault === 'broken')
      return this.#process.call(what, key, () => act(fault), slowMs);
    const late = fault === 'lost after';
    return this.#process.call(what, key, () => {
      if (late) act(fault);
      throw error(what, key, 'later');
    });
  }

  #write<T>(what: string, key: string, act: () => T, own: T): Promise<T> {
    const fault = this.#draw(what, key);
    const unknown = () => fail(what, key, 'unknown');
    switch (fault) {
      case 'lost before':
        return this.#process.call(what, key, unknown);
      case 'lost after':
        return this.#process.call(what, key, () => {
          act();
          return unknown();
        });
      case 'late':
        this.#process.lands(this.#process.chance.next() * this.#process.chance.pick(LANDS_WITHIN_MS), () =>
          this.#landed(key, act),
        );
        return this.#process.call(what, key, unknown);
      case 'later':
        return this.#process.call(what, key, () => fail(what, key, 'later'));
      case 'denied':
        return this.#process.call(what, key, () => fail(what, key, 'person'));
      case 'own success':
        return this.#process.call(what, key, () => {
          act();
          return own;
        });
      default:
        return this.#process.call(what, key, act, this.#slowness(fault));
    }
  }

  // An attempt is counted before it is made; with the state out of reach the count cannot be taken back.
  #draw(what: string, key: string): StoreFault | null {
    const fault = this.#process.fault(this.#faults[KIND[what] ?? 'looks'], what);
    if (fault !== null && key.startsWith('state/')) this.#process.isExcused();
    return fault;
  }

  /** Nor can a count that comes to stand there after its process gave it up. */
  #landed(key: string, act: () => unknown): void {
    act();
    if (key.startsWith('state/')) this.#process.isExcused();
  }

  #slowness(fault: StoreFault | null): number {
    return fault === 'slow' ? this.#process.chance.next() * SLOW_WITHIN_MS : 0;
  }
}

interface UploadCalls {
  part(): Promise<void>;
  complete(body: Buffer, sha256: string): Promise<'created' | 'exists'>;
  abort(): Promise<void>;
}

class UploadSide implements Upload {
  readonly #key: string;
  readonly #calls: UploadCalls;
  #body: Buffer | null = Buffer.alloc(0);
  #sent = 0;
  #created = false;

  constructor(key: string, calls: UploadCalls) {
    this.#key = key;
    this.#calls = calls;
  }

  async write(chunk: Uint8Array): Promise<void> {
    if (this.#body === null) throw error('upload', this.#key, 'later');
    this.#body = Buffer.concat([this.#body, chunk]);
    // As in S3, a part goes out when a byte behind it comes.
    while (this.#body !== null && this.#body.length - this.#sent > PART_BYTES) {
      this.#sent += PART_BYTES;
      await this.#calls.part();
    }
  }

  async complete(digest: Digest): Promise<'created' | 'exists'> {
    const body = this.#body;
    if (body === null) throw error('complete', this.#key, 'later');
    const sha256 = hash('sha256', body, 'hex');
    if (body.length !== digest.size || sha256 !== digest.sha256) throw corrupt('complete', this.#key);
    const answer = await this.#calls.complete(body, sha256);
    this.#created = answer === 'created';
    return answer;
  }

  async abort(): Promise<void> {
    if (this.#body === null) return;
    this.#body = null;
    if (!this.#created && this.#sent > 0) await this.#calls.abort();
  }
}

function error(operation: string, key: string, kind: StoreErrorKind): StoreError {
  return new StoreError(`${operation} ${key}: simulated (${kind})`, {
    kind,
    code: `E_STORE_SIMULATED_${kind.toUpperCase()}`,
    operation,
    key,
  });
}

function corrupt(operation: string, key: string): StoreError {
  return new StoreError(`${operation} ${key}: not the bytes of their checksum`, {
    kind: 'later',
    code: 'E_STORE_DIGEST',
    operation,
    key,
  });
}

function fail(operation: string, key: string, kind: StoreErrorKind): never {
  throw error(operation, key, kind);
}

async function* chunksOf(body: Buffer, failure: Error | null): AsyncGenerator<Uint8Array> {
  if (failure !== null) {
    yield Buffer.from(body.subarray(0, body.length >> 1));
    throw failure;
  }
  if (body.length > 0) yield Buffer.from(body);
}
