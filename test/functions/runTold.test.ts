import { describe, expect, it } from 'vitest';
import { tellRun } from '../../functions/runTold.ts';
import type { Figure } from '../../functions/telemetry.ts';
import type { RunReport } from '../../lib/fetch/report.ts';
import { report } from '../bin/reports.ts';

const NOW_MS = 10_000_000;
const failed = { code: 'E_POP3_AUTH', phase: 'sign-in', kind: 'person' } as const;

function told(run: RunReport, user = 'ada') {
  const lines: Record<string, unknown>[] = [];
  const figures: Partial<Record<Figure, number>> = {};
  const telemetry = {
    log: (level: string, message: string, fields: object) => lines.push({ level, message, ...fields }),
    count: (figure: Figure, value: number) => {
      figures[figure] = value;
    },
  };
  tellRun(telemetry, { bundle: 'b1', mailbox: { id: 'support', user }, report: run, nowMs: NOW_MS });
  return { line: lines[0] ?? {}, figures, lines };
}

describe('a run that is told', () => {
  it('is one line and figures', () => {
    const { lines, figures } = told(
      report({ deletions: { requested: 3, committed: 2 }, bytesStored: 500 }, { stored: 3, setAside: 1 }),
    );
    expect(lines).toMatchObject([{ level: 'info', message: 'run', bundle: 'b1', counts: { stored: 3 } }]);
    expect(figures).toEqual({
      ...{
        Runs: 1,
        RunsFailed: 0,
        MessagesStored: 3,
        BytesStored: 500,
        MessagesDeleted: 2,
        MessagesSetAside: 1,
      },
      ...{ MailboxesFailing: 0, Throttles: 0, OldestSuccessAgeSeconds: 0 },
    });
  });

  it('is a line for nobody but who asks where nothing was done and nothing is to be said', () => {
    const idle = told(report({}, { listed: 4, alreadyStored: 4, stored: 0 }));
    expect(idle.lines).toMatchObject([{ level: 'debug', message: 'run' }]);
    expect(idle.figures).toMatchObject({ Runs: 1, OldestSuccessAgeSeconds: 0 });
    const trouble = { ...failed, kind: 'later', message: 'no' } as const;
    const others = [
      report({}, { stored: 1 }),
      report({}, { failed: 1 }),
      report({ outcome: 'more' }),
      report({ outcome: 'waiting', waiting: { until: 'x', code: 'E', message: 'm' } }),
      report({ error: trouble }),
      report({ notes: ['nothing is deleted'] }),
      report({ messages: [{ ...trouble, uidl: 'u1' }] }),
      report({ deletions: { requested: 1, committed: 0 } }),
    ];
    for (const other of others) expect(told(other).line['level'], JSON.stringify(other)).not.toBe('debug');
  });

  it('has no address in it, nor the user’s name, whatever the server said', () => {
    const message = 'support: "-ERR <ada@example.org> ada: no such user (try "Ada L" <x+y@b.example>)"';
    const { line } = told(
      report({
        outcome: 'failed',
        error: { ...failed, message },
        messages: [{ ...failed, uidl: 'u1', message }],
        notes: [message],
        waiting: { until: 'x', code: 'E', message },
      }),
    );
    expect(JSON.stringify(line)).not.toMatch(/ada|@|example/);
    expect(line).toMatchObject({ level: 'error', mailbox: 'support' });
    expect(JSON.stringify(line)).toContain('no such user');
  });

  it('counts a mailbox as failing once a person was told, and the age of its last success', () => {
    const standing = {
      suspects: false,
      lastSuccessMs: NOW_MS - 7_200_000,
      failing: { sinceMs: 1, told: false },
    };
    const run = report({ outcome: 'failed', error: { ...failed, message: 'no' }, standing });
    expect(told(run).figures).toMatchObject({
      RunsFailed: 1,
      MailboxesFailing: 0,
      OldestSuccessAgeSeconds: 7200,
    });
    // It went well until then, though an idle mailbox had not noted that for a while.
    const lately = { ...standing, failing: { sinceMs: NOW_MS - 60_000, told: false } };
    const first = report({ outcome: 'failed', error: { ...failed, message: 'no' }, standing: lately });
    expect(told(first).figures).toMatchObject({ OldestSuccessAgeSeconds: 60 });
    const failing = { ...standing, lastSuccessMs: 0, failing: { sinceMs: NOW_MS - 1000, told: true } };
    const waiting = { until: 'x', code: 'E_POP3_THROTTLED', message: 'slow down' };
    expect(told(report({ outcome: 'waiting', waiting, standing: failing })).figures).toMatchObject({
      ...{ Runs: 0, RunsFailed: 0, MailboxesFailing: 1, OldestSuccessAgeSeconds: 1, Throttles: 1 },
    });
  });
});
