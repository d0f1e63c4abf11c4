/** What docs/deploy.md says of money is what the counted figures come to. */
import { readdir, readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { FIGURES } from '../../functions/telemetry.ts';
import {
  billedSeconds,
  FIXED,
  type Line,
  millionLines,
  monthLines,
  parsedLines,
  totalOf,
} from '../bench/costs/bill.ts';
import { withTables } from '../bench/costs/document.ts';
import { NO_REQUESTS } from '../bench/costs/httpMeter.ts';
import type { Measured } from '../bench/costs/measure.ts';
import { MEMORY_MB, type Work } from '../bench/costs/stage.ts';

const file = (path: string) => readFile(new URL(`../../${path}`, import.meta.url), 'utf8');

const NO_WORK: Work = { ...NO_REQUESTS, wallMs: 0, cpuMs: 0, logBytes: 0 };

/** Counts that one can do in one's head. */
const MEASURED: Measured = {
  sizes: { mailboxes: 1000, bulk: 100, octets: 1000, repeats: 1 },
  latencies: { awsMs: 0, pop3EachWayMs: 0 },
  dispatch: { ...NO_WORK, fifoCalls: 10, jobs: 20, mailboxes: 200 },
  idle: { ...NO_WORK, s3Reads: 11, wallMs: 1000, mailboxes: 10 },
  trickle: { ...NO_WORK, s3Reads: 11, s3Writes: 4, events: 2, wallMs: 1000 },
  bulk: { ...NO_WORK, s3Writes: 110, events: 100, wallMs: 1000 },
  parseTen: { ...NO_WORK, s3Writes: 10, wallMs: 1000 },
  parseOne: { ...NO_WORK, s3Writes: 1, wallMs: 200 },
};

const of = (lines: readonly Line[], what: string) => totalOf(lines.filter((line) => line.what === what));

describe('the bill', () => {
  it('in docs/deploy.md is that of docs/costs.json', async () => {
    const [text, kept] = await Promise.all([file('docs/deploy.md'), file('docs/costs.json')]);
    expect(withTables(text, JSON.parse(kept) as Measured)).toBe(text);
  });

  it('is of what is deployed', async () => {
    const infra = await readdir(new URL('../../infra', import.meta.url));
    const texts = await Promise.all(infra.map((name) => file(`infra/${name}`)));
    expect(texts.join('').match(/Type: AWS::CloudWatch::Alarm\b/g)).toHaveLength(FIXED.alarms);
    expect(Object.keys(FIGURES)).toHaveLength(FIXED.figures);
    const service = await file('serverless.yml');
    expect(service).toContain(`fetchConcurrency: ${FIXED.functionsAtOnce}\n`);
    for (const [name, megabytes] of Object.entries(MEMORY_MB))
      expect(service).toContain(`${name}Memory: ${megabytes}\n`);
  });

  it('asks for a whole processor’s computing only where the function has one', () => {
    const work = { ...NO_WORK, wallMs: 1000, cpuMs: 500 };
    expect(billedSeconds(work, 1769)).toBe(1);
    expect(billedSeconds(work, 1769 / 2)).toBeCloseTo(1.5);
    expect(billedSeconds(work, 10_000)).toBe(1);
  });

  it('of a million messages is that of each request, event and second', () => {
    const bulk = millionLines(MEASURED, 'bulk');
    expect(of(bulk, 'S3: writes')).toBeCloseTo(1.1 * 5);
    expect(of(bulk, 'EventBridge: events')).toBeCloseTo(1);
    // 10,000 calls of a second and half a GB.
    expect(of(bulk, 'Lambda: fetch')).toBeCloseTo((10_000 * 0.0000133334) / 2 + 0.002);
    const trickle = millionLines(MEASURED, 'trickle');
    expect(of(trickle, 'S3: writes')).toBeCloseTo(20);
    expect(of(trickle, 'S3: reads')).toBe(0);
    const parsed = parsedLines(MEASURED, 'trickle');
    expect(of(parsed, 'S3: writes')).toBeCloseTo(5);
    // One sent, one received, one deleted.
    expect(of(parsed, 'SQS: messages to parse')).toBeCloseTo(3 * 0.4);
  });

  it('of a month counts every poll of every mailbox, and grows with neither more than they do', () => {
    const month = monthLines(MEASURED, { mailboxes: 1000, everyMinutes: 5 });
    // 8,640 polls of 100 jobs, 11 reads each.
    expect(of(month, 'S3: reads')).toBeCloseTo((8640 * 100 * 11 * 0.4) / 1e6);
    expect(of(month, 'Lambda: fetch')).toBeCloseTo(8640 * 100 * (0.0000133334 / 2 + 0.2 / 1e6));
    const tenfold = monthLines(MEASURED, { mailboxes: 10_000, everyMinutes: 5 });
    for (const what of ['S3: reads', 'Lambda: fetch'])
      expect(of(tenfold, what)).toBeCloseTo(10 * of(month, what));
    expect(of(tenfold, 'Schedule, alarms and figures')).toBe(of(month, 'Schedule, alarms and figures'));
    const seldom = monthLines(MEASURED, { mailboxes: 1000, everyMinutes: 15 });
    expect(of(seldom, 'S3: reads')).toBeCloseTo(of(month, 'S3: reads') / 3);
  });
});
