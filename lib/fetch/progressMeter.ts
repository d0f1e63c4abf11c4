import type { Progress } from './report.ts';
import type { Wanted } from './window.ts';

/** Tells whoever watches how far a run is. */
export class ProgressMeter {
  readonly #mailbox: string;
  readonly #tell: (progress: Progress) => void;
  #step = 'signing in';
  #stored = 0;
  #toStore = 0;
  #bytesStored = 0;
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
  plan(wanted: readonly Wanted[]): void {
    this.#toStore = this.#stored + wanted.length;
    this.#bytesToStore = this.#bytesStored + wanted.reduce((sum, { row }) => sum + (row.octets ?? 0), 0);
    this.step('storing');
  }

  stored(messages: number, octets: number): void {
    this.#stored += messages;
    this.#bytesStored += octets;
    this.#say();
  }

  #say(): void {
    this.#tell({
      mailbox: this.#mailbox,
      step: this.#step,
      stored: this.#stored,
      toStore: this.#toStore,
      bytesStored: this.#bytesStored,
      bytesToStore: this.#bytesToStore,
    });
  }
}
