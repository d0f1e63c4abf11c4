import { describe, expect, it } from 'vitest';
import { WhatIsNew } from '../../bin/whatIsNew.ts';
import { report } from './reports.ts';

const trouble = {
  code: 'E_POP3_TIMEOUT',
  phase: 'tcp',
  message: 'support: no answer',
  kind: 'later',
} as const;
const HOUR_MS = 3_600_000;

describe('what is new in a run', () => {
  it('is mail, deletions and failures, each time, and not that nothing happened', () => {
    const news = new WhatIsNew();
    const isNew = (...parts: Parameters<typeof report>) => news.isIn(report(...parts), 0);
    expect(isNew({}, { alreadyStored: 5 })).toBe(false);
    for (let time = 0; time < 2; time += 1) {
      expect(isNew({}, { stored: 1 })).toBe(true);
      expect(isNew({ deletions: { requested: 1, committed: 0 } })).toBe(true);
      expect(isNew({}, { failed: 1 })).toBe(true);
      expect(isNew({ outcome: 'failed', error: trouble })).toBe(true);
    }
    expect(isNew({ outcome: 'more', error: { ...trouble, code: 'E_RUN_ABORTED' } })).toBe(false);
  });

  it('is what lasts when it begins, changes or ends, of each mailbox by itself', () => {
    const news = new WhatIsNew();
    const isNew = (mailbox: string, setAside: number, notes: string[] = []) =>
      news.isIn(report({ mailbox, notes }, { setAside }), 0);
    expect([isNew('a', 1), isNew('a', 1), isNew('a', 2), isNew('b', 2), isNew('a', 0)]).toEqual([
      true,
      false,
      true,
      true,
      true,
    ]);
    expect([isNew('a', 0, ['n']), isNew('a', 0, ['n']), isNew('a', 0)]).toEqual([true, false, true]);
  });

  it('is each wait once, and one for LOGIN-DELAY once for all', () => {
    const news = new WhatIsNew();
    const isNew = (untilMs: number, code = 'E_POP3_AUTH') =>
      news.isIn(
        report({
          outcome: 'waiting',
          waiting: { until: new Date(untilMs).toISOString(), code, message: 'm' },
        }),
        0,
      );
    expect(isNew(30_000)).toBe(false);
    expect([isNew(HOUR_MS), isNew(HOUR_MS), isNew(2 * HOUR_MS)]).toEqual([true, false, true]);
    expect([isNew(HOUR_MS, 'E_POP3_LOGIN_DELAY'), isNew(2 * HOUR_MS, 'E_POP3_LOGIN_DELAY')]).toEqual([
      true,
      false,
    ]);
  });
});
