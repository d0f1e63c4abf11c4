/**
 * Faults by number instead of by chance: every place in a run where something may go wrong is counted, and the plan
 * says at which of them what does. A call of a process is two such places: the process may die at it, and the call
 * itself may fail.
 */
import { Odds } from '../sim/chance.ts';

/** By the number of the place, from 1. */
export type Plan = ReadonlyMap<number, string>;

/** What may go wrong at a place. */
export type Place = readonly string[];

export class Planner {
  readonly #plan: Plan;
  /** Every place that was passed, in order. */
  readonly passed: Place[] = [];

  constructor(plan: Plan) {
    this.#plan = plan;
  }

  odds<Name extends string>(names: readonly Name[]): Odds<Name> {
    return new PlannedOdds(names, this);
  }

  next<Name extends string>(names: readonly Name[]): Name | null {
    this.passed.push(names);
    const planned = this.#plan.get(this.passed.length);
    return names.find((name) => name === planned) ?? null;
  }
}

class PlannedOdds<Name extends string> extends Odds<Name> {
  readonly #names: readonly Name[];
  readonly #planner: Planner;

  constructor(names: readonly Name[], planner: Planner) {
    super({} as Partial<Record<Name, number>>);
    this.#names = names;
    this.#planner = planner;
  }

  override draw(): Name | null {
    return this.#planner.next(this.#names);
  }
}
