import type { Patch } from '../patches/patches.ts';

/** 'broken': the patched code failed by a slip of the patch, which is no promise broken. */
export type Outcome = 'caught' | 'survived' | 'broken';

/** A wrong engine: ours but for a rule taken out or turned round, as somebody might write it. */
export interface Mutant {
  readonly name: string;
  /** What it does, and what that breaks. */
  readonly breaks: string;
  readonly patches: readonly Patch[];
  /** Who must notice: the simulation, or, of what the ports hide from it and what is too rare for it, a test by name. */
  readonly caughtBy: Simulation | NamedTest;
  /** Other than 'caught' only for the controls of this very machinery. */
  readonly expected?: Outcome;
}

export interface Simulation {
  /**
   * The promises that it breaks, one of which must be seen to break. Another engine plays other histories, and so
   * meets what is wrong with ours at other seeds: a failure of any other kind proves nothing.
   */
  readonly oracles: readonly string[] | 'any';
  /** How many it may live through; default: SEEDS. */
  readonly seeds?: number;
}

export interface NamedTest {
  /** From the root of the tree. */
  readonly file: string;
  /** The beginning of its full title, or of the titles of a group: "describe > it". */
  readonly title: string;
}
