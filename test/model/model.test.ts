/** The protocol, explored to its last state; then wrong ones, each of which must be found out. */
import { afterAll, describe, expect, it } from 'vitest';
import { HARMLESS, MUTANTS } from './mutants.ts';
import { SCENARIOS } from './scenarios.ts';
import {
  type MutantRow,
  mutantRow,
  mutantTable,
  type ScenarioRow,
  scenarioRow,
  scenarioTable,
  traceText,
} from './tables.ts';

/** Of one search: the largest takes ten seconds on an idle core. */
const TIMEOUT_MS = 240_000;

/** What the proof claims at least. */
const STATES = 300_000;

const scenarios: ScenarioRow[] = [];
const mutants: MutantRow[] = [];

afterAll(() => {
  console.log(`\n${scenarioTable(scenarios)}\n\n${mutantTable(mutants)}`);
});

describe('the protocol keeps its invariants, and can end well from every state', () => {
  it.each(SCENARIOS)('$name: $about', { timeout: TIMEOUT_MS }, (scenario) => {
    const row = scenarioRow(scenario);
    scenarios.push(row);
    expect(row.violation, traceText(row)).toBeNull();
    expect(row.goals).toBeGreaterThan(0);
  });

  it(`over at least ${STATES} states`, () => {
    expect(scenarios.reduce((sum, { states }) => sum + states, 0)).toBeGreaterThanOrEqual(STATES);
  });
});

describe('a wrong protocol is found out', () => {
  const caught = MUTANTS.flatMap(({ breaks, ...mutant }) => (breaks === null ? [] : [{ ...mutant, breaks }]));

  it.each(caught)('$name breaks $breaks in scenario "$scenario"', { timeout: TIMEOUT_MS }, (mutant) => {
    const row = mutantRow(mutant);
    mutants.push(row);
    expect(row.violation, mutant.name).toContain(`${mutant.breaks}:`);
  });

  it.each(MUTANTS.filter(({ breaks }) => breaks === null))(
    '$name is harmless, and the table says why',
    { timeout: TIMEOUT_MS },
    (mutant) => {
      const row = mutantRow(mutant);
      mutants.push(row);
      expect(row.violation, traceText(row)).toBeNull();
      expect(HARMLESS[mutant.name]).toBeTruthy();
    },
  );
});
