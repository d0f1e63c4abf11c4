import { postpone, type RunContext } from './runContext.ts';
import type { Session } from './session.ts';
import { type Missing, type Stored, storeReceived } from './storing.ts';
import type { Received, Wanted } from './window.ts';

/** So many messages in a row that the store would not take are the store's trouble, not theirs. */
const STORE_FAILURES = 3;

/** Uploads that go on while later windows are retrieved. */
export class Uploads {
  readonly #context: RunContext;
  readonly #session: Session;
  readonly #running: Promise<void>[] = [];
  readonly #stored: Stored[] = [];
  readonly #again: Wanted[] = [];
  readonly #missing: Missing[] = [];
  #failures = 0;
  #error: unknown;

  constructor(context: RunContext, session: Session) {
    this.#context = context;
    this.#session = session;
  }

  /** Whether the store has refused several in a row. */
  get failing(): boolean {
    return this.#failures >= STORE_FAILURES;
  }

  /** `giveBack` is called when the last of them is done with. */
  add(received: readonly Received[], giveBack: () => void): void {
    const all = received.map((one) => this.#store(one));
    this.#running.push(Promise.all(all).then(giveBack));
  }

  async finish() {
    await Promise.all(this.#running);
    const storeError = this.failing ? this.#error : undefined;
    return { stored: this.#stored, again: this.#again, missing: this.#missing, storeError };
  }

  async #store(received: Received): Promise<void> {
    try {
      const outcome = await storeReceived(this.#context, this.#session, received);
      this.#failures = 0;
      this.#context.progress.stored();
      if ('stored' in outcome) this.#stored.push(outcome.stored);
      else if ('again' in outcome) this.#again.push(outcome.again);
      else this.#missing.push(outcome.missing);
    } catch (error) {
      this.#failures += 1;
      this.#error = error;
      postpone(this.#context, received.wanted.ref, error);
    }
  }
}
