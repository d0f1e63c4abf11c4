/** What must not be called caught: an engine with nothing changed, and a patch that is wrong itself. */
import type { Mutant } from './mutant.ts';

/** Enough to show that the way here changes nothing; all seeds are played unpatched by the simulation's own test. */
const CONTROL_SEEDS = 100;

/** Its promises hold; what fails is the program. */
export const SLIP: Mutant = {
  name: 'control: a slip in a patch',
  breaks: 'the language, and no promise',
  patches: [
    {
      file: 'lib/fetch/storing.ts',
      find: 'const placed = await place(context, received);',
      replace: 'const placed = await placed(context, received);',
    },
  ],
  caughtBy: { oracles: 'any' },
  expected: 'broken',
};

export const CONTROLS: readonly Mutant[] = [
  {
    name: 'control: nothing changed',
    breaks: 'nothing',
    patches: [],
    caughtBy: { oracles: 'any', seeds: CONTROL_SEEDS },
    expected: 'survived',
  },
  {
    name: 'control: nothing changed, by a test',
    breaks: 'nothing',
    patches: [],
    caughtBy: { file: 'test/pop3/secrets.test.ts', title: 'a password > is in no error' },
    expected: 'survived',
  },
  SLIP,
];
