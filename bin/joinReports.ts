import type { RunReport } from '../lib/fetch/report.ts';

/**
 * Several runs over one mailbox, told as one: what was there already is what the first run found, what is left
 * is what the last one left (a message that failed may have been stored since), and `listed` is again the sum.
 */
export function joinReports(reports: readonly [RunReport, ...RunReport[]]): RunReport {
  const [first] = reports;
  const last = reports.at(-1) ?? first;
  const sum = (of: (report: RunReport) => number) => reports.reduce((total, report) => total + of(report), 0);
  const parts = {
    stored: sum(({ counts }) => counts.stored),
    alreadyStored: first.counts.alreadyStored,
    skipped: last.counts.skipped,
    setAside: last.counts.setAside,
    failed: last.counts.failed,
    notReached: last.counts.notReached,
  };
  return {
    ...last,
    run: first.run,
    counts: { listed: Object.values(parts).reduce((total, part) => total + part, 0), ...parts },
    deletions: {
      requested: sum(({ deletions }) => deletions.requested),
      committed: sum(({ deletions }) => deletions.committed),
    },
    bytesStored: sum(({ bytesStored }) => bytesStored),
    signIns: sum(({ signIns }) => signIns),
    startedAtMs: first.startedAtMs,
    durationMs: last.startedAtMs + last.durationMs - first.startedAtMs,
    notes: [...new Set(reports.flatMap(({ notes }) => notes))],
  };
}
