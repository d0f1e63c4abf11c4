/** A tenth of the servers is dead or drips, and the mailboxes on all the others do not notice. */
import { expect, it } from 'vitest';
import { BESIDE, PATIENCE_MS } from '../../bin/patience.ts';
import { fetchMany, type Kind, type Outcome, p95 } from './manyServers.ts';

const MAILBOXES = 500;
const WIDTH = 4;
const GOAL = 1.2;

const KINDS: readonly Kind[] = Array.from({ length: MAILBOXES }, (_, at) => {
  if (at % 10 !== 3) return 'healthy';
  return at % 20 === 3 ? 'dead' : 'dripping';
});

/** Its clock jumps, so these are no times of this machine, and every run gives the same. */
it('fetches the healthy ones of 500 mailboxes nearly as soon as without the bad ones', async () => {
  const patience = { ms: PATIENCE_MS, beside: BESIDE };
  const alone = await fetchMany(
    KINDS.filter((kind) => kind === 'healthy'),
    WIDTH,
    patience,
  );
  const among = await fetchMany(KINDS, WIDTH, patience);
  const healthy = among.filter(({ kind }) => kind === 'healthy');
  const ratio = (of: (outcome: Outcome) => number) => p95(healthy.map(of)) / p95(alone.map(of));
  const runs = ratio(({ runMs }) => runMs);
  const ends = ratio(({ endedMs }) => endedMs);
  console.log(
    `healthy p95 among the bad : alone = ${runs.toFixed(2)} (run), ${ends.toFixed(2)} (until it ended)`,
  );
  expect([alone, healthy].map((outcomes) => outcomes.every(({ done }) => done))).toEqual([true, true]);
  expect(alone.length).toBe(healthy.length);
  expect(runs).toBeLessThanOrEqual(GOAL);
  expect(ends).toBeLessThanOrEqual(GOAL);
});
