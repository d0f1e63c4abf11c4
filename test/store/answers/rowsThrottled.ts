/** The store is too busy, or says that a request came too slowly. */
import { s3Error } from '../../servers/scriptedS3.ts';
import { GONE, LATER, outcome, REPEATED_STATE, type Row, SEEN, SEEN_STATE, UNKNOWN } from './row.ts';
import { done, html, LOST, late, SLOW_DOWN, times, undone } from './script.ts';

const TWICE = outcome(2, 'created', 'created', 'mine', 'same');
const TWICE_STATE = outcome(2, 'replaced', 'committed', 'old+mine', 'old+mine+next');

export const rowsThrottled: readonly Row[] = [
  {
    cell: 'throttled',
    store: 'says 503 SlowDown once, and has not written',
    script: { writes: [undone(SLOW_DOWN)] },
    // Sent again by the adapter itself, since a second create can do no harm.
    outcomes: { create: TWICE, replace: REPEATED_STATE, Complete: GONE },
  },
  {
    cell: 'throttled',
    store: 'writes, and says 503 SlowDown',
    script: { writes: [done(SLOW_DOWN)] },
    outcomes: { create: outcome(2, 'exists', 'same', 'mine', 'same'), replace: SEEN_STATE, Complete: SEEN },
  },
  {
    cell: 'throttled',
    store: 'says 503 SlowDown, and comes to the write only after the next run',
    script: { writes: [late('in the end', SLOW_DOWN)] },
    outcomes: { create: TWICE, replace: REPEATED_STATE, Complete: GONE },
  },
  {
    cell: 'throttled',
    store: 'says 503 SlowDown, then writes and loses the reply',
    script: { writes: [undone(SLOW_DOWN), LOST] },
    outcomes: {
      create: { ...SEEN, sent: 2 },
      replace: { ...SEEN_STATE, sent: 2, says: `${UNKNOWN} ×2` },
    },
  },
  {
    cell: 'throttled',
    store: 'says 503 SlowDown for ever',
    script: { writes: times(12, undone(SLOW_DOWN)) },
    outcomes: { create: outcome(12, `${UNKNOWN} ×3`, UNKNOWN, 'nothing', 'created') },
  },
  ...(
    [
      ['429', html(429)],
      ['400 RequestTimeout', s3Error(400, 'RequestTimeout')],
    ] as const
  ).flatMap(([name, answer]): Row[] => [
    {
      cell: 'throttled',
      store: `says ${name} once`,
      script: { writes: [undone(answer)] },
      outcomes: { create: TWICE, replace: TWICE_STATE, Complete: TWICE },
    },
    {
      cell: 'throttled',
      store: `says ${name} for ever`,
      script: { writes: times(4, undone(answer)) },
      outcomes: {
        create: outcome(4, LATER, LATER, 'nothing', 'created'),
        replace: outcome(4, LATER, LATER, 'old', 'old+next'),
        Complete: outcome(4, LATER, LATER, 'nothing', 'created'),
      },
    },
  ]),
];
