/**
 * A run that can be killed at its n-th call of the outside world: from then on nothing it awaits ever settles, so
 * no `finally` and no `catch` of it runs, as when a process dies. Its connections drop, as the kernel would do.
 */
import type { Publisher } from '../../lib/events/port.ts';
import type { FetchPorts } from '../../lib/fetch/ports.ts';
import type { RunReport } from '../../lib/fetch/report.ts';
import type { RunOptions } from '../../lib/fetch/run.ts';
import type { Transport } from '../../lib/pop3/transport.ts';
import { type ObjectStore, StoreError, type Upload } from '../../lib/store/port.ts';
import type { World } from './world.ts';

/** What happens at the chosen call. */
export type Mishap =
  | 'kill before'
  | 'kill after'
  /** The store or bus fails without effect; the line breaks. */
  | 'fail before'
  /** It has its effect, and the answer is lost. */
  | 'fail after';

export const MISHAPS: readonly Mishap[] = ['kill before', 'kill after', 'fail before', 'fail after'];

export interface Mishaps {
  readonly mishap: Mishap;
  /** Counted from 1 over all calls of a process. */
  readonly calls?: ReadonlySet<number>;
  /** By name, for example "create mail/…" or "send RETR 2". */
  readonly when?: (name: string) => boolean;
}

const NEVER = new Promise<never>(() => {});

export class SimulatedProcess {
  calls = 0;
  readonly trace: string[] = [];
  #dead = false;
  readonly #lines = new Set<Transport>();
  readonly #world: World;
  readonly #mishaps: Mishaps;
  readonly died: Promise<'died'>;
  #die: (died: 'died') => void = () => {};

  constructor(world: World, mishaps: Mishaps) {
    this.#world = world;
    this.#mishaps = mishaps;
    this.died = new Promise((resolve) => {
      this.#die = resolve;
    });
  }

  run(options: Partial<RunOptions> = {}): Promise<RunReport | 'died'> {
    return Promise.race([this.#world.run(options, this.ports()), this.died]);
  }

  ports(): Partial<FetchPorts> {
    const { store, publisher, clock } = this.#world.ports;
    return {
      store: this.#store(store),
      publisher: this.#publisher(publisher),
      dial: async () => this.#line(this.#world.server.connect()),
      // A timer of a dead process never fires.
      clock: {
        ...clock,
        after: (delayMs, fire) => clock.after(delayMs, () => (this.#dead ? undefined : fire())),
      },
    };
  }

  async #call<T>(name: string, act: () => Promise<T>, failure: () => Error): Promise<T> {
    if (this.#dead) return NEVER;
    this.calls += 1;
    this.trace.push(name);
    const { mishap, calls, when } = this.#mishaps;
    const struck = calls?.has(this.calls) || when?.(name) ? mishap : null;
    if (struck === 'kill before') return this.#kill();
    if (struck === 'fail before') throw failure();
    const value = await act();
    if (this.#dead) return NEVER;
    if (struck === 'kill after') return this.#kill();
    if (struck === 'fail after') throw failure();
    return value;
  }

  #kill(): Promise<never> {
    this.#dead = true;
    for (const line of this.#lines) line.destroy();
    this.#die('died');
    return NEVER;
  }

  #store(store: ObjectStore): ObjectStore {
    const unknown = (operation: string, key: string) => () =>
      new StoreError('The answer was lost.', { kind: 'unknown', code: 'E_STORE_LOST', operation, key });
    return {
      place: store.place,
      create: (key, body, digest) =>
        this.#call(`create ${key}`, () => store.create(key, body, digest), unknown('create', key)),
      upload: async (key) =>
        this.#upload(
          key,
          await this.#call('upload', () => store.upload(key), unknown('upload', key)),
          unknown,
        ),
      replace: (key, body, expected) =>
        this.#call('replace', () => store.replace(key, body, expected), unknown('replace', key)),
      read: (key) => this.#call(`read ${key}`, () => store.read(key), unknown('read', key)),
      verify: (key, digest) => this.#call('verify', () => store.verify(key, digest), unknown('verify', key)),
      list: (prefix) => this.#list(store, prefix, unknown('list', prefix)),
      remove: (key) => this.#call('remove', () => store.remove(key), unknown('remove', key)),
    };
  }

  async *#list(store: ObjectStore, prefix: string, failure: () => Error) {
    await this.#call('list', async () => {}, failure);
    yield* store.list(prefix);
  }

  #upload(key: string, upload: Upload, unknown: (operation: string, key: string) => () => Error): Upload {
    return {
      write: (chunk) => this.#call('part', () => upload.write(chunk), unknown('upload', key)),
      complete: (digest) => this.#call('complete', () => upload.complete(digest), unknown('complete', key)),
      abort: () => this.#call('abort', () => upload.abort(), unknown('abort', key)),
    };
  }

  #publisher(publisher: Publisher): Publisher {
    const failure = () => new Error('The bus did not answer.');
    return {
      durable: publisher.durable,
      prove: () => this.#call('prove', () => publisher.prove(), failure),
      publish: (events) => this.#call('publish', () => publisher.publish(events), failure),
    };
  }

  #line(line: Transport): Transport {
    this.#lines.add(line);
    const failure = () => {
      line.destroy();
      return new Error('The line broke.');
    };
    const call = this.#call.bind(this);
    return {
      read: () => call('receive', () => line.read(), failure),
      get unread() {
        return line.unread;
      },
      write: (bytes) =>
        call(`send ${Buffer.from(bytes).toString('latin1').trim()}`, () => line.write(bytes), failure),
      destroy: () => line.destroy(),
    };
  }
}
