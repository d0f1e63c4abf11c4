/** Wrong engines that take for names of messages what is none: only histories of servers without lasting UIDLs tell. */
import type { Mutant } from './mutant.ts';

export const UNNAMED: readonly Mutant[] = [
  {
    name: 'numbers taken for names',
    breaks:
      'UIDLs that are the numbers of their messages are believed in later sessions: new mail of the number and size of mail on record is passed over',
    patches: [{ file: 'lib/fetch/numbered.ts', find: '  await session.known.doubt();\n', replace: '' }],
    caughtBy: { oracles: ['L1 arrives'] },
  },
  {
    name: 'the last message is not asked for its headers',
    breaks: 'a listing of numbers that has not changed is quiet, though its mail has moved',
    patches: [
      {
        file: 'lib/fetch/numbered.ts',
        find: 'if (!listing.isNumbered) return listing.digest(policy, deleted);',
        replace: 'if (listing.length >= 0) return listing.digest(policy, deleted);',
      },
    ],
    caughtBy: {
      file: 'test/fetch/numbered.test.ts',
      title: 'mail of one size whose UIDLs are its numbers > is known by its content when it has moved',
    },
  },
  {
    name: 'moved numbers believed by the next run',
    breaks: 'what a run that saw numbers moved did not come to passes for what is stored under its number',
    patches: [
      {
        file: 'lib/fetch/numbered.ts',
        find: 'head.movedBy === run ? head : { ...head, movedBy: run }',
        replace: 'head.movedBy === run ? { ...head, movedBy: run } : head',
      },
    ],
    caughtBy: { oracles: ['L1 arrives'] },
  },
  {
    name: 'a number for a fence',
    breaks: 'what anybody can guess ends a window: mail that cut itself and answers for its server is stored',
    patches: [
      {
        file: 'lib/fetch/fence.ts',
        find: "listing.isNumbered ? ['LIST', 'UIDL'] : ",
        replace: '',
      },
    ],
    caughtBy: { oracles: ['I3 object'] },
  },
  {
    name: 'without UIDL deleted by size and headers',
    breaks: 'mail without UIDL is deleted by record: another of that size and header may be there now',
    patches: [
      {
        file: 'lib/fetch/plan.ts',
        find: "return { action: 'prove', why: 'stored, it seems; without",
        replace: "return { action: 'delete', why: 'stored, it seems; without",
      },
    ],
    caughtBy: { oracles: ['I1 removal', 'I10 binding'] },
  },
  {
    name: 'without UIDL not led to by its intent',
    breaks:
      'what an attempt that died put into the store without UIDL is found by nobody, and never announced',
    patches: [
      {
        file: 'lib/fetch/storing.ts',
        find: "if (wanted.ref.uidl === '' && hasBytes(received))",
        replace: 'if (context.run === digest.sha256 && hasBytes(received))',
      },
    ],
    caughtBy: { oracles: ['I8 announced'] },
  },
];
