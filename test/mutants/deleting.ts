/** Wrong engines that delete sooner, or on less proof, than the rule of DELE allows. */
import type { Patch } from '../patches/patches.ts';
import type { Mutant } from './mutant.ts';
import { NO_FENCE, NO_FENCE_AHEAD, SHORTFALL_IGNORED } from './retrieving.ts';

const RULE = 'lib/fetch/deleting.ts';
const TRANSFER = 'lib/fetch/transfer.ts';

const B_WITHOUT_OCTETS: readonly Patch[] = [
  {
    file: 'lib/mailbox/policy.ts',
    find: '!isShort(policy, record) && isDue(policy, record)',
    replace: 'isDue(policy, record)',
  },
  { file: 'lib/fetch/plan.ts', find: 'if (short) {', replace: 'if (false) {' },
];

export const DELETING: readonly Mutant[] = [
  {
    name: 'DELE before event',
    breaks: 'a message is deleted once it is stored; some servers commit that when the line drops',
    patches: [
      {
        file: TRANSFER,
        find: 'previous = moved.value.stored;',
        replace: 'previous = moved.value.stored;\n    await deleteRetrieved(context, session, previous);',
      },
    ],
    caughtBy: { oracles: ['I2 announced'] },
  },
  {
    name: 'DELE before commit',
    breaks: 'a message is deleted once it is announced, before the state says so',
    patches: [
      {
        file: TRANSFER,
        find: 'previous = moved.value.stored;',
        replace: `previous = moved.value.stored;
    const early = await announce(context, previous);
    await deleteRetrieved(context, session, early.settled);`,
      },
    ],
    caughtBy: { oracles: ['I6 record'] },
  },
  {
    name: 'shortfall ignored',
    breaks: 'fewer octets than LIST announced are as good as all of them',
    patches: [SHORTFALL_IGNORED],
    caughtBy: { oracles: ['I1 removal'] },
  },
  {
    name: 'B without octets',
    breaks: 'what is on record as short is deleted by record in the next session',
    patches: B_WITHOUT_OCTETS,
    caughtBy: { oracles: ['I1 removal'] },
  },
  {
    name: 'cut mail deleted by B in the next session',
    breaks:
      'no fence: mail that cut itself is stored, to be deleted in the next session, whose size and TOP agree',
    patches: [NO_FENCE, NO_FENCE_AHEAD, ...B_WITHOUT_OCTETS],
    caughtBy: { oracles: ['I3 object'] },
  },
  {
    name: 'TOP hash ignored',
    breaks: 'B deletes by UIDL and size alone: another message may bear them now',
    patches: [
      {
        file: RULE,
        find: 'header.hash === record.headerHash && ',
        replace: '',
      },
    ],
    caughtBy: { oracles: ['I1 removal', 'I2 announced'] },
  },
  {
    name: 'object not looked for',
    breaks: 'B deletes mail whose object a consumer has removed from the store',
    patches: [{ file: RULE, find: "seen[index] === 'same'", replace: 'index >= 0' }],
    caughtBy: { file: 'test/fetch/run.test.ts', title: 'a run > keeps mail whose object a consumer removed' },
  },
  {
    name: 'store trusted blindly',
    breaks: 'mail is deleted though the store failed the ability that its object was written by',
    patches: [
      {
        file: RULE,
        find: 'if (trust.deletes) return true;',
        replace: 'return true;',
      },
    ],
    caughtBy: { oracles: ['I1 removal'] },
  },
  {
    name: 'events to a stream are proof',
    breaks: 'mail is deleted though its events went to stdout',
    patches: [{ file: RULE, find: 'if (!publisher.durable) {', replace: 'if (false) {' }],
    caughtBy: { oracles: ['I2 announced'] },
  },
];
