import type { StoreError } from '../store/port.ts';

/** So many objects in a row that the store does not give are no longer those objects' trouble. */
const MOST = 20;

/** Tells whose trouble it is where objects are read one after another. */
export class StoreFailures {
  #inARow = 0;

  succeeded(): void {
    this.#inARow = 0;
  }

  /** Throws it where it is the store's. */
  failed(error: StoreError): void {
    this.#inARow += 1;
    if (this.#inARow >= MOST) throw error;
  }
}
