/** Wrong engines that announce too little, too late, or under another name. */
import type { Patch } from '../patches/patches.ts';
import type { Mutant } from './mutant.ts';

const SETTLING = 'lib/fetch/settling.ts';
const TRANSFER = 'lib/fetch/transfer.ts';
const OUTBOX = 'lib/fetch/outbox.ts';

const NO_PROOF_BEFORE_DELE: Patch = {
  file: 'lib/fetch/deleting.ts',
  find: 'await publisher.prove();\n',
  replace: '',
};

const NO_PROOF_BEFORE_RETR: Patch = {
  file: 'lib/fetch/sessions.ts',
  find: 'await context.ports.publisher.prove();\n',
  replace: '',
};

export const ANNOUNCING: readonly Mutant[] = [
  {
    name: 'failed entry ignored',
    breaks: 'an event that the bus refused among others counts as accepted',
    patches: [
      {
        file: SETTLING,
        find: "errors.set(id, new EventRefused(answer?.reason ?? 'no answer came for it'));",
        replace: 'continue;',
      },
    ],
    caughtBy: { oracles: ['I2 announced', 'I6 record'] },
  },
  {
    name: 'done before event',
    breaks: 'messages go on record before they are announced: a kill between leaves them unsaid for ever',
    patches: [
      {
        file: TRANSFER,
        find: 'const { settled, refused } = await announce(context, stored);',
        replace: `const early = { resolved: stored.map(({ wanted }) => wanted.ref), runs: new Set([context.run]), next: [] };
  await commitSettled(context, session, { settled: stored, ...early });
  const { settled, refused } = await announce(context, stored);`,
      },
    ],
    caughtBy: { oracles: ['I6 record'] },
  },
  {
    name: 'event id of the attempt',
    breaks: 'the id is another on each repeat, so that consumers cannot drop repeats',
    patches: [
      {
        file: SETTLING,
        find: 'id: eventIdOf(context, record),',
        replace: 'id: (context as RunContext).run.slice(0, 8) + eventIdOf(context, record).slice(8),',
      },
    ],
    caughtBy: { oracles: ['I9 event id'] },
  },
  {
    name: 'bus not proved',
    breaks: 'a bus that does not exist calls everything accepted, and mail is deleted unsaid',
    patches: [NO_PROOF_BEFORE_DELE, NO_PROOF_BEFORE_RETR],
    caughtBy: { oracles: ['I2 announced'] },
  },
  {
    name: 'outbox not looked into',
    breaks:
      'what a dead run stored is not looked for: if its message is gone from the server, it is never announced',
    patches: [
      {
        file: 'lib/fetch/alone.ts',
        find: 'const found = await leftBehind(context, session, suspect);',
        replace: 'const found = false;',
      },
    ],
    caughtBy: { oracles: ['I8 announced'] },
  },
  {
    name: 'objects of a content key never announced',
    breaks: 'the outbox knows the first key only; what was stored beside it is never announced',
    patches: [
      {
        file: OUTBOX,
        find: 'const look = (listed: readonly Row[]) =>',
        replace: String.raw`if (/-[0-9a-f]{64}\.eml$/.test(key)) continue;
    const look = (listed: readonly Row[]) =>`,
      },
    ],
    caughtBy: { oracles: ['I8 announced'] },
  },
  {
    name: 'a summary in the outbox',
    breaks:
      'what was left behind is announced with a header summary: one that ends the process does so for ever',
    patches: [
      {
        file: OUTBOX,
        find: 'publish([storedEvent(context, record, null)]);',
        replace: "publish([storedEvent(context, record, Buffer.from('Subject: left behind'))]);",
      },
    ],
    caughtBy: { oracles: ['I8 announced'] },
  },
  {
    name: 'a vanished message struck at once',
    breaks:
      'an intent is struck when its message is gone and nothing was found: a write that lands later is never announced',
    patches: [
      {
        file: 'lib/fetch/alone.ts',
        find: 'const keptMs = vanishedKeptMs(head, found);',
        replace: 'const keptMs = 0;',
      },
    ],
    caughtBy: {
      file: 'test/mutants/rare.test.ts',
      title: 'what is too rare for the simulation > a message that is gone',
    },
  },
];
