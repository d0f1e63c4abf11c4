/** Runs scenarios and mutants, and tells what came of them as rows. */
import { explore, type Verdict } from './explore.ts';
import { factsOf, type Scenario } from './facts.ts';
import { HARMLESS, MUTANTS, type WrongProtocol } from './mutants.ts';
import { SCENARIOS } from './scenarios.ts';
import { modelOf } from './world.ts';

export interface ScenarioRow {
  readonly scenario: string;
  readonly about: string;
  readonly states: number;
  readonly transitions: number;
  readonly goals: number;
  /** Null where every invariant holds and a goal can be reached from every state. */
  readonly violation: string | null;
  readonly trace: readonly string[];
}

export interface MutantRow {
  readonly mutant: string;
  readonly scenario: string;
  readonly states: number;
  /** As the table of mutants has it; null: harmless. */
  readonly expected: string | null;
  readonly violation: string | null;
  /** Steps to it. */
  readonly steps: number;
  readonly trace: readonly string[];
  /** Of a harmless one. */
  readonly why: string | null;
}

export function scenarioRow(scenario: Scenario): ScenarioRow {
  const { states, transitions, goals, violation, trace } = explore(modelOf(factsOf(scenario)));
  return { scenario: scenario.name, about: scenario.about, states, transitions, goals, violation, trace };
}

export function mutantRow({ name, scenario: where, breaks }: WrongProtocol): MutantRow {
  const scenario = SCENARIOS.find((one) => one.name === where);
  if (scenario === undefined) throw new Error(`mutant ${name}: there is no scenario ${where}`);
  const found: Verdict = explore(modelOf(factsOf(scenario), name));
  return {
    mutant: name,
    scenario: where,
    states: found.states,
    expected: breaks,
    violation: found.violation,
    steps: found.trace.length,
    trace: found.trace,
    why: HARMLESS[name] ?? null,
  };
}

export interface ModelTables {
  readonly scenarios: readonly ScenarioRow[];
  readonly mutants: readonly MutantRow[];
}

/** Everything: on an idle core about half a minute. */
export function modelTables(): ModelTables {
  return { scenarios: SCENARIOS.map(scenarioRow), mutants: MUTANTS.map(mutantRow) };
}

export function scenarioTable(rows: readonly ScenarioRow[]): string {
  const sum = (of: (row: ScenarioRow) => number) => rows.reduce((total, row) => total + of(row), 0);
  return aligned([
    ['scenario', 'states', 'transitions', 'verdict', 'what'],
    ...rows.map(({ scenario, states, transitions, violation, about }) => [
      scenario,
      String(states),
      String(transitions),
      violation ?? 'holds',
      about,
    ]),
    ['total', String(sum(({ states }) => states)), String(sum(({ transitions }) => transitions)), '', ''],
  ]);
}

export function mutantTable(rows: readonly MutantRow[]): string {
  return aligned([
    ['mutant', 'scenario', 'states', 'steps', 'verdict'],
    ...rows.map(({ mutant, scenario, states, steps, violation, why }) => [
      mutant,
      scenario,
      String(states),
      violation === null ? '' : String(steps),
      violation === null ? `harmless: ${why ?? 'nobody knows why'}` : `caught: ${violation}`,
    ]),
  ]);
}

function aligned(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

export function traceText({
  violation,
  trace,
}: {
  violation: string | null;
  trace: readonly string[];
}): string {
  return `${violation ?? 'nothing is wrong'}\n${trace.map((action) => `  ${action}`).join('\n')}`;
}
