import { createHash } from 'node:crypto';
import { type Coverage, covers, type Ran } from './coverage.ts';
import { minimized } from './minimize.ts';
import { mutated } from './mutate.ts';
import { randomFrom } from './random.ts';
import type { Target } from './target.ts';

export interface Finding {
  /** Minimized: the error has the same first line as the one that was found. */
  readonly input: Buffer;
  readonly error: unknown;
}

export interface Outcome {
  readonly executions: number;
  /** Inputs that together reached every block that was reached. */
  readonly corpus: readonly Buffer[];
  /** Of all inputs in their order: the same seed and corpus give the same. */
  readonly trace: string;
  readonly finding: Finding | null;
}

export interface Plan {
  readonly seed: number;
  /** Inputs to begin with, beside the target's own. */
  readonly corpus: readonly Buffer[];
  readonly coverage: Coverage;
  /** Asked between batches, with the executions so far. */
  readonly ended: (executions: number) => boolean;
  /** Told each input before it runs, so that one which never ends is known. */
  readonly note?: (input: Buffer) => void;
  /** False: new blocks earn an input no place in the corpus. Only there to measure what guidance is worth. */
  readonly guided?: boolean;
}

/** Inputs between two looks at the coverage: a look costs as much as some hundred of the quickest. */
const BATCH = 256;

/** Runs spent on making one input smaller. */
const CORPUS_TRIES = 48;
const FINDING_TRIES = 1000;

/** Mutates what reached new blocks, until `plan.ended` or the first finding. */
export async function fuzz(target: Target, plan: Plan): Promise<Outcome> {
  const campaign = new Campaign(target, plan);
  const finding = await campaign.run();
  return { finding, executions: campaign.executions, corpus: campaign.corpus, trace: campaign.trace() };
}

/** The error that `target` gives for `input`, or null. */
export async function errorOf(target: Target, input: Buffer): Promise<{ readonly error: unknown } | null> {
  try {
    await target.run(input);
    return null;
  } catch (error) {
    return { error };
  }
}

class Campaign {
  executions = 0;
  readonly corpus: Buffer[] = [];
  readonly #target: Target;
  readonly #plan: Plan;
  readonly #trace = createHash('sha256');
  #finding: Finding | null = null;

  constructor(target: Target, plan: Plan) {
    this.#target = target;
    this.#plan = plan;
  }

  trace(): string {
    return this.#trace.digest('hex');
  }

  async run(): Promise<Finding | null> {
    const { seed, corpus, ended, guided = true } = this.#plan;
    const random = randomFrom(seed);
    const given = [...this.#target.seeds, ...corpus];
    // Those are as small as they should be, and were written by somebody.
    for (const input of given) await this.#explore([input], 'as it is');
    // Without guidance, and where no input reaches anything, the given ones are all there is.
    if (!guided || this.corpus.length === 0) this.corpus.splice(0, Number.POSITIVE_INFINITY, ...given);
    while (this.#finding === null && !ended(this.executions)) {
      const batch = Array.from({ length: BATCH }, () => mutated(this.#target, this.corpus, random));
      if (guided) await this.#explore(batch);
      else await this.#runAll(batch);
    }
    return this.#finding;
  }

  /** Runs `inputs`; where they reached new blocks, looks in either half for the one that did. */
  async #explore(inputs: readonly Buffer[], size: 'small' | 'as it is' = 'small'): Promise<void> {
    const { coverage } = this.#plan;
    const ran = await this.#runAll(inputs);
    const [only] = inputs;
    if (this.#finding !== null || only === undefined || coverage.fresh(ran).size === 0) return;
    if (inputs.length === 1) {
      this.corpus.push(size === 'small' ? await this.#smaller(only, ran) : only);
    } else {
      const half = Math.ceil(inputs.length / 2);
      await this.#explore(inputs.slice(0, half));
      await this.#explore(inputs.slice(half));
    }
    // What ran once only, such as the filling of a cache, must not be looked for again.
    coverage.merge(ran);
  }

  async #smaller(input: Buffer, ran: Ran): Promise<Buffer> {
    const fresh = this.#plan.coverage.fresh(ran);
    const keeps = async (candidate: Buffer) => covers(await this.#runAll([candidate]), fresh);
    return minimized(input, keeps, CORPUS_TRIES);
  }

  async #runAll(inputs: readonly Buffer[]): Promise<Ran> {
    for (const input of inputs) {
      if (this.#finding !== null) break;
      this.executions += 1;
      this.#trace.update(input);
      this.#plan.note?.(input);
      const found = await errorOf(this.#target, input);
      if (found !== null) this.#finding = await this.#smallest({ input, ...found });
    }
    return this.#plan.coverage.take();
  }

  async #smallest({ input, error }: Finding): Promise<Finding> {
    const keeps = async (candidate: Buffer) => {
      this.#plan.note?.(candidate);
      const found = await errorOf(this.#target, candidate);
      return found !== null && gist(found.error) === gist(error);
    };
    const smallest = await minimized(input, keeps, FINDING_TRIES);
    return { input: smallest, error: (await errorOf(this.#target, smallest))?.error ?? error };
  }
}

/** What is the same about two errors of one kind, whatever the values in them. */
function gist(error: unknown): string {
  if (!(error instanceof Error)) return typeof error;
  return `${error.name} ${error.message.split('\n', 1)[0]?.replace(/\d+/g, '0')}`;
}

/** The inputs of `corpus` that are needed to reach what all of it reaches, small ones first. */
export async function distilled(
  target: Target,
  corpus: readonly Buffer[],
  coverage: Coverage,
): Promise<Buffer[]> {
  const kept: Buffer[] = [];
  for (const input of [...corpus].sort((a, b) => a.length - b.length)) {
    await errorOf(target, input);
    const ran = coverage.take();
    if (coverage.fresh(ran).size === 0) continue;
    coverage.merge(ran);
    kept.push(input);
  }
  return kept;
}
