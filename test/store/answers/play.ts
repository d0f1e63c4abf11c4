/** Plays a row: an attempt against the scripted store, the next one against an honest one, then what lands late. */
import { brokenPromises } from './promises.ts';
import type { Outcome, Row } from './row.ts';
import { startScene, type Write } from './scene.ts';

export interface Played {
  readonly outcome: Outcome;
  /** Each promise that was broken, in words. */
  readonly broken: readonly string[];
}

export async function play(row: Row, write: Write): Promise<Played> {
  const scene = await startScene(write, row);
  try {
    const settled = await scene.attempt('mine');
    const reports = [...scene.reports];
    const requests = scene.server.requests.filter(
      ({ operation }) => operation === 'PutObject' || operation === 'CompleteMultipartUpload',
    );
    const bucket = scene.content();
    const missing = await scene.missing();
    const uploads = row.script.aborts === undefined ? scene.bucket.uploads.size : 0;
    scene.server.follow({}, 'the next run');
    const next = await scene.attempt('next');
    scene.server.land();
    const end = scene.content();
    missing.push(...(await scene.missing()));
    const { objects, applied } = scene.bucket;
    const facts = {
      write,
      settled,
      bucket,
      next,
      end,
      reports,
      requests,
      missing,
      uploads,
      objects,
      applied,
    };
    return {
      outcome: {
        sent: requests.length,
        says: counted(reports),
        settled,
        bucket,
        next: write === 'replace' ? end : next,
      },
      broken: brokenPromises(facts),
    };
  } finally {
    await scene.stop();
  }
}

/** "a ×2, b" for a, a, b. */
function counted(reports: readonly string[]): string {
  const runs: { report: string; count: number }[] = [];
  for (const report of reports) {
    const last = runs.at(-1);
    if (last?.report === report) last.count += 1;
    else runs.push({ report, count: 1 });
  }
  return runs.map(({ report, count }) => (count === 1 ? report : `${report} ×${count}`)).join(', ');
}
