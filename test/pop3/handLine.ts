import { Pop3Client, type Pop3Options } from '../../lib/pop3/client.ts';
import type { Transport } from '../../lib/pop3/transport.ts';
import { FakeTimer } from './fakeTimer.ts';

/** A line whose far end is the test itself: it says bytes, ends or breaks when it likes, and hears what is written. */
export class HandLine implements Transport {
  readonly heard: string[] = [];
  destroyed = false;
  /** Writes never finish while this is set. */
  deaf = false;
  reads = 0;
  #queue: (Buffer | null | Error)[] = [];
  #wake: (() => void) | null = null;

  say(...pieces: readonly (string | Buffer)[]): this {
    for (const piece of pieces) {
      this.#queue.push(typeof piece === 'string' ? Buffer.from(piece, 'latin1') : piece);
    }
    this.#wake?.();
    return this;
  }

  /** Each byte as a read of its own. */
  drip(text: string): this {
    return this.say(...Array.from(Buffer.from(text, 'latin1'), (byte) => Buffer.of(byte)));
  }

  end(): this {
    this.#queue.push(null);
    this.#wake?.();
    return this;
  }

  break(message = 'read ECONNRESET'): this {
    this.#queue.push(new Error(message));
    this.#wake?.();
    return this;
  }

  get unread(): number {
    return this.#queue.reduce((total, item) => total + (Buffer.isBuffer(item) ? item.length : 0), 0);
  }

  async read(): Promise<Uint8Array | null> {
    this.reads++;
    for (;;) {
      if (this.destroyed) throw new Error('destroyed');
      const item = this.#queue.shift();
      if (item instanceof Error) throw item;
      if (item !== undefined) return item;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  async write(bytes: Uint8Array): Promise<void> {
    if (this.deaf) await new Promise(() => {});
    this.heard.push(Buffer.from(bytes).toString('latin1'));
  }

  destroy(): void {
    this.destroyed = true;
    this.#wake?.();
  }
}

export interface HandSession {
  readonly line: HandLine;
  readonly timer: FakeTimer;
  readonly client: Pop3Client;
}

/** How far away the deadline of `handSession` is. */
export const DEADLINE_MS = 3_600_000;

/** A client that has read "+OK ready" on a line in the test's hands, under a clock in the test's hands. */
export async function handSession(options: Partial<Pop3Options> = {}): Promise<HandSession> {
  const line = new HandLine().say('+OK ready\r\n');
  const timer = new FakeTimer();
  const client = await Pop3Client.open(line, { timer, deadlineMs: timer.now() + DEADLINE_MS, ...options });
  return { line, timer, client };
}

/** Puts a body together. */
export function collector(): { readonly take: (chunk: Uint8Array) => void; text(): string } {
  const pieces: Buffer[] = [];
  return {
    take: (chunk) => void pieces.push(Buffer.from(chunk)),
    text: () => Buffer.concat(pieces).toString('latin1'),
  };
}

/** The error that `promise` rejects with; a failure of the test if it does not. */
export async function failure<E = Error>(promise: Promise<unknown>): Promise<E> {
  try {
    await promise;
  } catch (error) {
    return error as E;
  }
  throw new Error('It was expected to reject, and did not.');
}
