/** The store does not say whether it wrote: 5xx, lost replies, late landing, silence. */
import { s3Error } from '../../servers/scriptedS3.ts';
import {
  BEATEN,
  GONE,
  MERGED,
  outcome,
  REPEATED,
  REPEATED_STATE,
  type Row,
  UNKNOWN,
  WROTE,
  WROTE_NOT,
} from './row.ts';
import { done, html, INTERNAL, LOST, late, times, undone } from './script.ts';

const UNAVAILABLE = s3Error(503, 'ServiceUnavailable');

const failures = (
  [
    ['500 InternalError', INTERNAL],
    ['503 ServiceUnavailable', UNAVAILABLE],
    ['502 in a gateway’s words', html(502)],
    ['504 in a gateway’s words', html(504)],
  ] as const
).flatMap(([name, answer]): Row[] => [
  {
    cell: '5xx',
    store: `writes, and says ${name}`,
    script: { writes: [done(answer)] },
    outcomes: WROTE,
  },
  {
    cell: '5xx',
    store: `says ${name}, and has not written`,
    script: { writes: [undone(answer)] },
    outcomes: WROTE_NOT,
  },
]);

const fiveHundreds: Row[] = [
  ...failures,
  {
    cell: '5xx',
    store: 'says 500 since another’s write came first, as Ceph RGW does',
    script: { writes: [{ ...undone(INTERNAL), before: 'another’s write' }] },
    outcomes: { create: BEATEN, replace: MERGED, Complete: BEATEN },
  },
  {
    cell: '5xx',
    store: 'says 500 for ever, and does not write',
    script: { writes: times(5, undone(INTERNAL)) },
    outcomes: {
      create: outcome(3, `${UNKNOWN} ×3`, UNKNOWN, 'nothing', 'created'),
      replace: outcome(5, `${UNKNOWN} ×5`, UNKNOWN, 'old', 'old+next'),
    },
  },
];

const lost: Row[] = [
  {
    cell: 'lost reply',
    store: 'writes, and the connection is reset',
    script: { writes: [LOST] },
    outcomes: WROTE,
  },
  {
    cell: 'lost reply',
    store: 'resets the connection, and has not written',
    script: { writes: [undone('reset')] },
    outcomes: WROTE_NOT,
  },
  {
    cell: 'lost reply',
    store: 'writes, and closes without a word',
    script: { writes: [done('closes')] },
    outcomes: WROTE,
  },
  {
    cell: 'lost reply',
    store: 'writes, and breaks off in the status line',
    script: { writes: [done('breaks off')] },
    outcomes: WROTE,
  },
  {
    cell: 'lost reply',
    store: 'writes the first state of a mailbox, and the connection is reset',
    script: { writes: [LOST] },
    before: 'none',
    outcomes: { replace: outcome(1, UNKNOWN, 'committed', 'mine', 'mine+next') },
  },
  {
    cell: 'lost reply',
    store: 'loses the reply, and another’s write came first',
    script: { writes: [{ ...LOST, before: 'another’s write' }] },
    outcomes: { create: BEATEN, replace: MERGED, Complete: BEATEN },
  },
  {
    cell: 'lost reply',
    store: 'writes, loses the reply, and another’s write comes before the look',
    script: { writes: [{ ...LOST, afterwards: 'another’s write' }] },
    // Its nonce is gone with that write, its update is not: it is made once more, on the other's.
    outcomes: { replace: MERGED },
  },
  {
    cell: 'lost reply',
    store: 'writes, loses the reply, and it is removed before the look',
    script: { writes: [{ ...LOST, afterwards: 'it is removed' }] },
    outcomes: {
      create: REPEATED,
      replace: { ...REPEATED_STATE, bucket: 'mine', next: 'mine+next' },
      Complete: GONE,
    },
  },
  {
    cell: 'lost reply',
    store: 'loses the reply, and has kept half of the bytes',
    script: { writes: [{ ...undone('reset'), afterwards: 'half of it is kept' }] },
    outcomes: {
      create: outcome(1, UNKNOWN, 'different', 'half of it', 'different'),
      Complete: outcome(1, UNKNOWN, 'different', 'half of it', 'different'),
    },
  },
];

const landing: Row[] = [
  {
    cell: 'late landing',
    store: 'writes after the answer was given up, before the look',
    script: { writes: [late('before the look')] },
    outcomes: WROTE,
  },
  {
    cell: 'late landing',
    store: 'writes only after the look',
    script: { writes: [late('after the look')] },
    outcomes: {
      create: outcome(2, `${UNKNOWN}, exists`, 'same', 'mine', 'same'),
      replace: outcome(2, `${UNKNOWN}, conflict`, 'committed', 'old+mine', 'old+mine+next'),
      Complete: outcome(1, UNKNOWN, UNKNOWN, 'mine', 'same'),
    },
  },
  {
    cell: 'late landing',
    store: 'comes to the write only after the next run',
    script: { writes: [late('in the end')] },
    outcomes: WROTE_NOT,
  },
  {
    cell: 'late landing',
    store: 'says 500, and comes to the write only after the next run',
    script: { writes: [late('in the end', INTERNAL)] },
    outcomes: WROTE_NOT,
  },
  {
    cell: 'late landing',
    store: 'comes to three writes only after the next run',
    script: { writes: times(3, late('in the end')) },
    outcomes: {
      create: outcome(3, `${UNKNOWN} ×3`, UNKNOWN, 'nothing', 'created'),
      replace: outcome(4, `${UNKNOWN} ×3, replaced`, 'committed', 'old+mine', 'old+mine+next'),
    },
  },
  {
    cell: 'late landing',
    store: 'comes to the first state of a mailbox only after the next commit',
    script: { writes: [late('in the end')] },
    before: 'none',
    outcomes: {
      replace: outcome(2, `${UNKNOWN}, replaced`, 'committed', 'mine', 'mine+next'),
    },
  },
  {
    cell: 'late landing',
    store: 'comes to the write after another’s',
    script: { writes: [{ ...late('in the end'), afterwards: 'another’s write' }] },
    outcomes: { create: BEATEN, replace: MERGED, Complete: BEATEN },
  },
  {
    cell: 'late landing',
    store: 'says nothing, and writes when it is given up',
    script: { writes: [late('before the look', 'silence')] },
    outcomes: WROTE,
  },
];

const silence: Row[] = [
  {
    cell: 'silence',
    store: 'writes, and says nothing',
    script: { writes: [done('silence')] },
    outcomes: WROTE,
  },
  {
    cell: 'silence',
    store: 'says nothing, and has not written',
    script: { writes: [undone('silence')] },
    outcomes: WROTE_NOT,
  },
];

export const rowsUnclear: readonly Row[] = [...fiveHundreds, ...lost, ...landing, ...silence];
