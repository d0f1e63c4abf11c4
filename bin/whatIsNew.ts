import type { RunReport } from '../lib/fetch/report.ts';

/** A wait that is over so soon is not worth a line: the mailbox is fetched before anybody read it. */
const SHORT_WAIT_MS = 60_000;

/** Whether a run says what no earlier one of its mailbox said. Remembers one text for each mailbox. */
export class WhatIsNew {
  readonly #told = new Map<string, string>();

  isIn(report: RunReport, nowMs: number): boolean {
    if (report.waiting !== undefined) return this.#isNewWait(report.mailbox, report.waiting, nowMs);
    const { mailbox, counts, deletions, notes, error } = report;
    const lasting = JSON.stringify([counts.setAside, counts.skipped, notes]);
    const before = this.#told.get(mailbox) ?? JSON.stringify([0, 0, []]);
    this.#told.set(mailbox, lasting);
    const failed = error !== null && error.code !== 'E_RUN_ABORTED';
    return counts.stored + deletions.requested + counts.failed > 0 || failed || lasting !== before;
  }

  /** LOGIN-DELAY is told once and not at each poll: it goes on until somebody changes the interval. */
  #isNewWait(mailbox: string, { until, code }: NonNullable<RunReport['waiting']>, nowMs: number): boolean {
    if (Date.parse(until) - nowMs < SHORT_WAIT_MS) return false;
    const key = `${mailbox} waits`;
    const wait = code === 'E_POP3_LOGIN_DELAY' ? code : until;
    if (this.#told.get(key) === wait) return false;
    this.#told.set(key, wait);
    return true;
  }
}
