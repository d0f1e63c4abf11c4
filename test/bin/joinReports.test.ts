import { describe, expect, it } from 'vitest';
import { joinReports } from '../../bin/joinReports.ts';
import { describeRun } from '../../bin/runInWords.ts';
import { report } from './reports.ts';

const trouble = {
  code: 'E_POP3_REFUSED',
  phase: 'retr',
  message: 'support: the server said "-ERR no"',
  kind: 'later',
} as const;

describe('several runs told as one', () => {
  it('add up, whether or not the mail stayed on the server', () => {
    const first = report(
      { outcome: 'more', deletions: { requested: 100, committed: 100 }, bytesStored: 5, notes: ['n'] },
      { stored: 100, alreadyStored: 7, failed: 1, notReached: 60 },
    );
    const kept = report(
      { startedAtMs: 2000, bytesStored: 3, notes: ['n'] },
      { stored: 61, alreadyStored: 107 },
    );
    const gone = report({ startedAtMs: 2000, bytesStored: 3, notes: ['n'] }, { stored: 61 });
    for (const last of [kept, gone]) {
      expect(joinReports([first, last])).toMatchObject({
        outcome: 'done',
        counts: { listed: 168, stored: 161, alreadyStored: 7, failed: 0, notReached: 0 },
        bytesStored: 8,
        signIns: 2,
        durationMs: 3000,
        notes: ['n'],
      });
    }
  });

  it('of one run are that run', () => {
    const one = report({ outcome: 'failed', error: trouble }, { stored: 2 });
    expect(joinReports([one])).toEqual(one);
  });
});

describe('a report in words', () => {
  it('names each message that failed, counts the rest, and gives the notes', () => {
    const text = describeRun(
      report(
        {
          deletions: { requested: 3, committed: 1 },
          bytesStored: 1_400_000,
          messages: [{ ...trouble, uidl: 'u1' }],
          notes: ['nothing is deleted: the store cannot be trusted'],
        },
        { stored: 3, failed: 4, setAside: 1 },
      ),
    );
    expect(text.split('\n')).toEqual([
      '! support: 8 messages listed: 3 stored (1.4 MB), 1 set aside, 4 failed; 1.0 s',
      '  1 message deleted from the server; 2 deletions not confirmed by the server, the next run looks',
      '  support: the server said "-ERR no" (E_POP3_REFUSED, retr) [UIDL u1]',
      '  … and 4 more messages',
      '  note: nothing is deleted: the store cannot be trusted',
    ]);
  });

  it('says of a run that waits until when, and why', () => {
    const waiting = {
      until: '2026-03-01T10:00:00.000Z',
      code: 'E_POP3_THROTTLED',
      message: 'support: sign-in (PASS): too often',
    };
    expect(describeRun(report({ outcome: 'waiting', waiting }))).toBe(
      '! support: not tried before 2026-03-01 10:00:00 UTC\n  support: sign-in (PASS): too often (E_POP3_THROTTLED)',
    );
  });

  it('says of an unfinished run how to go on', () => {
    expect(describeRun(report({ outcome: 'more' }, { stored: 1, notReached: 2 }))).toBe(
      '! support: 3 messages listed: 1 stored (0 B), 2 not reached; 1.0 s\n  Some work is left: run the same command again.',
    );
  });
});
