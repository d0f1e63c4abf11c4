/**
 * A place on the way at which something happens once to whoever comes by. Gates between a process and its servers
 * report every moment by name, for example "RETR before" or "PUT mail answered".
 */
export interface Place {
  readonly moment: string;
  /** Which time; the first by default. */
  readonly nth?: number;
  /** Only where the bytes that pass hold this. */
  readonly holding?: string;
  /** Each time, not once. */
  readonly always?: boolean;
}

/** gone: whoever came by is dead, nothing of theirs goes on. on: they go on. */
export type Fate = 'gone' | 'on';

export type Strike = () => Promise<Fate>;

export class Trap {
  /** How often it was sprung. */
  struck = 0;
  readonly #place: Place;
  readonly #strike: Strike;
  #came = 0;

  constructor(place: Place, strike: Strike) {
    this.#place = place;
    this.#strike = strike;
  }

  async pass(moment: string, bytes: Buffer): Promise<Fate> {
    const { moment: wanted, nth = 1, holding, always = false } = this.#place;
    if (moment !== wanted || (holding !== undefined && !bytes.includes(holding))) return 'on';
    this.#came += 1;
    if (always ? this.#came < nth : this.#came !== nth) return 'on';
    this.struck += 1;
    return this.#strike();
  }
}

/** What a gate is given: the trap that is set now, if any. */
export interface Trapped {
  trap: Trap | null;
}
