/** What docs/deploy.md reckons with is what the deployed functions do: their requests, counted. */
import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { type Measured, measureCosts } from '../bench/costs/measure.ts';
import { needing, PARTS } from './endsParts.ts';

const { missing, title } = needing('what AWS would ask money for', 'versitygw', 'ric');

describe.skipIf(missing)(title, () => {
  it('is as docs/costs.json has it', async () => {
    const text = await readFile(new URL('../../docs/costs.json', import.meta.url), 'utf8');
    const kept = JSON.parse(text) as Measured;
    const found = await measureCosts({
      parts: PARTS,
      // Two batches, so that the state is written for each.
      sizes: { mailboxes: 40, bulk: 200, octets: 2000, repeats: 1 },
      latencies: { awsMs: 0, pop3EachWayMs: 0 },
      log: () => {},
    });
    const { mailboxes } = found.idle;
    expect(found.idle).toMatchObject({ s3Writes: 0, s3Reads: 1 + mailboxes, events: 0, fifoCalls: 0 });
    expect(kept.idle).toMatchObject({ s3Writes: 0, s3Reads: 1 + kept.idle.mailboxes, events: 0 });
    for (const { idle, trickle } of [found, kept]) {
      expect(trickle.s3Writes).toBeLessThanOrEqual(4);
      expect([trickle.s3Reads - idle.s3Reads, trickle.events]).toEqual([0, 2]);
    }
    for (const { bulk, sizes } of [found, kept]) {
      expect(bulk.events).toBe(sizes.bulk + 1);
      // An object each; of the state a write for each batch of 128, a segment now and then, and a few to begin and to end.
      const batches = Math.ceil(sizes.bulk / 128);
      expect(bulk.s3Writes - sizes.bulk).toBeGreaterThanOrEqual(batches);
      expect(bulk.s3Writes - sizes.bulk).toBeLessThanOrEqual(1.5 * batches + 4);
    }
    for (const { parseTen, parseOne } of [found, kept]) {
      expect([parseTen.s3Writes, parseTen.s3Reads, parseTen.events]).toEqual([20, 10, 10]);
      expect([parseOne.s3Writes, parseOne.s3Reads, parseOne.events]).toEqual([2, 1, 1]);
    }
  });
});
