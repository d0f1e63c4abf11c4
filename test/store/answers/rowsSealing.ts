/** "Sealing": a commit whose first write is a segment of older records, and its second the head that names it. */
import { type Cell, type Outcome, type Row, UNKNOWN } from './row.ts';
import { CONFLICT, done, LOST, late, PRECONDITION, type Step, TRUTH, undone } from './script.ts';

const MINE = { settled: 'committed', bucket: 'old+mine', next: 'old+mine+next' };
const BOTH = { settled: 'committed', bucket: 'old+other+mine', next: 'old+other+mine+next' };

interface Sealing extends Outcome {
  readonly writes: readonly Step[];
}

const row = (cell: Cell, store: string, { writes, ...outcome }: Sealing): Row => ({
  cell,
  store: `sealing: ${store}`,
  before: 'full',
  script: { writes },
  outcomes: { replace: outcome },
});

export const rowsSealing: readonly Row[] = [
  row('200', 'writes both', { writes: [], sent: 2, says: 'created, replaced', ...MINE }),
  row('lost reply', 'writes both, and loses both replies', {
    writes: [LOST, LOST],
    sent: 2,
    says: `${UNKNOWN} ×2`,
    ...MINE,
  }),
  row('lost reply', 'loses the head with its reply', {
    writes: [TRUTH, undone('reset')],
    sent: 4,
    says: `created, ${UNKNOWN}, created, replaced`,
    ...MINE,
  }),
  row('lost reply', 'writes both, loses the head’s reply, and another’s write follows', {
    writes: [TRUTH, { ...LOST, afterwards: 'another’s write' }],
    sent: 3,
    says: `created, ${UNKNOWN}, replaced`,
    ...BOTH,
  }),
  row('late landing', 'writes the head only after the look', {
    writes: [TRUTH, late('after the look')],
    sent: 4,
    says: `created, ${UNKNOWN}, created, conflict`,
    ...MINE,
  }),
  row('late landing', 'comes to the head only after the next commit', {
    writes: [TRUTH, late('in the end')],
    sent: 4,
    says: `created, ${UNKNOWN}, created, replaced`,
    ...MINE,
  }),
  row('late landing', 'comes to the segment only after the next commit', {
    writes: [late('in the end')],
    sent: 3,
    says: `${UNKNOWN}, created, replaced`,
    ...MINE,
  }),
  row('409', 'says 409 to the head while another’s write wins', {
    writes: [TRUTH, { ...undone(CONFLICT), afterwards: 'another’s write' }],
    sent: 4,
    says: 'created, conflict, replaced',
    ...BOTH,
  }),
  row('412', 'writes both, and says 412 of its own head', {
    writes: [TRUTH, done(PRECONDITION)],
    sent: 2,
    says: 'created, conflict',
    ...MINE,
  }),
  row('412', 'writes both, says 412 of its own head, and another’s write follows', {
    writes: [TRUTH, { ...done(PRECONDITION), afterwards: 'another’s write' }],
    sent: 3,
    says: 'created, conflict, replaced',
    ...BOTH,
  }),
];
