/** Wrong engines that come back too early, or tell too little of a mailbox that fails. */
import type { Mutant } from './mutant.ts';

const RUN = 'lib/fetch/run.ts';
const NEWS = 'lib/fetch/news.ts';
const BACK_OFF = 'lib/mailbox/backOff.ts';

export const WAITING: readonly Mutant[] = [
  {
    name: 'back-off not kept to',
    breaks: 'a scheduled run signs in though the mailbox waits: providers lock who tries on',
    patches: [
      {
        file: RUN,
        find: 'options.honourBackOff ? await mustWait',
        replace: 'options.signal === null ? await mustWait',
      },
    ],
    caughtBy: { oracles: ['I16 waits'] },
  },
  {
    name: 'LOGIN-DELAY not kept to',
    breaks: 'a scheduled run signs in sooner than the server wants after one that went well',
    patches: [
      {
        file: 'lib/fetch/waiting.ts',
        find: "suspects === 'only' ? null : delayOf(head, nowMs)",
        replace: "suspects === 'only' ? delayOf(head, nowMs) : null",
      },
    ],
    caughtBy: { oracles: ['I16 waits'] },
  },
  {
    name: 'refused news counts as told',
    breaks: 'an event that the bus refused is not said again: nobody hears of the mailbox',
    patches: [
      { file: NEWS, find: 'return answer?.accepted === true;', replace: 'return answer !== undefined;' },
    ],
    caughtBy: {
      file: 'test/fetch/tryLater.test.ts',
      title: 'a person > is told by a later run what the bus refused',
    },
  },
  {
    name: 'news id of the failure',
    breaks: 'the id is another on each repeat, so that consumers cannot drop repeats',
    patches: [
      {
        file: NEWS,
        find: "id: mailboxNewsId(mailbox, 'failing', sinceMs),",
        replace: "id: mailboxNewsId(mailbox, 'failing', backOff.untilMs),",
      },
    ],
    caughtBy: {
      file: 'test/fetch/tryLater.test.ts',
      title: 'a person > is told by a later run, with the same id',
    },
  },
  {
    name: 'recovery not left to say',
    breaks: 'a process that dies before it has said that the mailbox works again leaves it unsaid for ever',
    patches: [
      {
        file: BACK_OFF,
        find: '...head, backOff: null, recovered: { sinceMs: backOff.sinceMs, atMs: nowMs } };',
        replace: '...head, backOff: null, lastSuccessMs: nowMs };',
      },
    ],
    caughtBy: { oracles: ['I17 news'] },
  },
];
