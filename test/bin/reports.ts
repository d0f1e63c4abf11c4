import type { RunReport } from '../../lib/fetch/report.ts';

/** A run that went well, but for what is changed; its counts add up. */
export function report(change: Partial<RunReport>, counts: Partial<RunReport['counts']> = {}): RunReport {
  const parts = { stored: 0, alreadyStored: 0, skipped: 0, setAside: 0, failed: 0, notReached: 0, ...counts };
  const listed = Object.values(parts).reduce((sum, part) => sum + part, 0);
  return {
    mailbox: 'support',
    run: 'a'.repeat(32),
    outcome: 'done',
    counts: { listed, ...parts },
    deletions: { requested: 0, committed: 0 },
    bytesStored: 0,
    signIns: 1,
    startedAtMs: 0,
    durationMs: 1000,
    messages: [],
    notes: [],
    error: null,
    ...change,
  };
}
