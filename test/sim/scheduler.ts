/**
 * Virtual time and the order of everything. Each pending call of each process, each timer and each late effect
 * is one entry with a moment; the earliest goes next, and between two steps all promises that can settle do. So
 * the moments that the seed chose decide every interleaving, and no real time passes.
 */

/** Who waits: what is due for a process that is frozen waits until it thaws. */
export interface Owner {
  frozenUntilMs: number;
}

export interface Due {
  atMs: number;
  readonly owner: Owner | null;
  readonly fire: () => void;
  /** What may still happen outside if the owner dies before. */
  readonly pending: (() => unknown) | null;
  index: number;
}

/** 1 January 2030: dates have their usual length. */
const START_MS = Date.UTC(2030, 0, 1);

export class Scheduler {
  nowMs = START_MS;
  steps = 0;
  /** Of all that was noted: equal histories have equal hashes. */
  hash = 0x811c9dc5;
  readonly lines: string[] | null;
  readonly #due: Due[] = [];
  readonly #drainsWholly: boolean;

  /** `drainsWholly`: return to the event loop after each step, so that rejections nobody handles are told at once. */
  constructor(options: { readonly trace: boolean; readonly drainsWholly: boolean }) {
    this.lines = options.trace ? [] : null;
    this.#drainsWholly = options.drainsWholly;
  }

  after(delayMs: number, owner: Owner | null, fire: () => void, pending: (() => unknown) | null = null): Due {
    const due: Due = { atMs: this.nowMs + delayMs, owner, fire, pending, index: this.#due.length };
    this.#due.push(due);
    return due;
  }

  cancel(due: Due): void {
    if (due.index < 0) return;
    const last = this.#due.pop() as Due;
    if (last !== due) {
      this.#due[due.index] = last;
      last.index = due.index;
    }
    due.index = -1;
  }

  /** Takes back all that is due for `owner`, and returns it. */
  forget(owner: Owner): Due[] {
    const forgotten = this.#due.filter((due) => due.owner === owner);
    for (const due of forgotten) this.cancel(due);
    return forgotten;
  }

  /** A step's name and outcome, into the hash and the trace. */
  note(who: string, what: string, detail: string): void {
    let hash = this.hash;
    for (let at = 0; at < who.length; at += 1) hash = Math.imul(hash ^ who.charCodeAt(at), 0x01000193);
    for (let at = 0; at < what.length; at += 1) hash = Math.imul(hash ^ what.charCodeAt(at), 0x01000193);
    for (let at = 0; at < detail.length; at += 1) hash = Math.imul(hash ^ detail.charCodeAt(at), 0x01000193);
    this.hash = hash ^ this.nowMs;
    this.lines?.push(`${new Date(this.nowMs).toISOString()} ${who} ${what} ${detail}`);
  }

  /** Steps until `done`. False: nothing is due any more, and it is not done. */
  run(done: () => boolean): Promise<boolean> {
    return new Promise((resolve, reject) => {
      // A tick begins only when the microtasks of the step before have run out.
      const again = this.#drainsWholly
        ? () => void setImmediate(step)
        : () => queueMicrotask(() => process.nextTick(step));
      const step = () => {
        try {
          if (done()) return resolve(true);
          if (!this.#step()) return resolve(false);
        } catch (error) {
          return reject(error);
        }
        again();
      };
      again();
    });
  }

  /** Lets `ms` go by, with all that falls due in it. */
  async pass(ms: number, stop: () => boolean): Promise<void> {
    let over = false;
    this.after(ms, null, () => {
      over = true;
    });
    await this.run(() => over || stop());
  }

  #step(): boolean {
    const due = this.#next();
    if (due === null) return false;
    this.cancel(due);
    if (due.atMs > this.nowMs) this.nowMs = due.atMs;
    this.steps += 1;
    due.fire();
    return true;
  }

  #next(): Due | null {
    let next: Due | null = null;
    for (const due of this.#due) {
      // Frozen: as soon as the process thaws, in the order in which it would have been.
      if (due.owner !== null && due.owner.frozenUntilMs > due.atMs) due.atMs = due.owner.frozenUntilMs;
      if (next === null || due.atMs < next.atMs) next = due;
    }
    return next;
  }
}
