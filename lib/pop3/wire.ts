import type { Timer, Transport } from './transport.ts';

/** What can happen to a line that nobody did on purpose. */
export type Mishap = 'silence' | 'deadline' | 'aborted' | 'ended' | 'broke';

export interface WireOptions {
  readonly timer: Timer;
  readonly deadlineMs: number;
  readonly signal?: AbortSignal | undefined;
  /** Makes the error of a mishap; it becomes the reason the line was closed. */
  readonly explain: (mishap: Mishap, cause?: unknown) => Error;
}

/**
 * A transport under deadlines, with the first reason why it was closed. Whatever ends a wait early closes the
 * line in the same step, so that an answer which arrives late has nobody to be paired with.
 */
export class Wire {
  readonly #transport: Transport;
  readonly #options: WireOptions;
  #interrupt: ((reason: Error) => void) | null = null;
  #closedBy: Error | null = null;
  #bytesIn = 0;
  #bytesOut = 0;

  constructor(transport: Transport, options: WireOptions) {
    this.#transport = transport;
    this.#options = options;
    options.signal?.addEventListener('abort', this.#abort);
  }

  get bytesIn(): number {
    return this.#bytesIn;
  }

  get bytesOut(): number {
    return this.#bytesOut;
  }

  get closedBy(): Error | null {
    return this.#closedBy;
  }

  get unread(): number {
    return this.#transport.unread;
  }

  /** The next bytes; the end of the stream is a mishap here, since a reply is owed whenever this is called. */
  async read(untilMs: number): Promise<Buffer> {
    const bytes = await this.hold(() => this.#transport.read(), untilMs);
    if (bytes === null) throw this.close(this.#options.explain('ended'));
    this.#bytesIn += bytes.length;
    return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  async write(bytes: Buffer, untilMs: number): Promise<void> {
    this.#bytesOut += bytes.length;
    await this.hold(() => this.#transport.write(bytes), untilMs);
  }

  /**
   * Waits for `work`, not beyond `untilMs` (epoch) and never beyond the deadline. If the work fails, the line
   * is closed and the wait rejects with `explain('broke', …)`; see `lend` for work that is not the line's.
   */
  hold<T>(work: () => Promise<T>, untilMs: number): Promise<T> {
    return this.#wait(work, untilMs, (error) => this.#options.explain('broke', error));
  }

  /** Waits, under the deadline alone, for something of the caller's; its error is passed on as it is. */
  lend(work: Promise<void>): Promise<void> {
    // The wait may be over before the work is; a failure of it then concerns nobody.
    work.catch(() => {});
    return this.#wait(
      () => work,
      this.#options.deadlineMs,
      (error) => error,
    );
  }

  /**
   * The TLS handshake. The line that it makes is the caller's, and under no deadline yet; this one counts as closed,
   * for whatever is still said on it belongs to nobody. A failure of the handshake is passed on as it is.
   */
  async upgrade(startTls: () => Promise<Transport>): Promise<Transport> {
    const secured = await this.#wait(startTls, this.#options.deadlineMs, (error) => error);
    this.#closedBy = new Error('The session goes on under TLS.');
    this.#options.signal?.removeEventListener('abort', this.#abort);
    return secured;
  }

  /** Drops the line, once; returns the reason given, whether or not it was the first. */
  close<R extends Error>(reason: R): R {
    if (this.#closedBy !== null) return reason;
    this.#closedBy = reason;
    this.#options.signal?.removeEventListener('abort', this.#abort);
    this.#transport.destroy();
    this.#interrupt?.(reason);
    return reason;
  }

  readonly #abort = (): void => {
    this.close(this.#options.explain('aborted', this.#options.signal?.reason));
  };

  #wait<T>(work: () => Promise<T>, untilMs: number, translate: (error: unknown) => unknown): Promise<T> {
    const { timer, deadlineMs, signal, explain } = this.#options;
    const end = Math.min(untilMs, deadlineMs);
    // A signal that was aborted before there was a listener never calls it.
    if (signal?.aborted) this.#abort();
    if (this.#closedBy !== null) return Promise.reject(this.#closedBy);
    if (timer.now() >= end)
      return Promise.reject(this.close(explain(end === deadlineMs ? 'deadline' : 'silence')));
    return new Promise<T>((resolve, reject) => {
      const cancel = timer.after(end - timer.now(), () => {
        this.close(explain(end === deadlineMs ? 'deadline' : 'silence'));
      });
      const finish = () => {
        cancel();
        this.#interrupt = null;
      };
      this.#interrupt = (reason) => {
        finish();
        reject(reason);
      };
      work().then(
        (value) => {
          // After a close the promise is settled already; what came late is dropped here.
          if (this.#closedBy !== null) return;
          finish();
          resolve(value);
        },
        (error: unknown) => {
          if (this.#closedBy !== null) return;
          finish();
          const translated = translate(error);
          this.close(translated instanceof Error ? translated : new Error(String(translated)));
          reject(translated);
        },
      );
    });
  }
}
