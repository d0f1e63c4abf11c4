import { leftSuspects, type Progress, type RunReport } from '../../lib/fetch/report.ts';
import type { Mailbox } from '../../lib/mailbox/settings.ts';
import { EXIT, type ExitCode, exitCodeOfRun, worst } from '../exitCodes.ts';
import { joinReports } from '../joinReports.ts';
import { whenOn } from '../patience.ts';
import { progressLine, TICK_MS } from '../progress.ts';
import { describeRun } from '../runInWords.ts';
import { goesOn, poolOf, runOnce, type Task } from '../runs.ts';
import type { Call } from './command.ts';

/** Fetches until nothing is left, says how it went, and gives the exit code. */
export async function fetchCommand(call: Call): Promise<ExitCode> {
  const { terminal, signal } = call;
  const progress = progressLine(terminal, call.ports.clock.now);
  const timer = setInterval(progress.tick, TICK_MS);
  let reports: readonly RunReport[];
  try {
    reports = await fetchMailboxes(call, progress.update);
  } finally {
    clearInterval(timer);
    progress.end();
  }
  for (const report of reports) {
    if (call.json) terminal.json(report);
    else terminal.out(describeRun(report));
  }
  return signal.aborted ? EXIT.interrupted : worst(reports.map(exitCodeOfRun));
}

async function fetchMailboxes(
  call: Call,
  onProgress: (progress: Progress) => void,
): Promise<readonly RunReport[]> {
  const [only, ...others] = call.mailboxes;
  if (only !== undefined && others.length === 0)
    return [await fetchAll(call, { mailbox: only, suspects: 'after', onProgress })];
  return fetchSeveral(call, onProgress);
}

/**
 * A message that may have killed a process is tried when nothing else is under way: otherwise it could take the
 * other mailboxes' work with it, and they would be blamed for it.
 */
async function fetchSeveral(
  call: Call,
  onProgress: (progress: Progress) => void,
): Promise<readonly RunReport[]> {
  const { mailboxes, signal } = call;
  const first = (mailbox: Mailbox, busy: () => void) => {
    const noteBusy = whenOn(busy);
    const both = (progress: Progress) => {
      noteBusy(progress);
      onProgress(progress);
    };
    return fetchAll(call, { mailbox, suspects: 'never', onProgress: both });
  };
  const reports = [...(await poolOf(call).all(mailboxes, first))];
  for (const [at, mailbox] of mailboxes.entries()) {
    const report = reports[at];
    if (report === undefined || !leftSuspects(report) || signal.aborted) continue;
    reports[at] = joinReports([report, await fetchAll(call, { mailbox, suspects: 'only', onProgress })]);
  }
  return reports;
}

/** Runs again while a run ends with work left and got somewhere. */
async function fetchAll(call: Call, task: Omit<Task, 'honourBackOff'>): Promise<RunReport> {
  // Whoever types the command wants it tried now.
  const once = () => runOnce(call, { ...task, honourBackOff: false });
  const first = await once();
  const reports: [RunReport, ...RunReport[]] = [first];
  for (let last = first; goesOn(last) && !call.signal.aborted; ) {
    last = await once();
    reports.push(last);
  }
  return joinReports(reports);
}
