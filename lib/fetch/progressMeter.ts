import type { Progress } from './report.ts';

/** Tells whoever watches how far a run is. */
export class ProgressMeter {
  readonly #mailbox: string;
  readonly #tell: (progress: Progress) => void;
  #step = 'signing in';
  #stored = 0;
  #toStore = 0;
  #bytesReceived = 0;
  #bytesToStore = 0;

  constructor(mailbox: string, tell: ((progress: Progress) => void) | undefined) {
    this.#mailbox = mailbox;
    this.#tell = tell ?? (() => {});
  }

  step(step: string): void {
    this.#step = step;
    this.#say();
  }

  /** What the run means to store from here on. */
  plan(messages: number, octets: number): void {
    this.#toStore = this.#stored + messages;
    this.#bytesToStore = this.#bytesReceived + octets;
    this.step('storing');
  }

  received(octets: number): void {
    this.#bytesReceived += octets;
    this.#say();
  }

  /** One more message. */
  stored(): void {
    this.#stored += 1;
    this.#say();
  }

  #say(): void {
    this.#tell({
      mailbox: this.#mailbox,
      step: this.#step,
      stored: this.#stored,
      toStore: this.#toStore,
      bytesReceived: this.#bytesReceived,
      bytesToStore: this.#bytesToStore,
    });
  }
}
