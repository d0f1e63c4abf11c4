/** The store answers 200, 409, 412 or 404: rightly, wrongly, and beside other writers. */
import { s3Error } from '../../servers/scriptedS3.ts';
import {
  BEATEN,
  GONE,
  LATER,
  outcome,
  REPEATED,
  REPEATED_STATE,
  type Row,
  SEEN,
  SEEN_STATE,
  UNKNOWN,
} from './row.ts';
import { after, CONFLICT, done, etag, html, PRECONDITION, TRUTH, times, undone } from './script.ts';

const CREATED = outcome(1, 'created', 'created', 'mine', 'same');
const REPLACED = outcome(1, 'replaced', 'committed', 'old+mine', 'old+mine+next');
const CREATED_LATER = outcome(2, 'created', 'created', 'mine', 'same');
const REPLACED_LATER = outcome(2, 'replaced', 'committed', 'old+mine', 'old+mine+next');
const SAME = outcome(1, 'exists', 'same', 'mine', 'same');
const DIFFERENT = outcome(1, 'exists', 'different', 'another’s', 'different');
const ANEW = outcome(2, 'exists, created', 'created', 'mine', 'same');
const RELOADED = outcome(2, 'conflict, replaced', 'committed', 'old+mine', 'old+mine+next');
const RELOADED_OTHER = outcome(2, 'conflict, replaced', 'committed', 'old+other+mine', 'old+other+mine+next');
const NOT_AT_ALL = 'person E_STORE_UNSUPPORTED';
const NOT_STORED = outcome(1, LATER, LATER, 'nothing', 'created');

const ok: Row[] = [
  {
    cell: '200',
    store: 'writes, and says so',
    script: {},
    outcomes: { create: CREATED, replace: REPLACED, Complete: CREATED },
  },
  {
    cell: '200',
    store: 'writes the first state of a mailbox, and says so',
    script: {},
    before: 'none',
    outcomes: { replace: outcome(1, 'replaced', 'committed', 'mine', 'mine+next') },
  },
  {
    cell: 'ETag',
    store: 'writes, and gives no ETag',
    script: { writes: [done(etag(null))] },
    outcomes: {
      create: { ...SEEN, says: 'unknown E_STORE_NO_ETAG' },
      replace: { ...SEEN_STATE, says: 'unknown E_STORE_NO_ETAG' },
      // A completed object is never replaced: nobody needs its ETag.
      Complete: CREATED,
    },
  },
  {
    cell: 'ETag',
    store: 'writes, and gives an ETag that is not the object’s',
    script: { writes: [done(etag('"0123456789abcdef0123456789abcdef"'))] },
    outcomes: { create: CREATED, replace: REPLACED, Complete: CREATED },
  },
  {
    cell: 'ETag',
    store: 'says 200 without an ETag and has not written',
    script: { writes: [undone({ status: 200 })] },
    outcomes: {
      create: { ...REPEATED, says: 'unknown E_STORE_NO_ETAG, created' },
      replace: { ...REPEATED_STATE, says: 'unknown E_STORE_NO_ETAG, replaced' },
      Complete: GONE,
    },
  },
  {
    cell: 'ETag',
    store: 'gives a part an ETag that is not its own, and refuses it at Complete',
    script: { parts: [done(etag('"0123456789abcdef0123456789abcdef"'))] },
    outcomes: { Complete: outcome(1, 'later E_STORE_DIGEST', 'later E_STORE_DIGEST', 'nothing', 'created') },
  },
  {
    cell: 'ETag',
    store: 'gives a part no ETag',
    script: { parts: [done(etag(null))] },
    outcomes: { Complete: outcome(0, 'later E_STORE_UPLOAD', 'later E_STORE_UPLOAD', 'nothing', 'created') },
  },
];

const collided: Row[] = [
  {
    cell: '409',
    store: 'says 409 once',
    script: { writes: [undone(CONFLICT)] },
    outcomes: { create: CREATED_LATER, replace: REPLACED_LATER, Complete: NOT_STORED },
  },
  {
    cell: '409',
    store: 'says 409 for ever',
    script: { writes: times(4, undone(CONFLICT)) },
    outcomes: {
      create: outcome(4, LATER, LATER, 'nothing', 'created'),
      replace: outcome(4, LATER, LATER, 'old', 'old+next'),
    },
  },
  {
    cell: '409',
    store: 'says 409 while another’s write wins',
    script: { writes: [{ ...undone(CONFLICT), afterwards: 'another’s write' }] },
    outcomes: {
      create: outcome(2, 'exists', 'different', 'another’s', 'different'),
      replace: { ...RELOADED_OTHER, sent: 3 },
      Complete: outcome(1, LATER, LATER, 'another’s', 'different'),
    },
  },
  {
    cell: '409',
    store: 'says 409 while another run writes the same',
    script: { writes: [{ ...undone(CONFLICT), afterwards: 'another run writes the same' }] },
    outcomes: {
      create: outcome(2, 'exists', 'same', 'mine', 'same'),
      replace: { ...RELOADED, sent: 3 },
      Complete: outcome(1, LATER, LATER, 'mine', 'same'),
    },
  },
];

