/** Wrong engines that mistake what the settings say of a message: its day, the start, the size limit. */
import type { Mutant } from './mutant.ts';

const POLICY = 'lib/mailbox/policy.ts';
const PLAN = 'lib/fetch/plan.ts';

export const POLICIES: readonly Mutant[] = [
  {
    name: 'day not waited for',
    breaks: 'a message is deleted as soon as it is stored, though it should stay for days',
    patches: [
      {
        file: POLICY,
        find: 'return keptMs === 0 ? Number.NEGATIVE_INFINITY : storedMs + keptMs;',
        replace: 'return keptMs < 0 ? storedMs : Number.NEGATIVE_INFINITY;',
      },
    ],
    caughtBy: { oracles: ['I1 removal'] },
  },
  {
    name: 'day slept through',
    breaks: 'a mailbox whose listing does not change is never looked at on the day of its deletes',
    patches: [
      {
        file: 'lib/fetch/suspects.ts',
        find: 'head.quiet?.dueMs === undefined ? [] : [head.quiet.dueMs]',
        replace: 'head.quiet?.dueMs === undefined ? [] : []',
      },
      // A sweep would wake it.
      {
        file: 'lib/fetch/suspects.ts',
        find: 'const sweeps = listed > 0',
        replace: 'const sweeps = listed < 0',
      },
    ],
    caughtBy: { oracles: ['L1 removal'] },
  },
  {
    name: 'start forgotten',
    breaks: 'what was there before the start is fetched by the next run',
    patches: [
      { file: PLAN, find: 'if (known.seeded(row) && !isOpen)', replace: 'if (known.seeded(row) && isOpen)' },
    ],
    caughtBy: { oracles: ['I18 start'] },
  },
  {
    name: 'start after the first mail',
    breaks: 'what is left alone is decided anew by runs that overlap or follow a run that died',
    patches: [
      {
        file: 'lib/mailbox/stateFile.ts',
        find: 'isStartDecided(head) ? head : {',
        replace: 'false ? head : {',
      },
      {
        file: 'lib/fetch/start.ts',
        find: "if (start === 'all' || isStartDecided(state.head)) return;",
        replace: "if (start === 'all' || state.head.lastSuccessMs > 0) return;",
      },
    ],
    caughtBy: { oracles: ['I18 start'], seeds: 4_000 },
  },
  {
    name: 'limit of LIST ignored',
    breaks: 'a message that is listed as too large is asked for all the same',
    patches: [
      {
        file: PLAN,
        find: 'return Math.max(octets ?? 0, atLeast) > sizeLimit;',
        replace: 'return atLeast > sizeLimit + (octets ?? 0);',
      },
    ],
    caughtBy: { oracles: ['I17 size limit'] },
  },
  {
    name: 'limit ignored while it comes',
    breaks: 'a message of which LIST says too little is stored, however large it is',
    patches: [
      {
        file: 'lib/fetch/window.ts',
        find: 'mayBeNew ? policy.sizeLimit :',
        replace: 'mayBeNew ? policy.sizeLimit * 100 :',
      },
    ],
    caughtBy: {
      file: 'test/fetch/sizeLimit.test.ts',
      title: 'what turns out to be over the limit while it comes',
    },
  },
  {
    name: 'too large told at each run',
    breaks: 'that a message is too large is never noted as told',
    patches: [
      {
        file: 'lib/mailbox/tooLarge.ts',
        find: '{ ...one, reported: true }',
        replace: '{ ...one, reported: false }',
      },
    ],
    caughtBy: {
      file: 'test/fetch/sizeLimit.test.ts',
      title: 'what LIST shows to be over the limit',
    },
  },
  {
    name: 'too large told to nobody',
    breaks: 'a message over the limit is left, and nobody learns of it',
    patches: [
      {
        file: 'lib/fetch/oversize.ts',
        find: 'const due = untoldLarge(state.head);',
        replace: 'const due = tooLargeOf(state.head).filter(({ reported }) => reported);',
      },
    ],
    caughtBy: { oracles: ['I19 told once', 'L3 quiet'] },
  },
];
