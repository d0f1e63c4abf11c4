/** Wrong engines that blame the wrong message, or none. */
import type { Patch } from '../patches/patches.ts';
import type { Mutant } from './mutant.ts';

const ALONE = 'lib/fetch/alone.ts';
const JUDGING = 'lib/fetch/judging.ts';
const PLAN = 'lib/fetch/plan.ts';

/** Each intent counts as an attempt, in company too. */
const COUNTED_WITH_THE_INTENT: readonly Patch[] = [
  {
    file: 'lib/mailbox/intents.ts',
    find: '/** Attempts that are under way or were left: pure changes of a head. */',
    replace: "import { countAttempt } from './failures.ts';",
  },
  {
    file: 'lib/mailbox/intents.ts',
    find: 'return { ...head, intents: [...others, ...intents] };',
    replace: `return intents.reduce<Head>(
    (counted, { run, untilMs, ...ref }) => countAttempt(counted, ref, { run, nowMs: untilMs }),
    { ...head, intents: [...others, ...intents] },
  );`,
  },
];

/** Suspects are retrieved with all the others. */
const IN_COMPANY: Patch = {
  file: PLAN,
  find: "return { action: 'alone', why: 'an earlier attempt did not finish; it is tried alone' };",
  replace: "return { action: 'fetch', why: 'an earlier attempt did not finish' };",
};

export const SUSPECTING: readonly Mutant[] = [
  {
    name: 'suspects not alone',
    breaks:
      'a message that ends the process is tried in company again and again: the mail behind it never arrives',
    patches: [IN_COMPANY],
    caughtBy: { oracles: ['L1 arrives', 'L3 quiet'] },
  },
  {
    name: 'attempts not written ahead',
    breaks: 'an attempt is counted when it has failed: one that ends the process is never counted',
    patches: [
      {
        file: ALONE,
        find: 'return countAttempt(intended, suspect.ref, { run, nowMs: begunMs });',
        replace: 'return intended;',
      },
      {
        file: ALONE,
        find: 'const counts = failureOf(state.head, suspect.ref)?.lastRun === run;',
        replace: 'const counts = isLeftBehind(state.head, suspect.ref, run, begunMs);',
      },
      {
        file: JUDGING,
        find: 'import { failureOf, ',
        replace: 'import { countAttempt, failureOf, ',
      },
      {
        file: JUDGING,
        find: 'return blamed(head, ref, {',
        replace:
          'return blamed(countAttempt(head, ref, { run: context.run, nowMs: attempted.begunMs }), ref, {',
      },
    ],
    caughtBy: { oracles: ['L1 arrives', 'L3 quiet'] },
  },
  {
    name: 'innocents counted',
    breaks: "every intent is an attempt: a neighbour's poison uses up the attempts of a whole batch",
    patches: COUNTED_WITH_THE_INTENT,
    caughtBy: { oracles: ['I14 innocent'] },
  },
  {
    name: 'a shared process killed three times by a neighbour',
    breaks:
      'intents are attempts and suspects keep company: innocents are set aside with the poison beside them',
    patches: [...COUNTED_WITH_THE_INTENT, IN_COMPANY],
    caughtBy: { oracles: ['I14 innocent'] },
  },
  {
    name: "another run's living intent counted",
    breaks: 'a message that a living run is at is counted and blamed by another',
    patches: [
      {
        file: ALONE,
        find: 'return !head.intents.some((intent) => sameRef(intent, ref) && intent.run !== run && intent.untilMs > nowMs);',
        replace: 'return true;',
      },
    ],
    caughtBy: { oracles: ['I14 innocent'] },
  },
  {
    name: 'twins sharing failures',
    breaks: 'twins are one and the same to failures: a bad one is set aside together with its brother',
    patches: [
      { file: PLAN, find: 'headerHash: row.repeated ? headerHash : null }', replace: 'headerHash: null }' },
    ],
    caughtBy: {
      file: 'test/mutants/rare.test.ts',
      title: 'what is too rare for the simulation > a twin arrives',
    },
  },
  {
    name: '-ERR striking an intent',
    breaks:
      'a refused RETR is the end of the matter: what an earlier attempt wrote and what lands late is never announced',
    patches: [
      {
        file: ALONE,
        find: 'ahead: false,\n      });\n      if (refused[0]) return refused[0].error;',
        replace: 'ahead: false,\n      });\n      if (refused[0]) return null;',
      },
    ],
    caughtBy: { oracles: ['L1 arrives', 'L3 quiet'] },
  },
  {
    name: "a store's fault is the message's",
    breaks: 'a message is set aside because the store or the bus failed while it was tried',
    patches: [{ file: JUDGING, find: 'if (isBlameless(error)) return false;', replace: '' }],
    caughtBy: { file: 'test/fetch/time.test.ts', title: 'a store that fails > ' },
  },
  {
    name: 'retry of what is set aside not written ahead',
    breaks: 'a message that is set aside and ends the process again is tried again by the very next run',
    patches: [
      {
        file: 'lib/mailbox/failures.ts',
        find: 'retryMs: known && known.setAsideMs !== null ? nextRetryMs(known.setAsideMs, nowMs) : 0,',
        replace: 'retryMs: 0,',
      },
    ],
    caughtBy: { oracles: ['L3 quiet'] },
  },
];