const taken: Row[] = [
  {
    cell: '412',
    store: 'says 412: another’s write came first',
    script: { writes: [after('another’s write')] },
    outcomes: { create: DIFFERENT, replace: RELOADED_OTHER, Complete: DIFFERENT },
  },
  {
    cell: '412',
    store: 'says 412 without a body: another’s write came first',
    script: { writes: [{ ...undone({ status: 412 }), before: 'another’s write' }] },
    outcomes: { create: DIFFERENT, replace: RELOADED_OTHER, Complete: DIFFERENT },
  },
  {
    cell: '412',
    store: 'says 304, as older gateways do: another’s write came first',
    script: { writes: [{ ...undone({ status: 304 }), before: 'another’s write' }] },
    outcomes: { create: DIFFERENT, replace: RELOADED_OTHER, Complete: DIFFERENT },
  },
  {
    cell: '412',
    store: 'says 412: another run wrote the same first',
    script: { writes: [after('another run writes the same')] },
    // The state's nonce is the other run's, so the update is made again, on what that run wrote.
    outcomes: { create: SAME, replace: RELOADED, Complete: SAME },
  },
  {
    cell: '412',
    store: 'writes, and says 412 of its own write',
    script: { writes: [done(PRECONDITION)] },
    outcomes: { create: SAME, replace: { ...REPLACED, says: 'conflict' }, Complete: SAME },
  },
  {
    cell: '412',
    store: 'writes, says 412, and another’s write comes before the look',
    script: { writes: [{ ...done(PRECONDITION), afterwards: 'another’s write' }] },
    outcomes: { replace: RELOADED_OTHER },
  },
  {
    cell: '412',
    store: 'says 412 once, though the write would be right',
    script: { writes: [undone(PRECONDITION)] },
    // The ETag is still the one that was expected: the other form of it is tried.
    outcomes: { create: ANEW, replace: { ...REPLACED, sent: 2 }, Complete: ANEW },
  },
  {
    cell: '412',
    store: 'says 412 for ever, though the write would be right',
    script: { writes: times(20, undone(PRECONDITION)) },
    outcomes: {
      create: outcome(3, 'exists ×3', 'later E_STORE_UNSETTLED', 'nothing', 'created'),
      replace: outcome(2, NOT_AT_ALL, NOT_AT_ALL, 'old', 'old+next'),
      Complete: outcome(3, 'exists ×3', 'later E_STORE_UNSETTLED', 'nothing', 'created'),
    },
  },
  {
    cell: '412',
    store: 'says 412 to its own ETag in quotes, as Ceph RGW does',
    script: {},
    habits: { knowsETags: 'bare' },
    outcomes: { replace: { ...REPLACED, sent: 2 } },
  },
  {
    cell: '412',
    store: 'says 412 to an ETag in quotes, and another’s write comes before the look',
    script: { writes: [{ ...TRUTH, afterwards: 'another’s write' }] },
    habits: { knowsETags: 'bare' },
    outcomes: { replace: { ...RELOADED_OTHER, sent: 3 } },
  },
  {
    cell: '412',
    store: 'says 412 to an ETag in quotes, and another’s write comes after the look',
    script: { writes: [TRUTH, after('another’s write')] },
    habits: { knowsETags: 'bare' },
    outcomes: { replace: { ...RELOADED_OTHER, sent: 4 } },
  },
  {
    cell: '412',
    store: 'writes, says 412, and it is removed before the look',
    script: { writes: [{ ...done(PRECONDITION), afterwards: 'it is removed' }] },
    outcomes: {
      create: ANEW,
      replace: { ...RELOADED, bucket: 'mine', next: 'mine+next' },
      Complete: outcome(2, `exists, ${UNKNOWN}`, UNKNOWN, 'nothing', 'created'),
    },
  },
];

const absent: Row[] = [
  {
    cell: '404',
    store: 'says 404 NoSuchBucket',
    script: { writes: [undone(s3Error(404, 'NoSuchBucket'))] },
    outcomes: {
      create: outcome(1, 'person E_STORE_NO_BUCKET', 'person E_STORE_NO_BUCKET', 'nothing', 'created'),
      replace: outcome(1, 'person E_STORE_NO_BUCKET', 'person E_STORE_NO_BUCKET', 'old', 'old+next'),
      Complete: outcome(1, 'person E_STORE_NO_BUCKET', 'person E_STORE_NO_BUCKET', 'nothing', 'created'),
    },
  },
  {
    cell: '404',
    store: 'says 404 NoSuchKey once, though the write would be right',
    script: { writes: [undone(s3Error(404, 'NoSuchKey'))] },
    outcomes: { create: NOT_STORED, replace: RELOADED, Complete: NOT_STORED },
  },
  {
    cell: '404',
    store: 'says 404 in a gateway’s words, and has not written',
    script: { writes: [undone(html(404))] },
    outcomes: { create: NOT_STORED, replace: RELOADED, Complete: NOT_STORED },
  },
  {
    cell: '404',
    store: 'says 404: the state was removed',
    script: { writes: [after('it is removed')] },
    outcomes: { replace: { ...RELOADED, bucket: 'mine', next: 'mine+next' } },
  },
  {
    cell: '404',
    store: 'replaces the state, and says 404',
    script: { writes: [done(s3Error(404, 'NoSuchKey'))] },
    outcomes: { replace: { ...REPLACED, says: 'conflict' } },
  },
  {
    cell: '404',
    store: 'completes, and says 404 NoSuchUpload',
    script: { writes: [done(s3Error(404, 'NoSuchUpload'))] },
    outcomes: { Complete: SEEN },
  },
  {
    cell: '404',
    store: 'says 404 NoSuchUpload: the bucket’s rules removed it',
    script: { writes: [after('the upload is removed')] },
    outcomes: { Complete: GONE },
  },
  {
    cell: '404',
    store: 'says 404 NoSuchUpload, and another’s bytes are there',
    script: { writes: [{ ...undone(s3Error(404, 'NoSuchUpload')), before: 'another’s write' }] },
    outcomes: { Complete: BEATEN },
  },
];

export const rowsAnswered: readonly Row[] = [...ok, ...collided, ...taken, ...absent];
