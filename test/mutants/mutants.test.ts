import { describe, expect, it } from 'vitest';
import { MUTANTS } from './all.ts';
import { CONTROLS, SLIP } from './controls.ts';
import { misfits } from './fits.ts';
import type { Mutant } from './mutant.ts';
import { unsound } from './sound.ts';
import { tableOf } from './table.ts';
import { isAsExpected, tryAll } from './trials.ts';

function finding(name: string, find: string): Mutant {
  const patch = { file: 'lib/store/settle.ts', find, replace: '' };
  return { name, breaks: 'nothing', patches: [patch], caughtBy: { oracles: 'any' } };
}

describe('wrong engines', () => {
  it('have names of their own, and fit the source; one that fits it no longer is told', () => {
    expect(new Set(MUTANTS.map(({ name }) => name)).size).toBe(MUTANTS.length);
    expect(misfits(MUTANTS)).toEqual([]);
    expect(misfits([finding('gone', 'no such words'), finding('twice', 'return')])).toEqual([
      expect.stringMatching(/^gone: .*is not in it/),
      expect.stringMatching(/^twice: .*is more than once in it/),
    ]);
  });

  it('are code that compiles: only a promise can break', () => {
    const complaints = unsound([...MUTANTS, SLIP]);
    expect(complaints.filter((line) => !line.startsWith(SLIP.name))).toEqual([]);
    expect(complaints).toContainEqual(expect.stringMatching(/used before its declaration/));
  });

  it('are each caught by a promise that breaks, and the right engine is not', async () => {
    const trials = await tryAll([...CONTROLS, ...MUTANTS]);
    console.log(tableOf(trials));
    const others = trials.filter((trial) => !isAsExpected(trial));
    expect(others.map(({ mutant, outcome, by }) => `${mutant.name} ${outcome}: ${by}`)).toEqual([]);
  });
});
