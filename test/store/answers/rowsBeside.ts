/** What goes wrong beside the write: in a 200's body, in the look, in freeing an upload; and plain refusals. */
import { s3Error } from '../../servers/scriptedS3.ts';
import { GONE, LATER, outcome, type Row, SEEN, SEEN_STATE, UNKNOWN, UNSETTLED, WROTE } from './row.ts';
import {
  CONFLICT,
  cut,
  done,
  errorInOk,
  html,
  INTERNAL,
  LOST,
  type Said,
  TRUTH,
  times,
  undone,
} from './script.ts';

const errors: Row[] = [
  {
    cell: 'error in a 200',
    store: 'says InternalError in a 200, and has not completed',
    script: { writes: [undone(errorInOk('InternalError'))] },
    outcomes: { Complete: GONE },
  },
  {
    cell: 'error in a 200',
    store: 'completes, and says InternalError in a 200',
    script: { writes: [done(errorInOk('InternalError'))] },
    outcomes: { Complete: SEEN },
  },
  {
    cell: 'error in a 200',
    store: 'says PreconditionFailed in a 200: another’s write came first',
    script: { writes: [{ ...undone(errorInOk('PreconditionFailed')), before: 'another’s write' }] },
    outcomes: { Complete: outcome(1, 'exists', 'different', 'another’s', 'different') },
  },
  {
    cell: 'error in a 200',
    store: 'says AccessDenied in a 200',
    script: { writes: [undone(errorInOk('AccessDenied'))] },
    outcomes: {
      Complete: outcome(1, 'person E_STORE_DENIED', 'person E_STORE_DENIED', 'nothing', 'created'),
    },
  },
  {
    cell: 'error in a 200',
    store: 'completes, and says 200 with nothing in it',
    script: { writes: [done({ status: 200 })] },
    outcomes: { Complete: SEEN },
  },
];

const cuts: Row[] = [
  {
    cell: 'cut answer',
    store: 'completes, and its answer is cut',
    script: { writes: [done(cut)] },
    outcomes: { Complete: SEEN },
  },
  {
    cell: 'cut answer',
    store: 'loses the reply, and cuts what is read back',
    script: { writes: [LOST], looks: [done(cut)] },
    outcomes: { replace: SEEN_STATE },
  },
  {
    cell: 'cut answer',
    store: 'loses the reply, keeps no checksums, and cuts what is read back',
    script: { writes: [LOST], looks: [TRUTH, done(cut)] },
    habits: { tellsChecksums: false },
    outcomes: { create: SEEN, Complete: SEEN },
  },
];

/** Written, the reply lost, and then the look goes wrong. */
const looks: Row[] = [
  {
    cell: 'the look',
    store: 'says 500 to it once',
    script: { writes: [LOST], looks: [done(INTERNAL)] },
    outcomes: WROTE,
  },
  {
    cell: 'the look',
    store: 'says nothing to it once',
    script: { writes: [LOST], looks: [done('silence')] },
    outcomes: WROTE,
  },
  {
    cell: 'the look',
    store: 'says 503 SlowDown to it for ever',
    script: { writes: [LOST], looks: times(4, done(s3Error(503, 'SlowDown'))) },
    outcomes: {
      create: { ...SEEN, settled: UNSETTLED },
      replace: { ...SEEN_STATE, settled: LATER },
      Complete: { ...SEEN, settled: UNSETTLED },
    },
  },
  {
    cell: 'the look',
    store: 'says 403 to it',
    script: { writes: [LOST], looks: [done(s3Error(403, 'AccessDenied'))] },
    outcomes: {
      create: { ...SEEN, settled: 'person E_STORE_DENIED' },
      replace: { ...SEEN_STATE, settled: 'person E_STORE_DENIED' },
      Complete: { ...SEEN, settled: 'person E_STORE_DENIED' },
    },
  },
  {
    cell: 'the look',
    store: 'says 404 to it, though the write is there',
    script: { writes: [LOST], looks: [done(s3Error(404, 'NoSuchKey'))] },
    outcomes: {
      create: outcome(2, `${UNKNOWN}, exists`, 'same', 'mine', 'same'),
      replace: outcome(2, `${UNKNOWN}, conflict`, 'committed', 'old+mine', 'old+mine+next'),
      Complete: outcome(1, UNKNOWN, UNKNOWN, 'mine', 'same'),
    },
  },
  {
    cell: 'the look',
    store: 'keeps no checksums: the bytes are read and hashed',
    script: { writes: [LOST] },
    habits: { tellsChecksums: false },
    outcomes: { create: SEEN, Complete: SEEN },
  },
  {
    cell: 'the look',
    store: 'keeps no checksums, and another’s bytes of the same size came first',
    script: { writes: [{ ...LOST, before: 'another’s write' }] },
    habits: { tellsChecksums: false },
    outcomes: {
      create: outcome(1, UNKNOWN, 'different', 'another’s', 'different'),
      Complete: outcome(1, UNKNOWN, 'different', 'another’s', 'different'),
    },
  },
  {
    cell: 'the abort',
    store: 'says 409 to Complete, and 500 to freeing the upload',
    script: { writes: [undone(CONFLICT)], aborts: times(4, undone(INTERNAL)) },
    outcomes: { Complete: outcome(1, LATER, LATER, 'nothing', 'created') },
  },
];

const REFUSALS: readonly [name: string, answer: Said, error: string][] = [
  ['400 BadDigest', s3Error(400, 'BadDigest'), 'later E_STORE_DIGEST'],
  ['400 XAmzContentSHA256Mismatch', s3Error(400, 'XAmzContentSHA256Mismatch'), 'later E_STORE_DIGEST'],
  ['403 AccessDenied', s3Error(403, 'AccessDenied'), 'person E_STORE_DENIED'],
  ['403 InvalidAccessKeyId', s3Error(403, 'InvalidAccessKeyId'), 'person E_STORE_CREDENTIALS'],
  ['403 RequestTimeTooSkewed', s3Error(403, 'RequestTimeTooSkewed'), 'person E_STORE_CLOCK'],
  ['301 PermanentRedirect', s3Error(301, 'PermanentRedirect'), 'person E_STORE_REGION'],
  ['400 AuthorizationHeaderMalformed', s3Error(400, 'AuthorizationHeaderMalformed'), 'person E_STORE_REGION'],
  ['400 InvalidRequest', s3Error(400, 'InvalidRequest'), 'person E_STORE_REFUSED'],
  ['501 NotImplemented', s3Error(501, 'NotImplemented'), 'person E_STORE_UNSUPPORTED'],
  ['507 XMinioStorageFull', s3Error(507, 'XMinioStorageFull'), 'person E_STORE_FULL'],
  ['507 in a gateway’s words', html(507), 'person E_STORE_FULL'],
];

const refused: Row[] = REFUSALS.map(([name, answer, error]) => ({
  cell: 'refused',
  store: `says ${name}`,
  script: { writes: [undone(answer)] },
  outcomes: {
    create: outcome(1, error, error, 'nothing', 'created'),
    replace: outcome(1, error, error, 'old', 'old+next'),
    Complete: outcome(1, error, error, 'nothing', 'created'),
  },
}));

export const rowsBeside: readonly Row[] = [...errors, ...cuts, ...looks, ...refused];
