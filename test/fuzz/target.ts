/** One thing that is fuzzed. */
export interface Target {
  /** Also the name of its folder in the corpus. */
  readonly name: string;
  /** Inputs to begin with, each of another kind. */
  readonly seeds: readonly Buffer[];
  /** What means something to the parser, as latin1: put into inputs where random bytes would take for ever to spell it. */
  readonly words: readonly string[];
  /** Inputs are JSON: half of the mutations are of its values, not of its bytes. */
  readonly json?: true;
  /** Throws, or rejects, if the input breaks a promise. Must not keep or change `bytes`. */
  run(bytes: Buffer): void | Promise<void>;
}

/** Longer inputs are cut: what they could show, a bound scaled down shows sooner. */
export const MAX_INPUT_BYTES = 4096;
