/** What must hold whatever a store answers: judged from the bucket's own log, not from what the adapter said. */
import type { S3Request } from '../../servers/scriptedS3.ts';
import type { Applied } from './bucket.ts';
import type { KeptObject } from './objects.ts';
import { MAIL_KEY, type Write } from './scene.ts';
import { headIn, STATE_KEY } from './states.ts';

export interface Facts {
  readonly write: Write;
  readonly settled: string;
  /** What was in the bucket when the attempt was settled, in the table's words. */
  readonly bucket: string;
  /** What the next attempt came to. */
  readonly next: string;
  /** What is in the bucket after it, when everything late has landed. */
  readonly end: string;
  /** Of the attempt's writes. */
  readonly reports: readonly string[];
  readonly requests: readonly S3Request[];
  /** From the state's records, after either attempt. */
  readonly missing: readonly string[];
  /** Left open by the attempt. */
  readonly uploads: number;
  readonly objects: ReadonlyMap<string, KeptObject>;
  readonly applied: readonly Applied[];
}

export function brokenPromises(facts: Facts): string[] {
  const { write, requests, uploads } = facts;
  const broken = write === 'replace' ? brokenForState(facts) : brokenForMail(facts);
  if (requests.some(({ headers }) => headers['if-none-match'] !== '*' && !headers['if-match'])) {
    broken.push('a write was sent without a condition');
  }
  if (uploads > 0) broken.push('an upload was left open');
  if (saidNotDone(facts) && facts.applied.some(({ by }) => by === 'this run')) {
    broken.push('what was reported as not done was done');
  }
  return broken;
}

/** Every write's report says that it was not done, and will not be. */
function saidNotDone({ reports }: Facts): boolean {
  return reports.length > 0 && reports.every((report) => /^(later|person) /.test(report));
}

function brokenForMail({ settled, bucket, next, end, objects, applied }: Facts): string[] {
  const broken = [...objects.keys()]
    .filter((key) => key !== MAIL_KEY)
    .map((key) => `a second object: ${key}`);
  const judge = (verdict: string, content: string, at: string) => {
    if ((verdict === 'created' || verdict === 'same') && content !== 'mine') {
      broken.push(`${at}: success without the bytes`);
    }
    if (verdict === 'different' && (content === 'mine' || content === 'nothing')) {
      broken.push(`${at}: called different what is not`);
    }
  };
  judge(settled, bucket, 'the attempt');
  judge(next, end, 'the next attempt');
  if (!/^(created|same|different)$/.test(next)) broken.push(`the next attempt: ${next}`);
  if (applied.some(({ replaced }) => replaced !== undefined)) broken.push('an object was overwritten');
  return broken;
}

function brokenForState({ settled, bucket, next, end, missing, applied }: Facts): string[] {
  const broken = missing.map((uidl) => `no longer on record: ${uidl}`);
  const says = (content: string, update: string) => content.split('+').includes(update);
  if (settled === 'committed' && !says(bucket, 'mine')) broken.push('committed, and not in the state');
  if (next !== 'committed') broken.push(`the next commit: ${next}`);
  if (!says(end, 'next') || (settled === 'committed' && !says(end, 'mine'))) broken.push('a lost update');
  const heads = applied.filter(({ key }) => key === STATE_KEY);
  for (const { object, replaced } of heads) {
    const { updates } = headIn(object.body);
    if (new Set(updates).size < updates.length) broken.push('an update that was made twice');
    const before = replaced === undefined ? [] : headIn(replaced.body).updates;
    if (before.some((update) => !updates.includes(update))) broken.push('a lost update');
  }
  const nonces = new Set(heads.map(({ object }) => headIn(object.body).nonce));
  if (nonces.size < heads.length) broken.push('two writes with one nonce');
  if (applied.some(({ key, replaced }) => key !== STATE_KEY && replaced))
    broken.push('a segment was overwritten');
  return broken;
}
