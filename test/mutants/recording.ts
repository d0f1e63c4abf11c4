/** Wrong engines that write the mailbox's state wrongly, or lose what another run wrote. */
import type { Mutant } from './mutant.ts';

const STATE = 'lib/mailbox/intents.ts';
const FILE = 'lib/mailbox/stateFile.ts';

export const RECORDING: readonly Mutant[] = [
  {
    name: 'blind state write',
    breaks: "the state is replaced whatever it is by then: another run's records and intents are lost",
    patches: [
      {
        file: FILE,
        find: 'encoded(next), version)',
        replace: 'encoded(next), (await loadHead(this.#store, mailbox)).version ?? version)',
      },
    ],
    caughtBy: { oracles: ['I6 state'] },
  },
  {
    name: 'conflict = written',
    breaks: 'a lost compare-and-swap is taken for a won one: what it was to record is nowhere',
    patches: [
      {
        file: FILE,
        find: 'if (written.has(this.head.nonce))',
        replace: 'if (written.size > 0)',
      },
    ],
    caughtBy: { oracles: ['I6 record'] },
  },
  {
    name: 'no nonce',
    breaks: "after a lost answer another run's write cannot be told from our own",
    patches: [{ file: FILE, find: 'nonce: this.#nonce() };', replace: "nonce: '' };" }],
    caughtBy: { oracles: ['I6 state'] },
  },
  {
    name: 'dropped intent',
    breaks:
      'nothing says what was being tried: what a dead run stored of a message that is gone is never announced',
    patches: [
      {
        file: STATE,
        find: 'return { ...head, intents: [...others, ...intents] };',
        replace: 'return { ...head, intents: others };',
      },
    ],
    caughtBy: { oracles: ['I8 announced'] },
  },
  {
    name: "another run's intent struck",
    breaks: 'whoever puts a message on record strikes the intent of a run that may still write it',
    patches: [
      {
        file: STATE,
        find: 'struck.has(refKey(intent)) && runs.has(intent.run)',
        replace: 'struck.has(refKey(intent))',
      },
    ],
    caughtBy: { oracles: ['I16 intent'] },
  },
  {
    name: 'intents taken back at the end',
    breaks: 'a run that ends in order strikes the intents of what it had begun and did not put on record',
    patches: [
      {
        file: 'lib/fetch/books.ts',
        find: 'begun.has(refKey(intent)) || postponed.has(refKey(intent))',
        replace: 'false',
      },
    ],
    caughtBy: { oracles: ['I8 announced', 'L1 arrives', 'L3 quiet'] },
  },
];
